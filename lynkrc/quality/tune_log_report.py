"""What was fitted to a log's outcomes to what is said of it: verdicts, warnings, text."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from lynkrc.quality.proposal import Proposal
from lynkrc.quality.report_text import FEW
from lynkrc.quality.results import Figure
from lynkrc.quality.tune_report import TierMove, Verdict, plain, signed, verdict_of
from lynkrc.quality.tune_report_text import above, tier_lines, weight_lines, wrapped
from lynkrc.quality.tuned_by_log import TunedByLog

FEW_BAD = 100
"""Bad outcomes below which little can be told, however many good ones there are."""
_LINES = 3
"""Lines that are no records, shown."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TuneLogReport:
    """Everything that is told; members as in `lynkrc.quality.tune_report.TuneReport`.

    `lowered` requests would go from the strong tiers to those below.
    """

    spec: str
    tuned: TunedByLog
    proposal: Proposal
    tiers: tuple[TierMove, ...]
    lowered: int
    findings: tuple[str, ...]
    patch: str


def sentences(tuned: TunedByLog) -> tuple[str, str]:
    """The verdicts in plain words: against the current spec, and against length."""
    order = tuned.order
    figure = signed(order.over_current)
    match verdict_of(order.over_current):
        case Verdict.BETTER:
            first = f"better than the current spec on held-out outcomes: AUROC {figure}"
        case Verdict.WORSE:
            first = f"worse than the current spec on held-out outcomes: AUROC {figure}"
        case Verdict.NOTHING:
            first = (
                f"no gain shown: AUROC {figure} against the current spec on held-out outcomes; "
                "the diff is printed, but nothing says that it helps"
            )
    if order.over_length is None:
        return first, (
            "nothing is known against the length of the prompt: the log has no slot of it; a spec "
            "that reads ask.chars logs one"
        )
    figure = signed(order.over_length)
    match verdict_of(order.over_length):
        case Verdict.BETTER:
            second = f"better than the length of the prompt ({order.length_slot}): AUROC {figure}"
        case Verdict.WORSE:
            second = f"worse than the length of the prompt ({order.length_slot}): AUROC {figure}"
        case Verdict.NOTHING:
            second = (
                f"no gain shown over the length of the prompt ({order.length_slot}): AUROC {figure}"
            )
    return first, second


def warnings(report: TuneLogReport) -> tuple[str, ...]:
    """What a reader must not overlook."""
    tuned = report.tuned
    strong = tuned.strong_from
    found = [
        "the labels are weak: nobody graded these answers, and who is served badly mostly says "
        "nothing",
        f"only what was served was seen: what {strong} would have made of a request that ended "
        f"badly nobody knows, and what was sent to {strong} from the start taught nothing; a spec "
        "that sent the hardest away is judged on the rest, so the comparison with the one that "
        "served favours what is tuned",
    ]
    if report.lowered:
        found.append(
            f"{report.lowered:,} of the requests would go below {strong} that do not now: no "
            f"outcome tells how {tuned.weak_tiers[-1]} answers such"
        )
    if tuned.bad < FEW_BAD:
        found.append(f"only {tuned.bad:,} bad: of so few bad outcomes little can be told")
    if tuned.labels < FEW:
        found.append(f"only {tuned.labels:,} labels: of fewer than {FEW:,} little can be told")
    if tuned.lost:
        found.append(
            f"a log holds no words: the points of the terms of {', '.join(tuned.lost)} are not in "
            "the tuned score; `lynkrc tune SPEC DATA` learns words from labelled requests"
        )
    found += [f"the proposed spec has a new finding: {one}" for one in report.findings]
    return tuple(found)


def render_text(report: TuneLogReport, *, colour: bool, diff: bool) -> str:
    """Everything; with `diff` the patch stands below, and the whole is still one that applies."""
    bold, end = ("\x1b[1m", "\x1b[0m") if colour else ("", "")
    tuned = report.tuned
    first, second = sentences(tuned)
    lines = [
        *wrapped(
            f"{report.spec}, tuned on {tuned.labels:,} weak labels of a usage log: outcomes of "
            f"{tuned.sessions:,} sessions, as {', '.join(tuned.weak_tiers)} served them"
        ),
        "",
        *(f"{bold}{line}{end}" for line in wrapped(first)),
        *wrapped(second),
        *(line for one in warnings(report) for line in wrapped(f"warning: {one}", "  ")),
        "",
        *_labels(tuned),
        "",
        *_order(tuned),
        "",
        *tier_lines(report.tiers, report.proposal),
        "",
        *weight_lines(report.proposal, tuned.terms),
        "",
        *_notes(report),
    ]
    return above(report.patch, lines, diff=diff)


def _labels(tuned: TunedByLog) -> Iterator[str]:
    yield f"  {'label':<12}{'counts':>8}{'requests':>10}{'bad':>8}"
    for one in tuned.sources:
        yield f"  {one.source.value:<12}{one.weight:>8g}{one.labels:>10,}{one.bad:>8,}"
    yield f"  {'all':<12}{'':>8}{tuned.labels:>10,}{tuned.bad:>8,}"


def _order(tuned: TunedByLog) -> Iterator[str]:
    order = tuned.order
    yield f"held-out outcomes ({tuned.folds} folds of sessions), AUROC: how often a bad one stands"
    yield "above a good one (0.5 is chance)"
    yield f"  {'tuned':<14}{plain(order.tuned)}"
    yield f"  {'current spec':<14}{plain(order.current)}{_against(order.over_current)}"
    if order.length is not None and order.over_length is not None:
        yield f"  {order.length_slot:<14}{plain(order.length)}{_against(order.over_length)}"


def _against(difference: Figure) -> str:
    return f"   tuned {signed(difference)}"


def _notes(report: TuneLogReport) -> Iterator[str]:
    tuned = report.tuned
    counts = ", ".join(tuned.counts) or "none"
    yield from wrapped(
        f"Could be weighed: the spec's own dimensions, and the counts that were logged ({counts}).",
        "  ",
    )
    yield f"{tuned.records:,} requests: {tuned.labels:,} are fitted on."
    for one in tuned.unlabelled:
        yield from wrapped(f"{one.count:,} count for shares only: {one.what}", "  ")
    for one in tuned.left_out:
        yield from wrapped(f"{one.count:,} left out: {one.what}", "  ")
    if tuned.strays:
        yield f"{tuned.strays:,} left out: judgements of requests that are not in the log"
    for bad in tuned.bad_lines[:_LINES]:
        yield from wrapped(f"line {bad.line} left out: {bad.problem}", "  ")
    if tuned.lines > _LINES:
        yield f"{tuned.lines - _LINES:,} more lines left out"
    yield from wrapped(
        f"Strong from tier {tuned.strong_from}. Intervals: 95 %, {tuned.resamples:,} draws of "
        f"sessions, seed {tuned.seed}. See docs/quality.md."
    )
    if verdict_of(tuned.order.over_current) is not Verdict.BETTER and report.patch:
        yield "Nothing here says that the diff helps."
