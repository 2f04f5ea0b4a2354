"""Cells, rows and headings to Markdown.

>>> print(table(("key", "value"), [("a", "x|y")]))
| key | value |
|---|---|
| a | x\\|y |
>>> slug("providers.NAME.retry"), link("retry", "providers.NAME.retry")
('providersnameretry', '[retry](#providersnameretry)')
"""

import re
from collections.abc import Iterable, Sequence

_DROPPED = re.compile(r"[^\w\- ]")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a cell is Markdown on one line."""
    lines = [_row(head), "|" + "---|" * len(head), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def code(text: str) -> str:
    """A span of code; a text with a backtick in it stands between double ones."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def codes(texts: Iterable[str]) -> str:
    """Several spans of code."""
    return ", ".join(map(code, texts))


def slug(heading: str) -> str:
    """The anchor that GitHub and most other renderers give a heading."""
    return _DROPPED.sub("", heading.lower()).replace(" ", "-")


def link(text: str, heading: str) -> str:
    """A link to a heading of the same page."""
    return f"[{text}](#{slug(heading)})"
