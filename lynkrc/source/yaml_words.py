"""What the text of a YAML document shows that the parser's events do not: anchors, tags, folds.

>>> list(properties("&a !t x", 0))
[(0, 2), (3, 5)]
"""

import re
from collections.abc import Iterator


def folded(text: str) -> str:
    """The text of a plain scalar that spans `text`: a line end with its blanks is a space."""
    return re.sub(r"[ \t]*\r?\n[ \t]*", " ", text)


def way_out(text: str, old: str) -> str:
    """How to write a plain scalar that YAML 1.1 reads as `old`, so that both versions agree."""
    as_text = f'"{text}" in quotes for the text'
    if old in ("true", "false"):
        return f"write {old} for the boolean, or {as_text}"
    if "_" in text:
        return f"write {text.replace('_', '')} for the number, or {as_text}"
    if old in ("a date", "a number to base 60", "a merge", "a default value"):
        return f"write {as_text}"
    return f"write a plain decimal for the number, or {as_text}"


def properties(text: str, start: int) -> Iterator[tuple[int, int]]:
    """The ranges of the anchors and tags that stand before a node."""
    position = start
    while position < len(text) and text[position] in "&!":
        end = position
        while end < len(text) and text[end] not in " \t\r\n,[]{}":
            end += 1
        yield position, end
        position = skip_blank(text, end)


def skip_blank(text: str, position: int) -> int:
    """The offset of the first character from `position` on that is no blank and no line end."""
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position
