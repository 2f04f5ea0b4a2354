"""What was saved to text for people, Markdown for a pull request or a mail, and JSON."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

from lynkrc.diagnostics.markdown import code, prose
from lynkrc.diagnostics.wording import printable
from lynkrc.diff.intervals import ratio_interval, share_interval, total_interval
from lynkrc.diff.replayed import Interval, Replay
from lynkrc.usage.report import short
from lynkrc.usage.saved import Part, Saved
from lynkrc_runtime.cost import in_usd

VERSION = 1
"""Of the JSON."""
_BAD = 3
"""Lines that are no records, shown."""
_ROOM = 13
"""Characters of a tier's name in a table 80 wide."""
CAVEAT = "Tokens are those of the model that answered: another would write more or fewer."
INTERVALS = (
    "95 % intervals for a log of this length: of amounts a bootstrap of sessions, of",
    "shares Wilson's, as if all requests were apart.",
)
FEW = 1_000
"""Requests below which intervals are wide, and are said to be."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a change of the spec would have done; `spec` and `new` as they were named."""

    spec: str
    new: str
    replay: Replay

    @property
    def heading(self) -> str:
        """One line."""
        return f"With {self.new} instead of {self.spec}"


def render_text(found: Saved, *, colour: bool) -> str:
    """What was saved, two tables by tier, then what is not in them; at most 80 columns."""
    bold, plain = ("\x1b[1m", "\x1b[0m") if colour else ("", "")
    names = [_cut(printable(name)) for name in found.tiers]
    parts = list(found.tiers.values())
    width = max(map(len, ["total", *names]))
    lines = []
    if found.first is not None and found.last is not None:
        lines += [f"{found.first[:19]} to {found.last[:19]}", ""]
    lines += [f"{bold}{_headline(found, printable)}{plain}", f"  {_there(found, printable)}"]
    for heads, widths, cells in (
        (_COUNTS, (9, 21, 20, 7, 7), _counts),
        (_MONEY, (10, 10, 10, 10, 23), _money),
    ):
        lines += ["", bold + _line("tier", heads, widths, width) + plain]
        total = found.total
        lines += [
            _line(name, cells(part, total), widths, width)
            for name, part in zip(names, parts, strict=True)
        ]
        lines.append(bold + _line("total", cells(total, total), widths, width) + plain)
    lines += ["", *_notes(found, printable), CAVEAT, *INTERVALS]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def render_markdown(found: Saved) -> str:
    """The same as a section."""
    lines = [f"## {_headline(found, prose)}", "", f"{_there(found, prose)}."]
    if found.first is not None and found.last is not None:
        lines += ["", f"{found.first[:19]} to {found.last[:19]}."]
    lines += [
        "",
        f"| tier | {' | '.join((*_COUNTS, *_MONEY))} |",
        "| --- " + "| ---: " * (len(_COUNTS) + len(_MONEY)) + "|",
    ]
    total = found.total
    for name, part in (*((code(name), part) for name, part in found.tiers.items()), ("", total)):
        cells = (*_counts(part, total), *_money(part, total))
        lines.append(f"| {name or 'total'} | {' | '.join(cells)} |")
    lines += ["", *(f"- {note}" for note in _notes(found, prose)), f"- {CAVEAT}"]
    return "\n".join([*lines, "", f"<sub>{' '.join(INTERVALS)}</sub>"]) + "\n"


def render_json(found: Saved, change: Change | None) -> str:
    """Everything, in micro-dollars and tokens: `schema/report.schema.json`."""
    flagship = found.flagship
    prices = dict(
        zip(("input", "output", "cache_read", "cache_write"), flagship.price, strict=True)
    )
    document: dict[str, Any] = {
        "version": VERSION,
        "first": found.first,
        "last": found.last,
        "flagship": {"target": flagship.target, "price": prices},
        "total": _plain(found.total, found.total),
        "tiers": [{"name": name, **_plain(one, found.total)} for name, one in found.tiers.items()],
        "unpriced": found.unpriced,
        "unserved": {"requests": found.unserved, "spent_micro_usd": found.unserved_cost},
        "estimated": found.estimated,
        "embeddings": {
            "requests": found.embeddings,
            "spent_micro_usd": found.embeddings_cost,
            "unpriced": found.embeddings_unpriced,
        },
        "lost": found.lost,
        "outside": found.outside,
        "bad_lines": len(found.bad),
        "change": None if change is None else asdict(change),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


# -- cells -----------------------------------------------------------------------------------

_COUNTS = ("requests", "share (95 %)", "errors (95 %)", "in", "out")
_MONEY = ("spent $", "a request", "there $", "saved $", "saved (95 %)")


def _counts(part: Part, total: Part) -> tuple[str, ...]:
    return (
        f"{part.requests:,}",
        "" if part is total else _share(part.requests, total.requests),
        _share(part.errors, part.requests),
        short(part.input),
        short(part.output),
    )


def _money(part: Part, _: Part) -> tuple[str, ...]:
    count = part.priced
    return (
        _usd(part.spent),
        _usd(_mean(part.spent, count), digits=6) if count else "-",
        _usd(part.there),
        _usd(part.saved),
        _saved_share(part),
    )


def _share(count: int, total: int) -> str:
    if not total:
        return "-"
    found = share_interval(count, total)
    return f"{100 * count / total:.1f} % ({_span(found)})"


def _saved_share(part: Part) -> str:
    if not part.there:
        return "-"
    found = _share_saved(part)
    words = "too few" if found is None else _span(found)
    return f"{_tenth(100 * part.saved / part.there)} % ({words})"


def _share_saved(part: Part) -> Interval | None:
    return ratio_interval([(there - spent, there) for spent, there in part.amounts.values()])


def _span(found: Interval) -> str:
    joiner = "-" if found.low >= 0 else " to "
    return f"{_tenth(100 * found.low)}{joiner}{_tenth(100 * found.high)}"


def _tenth(value: float) -> str:
    """To the tenth; no sign where nothing is left of the number."""
    text = f"{value:.1f}"
    return "0.0" if text == "-0.0" else text


def _mean(amount: int, count: int) -> int:
    return (amount + count // 2) // count


def _usd(micro: int, *, digits: int = 4) -> str:
    """Dollars; of 1,000 and more in cents."""
    text = in_usd(abs(micro))
    cut = 2 if abs(micro) >= 10**9 else digits
    told = text[: len(text) - (6 - cut)]
    return f"-{told}" if micro < 0 and told.strip("0.") else told


def _dollars(micro: int) -> str:
    text = _usd(micro)
    return f"-${text[1:]}" if text.startswith("-") else f"${text}"


def _line(name: str, cells: Sequence[str], widths: Sequence[int], width: int) -> str:
    numbers = (f"{cell:>{size}}" for cell, size in zip(cells, widths, strict=True))
    return f"{name:<{width}} {' '.join(numbers)}"


def _cut(name: str) -> str:
    return name if len(name) <= _ROOM else f"{name[: _ROOM - 1]}…"


def _plain(part: Part, total: Part) -> dict[str, Any]:
    count, found = part.priced, _share_saved(part)
    return {
        "requests": part.requests,
        "share": asdict(share_interval(part.requests, total.requests)),
        "errors": part.errors,
        "error_rate": asdict(share_interval(part.errors, part.requests)),
        "input": part.input,
        "output": part.output,
        "priced": count,
        "spent_micro_usd": part.spent,
        "there_micro_usd": part.there,
        "saved_micro_usd": part.saved,
        "saved": asdict(total_interval([there - spent for spent, there in part.amounts.values()])),
        "saved_share": None if found is None else asdict(found),
        "average_micro_usd": _mean(part.spent, count) if count else None,
    }


# -- sentences -------------------------------------------------------------------------------


def _headline(found: Saved, write: Callable[[str], str]) -> str:
    total = found.total
    amounts = [there - spent for spent, there in total.amounts.values()]
    if not amounts:
        return "No request has a known cost: nothing can be compared"
    apart = total_interval(amounts)
    word = "Saved" if total.saved >= 0 else "Spent more:"
    span = ""
    if len(amounts) >= 20:  # as `ratio_interval` has it
        sign = 1 if total.saved >= 0 else -1
        signed = sorted(sign * round(one) for one in (apart.low, apart.high))
        doubt = ", so no difference is shown" if apart.low <= 0 <= apart.high else ""
        span = f" (95 %: {_dollars(signed[0])} to {_dollars(signed[1])}{doubt})"
    return (
        f"{word} ${_usd(abs(total.saved))}{span} of ${_usd(total.there)} "
        f"on {write(found.flagship.target)}"
    )


def _there(found: Saved, write: Callable[[str], str]) -> str:
    put_in, out, *_ = found.flagship.price
    return (
        f"there: all on {write(found.flagship.target)}, "
        f"${put_in} for a million tokens in, ${out} out"
    )


def _notes(found: Saved, write: Callable[[str], str]) -> Iterator[str]:
    if found.unpriced:
        yield f"{_requests(found.unpriced)} without a known cost: in no amount"
    if found.unserved:
        yield (
            f"{_requests(found.unserved)} that no target served cost "
            f"${_usd(found.unserved_cost)}; there, nothing"
        )
    if found.estimated:
        yield f"{_requests(found.estimated)} with a cost that is in part estimated"
    if found.embeddings:
        text = (
            f"{_requests(found.embeddings)} for embeddings left out: ${_usd(found.embeddings_cost)}"
        )
        if found.embeddings_unpriced:
            text += f", {found.embeddings_unpriced:,} of them without a known cost"
        yield text
    if found.lost:
        yield f"{_requests(found.lost)} never logged: the log has gaps"
    if found.outside:
        yield f"{_requests(found.outside)} at other times left out"
    for bad in found.bad[:_BAD]:
        yield f"line {bad.line} left out: {write(bad.problem)}"
    if len(found.bad) > _BAD:
        yield f"{len(found.bad) - _BAD:,} more lines left out"
    if found.total.requests < FEW:
        yield f"Only {_requests(found.total.requests)}: of fewer than {FEW:,} little can be told."


def _requests(count: int) -> str:
    return f"{count:,} request{'' if count == 1 else 's'}"
