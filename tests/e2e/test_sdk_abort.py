"""A client that leaves, through the official SDKs: the upstream is left too, nobody is blamed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.e2e.scripted_answers import Said, render, stopped_after
from tests.e2e.socket_lab import Lab
from tests.e2e.upstream_server import PATIENCE, Face

PROVIDERS = {"haiku": ("claude", "anthropic-messages"), "mini": ("gpt", "openai-chat")}
HELLO: list[Any] = [{"role": "user", "content": "Hello"}]


def hang_after_content(lab: Lab, target: str) -> Face:
    """The target says something and then nothing more."""
    name, dialect = PROVIDERS[target]
    whole = render(Said(text="The first half."), dialect, {"model": "m", "stream": True})
    face = lab.face(name)
    face.behaviours = [stopped_after(whole, b"The fir", cut=False)]
    return face


def failures(lab: Lab) -> dict[str, int]:
    """What the breakers hold against each target."""
    told = lab.send("/metrics/circuit-breakers", method="GET", admin=True).json["targets"]
    return {one["target"]: one["failures"] for one in told}


@asynccontextmanager
async def leaving(lab: Lab, face: Face) -> AsyncIterator[None]:
    """In the block a client leaves: the upstream must be left, and one request counted as such."""
    aborted = {"class": "aborted"}
    before, blamed = lab.metric("lynkr_requests_total", **aborted), failures(lab)
    yield
    waiting = asyncio.run_coroutine_threadsafe(face.wait_for_hang_up(), lab.background.loop)
    await asyncio.wait_for(asyncio.wrap_future(waiting), PATIENCE)
    async with asyncio.timeout(PATIENCE):
        while lab.metric("lynkr_requests_in_flight"):
            await asyncio.sleep(0)
    assert lab.metric("lynkr_requests_total", **aborted) == before + 1
    line = lab.gateway.requests[-1]
    assert line["class"] == "aborted"
    assert [attempt["result"] for attempt in line["attempts"]] == ["aborted"]
    assert failures(lab) == blamed


async def asked(lab: Lab, face: Face) -> None:
    """Wait until the upstream has the request."""
    waiting = asyncio.run_coroutine_threadsafe(face.wait_for_requests(), lab.background.loop)
    await asyncio.wait_for(asyncio.wrap_future(waiting), PATIENCE)


@pytest.mark.parametrize("target", sorted(PROVIDERS))
async def test_an_anthropic_stream_that_is_closed(lab: Lab, target: str) -> None:
    face = hang_after_content(lab, target)
    async with (
        leaving(lab, face),
        lab.async_anthropic() as client,
        client.messages.stream(model=f"lynkr/{target}", max_tokens=100, messages=HELLO) as stream,
    ):
        async for text in stream.text_stream:
            assert text == "The fir"
            break
        assert face.hung_up == 0


@pytest.mark.parametrize("target", sorted(PROVIDERS))
async def test_an_openai_stream_that_is_closed(lab: Lab, target: str) -> None:
    face = hang_after_content(lab, target)
    async with leaving(lab, face), lab.async_openai() as client:
        stream = await client.chat.completions.create(
            model=f"lynkr/{target}", messages=HELLO, stream=True
        )
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        assert face.hung_up == 0
        await stream.close()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("target", sorted(PROVIDERS))
async def test_a_task_cancelled_before_the_answer(lab: Lab, target: str, stream: bool) -> None:
    face = lab.face(PROVIDERS[target][0])
    face.behaviours = ["stall"]
    async with leaving(lab, face), lab.async_anthropic() as client:
        create: Any = client.messages.create
        asking = asyncio.ensure_future(
            create(model=f"lynkr/{target}", max_tokens=100, messages=HELLO, stream=stream)
        )
        await asked(lab, face)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    # Nothing is retried for nobody, and a new client is served as ever.
    assert len(face.seen) == 1
    async with lab.async_openai() as client:
        done = await client.chat.completions.create(model=f"lynkr/{target}", messages=HELLO)
    assert done.choices[0].finish_reason == "stop"


async def test_many_at_once_do_not_mix(lab: Lab) -> None:
    """Each client gets the answer to its own question."""
    async with lab.async_anthropic() as client, lab.async_openai() as other:

        async def ask(number: int) -> None:
            words: list[Any] = [{"role": "user", "content": f"Question number {number}."}]
            if number % 2:
                async with client.messages.stream(
                    model="lynkr/mini", max_tokens=100, messages=words
                ) as stream:
                    text = await stream.get_final_text()
            else:
                done = await other.chat.completions.create(model="lynkr/haiku", messages=words)
                text = str(done.choices[0].message.content)
            assert f"Question number {number}." in text

        await asyncio.gather(*(ask(number) for number in range(40)))
