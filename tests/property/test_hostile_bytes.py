"""Whatever an upstream or a client sends, the protocol ends in values or a declared outcome.

`make fuzz` runs the same checks for longer, guided by coverage.
"""

import random
import tracemalloc

import pytest

from lynkrc_runtime.protocol import ndjson, pieces, sse
from lynkrc_runtime.protocol.event_stream import MAX_FRAME, BrokenFrames, FrameReader
from lynkrc_runtime.protocol.sse import EventTooLarge
from tests.fuzz.wire_input import SUBJECTS
from tests.fuzz.wire_mutations import DEEP, HUGE, mutated_wire
from tests.wire.bedrock_frames import sealed

ROUNDS = 60
"""Mutations of each subject's seeds."""
SUITED = ("Ā", "1e999", "NaN", "-1e999", HUGE, DEEP, '{"a":' * 1_500, '"\\ud800"', "null", "[]")


@pytest.mark.parametrize("name", SUBJECTS)
def test_sound_input_passes(name: str) -> None:
    seeds = SUBJECTS[name].seeds()
    assert seeds
    for data in seeds:
        SUBJECTS[name].check(data)


@pytest.mark.parametrize("name", SUBJECTS)
def test_broken_input_surprises_nobody(name: str) -> None:
    seeds, chance = SUBJECTS[name].seeds(), random.Random(name)
    for _ in range(ROUNDS):
        SUBJECTS[name].check(mutated_wire(chance.choice(seeds), chance, chance.choice(seeds)))


@pytest.mark.parametrize("name", SUBJECTS)
def test_values_no_reader_expects(name: str) -> None:
    for text in SUITED:
        for form in ("{}", "data: {}\n\n", 'data: {{"type":{0},"choices":{0},"error":{0}}}\n\n'):
            SUBJECTS[name].check(form.format(text).encode())
    for data in (b"", b"\xff\xfe", b"data: \xff\n\n", b"<html>busy</html>", b"\x00" * 40):
        SUBJECTS[name].check(data)


LIMIT = 64 * 1024
"""Bytes of an event in these tests."""


@pytest.mark.parametrize(
    "piece", [b"a", b"a" * 900, b"data: " + b"a" * 90 + b"\n", b"data:\n", b"data:\r", b"d\r"]
)
def test_an_event_without_an_end_is_cut_off(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sse, pieces, ndjson):
        monkeypatch.setattr(module, "MAX_EVENT", LIMIT)
    feeds = [sse.SseParser().feed, pieces.EventSplitter().feed]
    if b"\n" not in piece:
        feeds.append(ndjson.LineSplitter().feed)
    if piece == b"d\r":
        del feeds[0]  # a line the parser leaves out, over and over
    for feed in feeds:
        tracemalloc.start()
        with pytest.raises(EventTooLarge):
            for _ in range(2 * LIMIT // len(piece) + 2):
                feed(piece)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 * LIMIT


def test_a_frame_that_promises_too_much_is_refused_at_its_head() -> None:
    for total in (MAX_FRAME + 1, 2**32 - 1, 0, 15):
        with pytest.raises(BrokenFrames):
            list(FrameReader().feed(sealed(b"", 0, total)[:12]))


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_lines_in_pieces_are_the_same_lines(size: int) -> None:
    chance = random.Random(size)
    for _ in range(200):
        data = b"".join(
            chance.choice(
                (b"data: a", b"event: b", b"\r\n", b"\n", b"\r", b"\n\n", b"", b":", b"x")
            )
            for _ in range(12)
        )
        cut = [data[at : at + size] for at in range(0, len(data), size)]
        parser, other = sse.SseParser(), sse.SseParser()
        # The last line of all may end in a return that could have been half of an end.
        once = parser.feed(data) + parser.feed(b"\n\n")
        assert [event for piece in [*cut, b"\n\n"] for event in other.feed(piece)] == once
        first, second = pieces.EventSplitter(), pieces.EventSplitter()
        found = [piece for part in cut for piece in second.feed(part)]
        assert b"".join([*first.feed(data), first.rest]) == data
        assert b"".join([*found, second.rest]) == data
        assert found == pieces.EventSplitter().feed(data)
