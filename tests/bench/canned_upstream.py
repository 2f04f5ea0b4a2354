"""An upstream that answers at once with a canned body, or with a paced stream, in either dialect.

``python canned_upstream.py`` prints its port and serves until it is killed.
"""

import asyncio
import json

import uvloop
from aiohttp import web

MESSAGE = json.dumps(
    {
        "id": "msg_01Canned0000000000000",
        "type": "message",
        "role": "assistant",
        "model": "canned",
        "content": [{"type": "text", "text": "A short answer."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 4},
    }
).encode()
COMPLETION = json.dumps(
    {
        "id": "chatcmpl-canned",
        "object": "chat.completion",
        "created": 1_795_240_000,
        "model": "canned",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "A short answer.", "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
    }
).encode()


DELTAS = 100
"""Small events of a stream, beside its head and its end."""
PACE = 0.02
"""Seconds between them."""


def event(name: str, **members: object) -> bytes:
    """An event of a Messages stream."""
    return f"event: {name}\ndata: {json.dumps({'type': name} | members)}\n\n".encode()


HEAD = event(
    "message_start", message=json.loads(MESSAGE) | {"content": [], "stop_reason": None}
) + event("content_block_start", index=0, content_block={"type": "text", "text": ""})
DELTA = event("content_block_delta", index=0, delta={"type": "text_delta", "text": " word"})
TAIL = (
    event("content_block_stop", index=0)
    + event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": DELTAS})
    + event("message_stop")
)


async def stream(request: web.Request) -> web.StreamResponse:
    """A Messages stream, one small event at a time."""
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    await response.write(HEAD)
    for _ in range(DELTAS):
        await asyncio.sleep(PACE)
        await response.write(DELTA)
    await response.write(TAIL)
    return response


async def main() -> None:
    """Serve on a free loopback port."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if b'"stream"' in await request.read():
            return await stream(request)
        body = MESSAGE if request.path.endswith("/messages") else COMPLETION
        return web.Response(body=body, content_type="application/json")

    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
