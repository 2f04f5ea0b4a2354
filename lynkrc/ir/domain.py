"""Slots of several tables to one set of variables that they all can be read off.

Two tables (or a table and its assertions) ask different things of the same request: other literals
of a header, other lexicons of one name. A `Domain` has one `Variable` for what is the same, with
the classes of all, and a `View` says how a table's vector follows from a point of the domain.

>>> from lynkrc.ir.table import SlotType
>>> words = Slot(id=SlotId(0), feature="ask.words", args=(), type=SlotType.INT, low=0, high=9)
>>> domain = domain_of(Part(slots=(words,)), Part(slots=()))
>>> domain.views[0].vector((7,)), domain.views[1].vector((7,))
([7], [])
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias, final

from lynkrc.ir.guard import SlotId
from lynkrc.ir.table import Entry, Lexicon, Slot, StringClass

ABSENT, OTHER = 0, 1
"""The first two classes of a string."""

Point: TypeAlias = tuple[int, ...]
"""A value for every variable of a domain, in its order: numbers, 0 or 1, or an index of a class."""

_Key: TypeAlias = tuple[str, tuple[str, ...], tuple[Entry, ...]]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What shares a domain: the slots of a table or of assertions, and the lexicons they name."""

    slots: tuple[Slot, ...]
    lexicons: tuple[Lexicon, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One thing a request is asked. `entries` are those of the lexicon it reads, else empty.

    The slot's id is the variable's index; its classes are those of all parts.
    """

    slot: Slot
    entries: tuple[Entry, ...]

    @property
    def text(self) -> str:
        """How it is written in the language."""
        return self.slot.text


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How the vector of one part follows from a point.

    `variables[s]` is the variable that slot s reads; `classes[s]`, where slot s is a string or an
    enum, the slot's class for each class of the variable, else None.
    """

    variables: tuple[int, ...]
    classes: tuple[tuple[int, ...] | None, ...]

    def vector(self, point: Point) -> list[int]:
        """The part's vector, in its slots' order."""
        return [
            point[variable] if classes is None else classes[point[variable]]
            for variable, classes in zip(self.variables, self.classes, strict=True)
        ]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The variables, and a view for each part, in the order the parts were given."""

    variables: tuple[Variable, ...]
    views: tuple[View, ...]

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The variables as slots."""
        return tuple(variable.slot for variable in self.variables)


def domain_of(*parts: Part) -> Domain:
    """The domain of the parts. A lexicon is known by its entries, whatever it is called."""
    members: dict[_Key, list[Slot]] = {}
    keys: list[list[_Key]] = []
    for part in parts:
        entries = {lexicon.name: _entries(lexicon) for lexicon in part.lexicons}
        own = [_key(slot, entries) for slot in part.slots]
        keys.append(own)
        for key, slot in zip(own, part.slots, strict=True):
            members.setdefault(key, []).append(slot)
    order = sorted(members, key=lambda key: (key[0], members[key][0].args, str(key[2])))
    variables = tuple(_variable(SlotId(i), key, members[key]) for i, key in enumerate(order))
    number = {key: i for i, key in enumerate(order)}
    views = tuple(
        View(
            variables=tuple(number[key] for key in own),
            classes=tuple(
                _class_map(variables[number[key]].slot, slot) if slot.classes else None
                for key, slot in zip(own, part.slots, strict=True)
            ),
        )
        for own, part in zip(keys, parts, strict=True)
    )
    return Domain(variables=variables, views=views)


def _entries(lexicon: Lexicon) -> tuple[Entry, ...]:
    """The entries without their order, which says nothing."""
    return tuple(sorted(lexicon.entries, key=lambda entry: (entry.pattern, entry.weight64)))


def _key(slot: Slot, entries: dict[str, tuple[Entry, ...]]) -> _Key:
    if slot.feature in ("count", "matches", "distinct", "points"):
        text, lexicon = slot.args
        return slot.feature, (text,), entries[lexicon]
    return slot.feature, slot.args, ()


def _variable(id_: SlotId, key: _Key, slots: Sequence[Slot]) -> Variable:
    first = slots[0]
    classes = _classes([slot.classes for slot in slots])
    return Variable(
        slot=Slot(
            id=id_,
            feature=first.feature,
            args=first.args,
            type=first.type,
            low=min(slot.low for slot in slots),
            high=len(classes) - 1 if classes else max(slot.high for slot in slots),
            classes=classes,
        ),
        entries=key[2],
    )


def _classes(parts: Sequence[tuple[StringClass, ...]]) -> tuple[StringClass, ...]:
    """The classes of all parts: absent, other, literals, prefixes; or members as first met."""
    every = dict.fromkeys(chain.from_iterable(parts))
    if all(one.kind == "member" for one in every):
        return tuple(every)
    fixed = [one for one in every if one.kind in ("absent", "other")]
    literals = sorted((one for one in every if one.kind == "literal"), key=lambda one: one.text)
    prefixes = sorted((one for one in every if one.kind == "prefix"), key=lambda one: one.text)
    return (*fixed, *literals, *prefixes)


def _class_map(joint: Slot, slot: Slot) -> tuple[int, ...]:
    """The slot's class of each joint class.

    A member the slot does not have is its first: ``other`` for a client, ``none`` for a tier.
    """
    own = {one: i for i, one in enumerate(slot.classes)}
    prefixes = sorted(
        ((one.text, i) for one, i in own.items() if one.kind == "prefix"),
        key=lambda pair: -len(pair[0]),
    )
    return tuple(_class_in(one, own, prefixes) for one in joint.classes)


def _class_in(
    one: StringClass, own: dict[StringClass, int], prefixes: Sequence[tuple[str, int]]
) -> int:
    if one in own:
        return own[one]
    if one.kind == "member":
        return 0
    fitting = (index for prefix, index in prefixes if one.text.startswith(prefix))
    return next(fitting, OTHER)
