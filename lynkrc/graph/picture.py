"""What a picture is made of: boxes with words in them, and edges between boxes.

All places are whole pixels from the top left corner. `words` and `chip` are the only makers of
text, so nothing is ever wider than the room it was given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from lynkrc.graph.measure import cut, width

SIZES = {"big": 17, "column": 10, "head": 12, "name": 12, "mono": 11, "muted": 11, "chip": 11}
"""Font sizes in pixels of the looks words can have."""
_BOLD = frozenset(("big", "head", "name"))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One line of text; `y` is its base line, `x` its ``start``, ``middle`` or ``end`` (`anchor`).

    `width` is the most it takes, `look` a key of `SIZES`.
    """

    x: int
    y: int
    text: str
    look: str
    width: int
    anchor: str = "start"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle with words; `title` tells in full what they say in short.

    `parent` is the id of the box it lies in, empty for the picture itself. `look` is one or more
    classes of the style sheet.
    """

    id: str
    parent: str
    x: int
    y: int
    width: int
    height: int
    look: str
    words: tuple[Words, ...] = ()
    title: str = ""

    @property
    def right(self) -> int:
        """The first pixel to its right."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first pixel below."""
        return self.y + self.height

    @property
    def middle(self) -> int:
        """The row of its centre."""
        return self.y + self.height // 2


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A line from the right of one box to the left of another: curved up to `bend`, then level."""

    source: str
    goal: str
    x1: int
    y1: int
    bend: int
    x2: int
    y2: int
    look: str
    title: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that is drawn; a box comes before those inside it."""

    name: str
    about: str
    width: int
    height: int
    headings: tuple[Words, ...]
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


def words(x: int, y: int, text: str, look: str, room: int, anchor: str = "start") -> Words:
    """Text on one line, cut to `room` pixels."""
    size, is_mono, is_bold = SIZES[look], look == "mono", look in _BOLD
    shown = cut(" ".join(text.split()), room, size=size, is_mono=is_mono, is_bold=is_bold)
    taken = width(shown, size=size, is_mono=is_mono, is_bold=is_bold)
    return Words(x=x, y=y, text=shown, look=look, width=taken, anchor=anchor)


def widest(texts: Sequence[str], look: str, least: int, most: int) -> int:
    """The room the widest of the texts wants, within bounds."""
    size, is_mono, is_bold = SIZES[look], look == "mono", look in _BOLD
    wanted = (width(text, size=size, is_mono=is_mono, is_bold=is_bold) for text in texts)
    return min(most, max((least, *wanted)))


def moved(box: Box, down: int) -> Box:
    """The same box, lower."""
    lines = tuple(replace(line, y=line.y + down) for line in box.words)
    return replace(box, y=box.y + down, words=lines)


def hue(rank: int, classes: int) -> str:
    """The look of a trust class: the most trusted is always ``t0``, the least always ``t5``.

    With more than six classes those in between share looks; the name is always written beside.
    """
    if rank == 0:
        return "t0"
    return "t5" if rank == classes - 1 else f"t{(rank - 1) % 4 + 1}"


def shade(tier: int, tiers: int) -> str:
    """The look of a tier, ``k0`` for the cheapest to ``k4`` for the last."""
    return f"k{tier * 4 // max(1, tiers - 1)}"
