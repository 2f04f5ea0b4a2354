"""A rule's effects to words: what a trace says that a rule does."""

from collections.abc import Iterator

from lynkrc.ir.table import RouteTable, Rule
from lynkrc.ir.text import print_points, print_preference


def effects_of(rule: Rule, table: RouteTable) -> tuple[tuple[str, str], ...]:
    """Each effect as its kind and its words, in the order of the decision's steps."""
    return tuple(_effects(rule, table))


def _effects(rule: Rule, table: RouteTable) -> Iterator[tuple[str, str]]:
    if rule.deny is not None:
        yield "deny", f"deny with status {rule.deny.status}"
    if rule.respond is not None:
        yield "respond", "answer without a model"
    if rule.add64 is not None:
        sign = "+" if rule.add64 >= 0 else ""
        yield "add", f"add {sign}{print_points(rule.add64)}"
    for kind, tier in (("tier", rule.tier), ("floor", rule.floor), ("ceiling", rule.ceiling)):
        if tier is not None:
            yield kind, f"{kind} {table.tiers[tier].name}"
    if rule.chain is not None:
        yield "chain", f"chain {table.chains[rule.chain].name}"
    if rule.require is not None:
        yield "require", f"require {rule.require_source}"
    if rule.prefer is not None:
        names = [target.name for target in table.targets]
        yield "prefer", f"prefer {print_preference(rule.prefer, names)}"
