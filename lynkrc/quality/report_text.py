"""An evaluation to text for a terminal: figures with their intervals, length beside them."""

from collections.abc import Callable, Iterator, Sequence
from math import floor, log10
from textwrap import wrap

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
    Spending,
    SuiteResult,
)

FEW = 1_000
"""Requests below which figures are hardly worth their intervals."""
MISSES = 12
"""Rows that got another tier than chosen, shown."""

_ROWS: tuple[tuple[str, Callable[[Figures], Figure | None]], ...] = (
    ("APGR", lambda figures: figures.apgr),
    ("CPT50", lambda figures: figures.cpt50),
    ("CPT80", lambda figures: figures.cpt80),
    ("AUROC", lambda figures: figures.auroc),
    ("AIQ", lambda figures: figures.aiq),
)
_NAMES = {SPEC: "this spec", OLD: "older spec", LENGTH: "length", RANDOM: "chance"}
_COLUMNS = 80
"""What a line keeps to, but for a name that alone is longer."""
_WORDS = {1: "better", -1: "worse", 0: "not shown"}


def render_text(found: Evaluation, *, colour: bool) -> str:
    """Every suite, then their mean, then what a person chose, then what was left out."""
    bold, plain = ("\x1b[1m", "\x1b[0m") if colour else ("", "")

    def title(text: str) -> str:
        return f"{bold}{text}{plain}"

    lines = [f"{printable(found.spec)}, meaning {found.digest[:12]}", ""]
    for suite in (*found.suites, *([] if found.mean is None else [found.mean])):
        lines += [title(_heading(found, suite)), *_suite(found, suite), ""]
    if found.agreement is not None:
        lines += [title(_agreement_heading(found.agreement)), *_agreement(found.agreement), ""]
    for left in found.left_out:
        lines += _wrapped(f"left out: {left.rows:,} ({left.reason}), as {left.first}")
    lines += _notes(found)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def verdict(found: Evaluation, against: str) -> int | None:
    """1 where the spec is shown to be better (by APGR), -1 worse, 0 neither; None: not compared."""
    suite = found.mean or (found.suites[0] if found.suites else None)
    for difference in () if suite is None else suite.differences:
        if difference.against == against:
            return _sign(difference.figures.apgr)
    return None


def _sign(gain: Figure) -> int:
    return 1 if gain.low > 0 else -1 if gain.high < 0 else 0


def _heading(found: Evaluation, suite: SuiteResult) -> str:
    if suite is found.mean:
        return f"mean of {len(found.suites)} suites, each counted alike"
    groups = f" in {suite.groups:,} groups" if suite.groups < suite.requests else ""
    return f"{printable(suite.suite)}: {suite.requests:,} requests{groups}"


def _models(suite: SuiteResult) -> Iterator[str]:
    weak, strong = (
        f"{printable(model)} {one.score.value:.3f}"
        for model, one in zip((suite.weak, suite.strong), suite.spending, strict=False)
    )
    whole = f"  {weak} -> {strong}"
    yield from [whole] if len(whole) <= _COLUMNS else [f"  {weak}", f"  -> {strong}"]


def _suite(found: Evaluation, suite: SuiteResult) -> Iterator[str]:
    if suite is not found.mean:
        yield from _models(suite)
    shown = [one for one in suite.policies if one.name != RANDOM]
    chance = next(one for one in suite.policies if one.name == RANDOM)
    yield ""
    yield _cells("", [*(_NAMES[one.name] for one in shown), "chance"])
    for name, value in _ROWS:
        if all(value(one.figures) is None for one in shown):
            continue
        cells = [_figure(value(one.figures)) for one in shown]
        at_chance = value(chance.figures)
        yield _cells(name, [*cells, "" if at_chance is None else f"{at_chance.value:.3f}"])
    yield ""
    yield f"  {'against':<12}{'APGR':<25}{'CPT80':<25}by APGR"
    for one in suite.differences:
        apgr, cpt80 = _signed(one.figures.apgr), _signed(one.figures.cpt80)
        word = _WORDS[_sign(one.figures.apgr)]
        yield f"  {_NAMES[one.against]:<12}{apgr:<25}{cpt80:<25}{word}"
    yield ""
    yield from _tiers(suite)
    yield ""
    yield from _spending(suite)
    yield from _gains(suite)


def _tiers(suite: SuiteResult) -> Iterator[str]:
    width = max(8, *(len(tier.tier) for tier in suite.tiers))
    has_scores = any(tier.weak_score is not None for tier in suite.tiers)
    scores = f"  {'weak':>6} {'strong':>6}" if has_scores else ""
    yield f"  {'tier':<{width}}  {'requests':>9}   {'share':<20}{scores}"
    for tier in suite.tiers:
        told = [
            "" if score is None else f"{score:.3f}"
            for score in (tier.weak_score, tier.strong_score)
        ]
        yield (
            f"  {tier.tier:<{width}}  {tier.requests:>9,}  {_percent(tier.share):<21}"
            f"  {told[0]:>6} {told[1]:>6}"
        )


def _spending(suite: SuiteResult) -> Iterator[str]:
    names = {SPEC: "as its tiers are", RANDOM: "chance, same share"}
    costs = "USD for 1,000 requests" if any(one.cost for one in suite.spending) else ""
    yield f"  {'':<20}{'to strong':>9}  {'score':<22}{costs}"
    places = _places(suite.spending)
    for one in suite.spending:
        cost = "" if one.cost is None else _dollars(one.cost, places)
        label = names.get(one.name, one.name)
        yield f"  {label:<20}{one.share:>9.1%}  {_figure(one.score):<22}{cost}"


def _gains(suite: SuiteResult) -> Iterator[str]:
    """The spec's score at its tiers less what others reach: a column for each thing alike."""
    columns = list(dict.fromkeys(one.alike for one in suite.gains))
    names = list(dict.fromkeys(one.against for one in suite.gains))
    told = {(one.against, one.alike): _signed(one.score) for one in suite.gains}
    yield ""
    yield f"  {'its score less':<20}" + "".join(f"{f'at the same {one}':<25}" for one in columns)
    for name in names:
        cells = (told.get((name, one), "") for one in columns)
        yield f"  {_NAMES[name]:<20}" + "".join(f"{cell:<25}" for cell in cells)


def _agreement_heading(found: Agreement) -> str:
    total = sum(map(sum, found.table))
    return f"{total:,} requests with the tier a person chose"


def _agreement(found: Agreement) -> Iterator[str]:
    counts = list(map(sum, found.table))
    most = max(counts)
    always = f"always {found.tiers[counts.index(most)]}: {most / sum(counts):.1%}"
    yield f"  as chosen  {_percent(found.exact):<20}  ({always})"
    yield f"  higher     {_percent(found.over)}"
    yield f"  lower      {_percent(found.under)}"
    yield from _rankings(found)
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


def _rankings(found: Agreement) -> Iterator[str]:
    if found.rankings:
        yield ""
        yield f"  {'in order':<12}{'pairs':<25}{'this spec, less it':<25}so"
    for one in found.rankings:
        gain = "" if one.gain is None else _signed(one.gain)
        word = "" if one.gain is None else _WORDS[_sign(one.gain)]
        yield f"  {_NAMES[one.policy]:<12}{_figure(one.value):<25}{gain:<25}{word}"


def _notes(found: Evaluation) -> Iterator[str]:
    if not found.suites:
        return
    yield from _wrapped(
        "Ordered by tier, and by the points of the score within one; length: by the characters of "
        f"the ask. Strong from tier {found.strong_from}. Intervals: 95 %, {found.resamples:,} "
        f"draws, seed {found.seed}. Of APGR, AUROC and AIQ more is better, of CPT50 and CPT80 "
        "less: see docs/quality.md."
    )
    compared = sum(suite.requests for suite in found.suites)
    if compared < FEW:
        yield f"Only {compared:,} requests: of fewer than {FEW:,} little can be told."


def _wrapped(text: str) -> list[str]:
    return wrap(printable(text), _COLUMNS, break_long_words=False, break_on_hyphens=False)


def _cells(name: str, cells: Sequence[str]) -> str:
    return f"  {name:<6}" + "".join(f"{cell:<22}" for cell in cells)


def _figure(one: Figure | None) -> str:
    return "" if one is None else f"{one.value:.3f} ({one.low:.3f}..{one.high:.3f})"


def _signed(one: Figure) -> str:
    return f"{one.value:+.3f} ({one.low:+.3f}..{one.high:+.3f})"


def _percent(one: Figure) -> str:
    return f"{one.value:>6.1%} ({100 * one.low:.1f}..{100 * one.high:.1f})"


def _dollars(one: Figure, places: int) -> str:
    value, low, high = (f"{1000 * amount:.{places}f}" for amount in (one.value, one.low, one.high))
    return f"{value} ({low}..{high})"


def _places(spending: Sequence[Spending]) -> int:
    """Digits behind the point, so that the greatest amount has four that count."""
    most = max((1000 * one.cost.high for one in spending if one.cost is not None), default=0.0)
    return 3 if most <= 0 else min(6, max(0, 3 - floor(log10(most))))
