"""Facts about all features to facts about some of them: what joins two through a third is kept.

As a linear program loses a variable: each fact that bounds the lost feature from below is joined
with each that bounds something by it. What is joined is true, though not all that would be.

>>> from lynkrc_runtime.feature_facts import FACTS
>>> AtMost(left=((1, "ask.words"),), right="ask.bytes") in FACTS
False
>>> kept = eliminate(FACTS, frozenset({"ask.words", "ask.bytes"}))
>>> AtMost(left=((1, "ask.words"),), right="ask.bytes") in kept
True
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeAlias

from lynkrc_runtime.feature_facts import AtMost, Fact, Needs, Within

_Numeric: TypeAlias = AtMost | Needs


def eliminate(facts: Sequence[Fact], present: frozenset[str]) -> tuple[Fact, ...]:
    """The facts, with those about numbers joined through the features that are not `present`.

    Features over lexicons count as present.
    """
    return _eliminate(tuple(facts), present)


@lru_cache(maxsize=64)
def _eliminate(facts: tuple[Fact, ...], present: frozenset[str]) -> tuple[Fact, ...]:
    others = [fact for fact in facts if not isinstance(fact, AtMost | Needs)]
    numeric = [
        stripped
        for fact in facts
        if isinstance(fact, AtMost | Needs)
        for stripped in _stripped(fact, present)
    ]
    absent = sorted({name for fact in numeric for name in _names(fact)} - present)
    for feature in absent:
        before = [fact for fact in numeric if fact.right == feature]
        after = [fact for fact in numeric if _left(fact) == feature]
        joined = [
            one
            for low in before
            for high in after
            for one in _join(low, high)
            if feature not in _names(one)
        ]
        kept = [fact for fact in numeric if feature not in _names(fact)]
        numeric = _strongest([*kept, *joined])
    bounds = [one for one in numeric if isinstance(one, AtMost) and one.where is None]
    return (*others, *(one for one in numeric if not any(_implies(bound, one) for bound in bounds)))


def _implies(bound: AtMost, fact: _Numeric) -> bool:
    """Whether a bound alone says what is needed."""
    if not isinstance(fact, Needs) or (bound.text, bound.right) != (fact.text, fact.right):
        return False
    if fact.text is not None or _left(bound) != fact.left:
        return False
    ((times, _),) = bound.left
    return -((bound.offset - times * fact.low) // bound.factor) >= fact.least


def _stripped(fact: _Numeric, present: frozenset[str]) -> Iterator[_Numeric]:
    """The fact without the addends that are absent; numbers are at least 0."""
    if isinstance(fact, AtMost) and len(fact.left) > 1:
        left = tuple(addend for addend in fact.left if addend[1] in present)
        if left:
            yield replace(fact, left=left)
    else:
        yield fact


def _names(fact: _Numeric) -> Iterator[str]:
    yield fact.right
    if isinstance(fact, AtMost):
        if fact.text is None:
            yield from (name for _, name in fact.left)
        if fact.where is not None:
            yield fact.where.feature
    elif fact.text is None:
        yield fact.left


def _left(fact: _Numeric) -> str | None:
    """The only feature that the fact bounds, or asks something of."""
    if fact.text is not None:
        return None
    if isinstance(fact, Needs):
        return fact.left
    return fact.left[0][1] if len(fact.left) == 1 else None


def _join(low: _Numeric, high: _Numeric) -> Iterator[_Numeric]:
    """What follows from `low`, whose right side is the left one of `high`."""
    joined = _joined(low, high)
    if joined is None:
        return
    if joined.text is None and joined.right in _sources(joined):
        return
    if isinstance(joined, Needs) and joined.least <= 0:
        return
    yield joined


def _sources(fact: _Numeric) -> tuple[str, ...]:
    return (fact.left,) if isinstance(fact, Needs) else tuple(name for _, name in fact.left)


def _joined(low: _Numeric, high: _Numeric) -> _Numeric | None:
    match low, high:
        case AtMost(), AtMost():
            return _chained(low, high)
        case Needs(), AtMost(left=((times, _),)):
            if not _is_met(high.where, low):
                return None
            # The feature is `least` or more, and `times` of it at most factor * right + offset.
            least = -((high.offset - times * low.least) // high.factor)
            return replace(low, right=high.right, least=least)
        case Needs(), Needs():
            if low.least < high.low or high.high is not None:
                return None
            return replace(low, right=high.right, least=high.least)
        case AtMost(left=((times, name),), text=None), Needs():
            # From 1 on, the left side makes the feature this much.
            if low.where not in (None, Within(feature=name, low=1)) or high.high is not None:
                return None
            if -((low.offset - times) // low.factor) < high.low:
                return None
            return Needs(left=name, right=high.right, least=high.least)
        case _:
            return None


def _is_met(where: Within | None, needs: Needs) -> bool:
    """Whether the condition is on the feature that is needed, and holds of what is needed."""
    if where is None:
        return True
    return where.feature == needs.right and where.high is None and where.low <= needs.least


def _chained(low: AtMost, high: AtMost) -> AtMost | None:
    """n * left <= f * x + o and t * x <= g * right + p, multiplied so that x goes."""
    ((times, feature),) = high.left
    where = high.where
    if where == Within(feature=feature, low=1) and len(low.left) == 1 and low.text is None:
        # Then it holds where the left side is at least 1, too, if that makes x as much.
        ((factor, name),) = low.left
        where = Within(feature=name, low=1) if factor > low.offset else where
    if low.where is not None and where is not None:
        return None
    return AtMost(
        left=tuple((factor * times, name) for factor, name in low.left),
        right=high.right,
        factor=low.factor * high.factor,
        offset=low.factor * high.offset + low.offset * times,
        where=low.where or where,
        text=low.text,
    )


def _strongest(facts: Sequence[_Numeric]) -> list[_Numeric]:
    """Each once, without those that another says better."""
    best: dict[_Numeric, _Numeric] = {}
    for fact in facts:
        if isinstance(fact, Needs):
            key: _Numeric = replace(fact, least=0)
            known = best.get(key)
            if not isinstance(known, Needs) or known.least < fact.least:
                best[key] = fact
        else:
            key = replace(fact, offset=0)
            known = best.get(key)
            if not isinstance(known, AtMost) or known.offset > fact.offset:
                best[key] = fact
    return list(best.values())
