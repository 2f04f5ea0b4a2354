"""A frame with the headers of the one before is taken for what botocore makes of it alone."""

from lynkrc_runtime.protocol.event_stream import BrokenFrames, Frame, FrameReader
from tests.wire.bedrock_frames import frame, frame_of

DELTA = {"contentBlockIndex": 0, "delta": {"text": "word"}}


def read(reader: FrameReader, data: bytes) -> list[Frame] | None:
    """The frames; None where they are broken."""
    try:
        return list(reader.feed(data))
    except BrokenFrames:
        return None


def test_no_byte_may_differ_from_what_its_checksum_says() -> None:
    one, two = (frame("event", "contentBlockDelta", DELTA | {"p": text}) for text in "ab")
    for at in range(len(two)):
        for bit in (0x01, 0x80):
            bent = bytearray(two)
            bent[at] ^= bit
            reader = FrameReader()
            assert read(reader, one) is not None
            # A length that is too great waits for more, known headers or none.
            assert read(reader, bytes(bent)) == read(FrameReader(), bytes(bent)), at


def test_each_frame_says_what_its_own_headers_say() -> None:
    rows = [
        frame("event", "contentBlockDelta", DELTA),
        frame("event", "contentBlockDelta", {}),
        frame("event", "contentBlockStop!", {}),
        frame_of({}, b"{}"),
        frame_of({}, b""),
        frame_of({":message-type": "error", ":error-code": "no", ":error-message": "a"}, b""),
        frame_of({":message-type": "error", ":error-code": "no", ":error-message": "a"}, b"x"),
        frame_of({":message-type": "error", ":error-code": "no", ":error-message": "b"}, b""),
        frame("event", "contentBlockDelta", {"p": "x" * 2_000_000}),
        frame("event", "contentBlockDelta", DELTA),
    ]
    alone = [said for row in rows for said in FrameReader().feed(row)]
    assert list(FrameReader().feed(b"".join(rows))) == alone
    assert [said.name for said in alone[:3]] == ["contentBlockDelta"] * 2 + ["contentBlockStop!"]
    assert alone[7].message == "b"


def test_headers_as_before_are_not_taken_apart_again() -> None:
    reader = FrameReader()
    list(reader.feed(frame("event", "contentBlockDelta", DELTA)))
    reader._make = None  # no parser is to be had any more
    said = list(reader.feed(frame("event", "contentBlockDelta", {"p": "c"})))
    assert said == [Frame(kind="event", name="contentBlockDelta", payload=b'{"p": "c"}')]
