"""An evaluation to text for a terminal: figures with their intervals, length beside them."""

from collections.abc import Callable, Iterator, Sequence

from lynkrc.diagnostics.wording import printable
from lynkrc.quality.results import (
    LENGTH,
    OLD,
    RANDOM,
    SPEC,
    Agreement,
    Evaluation,
    Figure,
    Figures,
    SuiteResult,
)

FEW = 1_000
"""Requests below which figures are hardly worth their intervals."""
MISSES = 12
"""Rows that got another tier than chosen, shown."""

_ROWS: tuple[tuple[str, Callable[[Figures], Figure | None], bool], ...] = (
    ("APGR", lambda figures: figures.apgr, True),
    ("CPT50", lambda figures: figures.cpt50, False),
    ("CPT80", lambda figures: figures.cpt80, False),
    ("AUROC", lambda figures: figures.auroc, True),
    ("AIQ", lambda figures: figures.aiq, True),
)
"""Name, value, and whether more is better."""
_NAMES = {SPEC: "this spec", OLD: "older spec", LENGTH: "length", RANDOM: "chance"}
_WIDTH = 23


def render_text(found: Evaluation, *, colour: bool) -> str:
    """Every suite, then their mean, then what a person chose, then what was left out."""
    bold, plain = ("\x1b[1m", "\x1b[0m") if colour else ("", "")

    def title(text: str) -> str:
        return f"{bold}{text}{plain}"

    lines = [f"{printable(found.spec)}, meaning {found.digest[:12]}", ""]
    for suite in (*found.suites, *([] if found.mean is None else [found.mean])):
        lines += [title(_heading(found, suite)), *_suite(suite), ""]
    if found.agreement is not None:
        lines += [title(_agreement_heading(found.agreement)), *_agreement(found.agreement), ""]
    for left in found.left_out:
        lines.append(f"left out: {left.rows:,} ({printable(left.reason)}), as {left.first}")
    lines += _notes(found)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def verdict(found: Evaluation, against: str) -> int | None:
    """1 where the spec is shown to be better (by APGR), -1 worse, 0 neither; None: not compared."""
    suite = found.mean or (found.suites[0] if found.suites else None)
    for difference in () if suite is None else suite.differences:
        if difference.against == against:
            apgr = difference.figures.apgr
            return 1 if apgr.low > 0 else -1 if apgr.high < 0 else 0
    return None


def _heading(found: Evaluation, suite: SuiteResult) -> str:
    if suite is found.mean:
        return f"mean of {len(found.suites)} suites, each counted alike"
    models = f"{suite.weak} {_end(suite, 0)} -> {suite.strong} {_end(suite, 1)}"
    return printable(f"{suite.suite}: {suite.requests:,} requests, {models}")


def _end(suite: SuiteResult, which: int) -> str:
    return f"{suite.spending[which].score.value:.3f}"


def _suite(suite: SuiteResult) -> Iterator[str]:
    shown = [one for one in suite.policies if one.name != RANDOM]
    chance = next(one for one in suite.policies if one.name == RANDOM)
    yield _cells("", [*(_NAMES[one.name] for one in shown), "chance"])
    for name, value, _ in _ROWS:
        if all(value(one.figures) is None for one in shown):
            continue
        cells = [_figure(value(one.figures)) for one in shown]
        at_chance = value(chance.figures)
        yield _cells(name, [*cells, "" if at_chance is None else f"{at_chance.value:.3f}"])
    yield ""
    for difference in suite.differences:
        if difference.against != RANDOM:
            yield f"  against {_NAMES[difference.against]}: {_compared(difference.figures)}"
    yield ""
    yield from _tiers(suite)
    yield from _spending(suite)


def _compared(figures: Figures) -> str:
    """The differences, and whether the APGR's is one."""
    apgr = figures.apgr
    word = "better" if apgr.low > 0 else "worse" if apgr.high < 0 else "no difference shown"
    return f"APGR {_signed(apgr)}, CPT80 {_signed(figures.cpt80)}: {word}"


def _tiers(suite: SuiteResult) -> Iterator[str]:
    width = max(8, *(len(tier.tier) for tier in suite.tiers))
    yield f"  {'tier':<{width}}  {'requests':>9}  {'share':<20}  {'weak':>6} {'strong':>6}"
    for tier in suite.tiers:
        scores = [
            "" if score is None else f"{score:.3f}"
            for score in (tier.weak_score, tier.strong_score)
        ]
        yield (
            f"  {tier.tier:<{width}}  {tier.requests:>9,}  {_percent(tier.share):<20}"
            f"  {scores[0]:>6} {scores[1]:>6}"
        )


def _spending(suite: SuiteResult) -> Iterator[str]:
    names = {SPEC: "as its tiers are", RANDOM: "chance, same share"}
    yield ""
    yield f"  {'':<20}{'to strong':>9}  {'score':<23}{'USD for 1,000 requests'}"
    for one in suite.spending:
        cost = "" if one.cost is None else _dollars(one.cost)
        label = names.get(one.name, one.name)
        yield f"  {label:<20}{one.share:>9.1%}  {_figure(one.score):<23}{cost}"


def _agreement_heading(found: Agreement) -> str:
    total = sum(map(sum, found.table))
    return f"{total:,} requests with the tier a person chose"


def _agreement(found: Agreement) -> Iterator[str]:
    yield f"  as chosen {_percent(found.exact)}, higher {_percent(found.over)}, "
    yield f"  lower {_percent(found.under)}"
    yield ""
    width = max(8, *map(len, found.tiers))
    yield f"  {'chosen':<{width}}  " + " ".join(f"{name:>{width}}" for name in found.tiers)
    for name, row in zip(found.tiers, found.table, strict=True):
        yield f"  {name:<{width}}  " + " ".join(f"{count:>{width}}" for count in row)
    yield ""
    wide = max(4, *(len(printable(name)) for name, *_ in found.tasks))
    yield f"  {'task':<{wide}}  requests  as chosen  lower"
    for name, total, exact, under in found.tasks:
        yield f"  {printable(name):<{wide}}  {total:>8}  {exact / total:>9.0%}  {under:>5}"
    if found.misses:
        yield ""
        for name, chosen, got in found.misses[:MISSES]:
            yield f"  {printable(name)}: {chosen} chosen, {got} decided"
        if len(found.misses) > MISSES:
            yield f"  and {len(found.misses) - MISSES} more: --format json has them all"


def _notes(found: Evaluation) -> Iterator[str]:
    if found.suites:
        yield (
            f"Strong from tier {found.strong_from}. Intervals: 95 %, {found.resamples:,} draws, "
            f"seed {found.seed}."
        )
        yield "Of APGR, AUROC and AIQ more is better, of CPT50 and CPT80 less: see docs/quality.md."
    compared = sum(suite.requests for suite in found.suites)
    if found.suites and compared < FEW:
        yield f"Only {compared:,} requests: of fewer than {FEW:,} little can be told."


def _cells(name: str, cells: Sequence[str]) -> str:
    return f"  {name:<6}" + "".join(f"{cell:<{_WIDTH}}" for cell in cells)


def _figure(one: Figure | None) -> str:
    return "" if one is None else f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"


def _signed(one: Figure) -> str:
    return f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})"


def _percent(one: Figure) -> str:
    return f"{one.value:.1%} ({one.low:.1%} to {one.high:.1%})"


def _dollars(one: Figure) -> str:
    value, low, high = (1000 * amount for amount in (one.value, one.low, one.high))
    return f"{value:.3f} ({low:.3f} to {high:.3f})"
