"""Kinds of text to texts of a wanted size, the same on every machine.

Five kinds are put together from lines of `samples/`, in an order drawn with a fixed seed; one is a
single letter; two are made of the spec's own entries, which is the worst a text can do to a scan
that stops at what it finds: the entries themselves, and each without its last character.

>>> text_of("letter", 4, ())
'aaaa'
>>> len(text_of("cjk", 2_000, ()).encode())
1998
"""

import random
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final

SAMPLED: Final = ("prose", "code", "tools", "cjk", "mixed")
LETTER: Final = "letter"
ENTRIES: Final = "entries"
NEAR_MISSES: Final = "near-misses"
KINDS: Final = (*SAMPLED, LETTER, ENTRIES, NEAR_MISSES)
SIZES: Final = (2_000, 20_000, 200_000)
"""UTF-8 bytes of a text."""
CALLED: Final = {
    "prose": "English prose",
    "code": "program code",
    "tools": "JSON and tool output",
    "cjk": "Chinese, Japanese, Korean",
    "mixed": "mixed scripts",
    LETTER: "one letter repeated",
    ENTRIES: "the entries themselves",
    NEAR_MISSES: "entries without an end",
}
"""Kinds in words."""


def kinds(entries: Sequence[str]) -> tuple[str, ...]:
    """The kinds there can be texts of: without entries there are none made of them."""
    return KINDS if entries else KINDS[:-2]


def text_of(kind: str, size: int, entries: Sequence[str]) -> str:
    """A text of `size` UTF-8 bytes, up to three less where a character does not fit.

    `entries` are texts that the spec's entries match. KeyError for an unknown kind, ValueError for
    a kind made of entries when there are none.
    """
    if kind == LETTER:
        return "a" * size
    if kind == ENTRIES:
        return _drawn(kind, entries, " ", size)
    if kind == NEAR_MISSES:
        return _drawn(kind, [entry[:-1] for entry in entries], " ", size)
    return _drawn(kind, _lines(kind), "\n", size)


@cache
def _lines(kind: str) -> tuple[str, ...]:
    if kind not in SAMPLED:
        raise KeyError(kind)
    sample = files("lynkrc").joinpath("bench", "samples", f"{kind}.txt")
    return tuple(sample.read_text(encoding="utf-8").splitlines())


def _drawn(seed: str, pieces: Sequence[str], between: str, size: int) -> str:
    if not any(pieces):
        raise ValueError(f"no text can be made of {len(pieces)} empty pieces")
    draw = random.Random(seed)
    parts: list[bytes] = []
    made = 0
    while made < size:
        parts.append((draw.choice(pieces) + between).encode())
        made += len(parts[-1])
    return b"".join(parts)[:size].decode("utf-8", "ignore")
