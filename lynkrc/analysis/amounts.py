"""An encoded decision to the most it can cost and the longest it can take, as formulas.

Follows `lynkrc.interp.worst_case`: every target of the decided chain is tried as often as its
provider allows and billed in full. Amounts are integers, `scale` of them a USD or a second.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm
from typing import final

import z3

from lynkrc.analysis.encoded import Encoded
from lynkrc.analysis.formulas import Formulas
from lynkrc.analysis.logic import all_of, choice
from lynkrc.interp.worst_case import MARGIN, call_seconds, calls, total_seconds
from lynkrc.ir.table import Target

_MILLION = 10**6


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """`total` of these are what a request comes to; `scale` of them are one USD or second.

    `most` is more than any request comes to. `unknown` is when a target without a price is
    attempted: `total` then leaves that out.
    """

    total: z3.ArithRef
    scale: int
    most: int
    unknown: z3.BoolRef

    @property
    def known(self) -> z3.BoolRef:
        """That every target attempted has a price."""
        return z3.Not(self.unknown)

    def over(self, bound: Fraction) -> z3.BoolRef:
        """That the amount is known and greater than so many USD or seconds."""
        return z3.And(self.known, self.total * bound.denominator > self.scale * bound.numerator)


def cost(encoded: Encoded, *, shared: bool = False) -> Amount:
    """The worst case of a request in USD.

    Where the table does not read the size of a request it is as large as a target takes; with
    `shared`, only where no other table of the domain reads it either.
    """
    f, table = encoded.formulas, encoded.table
    size = _shared if shared else _slot
    tokens, asked = size(encoded, "context.tokens"), size(encoded, "request.max_tokens")
    priced = [target for target in table.targets if target.price is not None]
    rates = {target.id: _rates(target) for target in priced}
    scale = (
        MARGIN.denominator
        * _MILLION
        * _denominator([rate for pair in rates.values() for rate in pair])
    )
    addends, most = [], 0
    for target in priced:
        dearest, output = rates[target.id]
        times = calls(table, target)
        # `scale` holds the margin's denominator, so both factors are whole.
        per_input = int(times * dearest * scale / _MILLION / MARGIN.denominator)
        per_output = int(times * output * scale / _MILLION)
        spent = per_input * _input(f, target, tokens) + per_output * _output(f, target, asked)
        addends.append(choice(encoded.attempted[target.id], spent, f.number(0)))
        most += per_input * MARGIN.denominator * target.context + per_output * target.max_output
    unpriced = [encoded.attempted[t.id] for t in table.targets if t.price is None]
    return Amount(
        total=z3.Sum([f.number(0), *addends]), scale=scale, most=most, unknown=f.some(unpriced)
    )


def latency(encoded: Encoded) -> Amount:
    """The seconds to the first byte or the error."""
    f, table = encoded.formulas, encoded.table
    seconds = {target.id: call_seconds(table, target) for target in table.targets}
    limits = {target.id: total_seconds(table, target) for target in table.targets}
    scale = _denominator([*seconds.values(), *limits.values()])
    spent = z3.Sum(
        [f.number(0)]
        + [
            choice(encoded.attempted[target], f.number(int(time * scale)), f.number(0))
            for target, time in seconds.items()
        ]
    )
    longest = f.number(0)
    for target, limit in sorted(limits.items(), key=lambda pair: pair[1]):
        longest = choice(encoded.attempted[target], f.number(int(limit * scale)), longest)
    return Amount(
        total=choice(spent < longest, spent, longest),
        scale=scale,
        most=ceil(sum(seconds.values()) * scale),
        unknown=f.constant(False),
    )


def _rates(target: Target) -> tuple[Fraction, Fraction]:
    """USD per million tokens: the dearest way to send one, and to be sent one."""
    if target.price is None:
        raise ValueError(f"target {target.name} has no price")
    input_, output, cache_read, cache_write = (Fraction(price) for price in target.price)
    return max(input_, cache_read, cache_write), output


def _input(f: Formulas, target: Target, tokens: z3.ArithRef | None) -> z3.ArithRef:
    """Input tokens in units of the margin's denominator."""
    window = f.number(MARGIN.denominator * target.context)
    if tokens is None:
        return window
    read = MARGIN.numerator * tokens
    return choice(read < window, read, window)


def _output(f: Formulas, target: Target, asked: z3.ArithRef | None) -> z3.ArithRef:
    limit = f.number(target.max_output)
    if asked is None:
        return limit
    return choice(all_of(asked > 0, asked < limit), asked, limit)


def _slot(encoded: Encoded, feature: str) -> z3.ArithRef | None:
    found: Iterator[z3.ArithRef] = (
        encoded.formulas.slot(slot.id) for slot in encoded.table.slots if slot.feature == feature
    )
    return next(found, None)


def _shared(encoded: Encoded, feature: str) -> z3.ArithRef | None:
    symbols = encoded.symbols
    return next(
        (symbols.ints[slot.id] for slot in symbols.domain.slots if slot.feature == feature), None
    )


def _denominator(amounts: Sequence[Fraction]) -> int:
    return lcm(*(amount.denominator for amount in amounts)) if amounts else 1
