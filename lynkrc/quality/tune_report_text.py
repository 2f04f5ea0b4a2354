"""What was tuned to text for a terminal of 80 columns: verdict, figures, weights; then the diff."""

import re
import textwrap
from collections.abc import Callable, Iterator, Sequence

from lynkrc.diagnostics.wording import printable
from lynkrc.quality.proposal import Proposal, WeightChange
from lynkrc.quality.results import LENGTH, OLD, SPEC, Figure, Figures, SuiteResult
from lynkrc.quality.tune_report import (
    TierMove,
    TuneReport,
    Verdict,
    gain,
    plain,
    sentences,
    signed,
    verdict_of,
    warnings,
    whole_of,
)
from lynkrc.quality.tuned import Elsewhere, Term
from lynkrc.quality.written import points_text

COLUMNS = 80
STRONGEST = 8
"""Terms of each sign that are named; the diff has them all."""

_FIGURES: tuple[tuple[str, Callable[[Figures], Figure | None]], ...] = (
    ("APGR", lambda figures: figures.apgr),
    ("CPT50", lambda figures: figures.cpt50),
    ("CPT80", lambda figures: figures.cpt80),
    ("AUROC", lambda figures: figures.auroc),
)
_POLICIES = ((SPEC, "tuned"), (OLD, "current spec"), (LENGTH, "length"))
_CELL = 23
_INTERVAL = re.compile(r"\w+ [-+.0-9]+ \([-+.0-9]+ to [-+.0-9]+\)")
_HARD = "\x7f"
"""Stands for a blank at which no line is broken."""


def render_text(report: TuneReport, *, colour: bool, diff: bool) -> str:
    """Everything; with `diff` the patch stands below, and the whole is still one that applies."""
    bold, end = ("\x1b[1m", "\x1b[0m") if colour else ("", "")
    tuned = report.tuned
    first, second = sentences(tuned)
    sources = ", ".join(f"{name} {count:,}" for name, count in report.sources)
    lines = [
        *wrapped(f"{report.spec}, tuned on {tuned.labels:,} labels: {sources}"),
        "",
        *(f"{bold}{line}{end}" for line in wrapped(first)),
        *wrapped(second),
        *(line for one in warnings(report) for line in wrapped(f"warning: {one}", "  ")),
        "",
        *_held_out(report),
    ]
    if tuned.elsewhere:
        lines += ["", "each source by a fit on the others, APGR", _heading()]
        for one in tuned.elsewhere:
            lines += _elsewhere(one)
    lines += ["", *tier_lines(report.tiers, report.proposal), ""]
    lines += [*weight_lines(report.proposal, tuned.terms), "", *_notes(report)]
    return above(report.patch, lines, diff=diff)


def above(patch: str, lines: Sequence[str], *, diff: bool) -> str:
    """The lines; with `diff` the patch below them."""
    text = "".join(f"{printable_line(line)}\n" for line in lines)
    if not patch:
        return f"{text}\nNothing changes: the spec says already what was tuned.\n"
    return f"{text}\n{patch}" if diff else text


def printable_line(line: str) -> str:
    """A line without blanks at its end, and nothing in it that a terminal would obey but colour."""
    bold, end = "\x1b[1m", "\x1b[0m"
    if line.startswith(bold):
        return bold + printable(line.removeprefix(bold).removesuffix(end)) + end
    return printable(line.rstrip())


def _held_out(report: TuneReport) -> Iterator[str]:
    found = report.tuned.held_out
    whole = whole_of(found)
    of = f"mean of {len(found.suites)} sources" if found.mean else whole.suite
    yield f"held-out requests ({report.tuned.folds} folds): {of}, {whole.requests:,}"
    yield _heading()
    for name, value in _FIGURES:
        cells = [value(figures) for figures in _of(whole)]
        if None not in cells:
            yield _cells(name, cells)
    for title, against in (("current", OLD), ("length", LENGTH)):
        (one,) = (one for one in whole.differences if one.against == against)
        apgr, cpt80 = signed(one.figures.apgr), signed(one.figures.cpt80)
        yield f"  vs. {title:<8} APGR {apgr}, CPT80 {cpt80}"
    if found.mean is not None:
        for suite in found.suites:
            yield f"  {suite.suite}, {suite.requests:,} requests"
            yield _cells("APGR", [figures.apgr for figures in _of(suite)])


def _of(suite: SuiteResult) -> list[Figures]:
    by_name = {policy.name: policy.figures for policy in suite.policies}
    return [by_name[name] for name, _ in _POLICIES]


def _heading() -> str:
    return f"  {'':<6}" + "".join(f"{title:<{_CELL}}" for _, title in _POLICIES)


def _cells(name: str, cells: Sequence[Figure | None]) -> str:
    return f"  {name:<6}" + "".join(
        f"{'' if cell is None else plain(cell):<{_CELL}}" for cell in cells
    )


def _elsewhere(one: Elsewhere) -> Iterator[str]:
    yield f"  {one.source}, {one.requests:,} requests: {signed(one.gain)} against current"
    yield _cells("", [one.tuned, one.current, one.length])


def tier_lines(moves: Sequence[TierMove], proposal: Proposal) -> Iterator[str]:
    """The tiers: bounds and requests, before and after."""
    width = max(6, *(len(move.tier) for move in moves))
    bounds = {name: (old, new) for name, old, new in proposal.up_to}
    before, after = (
        max(1, sum(counts)) for counts in zip(*((m.before, m.after) for m in moves), strict=True)
    )
    yield f"  {'tier':<{width}}  {'up to':<10}  {'requests before':>16}  {'after':>16}"
    for move in moves:
        old, new = bounds.get(move.tier, ("", ""))
        bound = f"{old}" if old == new else f"{old} -> {new}"
        shares = (
            f"{move.before:,} ({move.before / before:.1%})",
            (f"{move.after:,} ({move.after / after:.1%})"),
        )
        yield f"  {move.tier:<{width}}  {bound:<10}  {shares[0]:>16}  {shares[1]:>16}"


def weight_lines(proposal: Proposal, terms: Sequence[Term]) -> Iterator[str]:
    """The dimensions before and after, and the strongest terms."""
    changes = proposal.weights
    width = max(9, *(len(one.name) for one in changes)) if changes else 9
    yield f"  {'dimension':<{width}}  {'weight before':>13}  {'after':>8}"
    gone = [one for one in changes if one.new is None]
    for one in changes:
        if one.new is not None:
            yield f"  {one.name:<{width}}  {_points(one.old):>13}  {points_text(one.new):>8}"
    old, new = proposal.offset
    yield f"  {'(offset)':<{width}}  {points_text(old):>13}  {points_text(new):>8}"
    if gone:
        yield from wrapped(f"gone: {', '.join(map(_gone, gone))}", "  ", "  ")
    if proposal.removed:
        removed = ", ".join(proposal.removed)
        yield from wrapped(f"no longer read, and so removed: {removed}", "  ", "  ")
    yield from _terms(proposal, terms)


def _gone(one: WeightChange) -> str:
    return f"{one.name} ({'terms' if one.old is None else points_text(one.old)})"


def _terms(proposal: Proposal, terms: Sequence[Term]) -> Iterator[str]:
    if not terms:
        return
    file = proposal.terms
    where = f"lexicon {proposal.lexicon}" + (f", {file.path}" if file else "")
    yield from wrapped(f"{len(terms):,} term{'s' * (len(terms) > 1)} ({where})", "  ", "  ")
    ordered = sorted(terms, key=lambda term: (-term.points, term.pattern))
    up = [term for term in ordered if term.points > 0][:STRONGEST]
    down = [term for term in reversed(ordered) if term.points < 0][:STRONGEST]
    for title, named in (("up", up), ("down", down)):
        if named:
            yield from wrapped(f"{title}: {', '.join(map(_term, named))}", "    ", "  ")


def _term(term: Term) -> str:
    pattern = term.pattern.replace(" ", _HARD)
    return f"{pattern}{_HARD}{'+' if term.points > 0 else ''}{points_text(term.points)}"


def _points(points: float | None) -> str:
    return "new" if points is None else points_text(points)


def _notes(report: TuneReport) -> Iterator[str]:
    found = report.tuned.held_out
    for left in found.left_out:
        yield from wrapped(f"left out: {left.rows:,} ({left.reason}), as {left.first}", "  ")
    yield from wrapped(
        f"Strong from tier {found.strong_from}. Intervals: 95 %, {found.resamples:,} draws, seed "
        f"{found.seed}. Of APGR and AUROC more is better, of CPT50 and CPT80 less: see "
        "docs/quality.md."
    )
    if verdict_of(gain(report.tuned)) is not Verdict.BETTER and report.patch:
        yield "Nothing here says that the diff helps."


def wrapped(text: str, later: str = "", first: str = "") -> list[str]:
    """Lines of a text, indented; a figure stays with its interval."""
    lines = textwrap.wrap(
        _INTERVAL.sub(lambda found: found[0].replace(" ", _HARD), text),
        COLUMNS,
        initial_indent=first,
        subsequent_indent=later,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [line.replace(_HARD, " ") for line in lines]
