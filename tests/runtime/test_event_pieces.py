"""Splitting a stream into whole events keeps every byte, at any split."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol import pieces, sse
from lynkrc_runtime.protocol.pieces import EventSplitter
from lynkrc_runtime.protocol.sse import EventTooLarge, SseParser

LINE_ENDS = (b"\n", b"\r\n", b"\r")


@settings(derandomize=True, max_examples=150)
@given(
    lines=st.lists(st.sampled_from([b"data: 1", b"event: x", b": note", b"", b""]), max_size=20),
    end=st.sampled_from(LINE_ENDS),
    cuts=st.lists(st.integers(min_value=0, max_value=200), max_size=6),
)
def test_pieces_join_to_the_bytes_and_hold_at_most_one_event(
    lines: list[bytes], end: bytes, cuts: list[int]
) -> None:
    data = b"".join(line + end for line in lines) + end + end + b"data: last\n\n"
    splitter, out, place = EventSplitter(), [], 0
    for cut in [*sorted(cut for cut in cuts if cut < len(data)), len(data)]:
        out += splitter.feed(data[place:cut])
        place = cut
    assert b"".join(out) + splitter.rest == data
    assert splitter.rest == b""
    parsed = []
    for piece in out:
        # The line end completes a final lone \r, and is an empty line after anything else.
        events = SseParser().feed(piece + b"\n")
        assert len(events) <= 1
        parsed += events
    assert parsed == SseParser().feed(data)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "MAX_EVENT", 10)
    with pytest.raises(EventTooLarge):
        EventSplitter().feed(b"data: 12345")


def test_empty_data_lines_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT", 100)
    parser = SseParser()
    with pytest.raises(EventTooLarge):
        for _ in range(101):
            parser.feed(b"data:\n")
