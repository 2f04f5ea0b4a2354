"""A gateway process before the paced upstream's process, and clients that check what they read."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from tests.e2e.gateway import ROOT, GatewayProcess, built, environment, serving
from tests.soak.paced_server import Wish

SPEC = Path(__file__).parent / "load.yaml"
PATIENCE = 300

PATHS = {
    "messages": "/v1/messages",
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
}


@contextmanager
def paced_upstream() -> Iterator[str]:
    """The upstream's URL, while its process runs."""
    command = [sys.executable, "-m", "tests.soak.paced_server"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            assert url, "the upstream did not start"
            yield url
        finally:
            process.kill()


@dataclass(frozen=True)
class LoadLab:
    """The gateway under load."""

    gateway: GatewayProcess

    @property
    def pid(self) -> int:
        return self.gateway.process.pid


@contextmanager
def load_lab(
    folder: Path, arguments: Sequence[str] = ("--log-level", "warning")
) -> Iterator[LoadLab]:
    """Both processes, until the block ends."""
    bundle = built(SPEC, folder, "load")
    with (
        paced_upstream() as url,
        serving(bundle, folder / "log", arguments, {"PACED_URL": url}, is_forked=False) as gateway,
    ):
        yield LoadLab(gateway)
        assert gateway.stop() == 0
        assert not [line for line in gateway.lines if line["event"] == "mistake"]


def client() -> ClientSession:
    """A client with as many connections as it likes."""
    return ClientSession(
        connector=TCPConnector(limit=0), timeout=ClientTimeout(total=PATIENCE), read_bufsize=1 << 12
    )


def body_of(surface: str, wish: Wish, model: str, *, stream: bool) -> dict[str, Any]:
    """The request for a wish."""
    asked: dict[str, Any] = {"model": model, "stream": stream}
    if surface == "responses":
        return asked | {"input": wish.prompt()}
    asked["messages"] = [{"role": "user", "content": wish.prompt()}]
    return asked | ({"max_tokens": 9_999} if surface == "messages" else {})


async def streamed(session: ClientSession, url: str, surface: str, wish: Wish, model: str) -> str:
    """The text of a stream, which must end as a whole one does."""
    body = body_of(surface, wish, model, stream=True)
    async with session.post(url + PATHS[surface], json=body) as answer:
        assert answer.status == 200, await answer.text()
        return text_of(surface, await answer.read())


def text_of(surface: str, data: bytes) -> str:
    """What a whole stream said. Fails where it has no clean end."""
    found = []
    events = [line[6:] for line in data.split(b"\n") if line.startswith(b"data: ")]
    last = {"messages": b'"message_stop"', "chat": b"[DONE]", "responses": b'"response.completed"'}
    assert last[surface] in events[-1], events[-1][:300]
    for event in events:
        if event != b"[DONE]":
            found.append(_piece(surface, json.loads(event)))
    return "".join(found)


def _piece(surface: str, event: Mapping[str, Any]) -> str:
    match surface:
        case "messages":
            delta = event.get("delta") or {}
            return str(delta.get("text", "")) if event["type"] == "content_block_delta" else ""
        case "chat":
            choices = event["choices"]
            return str(choices[0]["delta"].get("content") or "") if choices else ""
        case _:
            is_text = event["type"] == "response.output_text.delta"
            return str(event["delta"]) if is_text else ""


async def crowd(lab: LoadLab, count: int, *, events: int = 30, pause: float = 0.0) -> list[str]:
    """So many streams that all are under way at once; what is wrong with each, if anything is."""
    wishes = [
        Wish(id=number, events=events, pause=pause, together=count) for number in range(count)
    ]
    surfaces = [list(PATHS)[number % len(PATHS)] for number in range(count)]
    models = ["lynkr/claude" if number % 2 else "lynkr/gpt" for number in range(count)]
    async with client() as session:
        texts = await asyncio.gather(
            *(
                streamed(session, lab.gateway.url, surface, wish, model)
                for surface, wish, model in zip(surfaces, wishes, models, strict=True)
            ),
            return_exceptions=True,
        )
    wrong = []
    for wish, text in zip(wishes, texts, strict=True):
        if isinstance(text, BaseException):
            wrong.append(f"{wish.id}: {type(text).__name__} {text}")
        elif text != wish.text():
            wrong.append(f"{wish.id}: {len(text)} of {len(wish.text())} characters")
    return wrong
