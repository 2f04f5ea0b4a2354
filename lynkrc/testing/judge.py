"""A decision and its reasons to the expectations of it that do not hold.

>>> from decimal import Decimal
>>> is_close(Decimal("12.34"), Decimal("12.34375")), is_close(Decimal("12.3"), Decimal("12.34375"))
(True, False)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never, final

from lynkrc.interp.trace import Trace
from lynkrc.testing.case import Expectation, Expected, Subject
from lynkrc_runtime.decide import Decision
from lynkrc_runtime.decision_headers import decision_headers


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """An expectation that does not hold, and what is so instead.

    Of `target`, several in `got` are those of which any may be the first.
    """

    expectation: Expectation
    got: Expected


def judge(
    expected: Iterable[Expectation], decision: Decision, why: Trace, targets: Sequence[str]
) -> tuple[Mismatch, ...]:
    """The expectations that do not hold; `targets` are the names of a table's."""
    found = []
    for expectation in expected:
        got = _got(expectation, decision, why, targets)
        if not _holds(expectation, got):
            found.append(Mismatch(expectation=expectation, got=got))
    return tuple(found)


def is_close(wanted: Decimal, points: Decimal) -> bool:
    """Whether points are those expected: to two decimals, or exactly where more are written."""
    return wanted == (points if is_exact(wanted) else rounded(points))


def is_exact(wanted: Expected) -> bool:
    """Whether points are written with more decimals than `lynkrc trace` shows."""
    if not isinstance(wanted, Decimal):
        return False
    exponent = wanted.as_tuple().exponent
    return isinstance(exponent, int) and exponent < -2


def rounded(points: Decimal) -> Decimal:
    """Points as `lynkrc trace` shows them."""
    return Decimal(f"{float(points):.2f}")


def _got(
    expectation: Expectation, decision: Decision, why: Trace, targets: Sequence[str]
) -> Expected:
    match expectation.subject:
        case Subject.OUTCOME:
            return decision.outcome.name.lower()
        case Subject.TIER:
            return decision.tier
        case Subject.RULE:
            return decision.rule
        case Subject.SCORE:
            return decision.score
        case Subject.TARGET:
            first = decision.groups[0] if decision.groups else ()
            names = tuple(targets[target] for target in first)
            if decision.varies and len(names) > 1:
                return names
            return names[0] if names else None
        case Subject.CHAIN | Subject.CHAIN_HAS | Subject.CHAIN_LACKS:
            return tuple(targets[target] for target in decision.targets)
        case Subject.POINTS:
            return _points(why, expectation.name)
        case Subject.HEADERS:
            return decision_headers(decision).get(expectation.name or "")
        case _:
            assert_never(expectation.subject)


def _points(why: Trace, name: str | None) -> Decimal | None:
    """What a dimension or rule added; None where the request ended before points were given."""
    if why.score is None:
        return None
    dimensions = {one.name: one.points6400 for one in why.dimensions}
    points = dimensions.get(name or "", dict(why.adds).get(name or "", 0))
    return Decimal(points) / 6400


def _holds(expectation: Expectation, got: Expected) -> bool:
    wanted = expectation.wanted
    match expectation.subject:
        case Subject.CHAIN_HAS:
            assert isinstance(wanted, tuple) and isinstance(got, tuple)
            return set(wanted) <= set(got)
        case Subject.CHAIN_LACKS:
            assert isinstance(wanted, tuple) and isinstance(got, tuple)
            return set(wanted).isdisjoint(got)
        case Subject.POINTS:
            if not isinstance(wanted, Decimal) or not isinstance(got, Decimal):
                return wanted == got
            return is_close(wanted, got)
        case _:
            return wanted == got
