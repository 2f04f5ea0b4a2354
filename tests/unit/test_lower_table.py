"""A typed spec to its table: slots, classes, pins, needs, prices; the invariants hold."""

import pytest

from lynkrc.interp.evaluate import evaluate, first_pin, holds
from lynkrc.ir.guard import ClassTest
from lynkrc.ir.table import Otherwise, RouteTable
from lynkrc.ir.verify import verify
from lynkrc.lower.table import lower
from tests.unit.sema_sample import sound

SPEC = """\
providers:
  house: {kind: simulator, trust: local}
  far:
    kind: openai
    trust: cloud
    api_key: "${KEY}"
    headers: {X-Team: a, X-App: b}
    timeouts: {connect: 2, total: 30.5}
    retry: {times: 3}
targets:
  small: {provider: house, model: m, context: 8k, capabilities: [tools], price: free}
  big: {provider: far, model: gpt-4o, price: {input: 2.50, output: 10, cache_read: 1.25}}
models:
  GPT-*: {tier: HIGH}
  gpt-4*: {target: big}
  my-model: {target: small}
clients:
  codex: {user_agent: codex/}
lexicons:
  words: {"prove*": 3.5, "maybe": -0.25}
score:
  offset: -1.5
  dimensions:
    size: {weight: 100, value: 'ramp(ask.words, 0, 200)'}
    terms: {terms: words, over: history}
tiers:
  - {name: LOW, up_to: 50, chain: [small, big]}
  - {name: HIGH, chain: [big, small]}
otherwise: escalate
rules:
  - name: secret
    when: 'header("X-Class") in ["b", "A "] or header("x-class") starts_with "ab"'
    require: target.trust == local or turns > 3
  - {name: from-codex, when: 'client == other and points(ask, words) >= 1.5', add: 2.51}
"""


@pytest.fixture(scope="module")
def table() -> RouteTable:
    lowered, findings = lower(sound(SPEC))
    assert findings == []
    assert lowered is not None
    return lowered


def vector(table: RouteTable, **values: int) -> list[int]:
    """All slots at their least but those named, with ``_`` for dots."""
    named = {slot.feature.replace(".", "_"): slot.id for slot in table.slots}
    vector = [max(0, slot.low) for slot in table.slots]
    for name, value in values.items():
        vector[named[name]] = value
    return vector


def test_the_invariants_hold(table: RouteTable) -> None:
    assert verify(table) == []


def test_slots_are_in_order_with_their_classes(table: RouteTable) -> None:
    texts = [(slot.feature, slot.args) for slot in table.slots]
    assert texts == sorted(texts)
    header = next(slot for slot in table.slots if slot.feature == "header")
    assert header.args == ("x-class",)
    assert [(one.kind, one.text) for one in header.classes] == [
        ("absent", ""),
        ("other", ""),
        ("literal", "a"),
        ("literal", "b"),
        ("prefix", "ab"),
    ]
    points = [slot for slot in table.slots if slot.feature == "points"]
    assert [(slot.args, slot.low, slot.high) for slot in points] == [
        (("ask", "words"), -16, 224),
        (("history", "words"), -16, 224),
    ]


def test_weights_are_64ths(table: RouteTable) -> None:
    assert [(one.weight64, one.terms is None) for one in table.dimensions] == [
        (6400, True),
        (64, False),
    ]
    assert table.offset64 == -96
    assert table.rules[1].add64 == 161
    assert [entry.weight64 for entry in table.lexicons[0].entries] == [224, -16]
    assert table.otherwise is Otherwise.ESCALATE


def test_a_requirement_is_one_guard_a_target(table: RouteTable) -> None:
    keeps = table.rules[0].require
    assert keeps is not None
    assert [table.targets[keep.target].name for keep in keeps] == ["big", "small"]
    few, many = vector(table, turns=3), vector(table, turns=4)
    assert [holds(keep.guard, few) for keep in keeps] == [False, True]
    assert [holds(keep.guard, many) for keep in keeps] == [True, True]


def pinned(table: RouteTable, name: str) -> str | None:
    slot = next(slot for slot in table.slots if slot.feature == "model")
    folded = name.lower()
    fits = [
        (one.kind == "literal", len(one.text), i)
        for i, one in enumerate(slot.classes)
        if (one.kind == "literal" and one.text == folded)
        or (one.kind == "prefix" and folded.startswith(one.text))
    ]
    pin = first_pin(table, vector(table, model=max(fits)[2] if fits else 1))
    return None if pin is None else pin.pattern


def test_the_closest_pin_applies(table: RouteTable) -> None:
    asked = ["auto", "gpt-4o", "gpt-5", "My-Model", "lynkr/high", "claude-lynkr-small", "x"]
    assert [pinned(table, name) for name in asked] == [
        None,
        "gpt-4*",
        "GPT-*",
        "my-model",
        "lynkr/HIGH",
        "claude-lynkr-small",
        None,
    ]
    assert table.models == (
        "auto",
        "my-model",
        "lynkr/LOW",
        "lynkr/HIGH",
        "lynkr/big",
        "lynkr/small",
        "claude-lynkr-LOW",
        "claude-lynkr-HIGH",
        "claude-lynkr-big",
        "claude-lynkr-small",
    )


def test_auto_is_routed_whatever_prefix_fits() -> None:
    lowered, _ = lower(sound("models:\n  '*': {tier: HIGH}\n  a*: {tier: LOW}\n"))
    assert lowered is not None
    assert verify(lowered) == []
    assert [pinned(lowered, name) for name in ("auto", "any", "b")] == [None, "a*", "*"]
    assert all(isinstance(pin.guard, ClassTest) for pin in lowered.pins)


def test_derived_needs(table: RouteTable) -> None:
    names = {need.name: [table.targets[t].name for t in need.met_by] for need in table.needs}
    assert names == {
        "tools": ["big", "small"],
        "vision": ["big"],
        "documents": ["big"],
        "json_schema": ["big"],
        "context 8000": ["big"],
        "context 128000": [],
    }
    window = table.needs[4].guard
    assert not holds(window, vector(table, context_tokens=4_000, request_max_tokens=9_000))
    assert holds(window, vector(table, context_tokens=4_001, request_max_tokens=9_000))
    assert holds(window, vector(table, context_tokens=8_001))


def test_targets_and_providers(table: RouteTable) -> None:
    big, small = table.targets
    assert big.price == ("2.5", "10", "1.25", "2.5")
    assert small.price == ("0", "0", "0", "0")
    assert big.shape == '{"efforts":[],"max_tokens_field":"max_completion_tokens"}'
    assert small.shape == "{}"
    far = table.providers[0]
    assert far.headers == (("x-app", "b"), ("x-team", "a"))
    assert (far.connect, far.total, far.idle, far.retries) == (2.0, 30.5, None, 3)


def test_a_pinned_target_has_a_chain_of_its_own(table: RouteTable) -> None:
    assert [(chain.name, len(chain.targets)) for chain in table.chains] == [
        ("LOW", 2),
        ("HIGH", 2),
        ("pin:big", 1),
        ("pin:small", 1),
    ]
    assert evaluate(table, vector(table))


def test_every_call_of_the_runtime_goes_to_the_decided_chain(table: RouteTable) -> None:
    side = {(c.surface, c.call) for c in table.calls if c.surface == "embeddings"}
    assert side == {("embeddings", "primary"), ("embeddings", "retry")}
    counting = {call.surface for call in table.calls if call.call == "count_tokens"}
    assert counting == {"messages", "responses"}
    assert {call.source for call in table.calls} == {"decision"}
