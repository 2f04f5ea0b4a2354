"""W3C trace context of a request to the context of its span, and to what its upstreams are sent.

Trace Context, level 1 (https://www.w3.org/TR/trace-context/): who called us is the parent where its
`traceparent` is whole; what is not whole begins a trace anew, and its `tracestate` means nothing.

>>> parent = parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
>>> hex(parent.span), parent.is_sampled
('0xb7ad6b7169203331', True)
"""

import re
from collections.abc import Collection, Mapping
from os import urandom
from typing import final

from msgspec import Struct

PARENT, STATE = "traceparent", "tracestate"
_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_FUTURE = "ff"
"""The version that none has."""
_SAMPLED = 1
_HALF = 1 << 64
_STEP = 0x9E3779B97F4A7C15
"""Odd, and no small number: ids of attempts lie far apart."""


@final
class Parent(Struct, frozen=True, gc=False):
    """Who called: its trace (128 bits) and span (64), and whether it is recorded there."""

    trace: int
    span: int
    is_sampled: bool


@final
class Context(Struct, frozen=True, kw_only=True, gc=False):
    """A request that is recorded: its trace and span, its `parent` span and `tracestate`, if any.

    The span ids of its attempts follow from its own, so that nothing is kept while it runs.
    """

    trace: int
    span: int
    parent: int | None = None
    state: str | None = None

    def attempt(self, number: int) -> int:
        """The span id of an attempt, counted from 0.

        >>> Context(trace=1, span=2).attempt(0) != Context(trace=1, span=2).attempt(1)
        True
        """
        return (self.span + (number + 1) * _STEP) % _HALF or 1

    def send(self, headers: dict[str, str], number: int) -> None:
        """Let the headers of an attempt say whose call it is."""
        headers[PARENT] = f"00-{self.trace:032x}-{self.attempt(number):016x}-01"
        if self.state is None:
            headers.pop(STATE, None)


def parse(text: str) -> Parent | None:
    """A `traceparent`; None where it is not one that can be gone on from.

    >>> parse("00-00000000000000000000000000000000-b7ad6b7169203331-01") is None
    True
    """
    found = _PARENT.fullmatch(text)
    if found is None or found[1] == _FUTURE or (found[1] == "00" and found[5] is not None):
        return None
    trace, span = int(found[2], 16), int(found[3], 16)
    if not trace or not span:
        return None
    return Parent(trace, span, bool(int(found[4], 16) & _SAMPLED))


def begin(headers: Mapping[str, str], repeated: Collection[str], percent: int) -> Context | None:
    """The context of a request that is recorded, else None.

    With a parent it is recorded where that is; else `percent` (0 to 100) of them are, by the lower
    half of the trace's id, as samplers of other services do.
    """
    if not percent:
        return None
    said = headers.get(PARENT)
    parent = None if said is None or PARENT in repeated else parse(said)
    drawn = urandom(24)
    span = int.from_bytes(drawn[:8]) or 1
    if parent is not None:
        if not parent.is_sampled:
            return None
        return Context(trace=parent.trace, span=span, parent=parent.span, state=headers.get(STATE))
    trace = int.from_bytes(drawn[8:]) or 1
    if (trace % _HALF) * 100 >= percent * _HALF:
        return None
    return Context(trace=trace, span=span)
