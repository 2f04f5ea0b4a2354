"""The beginning of an expression to what may be written at its end.

Tokens are followed, not parsed: an expression that is being written is none yet.

>>> find("tools.count > 0 and matches(ask, gre")
Slot(word='gre', call='matches', argument=1, opposite=None, in_text=False, after_value=False)
>>> find("client == ").opposite, find("client in [codex, ").opposite
('client', 'client')
"""

import re
from dataclasses import dataclass
from typing import final

from lynkrc.syntax.parse import KEYWORDS

_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<open>["'])"""
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)|(?P<number>[0-9][A-Za-z0-9_.]*)"
    r"|(?P<compare>==|!=|<=|>=|<|>)|(?P<sign>\S)",
    re.DOTALL,
)
_LAST_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")
_COMPARING = frozenset({"in", "starts_with"})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The end of a text: the `word` being written, and what it would be."""

    word: str
    call: str | None = None
    """The function in whose brackets it stands."""
    argument: int = 0
    """Which argument, from 0."""
    opposite: str | None = None
    """The name it is compared with."""
    in_text: bool = False
    """It stands in quotes that are still open."""
    after_value: bool = False
    """Something stands before it that only an operator can follow."""


@dataclass(slots=True)
class _Level:
    """What is between a bracket and its end."""

    call: str | None = None
    argument: int = 0
    last: str | None = None
    """The name before the next operator."""
    opposite: str | None = None
    is_list: bool = False


def find(text: str) -> Slot:
    """The slot at the end of `text`."""
    levels = [_Level()]
    name_before: str | None = None
    after_value = False
    tail = _LAST_WORD.search(text)
    word = tail.group() if tail is not None else ""
    if word and _in_open_text(text):
        word = ""
    for match in _TOKEN.finditer(text[: len(text) - len(word)]):
        top, token = levels[-1], match.group()
        name, before = None, after_value
        after_value = False
        if match.lastgroup == "open":
            written = text[match.end() :]
            return _slot(levels[-1], written, in_text=True, after_value=before)
        if match.lastgroup == "compare" or token in _COMPARING:
            top.opposite, top.last = top.last, None
        elif match.lastgroup == "name" and token in KEYWORDS:
            top.opposite = top.last = None
            after_value = token in ("true", "false")
        elif match.lastgroup in ("name", "text", "number"):
            name = token if match.lastgroup == "name" else None
            top.last, after_value = name, True
        elif token == "(":
            levels.append(_Level(call=name_before))
        elif token == "[":
            levels.append(_Level(opposite=top.opposite, is_list=True))
        elif token in ")]":
            if len(levels) > 1:
                levels.pop()
            after_value = True
        elif token == ",":
            top.argument += 1
            top.last = None
            if not top.is_list:
                top.opposite = None
        else:
            top.last = None
        name_before = name
    return _slot(levels[-1], word, in_text=False, after_value=after_value)


def _slot(level: _Level, word: str, *, in_text: bool, after_value: bool) -> Slot:
    return Slot(
        word=word,
        call=level.call,
        argument=level.argument,
        opposite=level.opposite,
        in_text=in_text,
        after_value=after_value,
    )


def _in_open_text(text: str) -> bool:
    """Whether the end of a text stands in quotes."""
    return any(match.lastgroup == "open" for match in _TOKEN.finditer(text))
