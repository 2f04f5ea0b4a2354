"""Stop sequences a target does not take, to the end of its answer: events and answers are cut.

Of more stop sequences than a target takes, or of those it takes none of, the gateway is the one who
looks for them (wire reference C.1.1). They end text only, as a model's own do; reasoning and the
arguments of calls are left alone. What may be the beginning of one is held back until it is known.

>>> guard = StopGuard(("END",))
>>> [event.text for event in guard.feed([TextDelta(text="The E"), TextDelta(text="ND.")][:1])]
['The ']
>>> guard.feed([TextDelta(text="ND.")])[-1].stop_sequence, guard.matched
('END', 'END')
"""

from collections.abc import Iterable, Sequence
from typing import Final, final

from msgspec.structs import replace

from lynkrc_runtime.protocol.conversation import (
    Answer,
    Block,
    Event,
    MessageEnd,
    MessageStart,
    OpaqueEvent,
    Stop,
    Text,
    TextDelta,
    Usage,
)

ENFORCED: Final = "enforced=stop"
"""The transform of a writer that did not send all stop sequences: the gateway ends the answer."""


@final
class StopGuard:
    """The state of one stream. After a match it gives nothing more."""

    __slots__ = ("_held", "_stops", "_usage", "matched")

    def __init__(self, stops: Iterable[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self._usage = Usage(reported=False)
        self.matched: str | None = None
        """The stop sequence that ended the answer."""

    def feed(self, events: Iterable[Event]) -> list[Event]:
        """What the client may see of these events; a `MessageEnd` of its own at a match."""
        out: list[Event] = []
        for event in events:
            if self.matched is not None:
                break
            if isinstance(event, TextDelta):
                self._text(event.text, out)
                continue
            if isinstance(event, MessageStart):
                self._usage = event.usage
            if not isinstance(event, OpaqueEvent):
                # What is lost between two pieces of a text does not end it.
                self._release(out)
            out.append(event)
        return out

    def _text(self, text: str, out: list[Event]) -> None:
        text = self._held + text
        found = find_stop(text, self._stops)
        if found is None:
            kept = len(text) - _open_end(text, self._stops)
            self._held = text[kept:]
            if kept:
                out.append(TextDelta(text=text[:kept]))
            return
        at, self.matched = found
        self._held = ""
        if at:
            out.append(TextDelta(text=text[:at]))
        end = MessageEnd(stop=Stop.STOP_SEQUENCE, stop_sequence=self.matched, usage=self._usage)
        out.append(end)

    def _release(self, out: list[Event]) -> None:
        if self._held:
            out.append(TextDelta(text=self._held))
            self._held = ""


def cut_answer(answer: Answer, stops: Sequence[str]) -> Answer | None:
    """The answer up to its first stop sequence; None where it has none."""
    blocks: list[Block] = []
    for block in answer.blocks:
        found = find_stop(block.text, stops) if isinstance(block, Text) else None
        if found is None or not isinstance(block, Text):
            blocks.append(block)
            continue
        at, matched = found
        if at:
            blocks.append(replace(block, text=block.text[:at]))
        return replace(answer, blocks=tuple(blocks), stop=Stop.STOP_SEQUENCE, stop_sequence=matched)
    return None


def find_stop(text: str, stops: Sequence[str]) -> tuple[int, str] | None:
    """(where it begins, which) of the stop sequence that is complete first.

    >>> find_stop("abc", ("abc", "b"))
    (1, 'b')
    """
    found = [(at + len(stop), at, stop) for stop in stops if stop and (at := text.find(stop)) >= 0]
    if not found:
        return None
    _, at, stop = min(found)
    return at, stop


def _open_end(text: str, stops: Sequence[str]) -> int:
    """How many characters at the end may begin a stop sequence."""
    longest = max((len(stop) for stop in stops), default=0) - 1
    for size in range(min(longest, len(text)), 0, -1):
        if any(stop.startswith(text[-size:]) for stop in stops):
            return size
    return 0
