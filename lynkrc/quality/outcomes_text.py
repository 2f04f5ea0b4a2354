"""What a log's outcomes say of a spec, to text for a terminal, at most 80 columns wide."""

import textwrap
from collections.abc import Iterator, Sequence

from lynkrc.diagnostics.wording import printable
from lynkrc.quality.outcome_labels import WEIGHTS
from lynkrc.quality.outcome_results import Outcomes, Rate, TierOutcomes, WeakOutcomes
from lynkrc.quality.report_text import FEW
from lynkrc.quality.results import Figure

_WIDTH = 80
_NAME = 14
_LINES = 3
"""Lines that are no records, shown."""
_WORDS = {
    "caller": "the caller says so",
    "user_retry": "asked again",
    "tool_error": "a tool failed",
    "broken": "broke off",
    "transient": "upstream failed",
    "throttled": "throttled",
    "misfit": "did not fit",
}
"""What a bad label rests on, or how the request failed."""
HONEST = (
    "Outcomes are weak labels: most people who are served badly say nothing, an error says little "
    "of an answer's worth, and only what was served was seen. What another tier would have made "
    "of a request nobody knows."
)


def render_outcomes(found: Outcomes, *, colour: bool) -> str:
    """Tiers, how what they served ended, the spec's order, cost; then what is not in it."""
    bold, plain = ("\x1b[1m", "\x1b[0m") if colour else ("", "")

    def title(text: str) -> str:
        return f"{bold}{text}{plain}"

    lines = [f"{printable(found.spec)}, meaning {found.digest[:12]}"]
    if found.first is not None and found.last is not None:
        lines.append(
            f"{found.decided:,} requests decided anew, {found.first[:19]} to {found.last[:19]}"
        )
    lines += ["", title("Requests by tier"), *_shares(found.tiers)]
    lines += ["", title("Answers, by the tier that was to give them"), *_endings(found.tiers)]
    lines += ["", title(_weak_heading(found.weak)), *_weak(found.weak, found.strong_from)]
    if found.ways:
        lines += ["", title(f"USD for 1,000 requests, on the {found.costed:,} with known costs")]
        lines += _ways(found)
    notes = [f"{one.count:,} left out: {one.what}" for one in found.left_out]
    notes += [f"{one.count:,} not judged: {one.what}" for one in found.unjudged]
    notes += [f"{one.count:,} not in the cost: {one.what}" for one in found.uncosted]
    if found.strays:
        notes.append(f"{found.strays:,} left out: judgements of requests that are not in the log")
    notes += [f"line {one.line} left out: {one.problem}" for one in found.bad_lines[:_LINES]]
    if found.bad > _LINES:
        notes.append(f"{found.bad - _LINES:,} more lines left out")
    lines += ["", *(line for note in notes for line in _wrapped(printable(note)))]
    lines += _wrapped(
        f"Intervals: 95 %; of shares Wilson's, as if all requests were apart; else "
        f"{found.resamples:,} draws of sessions, seed {found.seed}."
    )
    judged = sum(tier.judged for tier in found.tiers)
    if judged < FEW:
        lines.append(f"Only {judged:,} outcomes: of fewer than {FEW:,} little can be told.")
    weights = ", ".join(f"{source.value} {weight:g}" for source, weight in WEIGHTS.items())
    lines += _wrapped(f"Weights of labels in the order's figures: {weights}.")
    lines += _wrapped(HONEST)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _shares(tiers: Sequence[TierOutcomes]) -> Iterator[str]:
    yield _row("tier", ("now", "share (95 %)", "as logged", "share (95 %)"), (9, 22, 10, 22))
    for one in tiers:
        cells = (
            f"{one.now:,}",
            _percent(one.now_share),
            f"{one.logged:,}",
            _percent(one.logged_share),
        )
        yield _row(one.tier, cells, (9, 22, 10, 22))


def _endings(tiers: Sequence[TierOutcomes]) -> Iterator[str]:
    yield _row("tier", ("judged", "bad", "rate (95 %)"), (9, 7, 21)) + "  reasons"
    for one in tiers:
        reasons = ", ".join(
            f"{_WORDS.get(reason.what, reason.what)} {reason.count:,}" for reason in one.reasons
        )
        row = _row(one.tier, (f"{one.judged:,}", f"{one.bad:,}", _rate(one.rate)), (9, 7, 21))
        for number, part in enumerate(textwrap.wrap(reasons, _WIDTH - len(row) - 2) or [""]):
            yield (row if not number else " " * len(row)) + f"  {part}"


def _weak_heading(weak: WeakOutcomes) -> str:
    if not weak.tiers:
        return "No tier is weak"
    named = printable(", ".join(weak.tiers))
    return f"{weak.judged:,} outcomes of weak tiers ({named}), {weak.bad:,} of them bad"


def _weak(weak: WeakOutcomes, strong_from: str) -> Iterator[str]:
    if weak.auroc is None:
        yield "  Without good ones and bad ones nothing can be told of the order."
        return
    yield "  How often a bad one stands above a good one (AUROC; 0.5 is chance):"
    yield f"    this spec   {_figure(weak.auroc)}"
    if weak.length is not None and weak.difference is not None and weak.length_slot is not None:
        yield f"    {weak.length_slot:<11} {_figure(weak.length)}"
        low, high = weak.difference.low, weak.difference.high
        word = "better" if low > 0 else "worse" if high < 0 else "no difference shown"
        yield (f"    difference  {weak.difference.value:+.3f} ({low:+.3f} to {high:+.3f}): {word}")
    else:
        yield "    length      not logged: the bundle of the log reads no ask.chars"
    yield ""
    for rate, where in (
        (weak.kept, f"below {strong_from}"),
        (weak.raised, f"{strong_from} or above"),
    ):
        yield f"  {rate.judged:,} of them are {printable(where)} now: {_bad(rate)}"


def _bad(rate: Rate) -> str:
    return f"{rate.bad:,} bad, {_rate(rate.rate)}" if rate.judged else "nothing to tell"


def _ways(found: Outcomes) -> Iterator[str]:
    names = {"all weak": f"all on {found.weakest}", "all strong": f"all on {found.strongest}"}
    labels = [printable(names.get(way.name, way.name)) for way in found.ways]
    width = max(map(len, labels))
    yield f"  {'':<{width}}  {'cost (95 %)':<26}  this spec less that (95 %)"
    for label, way in zip(labels, found.ways, strict=True):
        less = "" if way.less is None else _dollars(way.less, sign=True)
        yield f"  {label:<{width}}  {_dollars(way.cost):<26}  {less}"


def _row(name: str, cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = printable(name)
    shown = shown if len(shown) <= _NAME - 2 else f"{shown[: _NAME - 3]}…"
    numbers = (f"{cell:>{size}}" for cell, size in zip(cells, widths, strict=True))
    return f"  {shown:<{_NAME - 2}}" + "".join(numbers)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _rate(one: Figure | None) -> str:
    return "-" if one is None else _percent(one)


def _figure(one: Figure) -> str:
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"


def _percent(one: Figure) -> str:
    return f"{one.value:.1%} ({one.low:.1%}-{one.high:.1%})"


def _dollars(one: Figure, *, sign: bool = False) -> str:
    value, low, high = (1000 * amount for amount in (one.value, one.low, one.high))
    form = "+.3f" if sign else ".3f"
    return f"{value:{form}} ({low:{form}} to {high:{form}})"
