"""Whatever is said: no text of it comes into a usage log, and a signal is about one before."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.telemetry.outcome import Ending
from lynkrc_runtime.telemetry.signals import Signals
from lynkrc_runtime.usage_record import RequestLine
from tests.property.effort import tried
from tests.runtime.test_signals import called, desk, ended, results, said, step, user
from tests.runtime.test_usage_log import lines

WORDS = st.text(alphabet="äßxyz ", min_size=3, max_size=40).map("planted{}".format)
TURN = st.one_of(
    WORDS.map(lambda text: (user(text), said(text))),
    st.tuples(WORDS, st.booleans()).map(
        lambda pair: (user(pair[0]), called("a"), results(a=pair[1]), said(pair[0]))
    ),
)
LAST = st.one_of(
    WORDS.map(lambda text: (user(text),)),
    WORDS.map(lambda text: (user(text), called("b"), results(b=True))),
)
TALKS = st.lists(st.tuples(st.lists(TURN, max_size=2), LAST), min_size=1, max_size=4)


@tried(25)
@given(talks=TALKS, session=WORDS, names=st.booleans())
def test_no_text_comes_into_the_log(talks: list[Any], session: str, names: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        at = desk(Path(folder))
        headers = {"x-api-key": session, "user-agent": session}
        if names:
            headers["session-id"] = session

        async def main() -> None:
            for turns, last in talks * 2:
                messages = [one for turn in turns for one in turn] + list(last)
                await at.tell(*messages, headers=headers)

        asyncio.run(main())
        signals = at.signals()
        text = at.path.read_text()
        assert "planted" not in text
        assert not any(letter in text for letter in "äß")
        records = [line for line in lines(at.path) if isinstance(line, RequestLine)]
        assert {one.ending for one in records} == {Ending.SERVED}
        ids = [one.request_id for one in records]
        assert len(ids) == 2 * len(talks)
        assert {identity for identity, _ in signals} <= set(ids[:-1])


STEPS = st.builds(
    step,
    conversation=st.sampled_from([b"a", b"b"]),
    ask=st.sampled_from([b"x", b"y", None]),
    size=st.sampled_from([1, 40]),
    place=st.integers(0, 6),
    messages=st.integers(1, 9),
    begins_turn=st.booleans(),
    failed_after=st.one_of(st.none(), st.integers(0, 8)),
    may_repeat=st.booleans(),
)


@tried(200)
@given(steps=st.lists(st.tuples(STEPS, st.floats(0, 3)), max_size=12))
def test_a_signal_is_about_one_that_had_ended(steps: list[Any]) -> None:
    now = [0.0]
    signals = Signals(lambda: now[0])
    ends: dict[str, float] = {}
    for number, (one, seconds) in enumerate(steps):
        now[0] += 1
        noticed = signals.settled(one, ended(str(number), seconds=seconds), "d")
        for judged, _ in noticed:
            assert ends[judged.request_id] <= now[0] - seconds
            assert steps[int(judged.request_id)][0].conversation == one.conversation
        ends[str(number)] = now[0]
    assert len(signals) <= 2
