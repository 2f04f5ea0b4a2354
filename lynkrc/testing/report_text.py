"""Runs and their coverage to text for people."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from lynkrc.diagnostics.wording import printable
from lynkrc.testing.coverage import Coverage, CoverageItem, Kind
from lynkrc.testing.results import Results, place, summary
from lynkrc.testing.wording import failure_lines

_MOST_LISTED = 200
_LONGEST = 160  # characters of an item


def render_text(results: Results, *, quiet: bool = False) -> str:
    """Every case with what is wrong with it, the coverage, and a last line that sums up.

    `quiet` leaves out the cases that passed, and where all did everything but the last line.
    """
    return "".join(f"{line}\n" for line in _lines(results, quiet))


def percent(share: Fraction) -> str:
    """A share with one decimal, never rounded up: 99.9, not 100, where something is missing.

    >>> percent(Fraction(100)), percent(Fraction(200, 3)), percent(Fraction(99999, 1000))
    ('100', '66.6', '99.9')
    """
    tenths = share * 10 // 1
    whole, tenth = divmod(tenths, 10)
    return f"{whole}" if share == whole else f"{whole}.{tenth}"


def short(text: str) -> str:
    """A text that fits on a line, with both its ends."""
    text = printable(text)
    if len(text) <= _LONGEST:
        return text
    # Both ends tell it apart: the rule, and what is wanted of it.
    return f"{text[: _LONGEST - 45]} ... {text[-40:]}"


def _lines(results: Results, quiet: bool) -> Iterator[str]:
    for file in results.files:
        shown = [run for run in file.runs if not (quiet and run.is_passed)]
        if not shown:
            continue
        yield printable(file.path)
        for run in shown:
            name = printable(run.case.name)
            if run.is_passed:
                yield f"  ok    {name}"
                continue
            yield f"  FAIL  {name}  ({printable(place(run.case.span))})"
            yield from (f"          {line}" for line in failure_lines(run))
        yield ""
    if results.coverage is not None:
        yield from _coverage(results.coverage, quiet, lists_inherited=results.lists_inherited)
        yield ""
    yield summary(results)


def _coverage(coverage: Coverage, quiet: bool, *, lists_inherited: bool) -> Iterator[str]:
    width = max(len(kind.value) for kind in Kind)
    own, inherited = coverage.own, coverage.inherited
    yield "coverage"
    for name, count in [
        *((kind.value, own.count(kind)) for kind in Kind),
        ("all", own.count()),
        *([("inherited, not in all", inherited.count())] if inherited.items else []),
    ]:
        share = f"{percent(count.share)} %" if count.total else "-"
        line = f"  {name:<{width}}  {count.covered:>4} of {count.total:<4} {share}"
        if count.unreachable:
            line += f"  ({count.unreachable} proved unreachable)"
        yield line
    if quiet:
        return
    told = coverage if lists_inherited else own
    yield from _listed("not covered", [one for one in told.missing if one not in told.unknown])
    yield from _listed(
        "not covered, and not known whether any request shows it",
        [one for one in told.missing if one in told.unknown],
    )
    yield from _listed("proved unreachable", [one for one in told.items if one in told.unreachable])


def _listed(title: str, items: Sequence[CoverageItem]) -> Iterator[str]:
    if not items:
        return
    yield ""
    yield title
    places = [printable(place(item.span)) for item in items[:_MOST_LISTED]]
    width = max(map(len, places))
    for where, item in zip(places, items, strict=False):
        yield f"  {where:<{width}}  {short(item.text)}"
    if len(items) > _MOST_LISTED:
        yield f"  and {len(items) - _MOST_LISTED} more; --format json has all of them"
