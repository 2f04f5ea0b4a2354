"""Events of a stream that differ from the one before in their text alone, to their texts.

Most events of a stream are pieces of one text, and a server spells them all alike. Once one has
been read with care, its bytes around the text are kept, and where the next one has the same bytes
there, only its text needs to be read. What varies beside it, a number and a padding, is let vary
where readers do not look at it. Whatever differs otherwise is read with care.

>>> from lynkrc_runtime.protocol.conversation import TextDelta
>>> deltas = PlainDeltas()
>>> def said(payload, member, text):
...     read = msgspec.json.decode(payload)
...     return read if text is None else read | {member: text}
>>> deltas.learn(b'data: {"say":"Hel","at":1}\\n\\n', TextDelta(text="Hel"), "say", said)
>>> texts = []
>>> deltas.take(b'data: {"say":"lo, ","at":1}\\n\\ndata: {"say":"you","at":2}\\n\\n', texts), texts
(29, ['lo, '])
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, final

import msgspec

from lynkrc_runtime.protocol.conversation import (
    Delta,
    Event,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
)
from lynkrc_runtime.protocol.outside import NOT_JSON
from lynkrc_runtime.protocol.sse import EventTooLarge, SseParser

Said: TypeAlias = Callable[[bytes, str, str | None], Any]
"""(payload, member, text): what a reader takes from an event, with `text` put in the member.

None where the event is more than a delta, or not one.
"""

Edit: TypeAlias = Callable[[bytes], bytes | None]
"""What is left of an event of which something goes another way or not at all."""

_END = b"\n\n"
_TRIES = 4
"""Spellings that may be learnt in vain, one after the other: some servers never repeat one."""
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_NUMBER = re.compile(rb'"sequence_number": ?([1-9][0-9]*+),')
_PADDING = re.compile(rb'"obfuscation": ?"([A-Za-z0-9]*+)"')
_PROBE = "lynkrc 'probe'"
_PAD = b"lynkrcPadding"
_text = msgspec.json.Decoder(str).decode


@final
class PlainDeltas:
    """The spelling of a stream's deltas, as it was last seen."""

    __slots__ = ("_behind", "_head", "_last", "_middle", "_tries", "like")

    def __init__(self) -> None:
        self._head = b""
        """What an event begins with, up to its number if it has one; b'': none is known."""
        self._middle: bytes | None = None
        """Where there is a number, what stands between it and the text."""
        self._behind = b""
        """What stands behind the text, up to the padding if there is one."""
        self._last: bytes | None = None
        """Where there is a padding, what stands behind it."""
        self.like: Delta = TextDelta(text="")
        """The last that was read with care: others are like it, but for their text."""
        self._tries = _TRIES

    @property
    def spelling(self) -> tuple[bytes, ...]:
        """What every delta has around its text, its number and its padding."""
        return (self._head, self._middle or b"", self._behind, self._last or b"")

    def respelled(self, edit: Edit) -> Callable[[bytes], bytes] | None:
        """What does to a chunk of one delta what `edit`, which leaves texts alone, does to events.

        None where that is not known of the spelling.
        """
        probe = _PROBE.encode()
        head, behind, last = self._head, self._behind, self._last
        event = b"".join((head, probe, behind, b"" if last is None else _PAD + last))
        before, found, after = (edit(event) or b"").partition(probe)
        if self._middle is not None or not found or probe in after:
            return None
        start = len(head)
        if last is None:
            end = -len(behind)
            return lambda chunk: b"".join((before, chunk[start:end], after))
        between, padded, rest = after.partition(_PAD)
        if not padded or _PAD in rest:
            return None
        size, stop = len(behind), -len(last)

        def respell(chunk: bytes) -> bytes:
            said = chunk[start:stop]
            # The padding begins behind the last quotation mark of all.
            place = said.rfind(b'"') + 1
            return b"".join((before, said[: place - size], between, said[place:], rest))

        return respell

    @property
    def is_known(self) -> bool:
        """Whether there is a spelling to compare with."""
        return bool(self._head)

    def spells(self, word: bytes) -> bool:
        """Whether every delta has this word, outside of its text."""
        return word in b" ".join(self.spelling)

    def only(self, data: bytes) -> str:
        """The text of the one delta that `data` is; '' where it is anything else."""
        if self._middle is not None or self._last is not None:
            texts: list[str] = []
            is_one = self.take(data, texts) == len(data) and len(texts) == 1
            return texts[0] if is_one else ""
        head = self._head
        if not head or not data.startswith(head) or not data.endswith(self._behind):
            return ""
        # With the quotation marks: the end of what stands before, the beginning of what follows.
        raw = data[len(head) - 1 : 1 - len(self._behind)]
        if b"\n" in raw:
            return ""
        try:
            return _text(raw)
        except NOT_JSON:
            return ""

    def forget(self) -> None:
        """Something else was said: what a delta means now is not known."""
        self._head = b""

    def take(self, data: bytes, texts: list[str]) -> int:
        """How many bytes at the head of `data` are whole deltas; `texts` gets what they say.

        None of the texts is empty. `data` begins where an event may begin.
        """
        head = self._head
        position = 0
        if not head or not data.startswith(head):
            return position
        middle, behind, last = self._middle, self._behind, self._last
        size, length = len(data), len(head)
        while True:
            start = position + length
            if middle is not None:
                begin, start = start, data.find(b",", start)
                number = data[begin:start]
                if not number.isdigit() or number[0] == 48 or not data.startswith(middle, start):
                    break
                start += len(middle)
            end = data.find(b'"', start)
            if end <= start:
                break
            raw = data[start - 1 : end + 1]
            if b"\\" in raw:
                string = _STRING.match(data, start - 1)
                if string is None:
                    break
                raw, end = string.group(), string.end() - 1
            if not data.startswith(behind, end):
                break
            end += len(behind)
            if last is not None:
                begin, end = end, data.find(b'"', end)
                padding = data[begin:end]
                if (padding and not padding.isalnum()) or not data.startswith(last, end):
                    break
                end += len(last)
            try:
                texts.append(_text(raw))
            except NOT_JSON:
                break
            position = end
            if position == size or not data.startswith(head, position):
                break
        if position:
            self._tries = _TRIES
        return position

    def learn(
        self, data: bytes, event: Event, member: str, said: Said, *, is_whole: bool = True
    ) -> None:
        """The last whole event of `data`, read with care, said `event` and nothing else.

        The text is that of `member`, and another one there must change nothing but the text. Its
        reader must be where the same event again would say the same. `is_whole`: `data` begins
        with the beginning of an event.
        """
        self.forget()
        if not self._tries or not isinstance(event, TextDelta | ThinkingDelta | ToolCallDelta):
            return
        end = data.rfind(_END) + len(_END)
        begin = data.rfind(_END, 0, end - len(_END))
        if end < len(_END) or (begin < 0 and not is_whole):
            return
        piece = data[begin + len(_END) if begin >= 0 else 0 : end]
        self._tries -= 1
        text = event.json if isinstance(event, ToolCallDelta) else event.text
        hole = _member(member).search(piece)
        if b"\r" in piece or hole is None:
            return
        number = _NUMBER.search(piece, 0, hole.start())
        padding = _PADDING.search(piece, hole.end())
        start, stop = hole.span(1)
        before, behind, last = piece[:start], piece[stop:], None
        middle: bytes | None = None
        if number is not None:
            before, middle = piece[: number.start(1)], piece[number.end(1) : start]
        if padding is not None:
            behind, last = piece[stop : padding.start(1)], piece[padding.end(1) :]
        probe = b"".join(
            (
                before,
                b"" if middle is None else b"7" + middle,
                _PROBE.encode(),
                behind,
                b"" if last is None else b"Pad" + last,
            )
        )
        if not _says(piece, probe, text, member, said):
            return
        self._head, self._middle, self._behind, self._last = before, middle, behind, last
        self.like = event


def deltas(like: Delta, texts: Sequence[str]) -> list[Event]:
    """Deltas like that one, with these texts."""
    if type(like) is TextDelta:
        return [TextDelta(text=text) for text in texts]
    if type(like) is ThinkingDelta:
        return [ThinkingDelta(text=text) for text in texts]
    assert isinstance(like, ToolCallDelta)
    return [ToolCallDelta(index=like.index, json=text) for text in texts]


@lru_cache(maxsize=32)
def _member(name: str) -> re.Pattern[bytes]:
    return re.compile(b'"' + name.encode() + rb'": ?"((?:[^"\\]++|\\.)*+)"', re.DOTALL)


def _says(piece: bytes, probe: bytes, text: str, member: str, said: Said) -> bool:
    """Whether the probe says what the piece says, but for its text."""
    try:
        first, second = SseParser().feed(piece), SseParser().feed(probe)
        if len(first) != 1 or len(second) != 1 or first[0][0] != second[0][0]:
            return False
        (_, payload), (_, probed) = first[0], second[0]
        read = said(payload, member, None)
        return (
            read is not None
            and bool(said(payload, member, text) == read)
            and bool(said(payload, member, _PROBE) == said(probed, member, None))
        )
    except (EventTooLarge, *NOT_JSON):
        return False
