"""A typed spec to its table: groups and picks, effects, hard needs, settings, assertions."""

import msgspec
import pytest

from lynkrc.interp.evaluate import evaluate, holds
from lynkrc.ir.digest import meaning_digest
from lynkrc.ir.table import Pick, Prefer, Respond, RouteTable
from lynkrc.ir.verify import verify
from lynkrc.lower.table import lower
from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.settings import (
    Breaker,
    Concurrency,
    Key,
    Resilience,
    Retry,
    Sessions,
    Settings,
    Timeouts,
)
from tests.unit.sema_sample import resolved

SPEC = """\
providers:
  house:
    kind: simulator
    trust: local
    timeouts: {connect: 2, total: 40}
    retry: {times: 0}
    breaker: {failures: 9}
    concurrency: {limit: 4, queue: 2, wait: 3s}
  far: {kind: openai, trust: cloud, api_key: "${KEY}", proxy: "http://${PROXY_USER}@proxy.example.com:3128"}
targets:
  a: {provider: house, model: m, max_output: 4k, capabilities: [tools, thinking], price: free}
  b:
    provider: far
    model: m
    context: 100k
    max_output: 8k
    capabilities: [tools, thinking]
    price: {input: 1, output: 2}
  c:
    provider: far
    model: m
    context: 100k
    max_output: 8k
    capabilities: [tools]
    price: free
needs: {thinking: hard, max_tokens: hard}
resilience:
  timeouts: {connect: 5, idle: 1m}
  retry: {times: 3, backoff: 500ms, max_backoff: 4s}
  breaker: {failures: 2, open_for: 1m}
sessions: {within: "off"}
keys:
  ci: {secret: "${CI_KEY}"}
tiers:
  - {name: LOW, up_to: 30, chain: [[c, a], b], pick: weighted, weights: {a: 3}}
  - {name: MIDDLE, up_to: 60, chain: [[a, b]], pick: round_robin}
  - {name: HIGH, chain: [b, [c, a]], pick: cheapest}
otherwise: escalate
rules:
  - {name: titles, when: ask.words == 1, respond: "Hello."}
  - {name: many, when: tools.count > 3, chain: [c, [b, a]], pick: fastest}
  - {name: some, when: tools.count > 1, chain: [a]}
  - {name: spare, when: turns > 3, prefer: cheapest}
  - {name: first, when: turns > 1, prefer: b}
assert:
  - never: tools.count > 3 and target.trust == internal
  - max_cost_usd: 12.00
"""


def table_of(text: str) -> RouteTable:
    typed, findings = resolved(text)
    # What this version does not serve is told; nothing else is wrong.
    assert {one.code.id for one in findings} <= {"LK601"}, [one.message for one in findings]
    assert typed is not None
    table, findings = lower(typed)
    assert findings == [] and table is not None
    assert verify(table) == []
    return table


@pytest.fixture(scope="module")
def table() -> RouteTable:
    return table_of(SPEC)


def test_groups_picks_and_weights(table: RouteTable) -> None:
    # Targets are numbered by name: a 0, b 1, c 2. What has no weight counts once.
    found = {
        chain.name: (chain.groups, chain.pick, chain.weights)
        for chain in table.chains
        if not chain.name.startswith("pin:")
    }
    assert found == {
        "LOW": (((2, 0), (1,)), Pick.WEIGHTED, ((0, 3), (1, 1), (2, 1))),
        "MIDDLE": (((0, 1),), Pick.ROUND_ROBIN, ()),
        "HIGH": (((1,), (2, 0)), Pick.CHEAPEST, ()),
        "rule:many": (((2,), (1, 0)), Pick.FASTEST, ()),
        "rule:some": (((0,),), Pick.ORDER, ()),
    }


def test_each_rule_has_its_own_chain(table: RouteTable) -> None:
    chains = {
        rule.name: None if rule.chain is None else table.chains[rule.chain].name
        for rule in table.rules
    }
    assert chains == {
        "titles": None,
        "many": "rule:many",
        "some": "rule:some",
        "spare": None,
        "first": None,
    }


def test_answers_and_preferences(table: RouteTable) -> None:
    rules = {rule.name: rule for rule in table.rules}
    assert rules["titles"].respond == Respond(text="Hello.") and rules["titles"].deny is None
    assert rules["spare"].prefer == Prefer(pick=Pick.CHEAPEST, target=None)
    assert rules["first"].prefer == Prefer(pick=None, target=1)


def vector(table: RouteTable, **values: int) -> list[int]:
    named = {slot.feature.replace(".", "_"): slot.id for slot in table.slots}
    found = [max(0, slot.low) for slot in table.slots]
    for name, value in values.items():
        found[named[name]] = value
    return found


def test_what_was_lowered_decides(table: RouteTable) -> None:
    some = evaluate(table, vector(table, tools_count=2, turns=2))
    assert (some[0], table.chains[some[3]].name, some[4]) == (0, "rule:some", 0b001)
    assert table.rules[some[6]].name == "first"
    assert evaluate(table, vector(table, ask_words=1))[0] == 2


def test_hard_needs_drop_targets(table: RouteTable) -> None:
    met = {need.name: need.met_by for need in table.needs}
    assert met["thinking"] == (0, 1) and met["max_tokens 4000"] == (1, 2)
    assert met["max_tokens 8000"] == ()
    guards = {need.name: need.guard for need in table.needs}
    assert holds(guards["thinking"], vector(table, wants_thinking=1))
    assert not holds(guards["max_tokens 4000"], vector(table, request_max_tokens=4000))
    assert holds(guards["max_tokens 4000"], vector(table, request_max_tokens=4001))
    assert not holds(guards["max_tokens 8000"], vector(table, request_max_tokens=8000))
    # A group keeps those that can; nobody thinks that long.
    low = evaluate(table, vector(table, wants_thinking=1))
    assert (table.chains[low[3]].name, low[4]) == ("LOW", 0b011)
    assert evaluate(table, vector(table, request_max_tokens=8001))[0] == 3


def test_soft_needs_drop_nothing() -> None:
    soft = table_of(SPEC.replace("needs: {thinking: hard, max_tokens: hard}\n", ""))
    assert not [n.name for n in soft.needs if n.name.startswith(("thinking", "max_tokens"))]
    said = table_of(SPEC.replace("thinking: hard, max_tokens: hard", "thinking: soft"))
    assert said.needs == soft.needs


def test_a_providers_own_facts_come_before_those_of_all(table: RouteTable) -> None:
    far, house = table.providers
    assert (house.connect, house.total, house.idle, house.first_event) == (2.0, 40.0, 60.0, None)
    assert (house.retries, house.backoff, house.max_backoff) == (0, 0.5, 4.0)
    assert (far.connect, far.total, far.idle) == (5.0, None, 60.0)
    assert (far.retries, far.backoff, far.max_backoff) == (3, 0.5, 4.0)
    settings = msgspec.json.decode(house.rest, type=ProviderSettings)
    assert settings == ProviderSettings(
        breaker=Breaker(failures=9, open_for=60.0),
        concurrency=Concurrency(limit=4, queue=2, wait=3.0),
    )
    rest = msgspec.json.decode(far.rest, type=ProviderSettings)
    assert rest.breaker == Breaker(failures=2, open_for=60.0)
    assert rest.proxy == "http://${PROXY_USER}@proxy.example.com:3128"


def test_settings_are_carried_as_json_without_a_resolved_reference(table: RouteTable) -> None:
    assert msgspec.json.decode(table.settings, type=Settings) == Settings(
        sessions=Sessions(within="off"),
        keys={"ci": Key(secret="${CI_KEY}")},
        resilience=Resilience(
            timeouts=Timeouts(connect=5.0, idle=60.0),
            retry=Retry(times=3, backoff=0.5, max_backoff=4.0),
            breaker=Breaker(failures=2, open_for=60.0),
        ),
    )


def test_assertions_and_allowances_change_no_meaning(table: RouteTable) -> None:
    assert table.assertions == (
        "never: tools.count > 3 and target.trust == internal",
        "max_cost_usd: 12",
    )
    without = table_of(SPEC[: SPEC.index("assert:")])
    assert without.assertions == ()
    assert meaning_digest(without) == meaning_digest(table)
    allowed = SPEC.replace("prefer: cheapest}", 'prefer: cheapest, allow: {LK601: "later"}}')
    assert allowed != SPEC
    typed, _ = resolved(allowed)
    assert typed is not None
    lowered, _ = lower(typed)
    assert lowered is not None and meaning_digest(lowered) == meaning_digest(table)


def test_settings_change_the_meaning(table: RouteTable) -> None:
    other = table_of(SPEC.replace('within: "off"', "within: session"))
    assert meaning_digest(other) != meaning_digest(table)
    # Written or not, what holds by itself means the same.
    plain = table_of(SPEC.replace('sessions: {within: "off"}\n', ""))
    said = table_of(SPEC.replace('within: "off"', "within: turn"))
    assert meaning_digest(plain) == meaning_digest(said)
