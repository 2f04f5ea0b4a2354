"""The meaning digest: what counts and what does not."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from lynkrc.ir.digest import meaning_digest, source_digest
from lynkrc.ir.guard import And, SlotId
from lynkrc.ir.table import (
    ChainId,
    Otherwise,
    Pick,
    Prefer,
    Respond,
    RouteTable,
    Slot,
    TargetId,
    TierId,
)
from lynkrc.source.text import Span
from tests.unit.full_table import BIG, FULL, MID, SMALL, with_effects
from tests.unit.sample_table import FILE, TABLE, compare, entries

DIGEST = meaning_digest(TABLE)


def change_rule(index: int, **changes) -> RouteTable:
    rules = list(TABLE.rules)
    rules[index] = replace(rules[index], **changes)
    return replace(TABLE, rules=tuple(rules))


def swap_rules(a: int, b: int) -> RouteTable:
    rules = list(TABLE.rules)
    rules[a], rules[b] = replace(rules[b], id=rules[a].id), replace(rules[a], id=rules[b].id)
    return replace(TABLE, rules=tuple(rules))


def greetings_swapped() -> RouteTable:
    guard = TABLE.rules[1].guard
    assert isinstance(guard, And)
    return change_rule(1, guard=And(operands=guard.operands[::-1]))


def change_entry(**changes) -> RouteTable:
    weights = TABLE.lexicons[3]
    changed = replace(weights, entries=(replace(weights.entries[0], **changes), weights.entries[1]))
    return replace(TABLE, lexicons=(*TABLE.lexicons[:3], changed))


def lexicon_renamed() -> RouteTable:
    slots: list[Slot] = [
        replace(s, args=("ask", "other")) if s.args == ("ask", "weights") else s
        for s in TABLE.slots
    ]
    lexicons = (*TABLE.lexicons[:3], replace(TABLE.lexicons[3], name="other"))
    return replace(TABLE, slots=tuple(slots), lexicons=lexicons)


SAME: dict[str, Callable[[], RouteTable]] = {
    "spans": lambda: change_rule(1, span=Span(file=FILE, start=0, end=1)),
    "canonical text": lambda: change_rule(1, source="matches(ask, greeting) and ask.words < 5"),
    "operand order": greetings_swapped,
    "order of rules without a common effect": lambda: swap_rules(0, 1),
    "order of dimensions": lambda: replace(TABLE, dimensions=TABLE.dimensions[::-1]),
    "name of a dimension": lambda: replace(
        TABLE, dimensions=(replace(TABLE.dimensions[0], name="x"), *TABLE.dimensions[1:])
    ),
    "name of a lexicon": lexicon_renamed,
    "order of entries": lambda: replace(
        TABLE,
        lexicons=(*TABLE.lexicons[:3],
                  replace(TABLE.lexicons[3], entries=TABLE.lexicons[3].entries[::-1])),
    ),
    "name of the spec": lambda: replace(TABLE, name="elsewhere"),
}  # fmt: skip

OTHER: dict[str, Callable[[], RouteTable]] = {
    "literal": lambda: change_rule(3, guard=compare(3, ">", 6)),
    "feature": lambda: change_rule(3, guard=compare(6, ">", 5)),
    "floor": lambda: change_rule(3, floor=TierId(1)),
    "name of a rule that sets a tier": lambda: change_rule(1, name="hellos"),
    "order of tier rules": lambda: swap_rules(1, 2),
    "points": lambda: change_rule(5, add64=1),
    "requirement": lambda: change_rule(4, require=TABLE.rules[7].require),
    "weight of a dimension": lambda: replace(
        TABLE, dimensions=(replace(TABLE.dimensions[0], weight64=1), *TABLE.dimensions[1:])
    ),
    "terms": lambda: replace(
        TABLE, dimensions=(*TABLE.dimensions[:3], replace(TABLE.dimensions[3], terms=SlotId(0)))
    ),
    "offset": lambda: replace(TABLE, offset64=0),
    "otherwise": lambda: replace(TABLE, otherwise=Otherwise.DENY),
    "weight of an entry": lambda: change_entry(weight64=1),
    "pattern": lambda: change_entry(pattern="proof*"),
    "tier bound": lambda: replace(
        TABLE, tiers=(replace(TABLE.tiers[0], up_to=24), *TABLE.tiers[1:])
    ),
    "order in a chain": lambda: replace(
        TABLE,
        chains=(
            replace(TABLE.chains[0], groups=((TargetId(1),), (TargetId(0),))),
            *TABLE.chains[1:],
        ),
    ),
    "model of a target": lambda: replace(
        TABLE, targets=(replace(TABLE.targets[0], model="x"), *TABLE.targets[1:])
    ),
    "pinned target": lambda: replace(
        TABLE, chains=(*TABLE.chains[:4], replace(TABLE.chains[4], groups=((TargetId(1),),)))
    ),
    "need": lambda: replace(TABLE, needs=TABLE.needs[1:]),
    "model names": lambda: replace(TABLE, models=("auto",)),
}


@pytest.mark.parametrize("change", SAME)
def test_what_cannot_be_observed_does_not_count(change: str) -> None:
    assert meaning_digest(SAME[change]()) == DIGEST


@pytest.mark.parametrize("change", OTHER)
def test_what_means_something_else_has_another_digest(change: str) -> None:
    assert meaning_digest(OTHER[change]()) != DIGEST


def test_a_lexicon_nothing_reads_does_not_count() -> None:
    unused = replace(TABLE.lexicons[3], id=4, name="unused", entries=entries("x"), first=6)
    assert meaning_digest(replace(TABLE, lexicons=(*TABLE.lexicons, unused))) == DIGEST


def test_the_digests_are_sha256() -> None:
    assert len(DIGEST) == 64 and set(DIGEST) <= set("0123456789abcdef")
    assert source_digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


# -- groups, answers, preferences, settings -------------------------------------------------


def change_chain(index: int, **changes) -> RouteTable:
    chains = list(FULL.chains)
    chains[index] = replace(chains[index], **changes)
    return replace(FULL, chains=tuple(chains))


def swap_new_rules(a: int, b: int) -> RouteTable:
    rules = list(FULL.rules)
    rules[a], rules[b] = replace(rules[b], id=rules[a].id), replace(rules[a], id=rules[b].id)
    return replace(FULL, rules=tuple(rules))


FULL_SAME: dict[str, Callable[[], RouteTable]] = {
    "pick of a chain of single targets": lambda: change_chain(3, pick=Pick.FASTEST),
    "name of a rule that chooses a chain": lambda: replace(FULL, rules=with_effects(10, name="x")),
    "name of a rule that prefers": lambda: replace(FULL, rules=with_effects(12, name="x")),
    "name of a chain": lambda: change_chain(5, name="rule:x"),
    "order of rules that prefer and choose": lambda: swap_new_rules(11, 12),
    "assertions": lambda: replace(FULL, assertions=()),
    "definitions": lambda: replace(FULL, definitions=()),
    "order of keys in the settings": lambda: replace(
        FULL, settings=json.dumps(dict(reversed(json.loads(FULL.settings).items())))
    ),
}

FULL_OTHER: dict[str, Callable[[], RouteTable]] = {
    "pick": lambda: change_chain(1, pick=Pick.ORDER),
    "weights": lambda: change_chain(0, weights=((SMALL, 2), (MID, 1), (BIG, 1))),
    "order in a group": lambda: change_chain(1, groups=((BIG, MID),)),
    "order of groups": lambda: change_chain(0, groups=((BIG,), (SMALL, MID))),
    "groups": lambda: change_chain(1, groups=((MID,), (BIG,))),
    "chain of a rule": lambda: replace(FULL, rules=with_effects(10, chain=ChainId(6))),
    "order of rules that choose": lambda: swap_new_rules(10, 11),
    "answer": lambda: replace(FULL, rules=with_effects(8, respond=Respond(text="pong"))),
    "name of a rule that answers": lambda: replace(FULL, rules=with_effects(8, name="x")),
    "order of rules that answer": lambda: swap_new_rules(8, 9),
    "preference": lambda: replace(
        FULL, rules=with_effects(12, prefer=Prefer(pick=Pick.FASTEST, target=None))
    ),
    "preferred target": lambda: replace(
        FULL, rules=with_effects(14, prefer=Prefer(pick=None, target=MID))
    ),
    "order of rules that prefer": lambda: swap_new_rules(12, 13),
    "a setting": lambda: replace(FULL, settings=TABLE.settings),
    "a provider's breaker": lambda: replace(FULL, providers=TABLE.providers),
}


@pytest.mark.parametrize("change", FULL_SAME)
def test_of_the_rest_what_cannot_be_observed_does_not_count(change: str) -> None:
    changed = FULL_SAME[change]()
    assert changed != FULL
    assert meaning_digest(changed) == meaning_digest(FULL)


@pytest.mark.parametrize("change", FULL_OTHER)
def test_of_the_rest_what_means_something_else_has_another_digest(change: str) -> None:
    assert meaning_digest(FULL_OTHER[change]()) != meaning_digest(FULL)
