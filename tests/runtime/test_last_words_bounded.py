"""A mistake of ours in a stream whose client reads nothing: nobody waits for it for ever."""

import asyncio
from dataclasses import dataclass

import pytest

from lynkrc_runtime.attempt_records import Result
from lynkrc_runtime.server import stream
from lynkrc_runtime.server.exchange import Exchange
from lynkrc_runtime.telemetry.outcome import Ending
from tests.runtime.by_hand import (
    Recorder,
    Said,
    Script,
    Scripted,
    ask,
    body,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)
from tests.runtime.test_serve_streams import OPEN, START, WHOLE, delta
from tests.runtime.virtual_time import run


@dataclass
class Stuck(Recorder):
    """A client that takes its headers, and then nothing for a day."""

    slow: float = 86_400.0


def test_a_stream_that_a_mistake_ends_waits_for_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    document = dispatch([provider("p", "anthropic")], [target("one", 0)])
    upstream = Scripted({"one": [Script(steps=[START, OPEN, delta("Hi"), 1.0, delta("you")])]})
    said = Said()

    def careless(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(stream.StreamRelay, "_write_by", careless)

    async def main() -> float:
        served = gateway(policy(document), said, http=upstream)
        await ask(served, body(stream=True), client=Stuck())
        assert len(served.stopping) == 0
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(stream.LAST_WORDS_TIME)
    assert said.request["class"] == Ending.INTERNAL.value


def test_a_mistake_in_the_charge_leaves_no_attempt_running(monkeypatch: pytest.MonkeyPatch) -> None:
    document = dispatch([provider("p", "anthropic")], [target("one", 0)])
    seen: list[Exchange] = []

    def careless(self: Exchange) -> None:
        seen.append(self)
        raise RuntimeError("a mistake")

    monkeypatch.setattr(Exchange, "charge", careless)

    async def main() -> None:
        upstream = Scripted({"one": [Script(steps=[WHOLE])]})
        served = gateway(policy(document), Said(), http=upstream)
        with pytest.raises(RuntimeError):
            await ask(served, body(stream=True))
        assert served.places.counts()["p"] == (0, 0)

    run(main())
    attempts = seen[-1].attempts
    assert attempts is not None and not attempts.is_running
    assert [record.result for record in attempts.records] == [Result.ABORTED]
