"""An upstream in a process of its own that streams numbered words, as fast as it is told.

`python -m tests.soak.paced_server` prints its URL. What a request's prompt asks for (`Wish`, as
JSON) decides the answer; the model `shaky` fails every other time, in turn by each of its faults.
"""

import asyncio
import itertools
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from aiohttp import web

SSE = {"content-type": "text/event-stream"}


@dataclass(frozen=True)
class Wish:
    """`events` words of `size` characters with `pause` seconds between them.

    `together`: nobody is told a second word before so many streams have said their first.
    """

    id: int
    events: int = 20
    size: int = 16
    pause: float = 0.0
    together: int = 1

    def prompt(self) -> str:
        """The prompt that asks for it."""
        return json.dumps(asdict(self))

    def words(self) -> Iterator[str]:
        """What is said: every word tells whose and which it is."""
        for number in range(self.events):
            yield f"<{self.id}.{number}>".ljust(self.size, "x")

    def text(self) -> str:
        """All of it."""
        return "".join(self.words())


Events: TypeAlias = AsyncIterator[bytes]


class Paced:
    """The server's memory: how many streams of each crowd have begun, and whose turn to fail."""

    def __init__(self) -> None:
        self.begun: Counter[int] = Counter()
        self.all_begun: dict[int, asyncio.Event] = {}
        self.turn = itertools.count()
        self.faults = itertools.cycle((self.refuse, self.cut, self.say_nothing))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any request of either dialect."""
        body = json.loads(await request.read())
        if body["model"] == "shaky" and next(self.turn) % 2 == 0:
            return await next(self.faults)(request)
        wish = wish_of(body)
        is_message = request.path.endswith("/messages")
        if not body.get("stream"):
            return web.json_response(message(wish) if is_message else completion(wish))
        response = web.StreamResponse(headers=SSE)
        await response.prepare(request)
        async for event in message_events(wish) if is_message else chunks(wish):
            if b"\n" not in event:
                await self.wait_for(wish)
                continue
            try:
                await response.write(event)
            except ConnectionError:  # it left: part of the load
                break
        return response

    async def wait_for(self, wish: Wish) -> None:
        """Until the crowd is complete; then the time between two words."""
        if wish.together > 1:
            all_begun = self.all_begun.setdefault(wish.together, asyncio.Event())
            self.begun[wish.together] += 1
            if self.begun[wish.together] >= wish.together:
                all_begun.set()
            await all_begun.wait()

    async def refuse(self, _: web.Request) -> web.StreamResponse:
        """A plain error."""
        error = {"message": "busy", "type": "server_error", "param": None, "code": None}
        return web.json_response({"error": error}, status=503)

    async def cut(self, request: web.Request) -> web.StreamResponse:
        """Headers, and nobody behind them."""
        response = web.StreamResponse(headers=SSE)
        await response.prepare(request)
        assert request.transport is not None
        request.transport.abort()
        return response

    async def say_nothing(self, _: web.Request) -> web.StreamResponse:
        """An answer without content."""
        return web.Response(body=b"", content_type="text/event-stream")


def wish_of(body: Mapping[str, Any]) -> Wish:
    """What the last message asks for, in either dialect."""
    content = body["messages"][-1]["content"]
    text = content if isinstance(content, str) else content[-1]["text"]
    return Wish(**json.loads(text))


async def spaced(wish: Wish) -> AsyncIterator[str]:
    """The words in time; an empty one stands where the crowd is waited for."""
    for number, word in enumerate(wish.words()):
        if number == 1:
            yield ""
        if wish.pause and number:
            await asyncio.sleep(wish.pause)
        yield word


_WAIT = b"wait"


async def message_events(wish: Wish) -> Events:
    """The stream in the Messages dialect."""
    start = message(wish) | {"content": [], "stop_reason": None}
    block = {"type": "text", "text": ""}
    yield _event({"type": "message_start", "message": start})
    yield _event({"type": "content_block_start", "index": 0, "content_block": block})
    async for word in spaced(wish):
        delta = {"type": "text_delta", "text": word}
        event = {"type": "content_block_delta", "index": 0, "delta": delta}
        yield _event(event) if word else _WAIT
    yield _event({"type": "content_block_stop", "index": 0})
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    usage = {"output_tokens": wish.events}
    yield _event({"type": "message_delta", "delta": end, "usage": usage})
    yield _event({"type": "message_stop"})


async def chunks(wish: Wish) -> Events:
    """The stream in the Chat dialect."""
    yield _chunk(wish, {"role": "assistant", "content": ""}, None)
    async for word in spaced(wish):
        yield _chunk(wish, {"content": word}, None) if word else _WAIT
    yield _chunk(wish, {}, "stop")
    yield b"data: [DONE]\n\n"


def message(wish: Wish) -> dict[str, Any]:
    """A whole answer in the Messages dialect."""
    return {
        "id": f"msg_{wish.id}",
        "type": "message",
        "role": "assistant",
        "model": "paced",
        "content": [{"type": "text", "text": wish.text()}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": wish.events},
    }


def completion(wish: Wish) -> dict[str, Any]:
    """A whole answer in the Chat dialect."""
    answer = {"role": "assistant", "content": wish.text(), "refusal": None}
    usage = {"prompt_tokens": 10, "completion_tokens": wish.events}
    return {
        "id": f"chatcmpl-{wish.id}",
        "object": "chat.completion",
        "created": 1795240000,
        "model": "paced",
        "choices": [{"index": 0, "message": answer, "logprobs": None, "finish_reason": "stop"}],
        "usage": usage | {"total_tokens": 10 + wish.events},
    }


def _chunk(wish: Wish, delta: dict[str, Any], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    chunk = {
        "id": f"chatcmpl-{wish.id}",
        "object": "chat.completion.chunk",
        "created": 1795240000,
        "model": "paced",
        "choices": [choice],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _event(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


async def serve() -> None:
    """Until the process is stopped."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/{path:.*}", Paced().answer)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
