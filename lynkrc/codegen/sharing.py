"""Guards and expressions to those worth a name: written out more than once, or needed as a value.

A named feature of the spec is gone from the RouteTable; where it is used in several rules, its
text would be repeated in the generated code, and evaluated as often.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from lynkrc.ir.guard import (
    And,
    BoolConst,
    BoolSlot,
    ClassTest,
    Guard,
    IntCompare,
    IntConst,
    IntExpr,
    IntScale,
    IntSlot,
    IntSteps,
    Not,
    Or,
)
from lynkrc.ir.ranges import subexpressions

Node: TypeAlias = Guard | IntExpr


def shared_nodes(roots: Iterable[Node]) -> dict[Node, str]:
    """The nodes to compute once, with a name each, in an order that defines before use."""
    counts: Counter[Node] = Counter()
    order: list[Node] = []
    values: set[Node] = set()
    for root in roots:
        _count(root, counts, order, values)
    worthy = [node for node in order if node in values or (counts[node] > 1 and _is_large(node))]
    return {node: f"shared_{number}" for number, node in enumerate(worthy, start=1)}


def _count(node: Node, counts: Counter[Node], order: list[Node], values: set[Node]) -> None:
    counts[node] += 1
    if counts[node] > 1:
        return  # What is inside is printed once, with the node.
    if isinstance(node, IntSteps) and not isinstance(node.x, IntSlot):
        values.add(node.x)  # Its comparison chain names x several times.
    for child in subexpressions(node):
        _count(child, counts, order, values)
    order.append(node)


def _is_large(node: Node) -> bool:
    """Whether a name reads and runs better than the node written out."""
    match node:
        case IntConst() | IntSlot() | IntScale(term=IntSlot()):
            return False
        case BoolConst() | BoolSlot() | ClassTest() | IntCompare() | Not():
            return False
        case And() | Or():
            return sum(1 for _ in _leaves(node)) > 3
        case _:
            return True


def _leaves(node: Node) -> Iterator[Node]:
    children = subexpressions(node)
    if not children:
        yield node
    for child in children:
        yield from _leaves(child)
