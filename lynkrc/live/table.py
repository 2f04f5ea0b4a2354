"""Snapshots of a gateway to the lines of a screen, as wide and as high as it is.

What does not fit is left out from the least telling: columns from the right of the order they are
wanted in, then rows, which are counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import final

from lynkrc.diagnostics.wording import printable
from lynkrc.live.snapshot import Counts, Snapshot, between
from lynkrc.usage.report import short, usd
from lynkrc_runtime.telemetry.summary import quantile

_NAME_LEAST, _NAME_MOST = 8, 24
_LEAST = 3
"""Lines of a table below which it tells nothing."""


class Look(Enum):
    """How a line is to look where the terminal can."""

    PLAIN = auto()
    HEAD = auto()
    WORSE = auto()
    BAD = auto()


@final
@dataclass(frozen=True, slots=True)
class ScreenLine:
    """A line and how it is to look."""

    text: str
    look: Look = Look.PLAIN


def screen(
    new: Snapshot, old: Snapshot | None, *, width: int, height: int | None
) -> list[ScreenLine]:
    """The whole table; rates are of the time between `old` and `new`, shares of all time."""
    lines = [ScreenLine(_cut(text, width), look) for text, look in _head(new, old)]
    targets = _table("target", _TARGET, new.targets, old and old.targets, new, old, width)
    tiers = _table("tier", _TIER, new.tiers, old and old.tiers, new, old, width)
    blank = ScreenLine("")
    if height is not None:
        room = height - len(lines) - 2
        if room < 2 * _LEAST:
            return [*lines, blank, *_shortened(targets, max(1, room + 1), width)][:height]
        tiers = _shortened(tiers, max(_LEAST, room - len(targets)), width)
        targets = _shortened(targets, room - len(tiers), width)
    return [*lines, blank, *targets, blank, *tiers]


def _head(new: Snapshot, old: Snapshot | None) -> list[tuple[str, Look]]:
    parts = [f"lynkrc {printable(new.name)}", f"up {_span(new.uptime)}"]
    if new.workers is not None:
        ready, wanted = new.workers
        parts.append(f"{ready} workers" if ready == wanted else f"{ready} of {wanted} workers")
    parts.append(f"{new.in_flight} in flight")
    seconds = between(new, old) if old is not None and new.requests > old.requests else new.buckets
    share = f"{100 * new.errors / new.requests:.1f} %" if new.requests else "-"
    spent = f"${usd(new.cost, 4)} spent" + (
        f" ({new.unpriced} calls unpriced)" * bool(new.unpriced)
    )
    second = [
        f"{new.requests:,} request{'' if new.requests == 1 else 's'}",
        f"{_rate(new.requests, old and old.requests, new, old)}/s",
        f"p50 {_seconds(quantile(seconds, 0.5))}",
        f"p95 {_seconds(quantile(seconds, 0.95))}",
        f"errors {share}",
        spent,
    ]
    told = [("  ".join(parts), Look.HEAD), ("  ".join(second), Look.PLAIN)]
    if new.degraded:
        told.append((f"degraded: {', '.join(map(printable, new.degraded))}", Look.WORSE))
    return told


@final
@dataclass(frozen=True, slots=True)
class _Column:
    """A head, the width of its cells, and how much it is wanted: 0 stays longest."""

    head: str
    width: int
    rank: int


_TARGET = (
    _Column("breaker", 9, 2),
    _Column("requests", 9, 0),
    _Column("/s", 6, 1),
    _Column("failed", 7, 3),
    _Column("fallb.", 6, 7),
    _Column("in", 7, 5),
    _Column("out", 7, 6),
    _Column("cost $", 10, 4),
)
_TIER = (
    _Column("", 9, 8),
    _Column("requests", 9, 0),
    _Column("/s", 6, 1),
    _Column("failed", 7, 3),
    _Column("share", 6, 2),
)


def _table(
    kind: str,
    columns: Sequence[_Column],
    counts: Mapping[str, Counts],
    before: Mapping[str, Counts] | None,
    new: Snapshot,
    old: Snapshot | None,
    width: int,
) -> list[ScreenLine]:
    names = [printable(name) for name in counts]
    most = min(_NAME_MOST, max(_NAME_LEAST, *map(len, names))) if names else _NAME_LEAST
    kept = _fitting(columns, width - most)
    head = "".join(f" {one.head:>{one.width}}" for one in kept)
    lines = [ScreenLine(_cut(f"{kind:<{most}}{head}", width), Look.HEAD)]
    total = sum(one.requests for one in counts.values())
    for name, one in sorted(counts.items(), key=lambda entry: (-entry[1].requests, entry[0])):
        was = (before or {}).get(name)
        cells = {
            "breaker": one.breaker,
            "": "",
            "requests": f"{one.requests:,}",
            "/s": _rate(one.requests, 0 if was is None else was.requests, new, old),
            "failed": f"{one.failed:,}",
            "fallb.": f"{one.fallbacks:,}",
            "in": short(one.input),
            "out": short(one.output),
            "cost $": usd(one.cost, 4),
            "share": f"{100 * one.requests / total:.0f} %" if total else "-",
        }
        text = "".join(f" {cells[column.head]:>{column.width}}" for column in kept)
        look = {"open": Look.BAD, "half-open": Look.WORSE}.get(one.breaker, Look.PLAIN)
        lines.append(ScreenLine(_cut(f"{_cut(printable(name), most):<{most}}{text}", width), look))
    if not counts:
        lines.append(ScreenLine(_cut(f"no {kind} has had a request yet", width)))
    return lines


def _fitting(columns: Sequence[_Column], room: int) -> list[_Column]:
    """The columns wanted most that fit, in their order."""
    kept = list(columns)
    while kept and sum(one.width + 1 for one in kept) > room:
        kept.remove(max(kept, key=lambda one: one.rank))
    return kept


def _shortened(lines: list[ScreenLine], room: int, width: int) -> list[ScreenLine]:
    if len(lines) <= room:
        return lines
    if room < _LEAST:
        return lines[:room]
    gone = len(lines) - room + 1
    return [*lines[: room - 1], ScreenLine(_cut(f"... and {gone} more", width))]


def _rate(new: int, old: int | None, now: Snapshot, before: Snapshot | None) -> str:
    """A second, since the older snapshot; a dash where there is none."""
    if before is None or old is None or now.at <= before.at:
        return "-"
    return f"{(new - old) / (now.at - before.at):.1f}"


def _seconds(value: float | None) -> str:
    """
    >>> _seconds(0.0123), _seconds(4.25), _seconds(75), _seconds(None)
    ('12 ms', '4.2 s', '75 s', '-')
    """
    if value is None:
        return "-"
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def _span(seconds: int) -> str:
    """
    >>> _span(42), _span(3700), _span(200_000)
    ('42 s', '1 h 1 min', '2 d 7 h')
    """
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if not minutes:
        return f"{seconds} s"
    if not hours:
        return f"{minutes} min"
    return f"{days} d {hours % 24} h" if days else f"{hours} h {minutes % 60} min"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"
