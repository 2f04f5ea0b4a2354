"""A domain to solver symbols: one Int in its range for each variable, a Bool where it is a bool.

Every object of one question lives in one context of its own, so that an answer depends on nothing
that was asked before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, final

import z3

from lynkrc.analysis.logic import choice
from lynkrc.ir.domain import Domain, Point
from lynkrc.ir.table import Slot, SlotType
from lynkrc.ir.witness import at_rest

Ints: TypeAlias = tuple[z3.ArithRef, ...]
Bools: TypeAlias = tuple[z3.BoolRef | None, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Symbols:
    """The unknown values of one request, by variable.

    `bools[i]` is the truth of a boolean variable, whose `ints[i]` is 0 or 1; None for others.
    `names[i]` is what a model calls whichever of the two is its own. `ranges` is what holds of
    every value, whatever the request; `rest` what a plain one has.
    """

    context: z3.Context
    domain: Domain
    rest: Point
    ints: Ints
    bools: Bools
    names: tuple[z3.FuncDeclRef, ...]
    ranges: tuple[z3.BoolRef, ...]

    def point(self, model: z3.ModelRef) -> Point:
        """The values in a model; what it leaves open is at rest."""
        return tuple(
            _read(model, name, rest) for name, rest in zip(self.names, self.rest, strict=True)
        )


def symbols_of(domain: Domain, context: z3.Context, rest: Point | None = None) -> Symbols:
    """Symbols for every variable, named after it. `rest` is `at_rest` where it is not given."""
    pairs = [_symbol(slot, f"{slot.id}:{slot.text}", context) for slot in domain.slots]
    ints = tuple(number for number, _ in pairs)
    return Symbols(
        context=context,
        domain=domain,
        rest=at_rest(domain) if rest is None else rest,
        ints=ints,
        bools=tuple(truth for _, truth in pairs),
        names=tuple(_name_of(*pair) for pair in pairs),
        ranges=_ranges(domain, ints, range(len(ints))),
    )


def changed(symbols: Symbols, fresh: Mapping[int, str]) -> Symbols:
    """The symbols of another request that differs in some variables alone.

    `fresh` gives each of them a tag that tells its new symbol from the old one.
    """
    ints, bools, names = list(symbols.ints), list(symbols.bools), list(symbols.names)
    for i, tag in fresh.items():
        slot = symbols.domain.slots[i]
        ints[i], bools[i] = _symbol(slot, f"{tag}{slot.id}:{slot.text}", symbols.context)
        names[i] = _name_of(ints[i], bools[i])
    return replace(
        symbols,
        ints=tuple(ints),
        bools=tuple(bools),
        names=tuple(names),
        ranges=_ranges(symbols.domain, tuple(ints), fresh),
    )


def _symbol(slot: Slot, name: str, context: z3.Context) -> tuple[z3.ArithRef, z3.BoolRef | None]:
    if slot.type is not SlotType.BOOL:
        return z3.Int(name, context), None
    truth = z3.Bool(name, context)
    return choice(truth, z3.IntVal(1, context), z3.IntVal(0, context)), truth


def _ranges(domain: Domain, ints: Ints, which: Mapping[int, str] | range) -> tuple[z3.BoolRef, ...]:
    found: list[z3.BoolRef] = []
    for i in which:
        slot = domain.slots[i]
        if slot.type is not SlotType.BOOL:
            found += [ints[i] >= slot.low, ints[i] <= slot.high]
    return tuple(found)


def _name_of(number: z3.ArithRef, truth: z3.BoolRef | None) -> z3.FuncDeclRef:
    return (number if truth is None else truth).decl()


def _read(model: z3.ModelRef, name: z3.FuncDeclRef, rest: int) -> int:
    """The number a model gives a name, 0 or 1 for a truth; `rest` where it gives none.

    Straight through z3's C interface: models are read often, and all of them.
    """
    context = model.ctx.ref()
    value = z3.Z3_model_get_const_interp(context, model.model, name.ast)
    if not value:
        return rest
    truth = z3.Z3_get_bool_value(context, value)
    if truth == z3.Z3_L_UNDEF:
        return int(z3.Z3_get_numeral_string(context, value))
    return int(truth == z3.Z3_L_TRUE)
