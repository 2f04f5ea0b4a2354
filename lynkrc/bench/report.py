"""What was measured to text for people, or to JSON (`schema/bench.schema.json`)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from lynkrc.bench import requests, texts
from lynkrc.bench.measure import Cost
from lynkrc.bench.run import Bench, ScanCost
from lynkrc.bench.table import Part
from lynkrc.diagnostics.snippet import columns_of
from lynkrc.diagnostics.wording import printable

SHOWN = 10
"""Lexicons that the text names; the JSON has all."""
_LABEL = 30
_CELL = 12


def render_text(found: Bench, *, colour: bool) -> str:
    """Tables, 80 columns wide where names are not long."""
    bold, plain = ("\x1b[1m", "\x1b[0m") if colour else ("", "")

    def head(*cells: str) -> str:
        return f"{bold}{_row(*cells)}{plain}"

    table = found.table
    lines = [f"{printable(found.name)}, meaning {found.digest[:16]}", ""]
    lines += [
        head("table"),
        _row("  bytes", f"{table.bytes:,}"),
        _row("  states", f"{table.states:,}"),
        _row("  byte classes", f"{table.classes:,}"),
        _row("  entries", f"{table.entries:,}"),
        _row("  lexicons", f"{len(table.lexicons):,}"),
    ]
    if table.lexicons:
        lines += ["", head("lexicon", "entries", "states", "bytes", "of table")]
        lines += [
            _row(f"  {printable(part.lexicon)}", f"{part.entries:,}", *_taken(part, table.bytes))
            for part in table.lexicons[:SHOWN]
        ]
        more = len(table.lexicons) - SHOWN
        if more > 0:
            lines.append(f"  and {more} more")
        lines += ["", head("dearest entries", "", "states", "bytes", "of table")]
        lines += [
            _row(f"  {printable(part.entry or '')}", "", *_taken(part, table.bytes))
            for part in table.dearest
        ]
        lines.append(f"  {_way(table.lexicons[0])}")
    lines += ["", head("decision", "median", "spread")]
    lines += [
        _row(f"  {one.engine} scorer", _time(one.cost.median), _spread(one.cost))
        for one in found.decisions
    ]
    for engine in dict.fromkeys(one.engine for one in found.scans):
        lines += ["", *_scans(engine, [o for o in found.scans if o.engine == engine], head)]
    scorer = "native" if found.engine == "native" else "interpreted"
    lines += ["", head(f"bytes to decision, {scorer}", "bytes", "median", "spread")]
    lines += [
        _row(
            f"  {requests.CALLED[one.kind]}",
            f"{one.bytes:,}",
            _time(one.cost.median),
            _spread(one.cost),
        )
        for one in found.requests
    ]
    lines += ["", "CPU time of one thread; medians of rounds in which all took turns, and how far"]
    lines += ["the least and the most of them are apart. Another machine has other figures."]
    if found.notice is not None:
        lines.append(f"note: no native scorer: {found.notice}")
    return "".join(f"{line.rstrip()}\n" for line in lines)


def render_json(found: Bench) -> str:
    """Everything; times are nanoseconds, sizes bytes."""
    table = found.table
    document: dict[str, Any] = {
        "version": 1,
        "name": found.name,
        "meaning_digest": found.digest,
        "engine": found.engine,
        "notice": found.notice,
        "table": {
            "bytes": table.bytes,
            "states": table.states,
            "classes": table.classes,
            "entries": table.entries,
            "lexicons": [_part(part) for part in table.lexicons],
            "dearest": [_part(part) for part in table.dearest],
        },
        "decisions": [{"engine": one.engine, **_cost(one.cost)} for one in found.decisions],
        "scans": [
            {
                "engine": one.engine,
                "kind": one.kind,
                "bytes": one.bytes,
                "mb_per_s": round(one.mb_per_s, 1),
                **_cost(one.cost),
            }
            for one in found.scans
        ],
        "requests": [
            {"kind": one.kind, "bytes": one.bytes, **_cost(one.cost)} for one in found.requests
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _scans(engine: str, found: Sequence[ScanCost], head: Any) -> Iterator[str]:
    by_kind: dict[str, list[ScanCost]] = {}
    for one in found:
        by_kind.setdefault(one.kind, []).append(one)
    sizes = [_size(one.bytes) for one in next(iter(by_kind.values()))]
    yield head(f"{engine} scan, MB/s at", *sizes, "spread")
    for kind, row in by_kind.items():
        widest = max(row, key=lambda one: one.cost.spread)
        yield _row(
            f"  {texts.CALLED[kind]}",
            *(f"{one.mb_per_s:,.0f}" for one in row),
            f"<= {_spread(widest.cost)}",
        )


def _taken(part: Part, whole: int) -> tuple[str, str, str]:
    return f"{part.states:,}", f"{part.bytes:,}", f"{100 * part.bytes / whole:.1f} %"


def _way(part: Part) -> str:
    if part.is_exact:
        return "of each, what the table would save without it; what others need too stays"
    return "of each, the table it would have alone; what several need is in each of them"


def _row(label: str, *cells: str) -> str:
    room = _LABEL + (_CELL if cells[:1] == ("",) else 0)
    shown = cells[1:] if cells[:1] == ("",) else cells
    if columns_of(label) > room:
        while columns_of(label) > room - 1:
            label = label[:-1]
        label += "…"
    return label + " " * (room - columns_of(label)) + "".join(f"{cell:>{_CELL}}" for cell in shown)


def _size(count: int) -> str:
    return f"{round(count / 1000):,} kB"


def _time(nanoseconds: float) -> str:
    for unit, size in (("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:,.1f} {unit}"
    return f"{nanoseconds:,.0f} ns"


def _spread(cost: Cost) -> str:
    return f"{100 * cost.spread:.0f} %"


def _cost(cost: Cost) -> dict[str, float]:
    return {f"{name}_ns": round(value, 1) for name, value in asdict(cost).items()}


def _part(part: Part) -> dict[str, Any]:
    how = "saved" if part.is_exact else "alone"
    members = {name: value for name, value in asdict(part).items() if name != "is_exact"}
    return {**members, "how": how}
