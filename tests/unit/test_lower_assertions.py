"""Typed assertions to guards over slots of their own."""

import pytest

from lynkrc.interp.evaluate import holds
from lynkrc.ir.assertion import Assertions, Kind, is_beside, reads_target
from lynkrc.ir.table import SlotType
from lynkrc.lower.assertions import lower_assertions
from lynkrc.lower.table import lower_decision
from tests.unit.sema_sample import resolved

SPEC = """\
lexicons:
  audit: ["security audit", "penetration test*"]
features:
  secret: header("X-Data-Class") in ["confidential", " Secret "]
rules:
  - {name: home, when: 'header("x-data-class") == "confidential"', floor: HIGH}
assert:
  - never: secret and target.trust == cloud
  - {name: dear, always: 'count(ask, audit) > 0 implies tier >= HIGH', waive: young}
  - reachable: 'rule == home and target == one and target.first'
  - max_cost_usd: 0.10
  - max_latency: 1.5m
  - monotone: context.tokens
  - never: 'outcome == refuse or target.context < 8k'
  - same_as: ./other.yaml
"""


def lowered() -> Assertions:
    typed, findings = resolved(SPEC)
    assert typed is not None, findings
    return lower_assertions(typed)


def test_kinds_names_and_amounts_are_kept_in_the_order_written() -> None:
    items = lowered().items
    assert [one.kind for one in items] == [
        Kind.NEVER,
        Kind.ALWAYS,
        Kind.REACHABLE,
        Kind.MAX_COST_USD,
        Kind.MAX_LATENCY,
        Kind.MONOTONE,
        Kind.NEVER,
        Kind.SAME_AS,
    ]
    assert (items[1].name, items[1].waive) == ("dear", "young")
    assert [one.amount for one in items if one.amount is not None] == ["0.1", "90"]
    assert items[-1].file == "./other.yaml"
    assert items[0].source == "never: secret and target.trust == cloud"


def test_slots_are_what_the_assertions_read_of_the_request_and_beside_it() -> None:
    assertions = lowered()
    assert [slot.text for slot in assertions.slots] == [
        "context.tokens",
        "count(ask, audit)",
        'header("x-data-class")',
        "outcome",
        "rule",
        "target",
        "target.context",
        "target.first",
        "target.trust",
        "tier",
    ]
    assert [slot.id for slot in assertions.slots] == list(range(len(assertions.slots)))
    assert [slot.feature for slot in assertions.slots if not is_beside(slot)] == [
        "context.tokens",
        "count",
        "header",
    ]
    assert [slot.feature for slot in assertions.slots if reads_target(slot)] == [
        "target",
        "target.context",
        "target.first",
        "target.trust",
    ]


@pytest.mark.parametrize(
    ("feature", "members"),
    [
        ("outcome", ["route", "deny", "respond", "refuse"]),
        ("rule", ["home", "score", "pin"]),
        ("target", ["one"]),
        ("target.trust", ["local", "internal", "cloud"]),
        ("tier", ["LOW", "HIGH"]),
        ("header", ["", "", "confidential", "secret"]),
    ],
)
def test_classes_of_a_slot(feature: str, members: list[str]) -> None:
    (slot,) = (one for one in lowered().slots if one.feature == feature)
    assert slot.type is SlotType.CLASS
    assert [one.text for one in slot.classes] == members
    assert (slot.low, slot.high) == (0, len(members) - 1)


def test_numbers_and_flags_of_the_target_are_no_classes() -> None:
    slots = {slot.feature: slot for slot in lowered().slots}
    assert slots["target.context"].type is SlotType.INT
    assert slots["target.first"].type is SlotType.BOOL


def test_the_guard_reads_request_and_target_alike() -> None:
    assertions = lowered()
    never = assertions.items[0].guard
    assert never is not None
    at = {slot.feature: slot.id for slot in assertions.slots}

    def claimed(data: str, trust: str) -> bool:
        vector = [0] * len(assertions.slots)
        for feature, text in (("header", data), ("target.trust", trust)):
            texts = [one.text for one in assertions.slots[at[feature]].classes]
            vector[at[feature]] = texts.index(text)
        return holds(never, vector)

    assert claimed("confidential", "cloud")
    assert claimed("secret", "cloud")
    assert not claimed("secret", "internal")
    assert not claimed("", "cloud")


def test_a_literal_of_an_assertion_is_none_of_the_table() -> None:
    typed, _ = resolved(SPEC)
    assert typed is not None
    (header,) = (one for one in lower_decision(typed).slots if one.feature == "header")
    assert [one.text for one in header.classes] == ["", "", "confidential"]


def test_a_requirement_is_lowered_without_any_attribute() -> None:
    typed, _ = resolved("rules:\n  - {name: r, when: turns > 3, require: target.trust < cloud}\n")
    assert typed is not None
    assert not any(slot.feature.startswith("target") for slot in lower_decision(typed).slots)
