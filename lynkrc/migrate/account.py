"""What became of each setting of the old file: one entry each, to lines for people.

>>> entries = [left("B", "no cache"), left("A", "no cache"), carried("PORT", "`--port 80`")]
>>> print("\\n".join(account_lines(entries)))
carried over: 1
  PORT  `--port 80`
not carried over: 2
  no cache
    A, B
"""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import final

_WIDTH = 90
_COLUMN = 36
"""Longest name that still leaves room for the other column."""


class Fate(Enum):
    """What became of a setting."""

    CARRIED = "carried over"
    LEFT = "not carried over"
    WITHOUT_EFFECT = "without effect there, too"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One setting of the old file: what it is called there, its fate, and where to or why."""

    name: str
    fate: Fate
    text: str


def carried(name: str, where: str) -> Account:
    """A setting the spec, or the way the gateway is started, says now."""
    return Account(name=name, fate=Fate.CARRIED, text=where)


def left(name: str, why: str) -> Account:
    """A setting that is lost, and why."""
    return Account(name=name, fate=Fate.LEFT, text=why)


def account_lines(accounts: Sequence[Account], only: Iterable[Fate] = tuple(Fate)) -> list[str]:
    """The entries by fate; those of one reason together, in the order the reasons first come."""
    lines: list[str] = []
    for fate in only:
        chosen = [one for one in accounts if one.fate is fate]
        if not chosen:
            continue
        lines.append(f"{fate.value}: {len(chosen)}")
        short = max(len(one.name) for one in chosen) <= _COLUMN
        in_columns = fate is Fate.CARRIED and short
        lines += _two_columns(chosen) if in_columns else _by_reason(chosen)
    return lines


def _two_columns(accounts: Sequence[Account]) -> list[str]:
    width = max(len(one.name) for one in accounts)
    return [
        line
        for one in accounts
        for line in textwrap.wrap(
            f"{one.name:{width}}  {one.text}",
            _WIDTH,
            initial_indent="  ",
            subsequent_indent=" " * (width + 4),
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


def _by_reason(accounts: Sequence[Account]) -> list[str]:
    lines: list[str] = []
    for reason in dict.fromkeys(one.text for one in accounts):
        names = sorted(one.name for one in accounts if one.text == reason)
        lines += _wrapped(reason, "  ") + _wrapped(", ".join(names), "    ")
    return lines


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
