"""The facts that relate features to linear relations between the variables of a domain.

`lynkrc_runtime.feature_facts` speaks of numbers before clamping and of every feature there is; a
`Relation` of clamped values and of those variables alone that the domain has. What joins two of
them through a feature that it has not is worked out first (`lynkrc.analysis.elimination`).

The one list that both the solver (`lynkrc.analysis.facts`) and `violated` read.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never, final

from lynkrc.analysis.elimination import eliminate
from lynkrc.analysis.entries import holds_word
from lynkrc.ir.domain import ABSENT, OTHER, Domain, Point
from lynkrc.ir.table import Entry, Slot, StringClass
from lynkrc_runtime.feature_facts import (
    FACTS,
    AtMost,
    Begins,
    Fact,
    Grows,
    Needs,
    Numbers,
    On,
    Pairs,
    Together,
    Weighs,
    Within,
)

POSITIVE = ("matches", "count", "distinct")
"""Features over a lexicon that are positive exactly where one of its entries occurs."""
POINTS = "points"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The variable's value is at least `low` and at most `high`, where they are given."""

    variable: int
    low: int | None = None
    high: int | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Where all of `where` holds, the sum of `terms` (factor, variable) is at most `most`.

    A relation without terms and `most` -1 forbids its conditions together.
    """

    where: tuple[Bound, ...]
    terms: tuple[tuple[int, int], ...]
    most: int
    fact: Fact


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The variables over one lexicon and text: the feature to its variable."""

    text: str
    entries: tuple[Entry, ...]
    variables: Mapping[str, int]

    @property
    def positive(self) -> tuple[int, ...]:
        """Those that are positive exactly where an entry occurs."""
        return tuple(self.variables[name] for name in POSITIVE if name in self.variables)


def groups_of(domain: Domain) -> tuple[Group, ...]:
    """The lexicons that variables read, by text, in the order of their first variables."""
    found: dict[tuple[str, tuple[Entry, ...]], dict[str, int]] = {}
    for number, variable in enumerate(domain.variables):
        if _is_over_lexicon(variable.slot):
            key = variable.slot.args[0], variable.entries
            found.setdefault(key, {})[variable.slot.feature] = number
    return tuple(
        Group(text=text, entries=entries, variables=variables)
        for (text, entries), variables in found.items()
    )


def relations(domain: Domain, facts: Sequence[Fact] = FACTS) -> tuple[Relation, ...]:
    """What the facts say of the domain's variables, after clamping, beyond their ranges."""
    slots = domain.slots
    found: dict[tuple[tuple[Bound, ...], tuple[tuple[int, int], ...]], Relation] = {}
    for one in _Reader(domain).read(facts):
        key = one.where, one.terms
        if _says_something(one, slots) and (key not in found or one.most < found[key].most):
            found[key] = one
    return tuple(found.values())


def _says_something(relation: Relation, slots: Sequence[Slot]) -> bool:
    """Whether some values in range have the conditions, and some do not have the sum."""
    for bound in relation.where:
        slot = slots[bound.variable]
        low = slot.low if bound.low is None else max(bound.low, slot.low)
        high = slot.high if bound.high is None else min(bound.high, slot.high)
        if low > high:
            return False
    ends = ((n * slots[one].low, n * slots[one].high) for n, one in relation.terms)
    return sum(map(max, ends)) > relation.most


def violated(domain: Domain, point: Point) -> tuple[str, ...]:
    """The facts that a point breaks, in words: empty where a request may have these numbers.

    >>> from lynkrc.ir.domain import Part, domain_of
    >>> from lynkrc.ir.guard import SlotId
    >>> from lynkrc.ir.table import SlotType
    >>> slots = tuple(
    ...     Slot(id=SlotId(i), feature=name, args=(), type=SlotType.INT, low=0, high=9)
    ...     for i, name in enumerate(("ask.bytes", "ask.words"))
    ... )
    >>> violated(domain_of(Part(slots=slots)), (3, 4))
    ('ask.words <= ask.bytes',)
    """
    return broken(domain, relations(domain), point)


def broken(domain: Domain, known: Sequence[Relation], point: Point) -> tuple[str, ...]:
    """`violated` for many points: `known` are the domain's relations."""
    return tuple(describe(domain, one) for one in known if not holds(one, point))


def holds(relation: Relation, point: Point) -> bool:
    """Whether the relation is true of the point."""
    for bound in relation.where:
        value = point[bound.variable]
        if bound.low is not None and value < bound.low:
            return True
        if bound.high is not None and value > bound.high:
            return True
    return sum(factor * point[one] for factor, one in relation.terms) <= relation.most


def describe(domain: Domain, relation: Relation) -> str:
    """The relation as one line: ``ask.words <= ask.bytes where ask.bytes <= 8``."""
    names = [variable.text for variable in domain.variables]
    left = [_times(factor, names[one]) for factor, one in relation.terms if factor > 0]
    right = [_times(-factor, names[one]) for factor, one in relation.terms if factor < 0]
    if relation.most > 0 or not right:
        right.append(str(relation.most))
    elif relation.most < 0:
        left.append(str(-relation.most))
    said = f"{' + '.join(left) or '0'} <= {' + '.join(right)}" if relation.terms else "never"
    where = " and ".join(_bound(names[one.variable], one) for one in relation.where)
    return f"{said} where {where}" if where else said


def _times(factor: int, name: str) -> str:
    return name if factor == 1 else f"{factor} * {name}"


def _bound(name: str, bound: Bound) -> str:
    if bound.low == bound.high:
        return f"{name} == {bound.low}"
    low = "" if bound.low is None else f"{bound.low} <= "
    high = "" if bound.high is None else f" <= {bound.high}"
    return f"{low}{name}{high}"


def _is_over_lexicon(slot: Slot) -> bool:
    return slot.feature in POSITIVE or slot.feature == POINTS


@final
class _Reader:
    """The facts of one domain."""

    def __init__(self, domain: Domain) -> None:
        self._variables = domain.variables
        self._groups = groups_of(domain)
        self._of: defaultdict[str, list[int]] = defaultdict(list)
        for number, variable in enumerate(domain.variables):
            if not _is_over_lexicon(variable.slot):
                self._of[variable.slot.feature].append(number)

    def read(self, facts: Sequence[Fact]) -> Iterator[Relation]:
        for fact in eliminate(facts, frozenset(self._of)):
            match fact:
                case AtMost():
                    yield from self._at_most(fact)
                case Needs():
                    yield from self._needs(fact)
                case Pairs():
                    yield from self._pairs(fact)
                case On():
                    yield from self._on(fact)
                case Begins():
                    yield from self._begins(fact)
                case Together():
                    for group in self._groups:
                        own = [group.variables[n] for n in fact.features if n in group.variables]
                        for left, right in zip(own, own[1:] + own[:1], strict=True):
                            if left != right:
                                yield self._least(fact, (self._some(left),), right, 1)
                case Weighs():
                    for group in self._groups:
                        yield from self._weighs(fact, group)
                case Numbers():
                    for group in self._groups:
                        if fact.feature in group.variables:
                            term = 1, group.variables[fact.feature]
                            most = len(group.entries)
                            yield Relation(where=(), terms=(term,), most=most, fact=fact)
                case Grows():
                    yield from self._grows(fact)
                case _:
                    assert_never(fact)

    # -- numbers ---------------------------------------------------------------------------

    def _at_most(self, fact: AtMost) -> Iterator[Relation]:
        if fact.right not in self._of:
            return
        where: tuple[Bound, ...] = ()
        if fact.where is not None:
            bound = self._within(fact.where)
            if bound is None:
                return
            where = (bound,)
        if fact.text is not None:
            for group in self._groups:
                if group.text == fact.text:
                    terms = [(n, group.variables[f]) for n, f in fact.left if f in group.variables]
                    yield from self._below(fact, where, terms)
            return
        yield from self._below(fact, where, [(n, one) for n, f in fact.left for one in self._of[f]])

    def _below(
        self, fact: AtMost, where: tuple[Bound, ...], left: Sequence[tuple[int, int]]
    ) -> Iterator[Relation]:
        """The relation; a right side at its top may be any number from there on."""
        if not left:
            return
        (right,) = self._of[fact.right]
        top = self._variables[right].slot.high
        greatest = sum(factor * self._variables[one].slot.high for factor, one in left)
        if greatest > fact.factor * top + fact.offset:
            where = (*where, Bound(variable=right, high=top - 1))
        terms = (*left, (-fact.factor, right))
        yield Relation(where=where, terms=terms, most=fact.offset, fact=fact)

    def _needs(self, fact: Needs) -> Iterator[Relation]:
        if fact.right not in self._of:
            return
        (right,) = self._of[fact.right]
        if fact.text is not None:
            for group in self._groups:
                if group.text != fact.text:
                    continue
                if fact.in_words and not all(holds_word(one.pattern) for one in group.entries):
                    continue
                for test in self._occurs(group):
                    yield self._least(fact, (test,), right, fact.least)
            return
        where = self._within(Within(feature=fact.left, low=fact.low, high=fact.high))
        if where is not None:
            yield self._least(fact, (where,), right, fact.least)

    def _within(self, where: Within) -> Bound | None:
        """The condition on the clamped value that says as much; None where none does."""
        if where.feature not in self._of:
            return None
        (variable,) = self._of[where.feature]
        top = self._variables[variable].slot.high
        if where.low > top:
            return None
        if where.high is None:
            return Bound(variable=variable, low=where.low)
        return Bound(variable=variable, low=where.low, high=min(where.high, top - 1))

    def _least(self, fact: Fact, where: tuple[Bound, ...], variable: int, least: int) -> Relation:
        least = min(least, self._variables[variable].slot.high)
        return Relation(where=where, terms=((-1, variable),), most=-least, fact=fact)

    # -- names -----------------------------------------------------------------------------

    def _members(self, feature: str) -> Iterator[tuple[Bound, str]]:
        for variable in self._of[feature]:
            for number, one in enumerate(self._variables[variable].slot.classes):
                yield Bound(variable=variable, low=number, high=number), one.text

    def _pairs(self, fact: Pairs) -> Iterator[Relation]:
        for left, one in self._members(fact.left):
            for right, other in self._members(fact.right):
                if (one, other) not in fact.pairs:
                    yield Relation(where=(left, right), terms=(), most=-1, fact=fact)

    def _on(self, fact: On) -> Iterator[Relation]:
        for where, member in self._members(fact.feature):
            if member != fact.member:
                continue
            for feature in fact.features:
                for variable in self._of[feature]:
                    terms = ((1, variable),)
                    yield Relation(where=(where,), terms=terms, most=fact.most, fact=fact)
                    if fact.least > 0:
                        yield self._least(fact, (where,), variable, fact.least)
            for group in self._groups:
                if group.text in fact.texts:
                    for test in self._occurs(group):
                        yield Relation(where=(where, test), terms=(), most=-1, fact=fact)

    def _begins(self, fact: Begins) -> Iterator[Relation]:
        where: list[tuple[Bound, ...]] = [()]
        if fact.where is not None:
            feature, member = fact.where
            where = [(bound,) for bound, name in self._members(feature) if name == member]
        for variable in self._of[fact.feature]:
            classes = self._variables[variable].slot.classes
            for low, high in _runs(_impossible(classes, fact.prefix)):
                for conditions in where:
                    excluded = Bound(variable=variable, low=low, high=high)
                    yield Relation(where=(*conditions, excluded), terms=(), most=-1, fact=fact)

    # -- lexicons --------------------------------------------------------------------------

    def _some(self, variable: int) -> Bound:
        return Bound(variable=variable, low=1)

    def _occurs(self, group: Group) -> tuple[Bound, ...]:
        """Conditions, each of which says that an entry occurs: one if it says it whenever so."""
        for variable in group.positive:
            if self._variables[variable].slot.high > 0:
                return (self._some(variable),)
        if POINTS not in group.variables:
            return ()
        points = group.variables[POINTS]
        return Bound(variable=points, low=1), Bound(variable=points, high=-1)

    def _weighs(self, fact: Weighs, group: Group) -> Iterator[Relation]:
        if fact.feature not in group.variables:
            return
        points = group.variables[fact.feature]
        weights = [one.weight64 for one in group.entries]
        least = sum(one for one in weights if one < 0) if min(weights) < 0 else min(weights)
        most = sum(one for one in weights if one > 0) if max(weights) > 0 else max(weights)
        tests = [one for one in group.positive if self._variables[one].slot.high > 0]
        if not tests:
            yield from self._between(fact, (), points, min(0, least), max(0, most))
            return
        nothing = Bound(variable=tests[0], high=0)
        yield from self._between(fact, (nothing,), points, 0, 0)
        yield from self._between(fact, (self._some(tests[0]),), points, least, most)

    def _between(
        self, fact: Fact, where: tuple[Bound, ...], variable: int, low: int, high: int
    ) -> Iterator[Relation]:
        slot = self._variables[variable].slot
        least, most = (min(max(end, slot.low), slot.high) for end in (low, high))
        yield Relation(where=where, terms=((-1, variable),), most=-least, fact=fact)
        yield Relation(where=where, terms=((1, variable),), most=most, fact=fact)

    def _grows(self, fact: Grows) -> Iterator[Relation]:
        known = [(group, Counter(one.pattern for one in group.entries)) for group in self._groups]
        for less, few in known:
            for more, many in known:
                if less is more or less.text != more.text:
                    continue
                if not (few <= many if fact.repeated else few.keys() <= many.keys()):
                    continue
                for feature in fact.features:
                    if feature in less.variables and feature in more.variables:
                        yield self._no_less(fact, less.variables[feature], more.variables[feature])
                for test in self._occurs(less):
                    for variable in more.positive:
                        yield self._least(fact, (test,), variable, 1)

    def _no_less(self, fact: Fact, less: int, more: int) -> Relation:
        top = self._variables[more].slot.high
        exceeds = self._variables[less].slot.high > top
        where = (Bound(variable=more, high=top - 1),) if exceeds else ()
        return Relation(where=where, terms=((1, less), (-1, more)), most=0, fact=fact)


def _impossible(classes: Sequence[StringClass], prefix: str) -> list[int]:
    """The classes that no text with the prefix is in."""
    covering = [one.text for one in classes if one.kind == "prefix" and prefix.startswith(one.text)]
    longest = max(map(len, covering), default=-1)
    found = [ABSENT]
    if covering:
        found.append(OTHER)
    for number, one in enumerate(classes[OTHER + 1 :], OTHER + 1):
        covers = one.kind == "prefix" and prefix.startswith(one.text) and len(one.text) == longest
        if not covers and not one.text.startswith(prefix):
            found.append(number)
    return found


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ascending numbers as inclusive runs."""
    start = 0
    for at in range(1, len(numbers) + 1):
        if at == len(numbers) or numbers[at] != numbers[at - 1] + 1:
            yield numbers[start], numbers[at - 1]
            start = at
