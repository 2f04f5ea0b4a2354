"""Runs and their coverage to text for people."""

from collections.abc import Iterator
from fractions import Fraction

from lynkrc.diagnostics.wording import printable
from lynkrc.testing.coverage import Coverage, Kind
from lynkrc.testing.results import Results, place, summary
from lynkrc.testing.wording import failure_lines

_MOST_MISSING = 200
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


def _short(text: str) -> str:
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
        yield from _coverage(results.coverage, quiet)
        yield ""
    yield summary(results)


def _coverage(coverage: Coverage, quiet: bool) -> Iterator[str]:
    width = max(len(kind.value) for kind in Kind)
    yield "coverage"
    for name, kind in [*((kind.value, kind) for kind in Kind), ("all", None)]:
        count = coverage.count(kind)
        line = f"  {name:<{width}}  {count.covered:>4} of {count.total:<4} {percent(count.share)} %"
        if count.unreachable:
            line += f"  ({count.unreachable} proved unreachable)"
        yield line
    missing = coverage.missing
    if missing and not quiet:
        yield ""
        yield "not covered"
        places = [printable(place(item.span)) for item in missing[:_MOST_MISSING]]
        width = max(map(len, places))
        for where, item in zip(places, missing, strict=False):
            yield f"  {where:<{width}}  {_short(item.text)}"
        if len(missing) > _MOST_MISSING:
            yield f"  and {len(missing) - _MOST_MISSING} more; --format json has all of them"
