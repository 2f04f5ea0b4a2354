"""Sizes that the columns of a picture share, in pixels, and the title line of a panel."""

from lynkrc.graph.picture import Words, words

TOP = 78
"""Where columns begin: below the title and their headings."""
PAD = 10
GAP = 12
"""Between the boxes of one column."""
LINE = 22
"""Height of a row of a group and of a link of a chain."""
HEAD = 28
"""Height of the title of a group or lane."""


def head_words(x: int, y: int, wide: int, title: str, hint: str) -> tuple[Words, ...]:
    """A panel's title, and at its right end a hint where there is room for one."""
    first = words(x + PAD, y + 18, title, "head", wide - 2 * PAD)
    room = wide - 3 * PAD - first.width
    if room < 3 * PAD or not hint:
        return (first,)
    return first, words(x + wide - PAD, y + 18, hint, "muted", room, "end")
