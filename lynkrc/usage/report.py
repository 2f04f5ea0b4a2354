"""What was spent to text for people, JSON or CSV."""

import csv
import json
from dataclasses import asdict
from io import StringIO
from typing import Any

from lynkrc.diagnostics.wording import printable
from lynkrc.usage.tally import Against, Spent, Sum
from lynkrc_runtime.cost import in_usd

WIDTH = 80
_NUMBERS = ("requests", "share", "in", "out", "cost $", "avg $", "errors", "fallb.")
_WIDTHS = (9, 6, 7, 7, 11, 9, 6, 6)
_BAD = 3
"""Lines that are no records, shown."""


def render_text(found: Spent, *, colour: bool, columns: int | None) -> str:
    """A table, then what is not in it. Names are cut where a screen of `columns` ends."""
    room = None if columns is None else max(8, min(columns, WIDTH) - sum(_WIDTHS) - len(_WIDTHS))
    head = ", ".join(found.by)
    ranked = _ranked(found)
    # The first of two names stands once: what it has in common is seen at a glance.
    names = _rows([tuple(map(printable, names)) for names, _ in ranked])
    width = max(map(len, [head, "total", *names]))
    if room is not None and width > room:
        width, names = room, [_cut(name, room) for name in names]
    bold, plain = ("\x1b[1m", "\x1b[0m") if colour else ("", "")
    lines = [f"{found.first} to {found.last}", ""] if found.first else []
    lines.append(
        f"{bold}{_line(head if room is None else _cut(head, width), _NUMBERS, width)}{plain}"
    )
    total = found.total.requests
    for name, (_, one) in zip(names, ranked, strict=True):
        lines.append(_line(name, _cells(one, total), width))
    lines.append(f"{bold}{_line('total', _cells(found.total, total), width)}{plain}")
    notes = _notes(found)
    if notes:
        lines += ["", *notes]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def render_json(found: Spent) -> str:
    """Everything, in whole numbers; micro-dollars: `schema/usage.schema.json`."""
    document: dict[str, Any] = {
        "version": 1,
        "by": found.by,
        "first": found.first,
        "last": found.last,
        "total": _plain(found.total),
        "groups": [{"names": names, **_plain(one)} for names, one in _ranked(found)],
        "against": None if found.against is None else asdict(found.against),
        "lost": found.lost,
        "outside": found.outside,
        "bad_lines": len(found.bad),
    }
    return json.dumps(document, indent=2) + "\n"


def render_csv(found: Spent) -> str:
    """One row a group; micro-dollars."""
    out = StringIO()
    rows = [dict(zip(found.by, names, strict=True)) | _plain(one) for names, one in _ranked(found)]
    writer = csv.DictWriter(out, [*found.by, *_plain(Sum())], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _ranked(found: Spent) -> list[tuple[tuple[str, ...], Sum]]:
    """The dearest first, days as they came; of two keys the groups of the first stay together."""
    whole: dict[str, Sum] = {}
    for names, one in found.groups.items():
        of_first = whole.setdefault(names[0], Sum())
        of_first.cost += one.cost
        of_first.requests += one.requests

    def rank(entry: tuple[tuple[str, ...], Sum]) -> tuple[object, ...]:
        names, one = entry
        first = _weight(found.by[0], names[0], whole[names[0]])
        return (*first, *(_weight(found.by[1], names[1], one) if len(names) > 1 else ()))

    return sorted(found.groups.items(), key=rank)


def _weight(by: str, name: str, one: Sum) -> tuple[object, ...]:
    return (name,) if by == "day" else (-one.cost, -one.requests, name)


def _rows(names: list[tuple[str, ...]]) -> list[str]:
    """The groups as a column: of two names the first is told once, for all that follow.

    >>> _rows([("2026-01-30", "LOW"), ("2026-01-30", "HIGH"), ("2026-01-31", "LOW")])
    ['2026-01-30  LOW', '            HIGH', '2026-01-31  LOW']
    """
    width = max((len(one[0]) for one in names), default=0)
    told, before = [], None
    for first, *rest in names:
        shown = "" if first == before and rest else first
        told.append(f"{shown:<{width}}  {rest[0]}" if rest else first)
        before = first
    return told


def _plain(one: Sum) -> dict[str, Any]:
    members = asdict(one)
    members["cost_micro_usd"] = members.pop("cost")
    return members | {"average_micro_usd": one.average}


def _line(name: str, cells: tuple[str, ...], width: int) -> str:
    numbers = (f"{cell:>{size}}" for cell, size in zip(cells, _WIDTHS, strict=True))
    return f"{name:<{width}} {' '.join(numbers)}"


def _cells(one: Sum, total: int) -> tuple[str, ...]:
    average = one.average
    return (
        f"{one.requests:,}",
        f"{100 * one.requests / total:.1f}%" if total else "-",
        short(one.input + one.cache_read + one.cache_write),
        short(one.output),
        usd(one.cost, 4) if one.priced else "-",
        "-" if average is None else usd(average, 6),
        str(one.errors),
        str(one.fallbacks),
    )


def _notes(found: Spent) -> list[str]:
    notes = [] if found.against is None else _saved(found.against)
    total = found.total
    if total.unpriced:
        notes.append(f"{_requests(total.unpriced)} of targets without a known price: in no cost")
    if total.estimated:
        notes.append(f"{_requests(total.estimated)} with a cost that is in part estimated")
    if found.lost:
        notes.append(f"{_requests(found.lost)} never logged: the log has gaps")
    if found.outside:
        notes.append(f"{_requests(found.outside)} at other times left out")
    for bad in found.bad[:_BAD]:
        notes.append(f"line {bad.line} left out: {bad.problem}")
    if len(found.bad) > _BAD:
        notes.append(f"{len(found.bad) - _BAD} more lines left out")
    return notes


def _saved(against: Against) -> list[str]:
    difference = against.would - against.paid
    is_less = against.would and difference >= 0
    share = f" ({100 * difference / against.would:.1f}%)" if is_less else ""
    word = "saved" if difference >= 0 else "spent more"
    amount = usd(abs(difference), 4)
    lines = [
        f"against all on {printable(against.target)}: {word} ${amount}{share}",
        f"  ${usd(against.paid, 4)} paid, ${usd(against.would, 4)} for the same tokens there,"
        f" {_requests(against.requests)}",
    ]
    if against.left_out:
        lines.append(f"  {_requests(against.left_out)} left out: unserved or unpriced")
    return lines


def _requests(count: int) -> str:
    return f"{count:,} request{'' if count == 1 else 's'}"


def short(count: int) -> str:
    """A count in at most six characters.

    >>> short(999), short(12_345), short(3_400_000), short(5_600_000_000)
    ('999', '12.3k', '3.4M', '5.6G')
    """
    if count < 1000:
        return str(count)
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count / size:.1f}{unit}"
    raise AssertionError(count)


def usd(micro: int, decimals: int) -> str:
    """Dollars of micro-dollars, cut to so many decimals (1 to 6)."""
    text = in_usd(micro)
    return text[: len(text) - (6 - decimals)]


def _cut(name: str, room: int) -> str:
    return name if len(name) <= room else f"{name[: room - 1]}…"
