"""Small specs as text: compiled, tried whole, and with values that stand for all others."""

import random
from collections import Counter

from hypothesis import assume, given
from hypothesis import strategies as st

from lynkrc.interp.assertions import joint_domain
from lynkrc.interp.evaluate import evaluate
from tests.property import oracle
from tests.property.effort import tried
from tests.property.small_texts import compiled, representatives, small_texts


def test_small_texts_compile_and_their_assertions_hold_and_do_not() -> None:
    count: Counter[str] = Counter()

    @tried(15)
    @given(small_texts())
    def counting(text: str) -> None:
        made = compiled(text)
        count["refused"] += made is None
        if made is None:
            return
        table, assertions = made
        values = representatives(table, assertions, joint_domain(table, assertions))
        told = oracle.world(table, assertions, values=values)
        count["compiled"] += 1
        count.update(str(oracle.verdict(told, one)) for one in assertions.items)

    counting()
    assert count["compiled"] > count["refused"], count
    assert count["True"] > 5 and count["False"] > 5, count


@tried(8)
@given(small_texts(), st.integers(0, 2**32))
def test_any_value_goes_the_way_of_one_that_stands_for_it(text: str, seed: int) -> None:
    made = compiled(text)
    assume(made is not None)
    assert made is not None
    table, assertions = made
    domain, draw = joint_domain(table, assertions), random.Random(seed)
    values = representatives(table, assertions, domain)
    told = oracle.world(table, assertions, values=values)
    known = {_without_points(one.verdict) for one in told.decisions}
    for _ in range(300):
        point = tuple(draw.randint(slot.low, slot.high) for slot in domain.slots)
        near = tuple(
            draw.choice(values[slot.id]) if draw.random() < 0.7 else value
            for slot, value in zip(domain.slots, point, strict=True)
        )
        for place in (point, near):
            assert _without_points(evaluate(table, domain.views[0].vector(place))) in known


def _without_points(verdict: tuple[int, ...]) -> tuple[int, ...]:
    return (*verdict[:5], verdict[6])
