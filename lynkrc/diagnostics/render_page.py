"""A page's Markdown to text for a terminal: headings, wrapped paragraphs, examples set in.

>>> page = "# LK1: a\\n\\nSome `words`.\\n\\n## Fails\\n\\n```yaml\\na: 1\\n```\\n"
>>> print(render_page(page, columns=40))
LK1: a
<BLANKLINE>
Some `words`.
<BLANKLINE>
Fails
<BLANKLINE>
    a: 1
"""

import re
import textwrap
from collections.abc import Iterator

from lynkrc.diagnostics.snippet import columns_of

_BOLD, _CODE, _EXAMPLE, _RESET = "\x1b[1m", "\x1b[36m", "\x1b[2m", "\x1b[0m"
_SPAN = re.compile(r"`[^`]+`")
_WIDEST = 90
_NARROWEST = 20
_BLANK_IN_CODE = "\0"
_SECOND_COLUMN = "\1"


def render_page(markdown: str, *, colour: bool = False, columns: int) -> str:
    """The page for a screen of `columns`, without a line end after its last line."""
    width = max(_NARROWEST, min(columns, _WIDEST))
    return "\n\n".join(_block(block, colour, width) for block in _blocks(markdown))


def _blocks(markdown: str) -> Iterator[list[str]]:
    """Runs of lines between blank ones; an example with its fences is one, blanks and all."""
    block: list[str] = []
    fenced = False
    for line in markdown.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        if line or fenced:
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _block(lines: list[str], colour: bool, width: int) -> str:
    if lines[0].startswith("```"):
        return "\n".join(_paint(_EXAMPLE, f"    {line}", colour) for line in lines[1:-1])
    if lines[0].startswith("#"):
        return _paint(_BOLD, lines[0].lstrip("# "), colour)
    items: list[str] = []
    for line in lines:
        if line.startswith("- ") or not items:
            items.append(line)
        else:
            items[-1] += f" {line.strip()}"
    return "\n".join(_paragraph(item, colour, width) for item in items)


def _paragraph(text: str, colour: bool, width: int) -> str:
    # Code is not broken: its blanks are no places to wrap at.
    kept = _SPAN.sub(lambda found: found[0].replace(" ", _BLANK_IN_CODE), text)
    # A wide character counts for the two columns that it takes.
    kept = "".join(char + _SECOND_COLUMN * (columns_of(char) - 1) for char in kept)
    wrapped = textwrap.fill(
        kept,
        width,
        subsequent_indent="  " if text.startswith("- ") else "",
        break_long_words=False,
        break_on_hyphens=False,
    ).translate({ord(_BLANK_IN_CODE): " ", ord(_SECOND_COLUMN): None})
    return _SPAN.sub(lambda found: _paint(_CODE, found[0], True), wrapped) if colour else wrapped


def _paint(style: str, text: str, colour: bool) -> str:
    return f"{style}{text}{_RESET}" if colour and text.strip() else text
