"""A RouteTable to ``explain.py``: the same guards as ``scorer.py``, in a form that tells why.

Its function ``explain(v)`` returns what `lynkrc.interp.trace.as_json` does. The guards come from
the same printer; how they are put together is fixed text of the template.
"""

from collections.abc import Iterable, Iterator

from lynkrc.codegen.layout import Bracketed, Leaf, Piece, statement
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
from lynkrc.ir.guard import Guard
from lynkrc.ir.table import Dimension, Otherwise, RouteTable, Rule

_ENTRY = 8  # columns of indentation of an entry


def print_explain(table: RouteTable) -> str:
    """The text of ``explain.py``."""
    printer = make_printer(table)
    return render(
        "explain.py.j2",
        rules=[_rule(rule) for rule in table.rules],
        dimensions=[
            f"({literal(d.name)}, {100 if d.value is None else d.weight64})"
            for d in table.dimensions
        ],
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


def _keeps(printer: Printer, rule: Rule) -> Iterator[str]:
    if rule.require is None:
        return
    stay = tuple(printer.guard(keep.guard) for keep in rule.require)
    lines = statement(f"{rule.id}: ", Bracketed(pieces=stay, is_tuple=True), ",", indent=_ENTRY)
    yield from [*with_comment(lines[0], rule.name, _ENTRY), *lines[1:]]


def _entry(piece: Piece, name: str) -> list[str]:
    *lines, last = statement("", piece, ",", indent=_ENTRY)
    return [*lines, *with_comment(last, name, _ENTRY)]
