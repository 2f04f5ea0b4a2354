"""The features a spec reads to the slots of its vector, with the classes of strings and enums.

Slots are ordered by feature and arguments, classes by text, so the order in which a spec's parts
are written does not show.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import final

from lynkrc.ir.guard import SlotId
from lynkrc.ir.table import Slot, SlotType, StringClass
from lynkrc.sema.typed import Attribute, Leaf, StringOp, StringTest, TypedExpr
from lynkrc.sema.types import BoolType, EnumType, FixedType, IntType, StringType
from lynkrc.sema.walk import leaves_in, nodes_in

_AFTER_ALL = "\U0010ffff" * 2  # behind whatever goes on after a prefix

ABSENT, OTHER = 0, 1
"""The first two classes of every string slot."""


@final
@dataclass(slots=True)
class SlotPlan:
    """Collects what is read, then lays out the slots.

    `beside`: what stands beside the request (attributes of the target under test, the decision) is
    planned too, as assertions need it.
    """

    beside: bool = False
    _leaves: dict[tuple[str, tuple[str, ...]], Leaf] = field(default_factory=dict)
    _literals: defaultdict[tuple[str, tuple[str, ...]], set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )
    _prefixes: defaultdict[tuple[str, tuple[str, ...]], set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )

    def read(self, expressions: Iterable[TypedExpr]) -> None:
        """Plan a slot for every leaf the expressions read, a class for every literal."""
        for expression in expressions:
            for leaf in leaves_in(expression):
                if self.beside or not isinstance(leaf, Attribute):
                    self.add(leaf)
            for node in nodes_in(expression):
                match node:
                    case StringTest(op=StringOp.EQUALS):
                        self._literals[_key(node.leaf)].update(node.values)
                    case StringTest(op=StringOp.STARTS):
                        self._prefixes[_key(node.leaf)].update(node.values)
                    case _:
                        pass

    def add(self, leaf: Leaf) -> None:
        """Plan a slot for one leaf."""
        self._leaves.setdefault(_key(leaf), leaf)

    def layout(self) -> "Layout":
        """The slots of everything planned so far."""
        slots = tuple(
            self._slot(SlotId(index), self._leaves[key])
            for index, key in enumerate(sorted(self._leaves))
        )
        return Layout(slots=slots, _ids={(slot.feature, slot.args): slot.id for slot in slots})

    def _slot(self, id: SlotId, leaf: Leaf) -> Slot:
        classes: tuple[StringClass, ...] = ()
        name, args = key = _key(leaf)
        match leaf.type:
            case BoolType():
                type_, low, high = SlotType.BOOL, 0, 1
            case IntType():
                type_, low, high = SlotType.INT, leaf.type.low, leaf.type.high
            case FixedType():
                type_, low, high = SlotType.FIXED, leaf.type.low, leaf.type.high
            case EnumType(members=members):
                classes = tuple(StringClass(kind="member", text=member) for member in members)
                type_, low, high = SlotType.CLASS, 0, len(classes) - 1
            case StringType():
                classes = self._classes(key)
                type_, low, high = SlotType.CLASS, 0, len(classes) - 1
        return Slot(
            id=id,
            feature=name,
            args=args,
            type=type_,
            low=low,
            high=high,
            classes=classes,
        )

    def _classes(self, key: tuple[str, tuple[str, ...]]) -> tuple[StringClass, ...]:
        return (
            StringClass(kind="absent"),
            StringClass(kind="other"),
            *(StringClass(kind="literal", text=text) for text in sorted(self._literals[key])),
            *(StringClass(kind="prefix", text=text) for text in sorted(self._prefixes[key])),
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The slots, and which one holds what."""

    slots: tuple[Slot, ...]
    _ids: dict[tuple[str, tuple[str, ...]], SlotId]

    def slot(self, leaf: Leaf) -> Slot:
        """The slot of a planned leaf. Raises KeyError for another."""
        return self.slots[self._ids[_key(leaf)]]


def classes_of(slot: Slot, op: StringOp, values: Iterable[str]) -> tuple[int, ...]:
    """The classes of a string slot whose members pass a test.

    A value in a prefix class begins with the longest prefix that fits it, so the class passes
    ``starts_with`` exactly when that prefix does.
    """
    classes = slot.classes
    match op:
        case StringOp.PRESENT:
            return tuple(index for index in range(len(classes)) if index != ABSENT)
        case StringOp.EQUALS:
            beyond = ""
        case StringOp.STARTS:
            beyond = _AFTER_ALL
    # Literals come before prefixes, both sorted: what is equal to a text, or begins with it, stands
    # together. Thousands of rules may test one slot.
    kinds = bisect_left(classes, True, key=lambda one: one.kind == "prefix")
    passing: set[int] = set()
    for text in set(values):
        for first, last in ((OTHER + 1, kinds), (kinds, len(classes))):
            if op is StringOp.STARTS or last == kinds:
                low = bisect_left(classes, text, first, last, key=_text)
                high = bisect_right(classes, text + beyond, first, last, key=_text)
                passing.update(range(low, high))
    return tuple(sorted(passing))


def _text(one: StringClass) -> str:
    return one.text


def _key(leaf: Leaf) -> tuple[str, tuple[str, ...]]:
    return leaf.name, () if isinstance(leaf, Attribute) else leaf.args
