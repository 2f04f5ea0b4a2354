"""Two tables to the parts of the decision that changed, and to those that act on one request.

A part is known by its name and compared by what it says: a rule's effects and its guard with every
feature spelled out, a lexicon's entries whatever their order.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from lynkrc.diff.identity import Pair
from lynkrc.diff.plan import Item, Side
from lynkrc.interp.evaluate import dimension_points, holds
from lynkrc.interp.expressions import Vector
from lynkrc.ir.table import Chain, Dimension, RouteTable, Rule
from lynkrc.ir.text import print_chain, print_guard, print_int, print_points, print_preference

LONGEST = 2_000
"""Characters of a part's text that are kept."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`says` is what is compared, `text` what is shown of it."""

    says: object
    text: str


Parts: TypeAlias = Mapping[str, Part]


def changed_items(old: RouteTable, new: RouteTable) -> tuple[Item, ...]:
    """The parts of the decision that are not the same, by kind and in the order written."""
    found: list[Item] = []
    for kind, parts in _KINDS.items():
        found += compare_parts(kind, parts(old), parts(new))
    common = {rule.name for rule in old.rules} & {rule.name for rule in new.rules}
    orders = [[rule.name for rule in table.rules if rule.name in common] for table in (old, new)]
    if orders[0] != orders[1]:
        before, after = (", ".join(names) for names in orders)
        found.append(_item("rule order", "", "changed", before, after))
    return tuple(found)


def compare_parts(kind: str, before: Parts, after: Parts) -> Iterator[Item]:
    """What was added, removed, changed; what says the same under another name is renamed."""
    gone = [name for name in before if name not in after]
    came = [name for name in after if name not in before]
    names: dict[str, str] = {}
    for name in came:
        alike = [was for was in gone if before[was].says == after[name].says]
        if alike:
            names[name] = alike[0]
            gone.remove(alike[0])
    for name in before:
        if name in after and before[name].says != after[name].says:
            yield _item(kind, name, "changed", before[name].text, after[name].text)
        elif name in gone:
            yield _item(kind, name, "removed", before[name].text, None)
    for name in came:
        if name in names:
            yield _item(kind, name, "renamed", names[name], name)
        else:
            yield _item(kind, name, "added", None, after[name].text)


def _item(kind: str, name: str, change: str, before: str | None, after: str | None) -> Item:
    texts = [text if text is None else text[:LONGEST] for text in (before, after)]
    return Item(kind=kind, name=name, change=change, before=texts[0], after=texts[1])


# -- the parts -----------------------------------------------------------------------------


def _rules(table: RouteTable) -> Parts:
    return {rule.name: _rule(table, rule) for rule in table.rules}


def _rule(table: RouteTable, rule: Rule) -> Part:
    names = [target.name for target in table.targets]
    effects: list[str] = []
    if rule.deny is not None:
        effects.append(f"deny {rule.deny.status} {rule.deny.message}")
    if rule.respond is not None:
        effects.append(f"respond {rule.respond.text!r}")
    if rule.chain is not None:
        effects.append(f"chain {_chain(table, table.chains[rule.chain])}")
    if rule.prefer is not None:
        effects.append(f"prefer {print_preference(rule.prefer, names)}")
    for effect, tier in (("tier", rule.tier), ("floor", rule.floor), ("ceiling", rule.ceiling)):
        if tier is not None:
            effects.append(f"{effect} {table.tiers[tier].name}")
    if rule.add64 is not None:
        effects.append(f"add {print_points(rule.add64)}")
    keeps = tuple(
        (names[keep.target], print_guard(keep.guard, table.slots)) for keep in rule.require or ()
    )
    if rule.require is not None:
        effects.append(f"require {rule.require_source}")
    return Part(
        says=(tuple(effects), keeps, print_guard(rule.guard, table.slots)),
        text=f"{'; '.join(effects)} when {rule.source}",
    )


def _chain(table: RouteTable, chain: Chain) -> str:
    return print_chain(chain, [target.name for target in table.targets], " -> ")


def _tiers(table: RouteTable) -> Parts:
    parts = {}
    low = 0
    for tier in table.tiers:
        high = 100 if tier.up_to is None else tier.up_to
        text = f"score {low}..{high}, chain {_chain(table, table.chains[tier.chain])}"
        parts[tier.name] = Part(says=text, text=text)
        low = high + 1
    return parts


def _dimensions(table: RouteTable) -> Parts:
    return {one.name: _dimension(table, one) for one in table.dimensions}


def _dimension(table: RouteTable, one: Dimension) -> Part:
    terms = None if one.terms is None else table.slots[one.terms].text
    value = None if one.value is None else print_int(one.value, table.slots)
    weight = "terms" if one.value is None else f"weight {print_points(one.weight64)}"
    return Part(says=(one.weight64, value, terms), text=f"{weight}, {one.source}")


def _lexicons(table: RouteTable) -> Parts:
    parts = {}
    for lexicon in table.lexicons:
        entries = sorted((entry.pattern, entry.weight64) for entry in lexicon.entries)
        shown = ", ".join(pattern for pattern, _ in entries)
        counted = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
        parts[lexicon.name] = Part(says=entries, text=f"{counted}: {shown}")
    return parts


def _targets(table: RouteTable) -> Parts:
    return {
        one.name: _plain(
            f"{one.provider}, {one.model}, trust {one.trust}, context {one.context}, "
            f"output {one.max_output}, {' '.join(one.capabilities) or 'no capabilities'}"
        )
        for one in table.targets
    }


def _pins(table: RouteTable) -> Parts:
    return {
        pin.pattern: _plain(
            f"tier {table.tiers[pin.tier].name}"
            if pin.tier is not None
            else "target " + ("" if pin.chain is None else _chain(table, table.chains[pin.chain]))
        )
        for pin in table.pins
    }


def _needs(table: RouteTable) -> Parts:
    return {
        need.name: _plain(
            f"{print_guard(need.guard, table.slots)}, met by "
            + (", ".join(table.targets[one].name for one in need.met_by) or "no target")
        )
        for need in table.needs
    }


def _features(table: RouteTable) -> Parts:
    return {one.name: _plain(one.source) for one in table.definitions}


def _singles(table: RouteTable) -> Parts:
    return {
        "offset": _plain(print_points(table.offset64)),
        "otherwise": _plain(table.otherwise.value),
    }


def _plain(text: str) -> Part:
    return Part(says=text, text=text)


_KINDS: Mapping[str, Callable[[RouteTable], Parts]] = {
    "rule": _rules,
    "tier": _tiers,
    "feature": _features,
    "dimension": _dimensions,
    "lexicon": _lexicons,
    "target": _targets,
    "pin": _pins,
    "need": _needs,
    "setting": _singles,
}


# -- those that act ------------------------------------------------------------------------


def acting(
    items: Iterable[Item], pair: Pair, v_old: Vector, v_new: Vector, sides: tuple[Side, Side]
) -> tuple[Item, ...]:
    """The changed items that take part in either decision on one request.

    A rule, pin or need does where it holds; a dimension where its points differ; a lexicon where
    one of its entries occurs; a tier or target where the request comes to it.
    """
    tables = ((pair.old, v_old, sides[0]), (pair.new, v_new, sides[1]))
    found = [item for item in items if _acts(item, tables, sides)]
    # A rule that reads as before changed by a feature that it names.
    inner = " ".join(item.after or "" for item in found if item.before == item.after)
    named = [
        item
        for item in items
        if item.kind == "feature" and re.search(rf"(?<![\w/-]){re.escape(item.name)}(?!\w)", inner)
    ]
    return tuple([one for one in found if one.before != one.after] + named if named else found)


def _acts(
    item: Item,
    tables: Sequence[tuple[RouteTable, Vector, Side]],
    sides: tuple[Side, Side],
) -> bool:
    before, after = sides
    names = {item.name, item.before if item.change == "renamed" else item.name}
    match item.kind:
        case "rule":
            return any(
                holds(rule.guard, v) for t, v, _ in tables for rule in t.rules if rule.name in names
            )
        case "rule order":
            return before.rule != after.rule
        case "tier":
            return bool(names & {before.tier, after.tier})
        case "dimension":
            points = [
                sum(dimension_points(one, v) for one in t.dimensions if one.name in names)
                for t, v, _ in tables
            ]
            return points[0] != points[1]
        case "lexicon":
            return any(
                v[slot.id] > 0
                for t, v, _ in tables
                for slot in t.slots
                if len(slot.args) == 2 and slot.args[1] in names
            )
        case "target":
            return bool(names & {*before.targets, *after.targets})
        case "pin":
            return any(
                holds(pin.guard, v) for t, v, _ in tables for pin in t.pins if pin.pattern in names
            )
        case "need":
            return any(
                holds(need.guard, v) for t, v, _ in tables for need in t.needs if need.name in names
            )
        case "setting" if item.name == "offset":
            return before.tier != after.tier
        case "setting" if item.name == "otherwise":
            return not before.targets or not after.targets or before.chain != after.chain
        case _:
            return False
