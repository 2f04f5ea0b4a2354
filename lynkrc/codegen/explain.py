"""A RouteTable to ``explain.py``: the same guards as ``scorer.py``, in a form that tells why.

Its function ``explain(v)`` returns what `lynkrc.interp.trace.as_json` does. The guards come from
the same printer; how they are put together is fixed text of the template.
"""

from collections.abc import Iterable, Iterator, Mapping

from lynkrc.codegen.layout import Bracketed, Chain, Leaf, Piece, statement
from lynkrc.codegen.names import literal, with_comment
from lynkrc.codegen.python_expr import Printer
from lynkrc.codegen.rendering import render
from lynkrc.codegen.scorer import (
    functions_used,
    make_printer,
    needs_clamp,
    shared_lines,
    unpacking,
)
from lynkrc.ir.atoms import atoms_of, print_atom, sides_of, slots_of
from lynkrc.ir.effects import effects_of
from lynkrc.ir.guard import Guard
from lynkrc.ir.table import Dimension, Otherwise, RouteTable, Rule

_ENTRY = 8  # columns of indentation of an entry
_ROW = 4  # and of a row of a table
_LONGEST = 70
"""Characters of a text on one line."""


def print_explain(table: RouteTable) -> str:
    """The text of ``explain.py``."""
    printer = make_printer(table)
    guards = dict.fromkeys(atom for rule in table.rules for atom in atoms_of(rule.guard))
    atoms = {atom: number for number, atom in enumerate(guards)}
    return render(
        "explain.py.j2",
        rules=[_rule(rule) for rule in table.rules],
        words=[line for rule in table.rules for line in _words(rule, table, atoms)],
        atoms=[line for atom in atoms for line in _atom(atom, table)],
        dimensions=[line for dimension in table.dimensions for line in _dimension(dimension)],
        tiers=[f"({literal(tier.name)}, {tier.up_to}, {tier.chain})" for tier in table.tiers],
        chains=[f"({literal(chain.name)}, {_ids(chain.targets)})" for chain in table.chains],
        targets=[literal(target.name) for target in table.targets],
        pins=[f"({literal(pin.pattern)}, {pin.tier}, {pin.chain})" for pin in table.pins],
        needs=[f"({literal(need.name)}, {_ids(need.met_by)})" for need in table.needs],
        offset=100 * table.offset64,
        escalates=table.otherwise is Otherwise.ESCALATE,
        otherwise_denies=table.otherwise is Otherwise.DENY,
        helpers=functions_used(table),
        slots=unpacking(table, printer),
        shared=shared_lines(printer),
        rule_guards=_guards(printer, ((rule.guard, rule.name) for rule in table.rules)),
        atom_guards=_guards(printer, ((atom, print_atom(atom, table.slots)) for atom in atoms)),
        sides=[line for number, atom in enumerate(atoms) for line in _sides(printer, number, atom)],
        dimension_values=[line for d in table.dimensions for line in _value(table, printer, d)],
        pin_guards=_guards(printer, ((pin.guard, pin.pattern) for pin in table.pins)),
        need_guards=_guards(printer, ((need.guard, need.name) for need in table.needs)),
        keep_guards=[line for rule in table.rules for line in _keeps(printer, rule)],
    )


def _rule(rule: Rule) -> str:
    added = None if rule.add64 is None else 100 * rule.add64
    ends = 1 if rule.deny is not None else 2 if rule.respond is not None else None
    bounds = f"{rule.tier}, {rule.floor}, {rule.ceiling}"
    prefers = rule.prefer is not None
    return f"({literal(rule.name)}, {ends}, {bounds}, {added}, {rule.chain}, {prefers})"


def _words(rule: Rule, table: RouteTable, atoms: Mapping[Guard, int]) -> list[str]:
    """The condition of a rule, its atoms and its effects, as a row with its name beside it."""
    read = tuple(Leaf(text=str(atoms[atom])) for atom in atoms_of(rule.guard))
    effects = tuple(
        Bracketed(pieces=(Leaf(text=literal(kind)), _text(words)), is_tuple=True)
        for kind, words in effects_of(rule, table)
    )
    row = (
        _text(rule.source),
        Bracketed(pieces=read, is_tuple=True),
        Bracketed(pieces=effects, is_tuple=True),
    )
    return _row(Bracketed(pieces=row, is_tuple=True))


def _atom(atom: Guard, table: RouteTable) -> list[str]:
    read = tuple(Leaf(text=str(slot)) for slot in slots_of(atom))
    row = (_text(print_atom(atom, table.slots)), Bracketed(pieces=read, is_tuple=True))
    return _row(Bracketed(pieces=row, is_tuple=True))


def _dimension(dimension: Dimension) -> list[str]:
    factor = 100 if dimension.value is None else dimension.weight64
    row = (_text(dimension.name), _text(dimension.source), Leaf(text=str(factor)))
    return _row(Bracketed(pieces=row, is_tuple=True))


def _text(text: str) -> Piece:
    """A string literal; a long one in pieces, which Python puts together when it reads them."""
    first, *rest = (
        literal(text[start : start + _LONGEST]) for start in range(0, len(text) or 1, _LONGEST)
    )
    if not rest:
        return Leaf(text=first)
    return Chain(first=Leaf(text=first), rest=tuple(("", Leaf(text=part)) for part in rest))


def _row(piece: Piece) -> list[str]:
    return statement("", piece, ",", indent=_ROW)


def _ids(ids: tuple[int, ...]) -> str:
    return repr(tuple(int(index) for index in ids))


def _guards(printer: Printer, guards: Iterable[tuple[Guard, str]]) -> list[str]:
    lines: list[str] = []
    for guard, name in guards:
        lines += _entry(Bracketed(name="bool", pieces=(printer.guard(guard),)), name)
    return lines


def _value(table: RouteTable, printer: Printer, dimension: Dimension) -> list[str]:
    if dimension.value is None:
        assert dimension.terms is not None
        return _entry(Leaf(text=printer.names[dimension.terms]), dimension.name)
    piece = printer.number(dimension.value)
    if needs_clamp(dimension, table):
        piece = Bracketed(name="percent", pieces=(piece,))
    return _entry(piece, dimension.name)


def _sides(printer: Printer, number: int, atom: Guard) -> list[str]:
    sides = sides_of(atom)
    if sides is None:
        return []
    pieces = tuple(printer.number(side) for side in sides)
    return statement(f"{number}: ", Bracketed(pieces=pieces, is_tuple=True), ",", indent=_ENTRY)


def _keeps(printer: Printer, rule: Rule) -> Iterator[str]:
    if rule.require is None:
        return
    stay = tuple(printer.guard(keep.guard) for keep in rule.require)
    lines = statement(f"{rule.id}: ", Bracketed(pieces=stay, is_tuple=True), ",", indent=_ENTRY)
    yield from [*with_comment(lines[0], rule.name, _ENTRY), *lines[1:]]


def _entry(piece: Piece, name: str) -> list[str]:
    *lines, last = statement("", piece, ",", indent=_ENTRY)
    return [*lines, *with_comment(last, name, _ENTRY)]
