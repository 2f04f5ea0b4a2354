"""A loaded policy to the reason why it must not serve: its engines disagree, or one fails.

The scorer that serves, the Python scorer and the explanation are made from one intermediate form
by three writers; on every vector they must say the same. Tried are the corners of the slots (all
lowest, all highest, each slot alone at its ends and beside them) and vectors drawn with a fixed
seed, so that a bundle always gets the same test.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from lynkrc_runtime.decide import Scorer
from lynkrc_runtime.dispatch import Slot

DRAWN: Final = 200
"""Vectors that are drawn."""

_GONE_WRONG = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What generated code can do wrong."""


def vectors(slots: Sequence[Slot]) -> Iterator[list[int]]:
    """The vectors a bundle with these slots is tried on; the same at every call."""
    low, high = [slot.low for slot in slots], [slot.high for slot in slots]
    yield low
    yield high
    for base in (low, high):
        for index, slot in enumerate(slots):
            near = (slot.low, slot.low + 1, (slot.low + slot.high) // 2, slot.high - 1, slot.high)
            for value in dict.fromkeys(near):
                if slot.low <= value <= slot.high and value != base[index]:
                    yield [*base[:index], value, *base[index + 1 :]]
    draw = random.Random(0)
    for _ in range(DRAWN):
        yield [draw.randint(slot.low, slot.high) for slot in slots]


def disagreement(
    slots: Sequence[Slot],
    *,
    scorer: Scorer,
    portable: Scorer,
    explain: Callable[[list[int]], Mapping[str, Any]],
) -> str | None:
    """What is wrong with the engines of a bundle; None where they agree on every vector."""
    for vector in vectors(slots):
        try:
            verdict = list(scorer(vector))
            others = {
                "Python scorer": list(portable(vector)),
                "explanation": explain(vector)["verdict"],
            }
        except _GONE_WRONG as error:
            return f"self-test: {type(error).__name__} on the vector {vector}"
        for name, other in others.items():
            if verdict != other:
                return f"self-test: scorer and {name} disagree on the vector {vector}"
    return None
