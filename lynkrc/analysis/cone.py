"""Definitions of names to those that some formulas rest on: a smaller question, the same answer."""

from collections.abc import Iterable, Sequence

import z3


def cone(definitions: Sequence[z3.BoolRef], roots: Iterable[z3.BoolRef]) -> list[z3.BoolRef]:
    """The definitions (``name == formula``) of what the roots name, and of what those name.

    A definition of another form says something of every request, and is one of the roots.
    """
    by_name: dict[int, z3.BoolRef] = {}
    wanted: list[z3.ExprRef] = list(roots)
    kept: set[int] = set()
    for one in definitions:
        if z3.is_eq(one) and _is_name(one.arg(0)):
            by_name[one.arg(0).get_id()] = one
        else:
            kept.add(one.get_id())
            wanted.append(one)
    seen: set[int] = set()
    while wanted:
        formula = wanted.pop()
        number = formula.get_id()
        if number in seen:
            continue
        seen.add(number)
        if number in by_name:
            kept.add(by_name[number].get_id())
            wanted.append(by_name[number].arg(1))
        else:
            wanted += formula.children()
    return [one for one in definitions if one.get_id() in kept]


def _is_name(formula: z3.ExprRef) -> bool:
    return bool(z3.is_const(formula) and formula.decl().kind() == z3.Z3_OP_UNINTERPRETED)
