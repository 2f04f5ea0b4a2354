"""What assertions mean: pairs, targets that may come first, refutations on points, worst cases."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest

from lynkrc.interp.assertions import (
    Claim,
    Pair,
    breaks,
    decided,
    joint_domain,
    may_occur,
    pairs,
)
from lynkrc.interp.worst_case import Unpriced, worst_cost, worst_latency
from lynkrc.ir.assertion import Assertions
from lynkrc.ir.domain import Domain, Point
from lynkrc.ir.table import Pick, RouteTable, TargetId
from lynkrc.lower.assertions import lower_assertions
from lynkrc.lower.table import lower_decision
from tests.unit.sema_sample import resolved

SPEC = """\
providers:
  home: {kind: simulator, trust: local, timeouts: {connect: 1}}
  far:
    kind: openai
    trust: cloud
    api_key: "${KEY}"
    timeouts: {connect: 2, first_event: 30, total: 100}
    retry: {times: 1, max_backoff: 10}
targets:
  a: {provider: home, model: m, context: 8k, capabilities: [tools], price: free}
  b: {provider: far, model: gpt-4o, context: 100k, max_output: 4k, capabilities: [tools, vision],
      price: {input: 3, output: 15, cache_write: 3.75}}
  c: {provider: far, model: gpt-4o, context: 50k, max_output: 1k, capabilities: [],
      price: {input: 1, output: 2}}
tiers:
  - {name: LOW, up_to: 50, chain: [[b, a], c], pick: weighted, weights: {a: 2}}
  - {name: HIGH, chain: [[b, c], a], pick: cheapest}
otherwise: escalate
embeddings: {"text-*": {target: a}}
score:
  dimensions: {size: {weight: 100, value: 'ramp(ask.words, 0, 200)'}}
rules:
  - {name: bad, when: 'header("x-data") == "bad"', deny: {status: 403, message: not here}}
  - {name: hello, when: 'header("x-data") == "hello"', respond: hi}
  - {name: home, when: 'header("x-data") == "secret"', require: target.trust == local}
  - {name: quick, when: turns > 5, prefer: fastest}
  - {name: to-c, when: turns > 3, prefer: c}
  - {name: tools-high, when: tools.count > 3, floor: HIGH}
  - {name: less-talk, when: messages.count > 9, ceiling: LOW}
  - {name: by-mail, when: surface == embeddings, floor: LOW, allow: {LK507: an example}}
assert:
  - {name: cloud, never: 'header("x-data") == "secret" and target.trust == cloud'}
  - {name: near, always: 'tools.count > 0 implies target.tools'}
  - {name: low, reachable: 'tier == LOW and target == c and target.first'}
  - {name: high, always: 'tools.count > 3 implies tier == HIGH'}
  - {name: denied, reachable: 'outcome == deny'}
  - {name: by-rule, reachable: 'rule == "tools-high"'}
  - {name: by-pin, reachable: 'rule == pin and target.provider == far'}
  - {name: cheap, max_cost_usd: 0.50}
  - {name: soon, max_latency: 90s}
  - {name: words, monotone: ask.words}
  - {name: talk, monotone: messages.count}
  - {name: wide, never: 'target.context < 9k and target.max_output > 100k'}
"""


@pytest.fixture(scope="module")
def made() -> tuple[RouteTable, Assertions, Domain]:
    typed, findings = resolved(SPEC)
    assert typed is not None, [one.message for one in findings]
    table, assertions = lower_decision(typed), lower_assertions(typed)
    return table, assertions, joint_domain(table, assertions)


def point(domain: Domain, values: Mapping[str, int | str]) -> Point:
    """Everything at its least and the model ``auto``, but what is named."""
    wanted = {"model": "auto"} | dict(values)
    found = []
    for slot in domain.slots:
        value = wanted.pop(slot.feature, 0)
        texts = [one.text for one in slot.classes]
        found.append(texts.index(value) if isinstance(value, str) else value)
    assert wanted == {}, wanted
    return tuple(found)


def names(table: RouteTable, found: tuple[Pair, ...]) -> list[tuple[str, bool]]:
    return [(table.targets[pair.target].name, pair.first) for pair in found]


Values = Mapping[str, int | str]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, [("b", True), ("a", True), ("c", False)]),
        ({"ask.words": 200}, [("b", False), ("c", True), ("a", False)]),
        ({"ask.words": 200, "turns": 4}, [("b", False), ("c", True), ("a", False)]),
        ({"turns": 4}, [("b", False), ("a", False), ("c", True)]),
        ({"turns": 9, "ask.words": 200}, [("b", True), ("c", True), ("a", False)]),
        ({"tools.count": 1}, [("b", True), ("a", True)]),
        ({"images.count": 1, "turns": 4}, [("b", True)]),
        ({"header": "secret"}, [("a", True)]),
        ({"header": "bad"}, []),
        ({"header": "hello"}, []),
        ({"model": "lynkr/c", "turns": 9}, [("c", True)]),
        ({"model": "lynkr/c", "header": "secret"}, []),
    ],
)
def test_pairs(
    made: tuple[RouteTable, Assertions, Domain], values: Values, expected: list[tuple[str, bool]]
) -> None:
    table, _, domain = made
    assert names(table, pairs(table, domain.views[0].vector(point(domain, values)))) == expected


@pytest.mark.parametrize(
    ("name", "values", "targets"),
    [
        ("cloud", {"header": "secret"}, []),
        ("near", {"tools.count": 1}, []),
        ("near", {}, []),
        ("low", {}, []),
        ("low", {"turns": 4}, ["c"]),
        ("low", {"turns": 4, "ask.words": 200}, []),
        ("low", {"turns": 4, "model": "lynkr/low"}, ["c"]),
        # A pinned target has no tier, so nothing is said of it.
        ("low", {"turns": 4, "model": "lynkr/c"}, []),
        ("high", {"tools.count": 4}, []),
        ("high", {"tools.count": 4, "messages.count": 10}, [None]),
        ("high", {"tools.count": 4, "messages.count": 10, "header": "bad"}, []),
        ("high", {"tools.count": 4, "messages.count": 10, "model": "lynkr/a"}, []),
        ("denied", {"header": "bad"}, [None]),
        ("denied", {}, []),
        ("by-rule", {"tools.count": 4}, [None]),
        ("by-rule", {"tools.count": 4, "ask.words": 200}, []),
        ("by-pin", {"model": "lynkr/high"}, ["b", "c"]),
        ("by-pin", {"model": "lynkr/b"}, ["b"]),
        ("by-pin", {}, []),
        ("wide", {}, []),
    ],
)
def test_breaks(
    made: tuple[RouteTable, Assertions, Domain],
    name: str,
    values: Values,
    targets: list[str | None],
) -> None:
    table, assertions, domain = made
    (one,) = (item for item in assertions.items if item.name == name)
    found = breaks(table, assertions, one, domain, point(domain, values))
    assert [None if t is None else table.targets[t].name for t in found] == targets


@pytest.mark.parametrize(
    ("name", "lower", "higher", "sinks"),
    [
        ("words", {}, {"ask.words": 200}, False),
        ("words", {"ask.words": 200}, {}, False),
        ("talk", {"ask.words": 200}, {"ask.words": 200, "messages.count": 10}, True),
        ("talk", {"ask.words": 200}, {"ask.words": 9, "messages.count": 10}, False),
        ("talk", {"messages.count": 10, "ask.words": 200}, {"ask.words": 200}, False),
        (
            "talk",
            {"ask.words": 200, "header": "bad"},
            {"ask.words": 200, "messages.count": 10, "header": "bad"},
            False,
        ),
        ("talk", {"model": "lynkr/a"}, {"messages.count": 10, "model": "lynkr/a"}, False),
    ],
)
def test_sinks(
    made: tuple[RouteTable, Assertions, Domain],
    name: str,
    lower: Values,
    higher: Values,
    sinks: bool,
) -> None:
    table, assertions, domain = made
    (one,) = (item for item in assertions.items if item.name == name)
    low, high = point(domain, lower), point(domain, higher)
    claim, view = Claim(table, assertions, one, domain), domain.views[0]
    first, second = decided(table, view.vector(low)), decided(table, view.vector(high))
    assert claim.sinks((low, first), (high, second)) is sinks


def test_monotone_is_not_about_one_point(made: tuple[RouteTable, Assertions, Domain]) -> None:
    table, assertions, domain = made
    (one,) = (item for item in assertions.items if item.name == "words")
    with pytest.raises(ValueError, match="one point"):
        breaks(table, assertions, one, domain, point(domain, {}))


def test_the_domain_has_nothing_beside_the_request(
    made: tuple[RouteTable, Assertions, Domain],
) -> None:
    _, _, domain = made
    features = {slot.feature for slot in domain.slots}
    assert features.isdisjoint({"tier", "outcome", "rule", "target", "target.first"})


def test_embeddings_come_under_the_name_of_their_target(
    made: tuple[RouteTable, Assertions, Domain],
) -> None:
    table, _, domain = made
    embed: Values = {"surface": "embeddings"}
    assert may_occur(table, domain, point(domain, {}))
    assert may_occur(table, domain, point(domain, {**embed, "model": "lynkr/a"}))
    assert not may_occur(table, domain, point(domain, {**embed, "model": "lynkr/b"}))
    assert not may_occur(table, domain, point(domain, embed))


# -- worst cases -------------------------------------------------------------------------------

A, B, C = TargetId(0), TargetId(1), TargetId(2)


def cost_of(
    made: tuple[RouteTable, Assertions, Domain], values: Values, *targets: TargetId
) -> Fraction | Unpriced:
    table, _, domain = made
    return worst_cost(table, domain.views[0].vector(point(domain, values)), targets)


def test_every_call_of_a_chain_is_billed(made: tuple[RouteTable, Assertions, Domain]) -> None:
    asked: Values = {"context.tokens": 1_000, "request.max_tokens": 100}
    # b: twice (1,100 tokens at the price of a cache write, 100 of output); a is free.
    b = 2 * (1_100 * Fraction("3.75") + 100 * 15) / 1_000_000
    c = 2 * (1_100 * 1 + 100 * 2) / Fraction(1_000_000)
    assert cost_of(made, asked, A, B) == b
    assert cost_of(made, asked, B, C) == b + c
    assert cost_of(made, asked) == 0


def test_the_margin_is_exact_and_ends_at_the_window(
    made: tuple[RouteTable, Assertions, Domain],
) -> None:
    one = cost_of(made, {"context.tokens": 1, "request.max_tokens": 1}, C)
    assert one == 2 * (Fraction(11, 10) + 2) / 1_000_000
    full = cost_of(made, {"context.tokens": 49_999, "request.max_tokens": 1}, C)
    assert full == 2 * Fraction(50_000 + 2) / 1_000_000


@pytest.mark.parametrize("asked", [0, 1_000, 1_000_000])
def test_without_a_limit_the_answer_is_as_long_as_the_target_makes_it(
    made: tuple[RouteTable, Assertions, Domain], asked: int
) -> None:
    assert cost_of(made, {"request.max_tokens": asked}, C) == 2 * Fraction(2_000) / 1_000_000


def test_what_has_no_price_is_named(made: tuple[RouteTable, Assertions, Domain]) -> None:
    table, assertions, domain = made
    targets = tuple(replace(one, price=None) if one.name == "b" else one for one in table.targets)
    unpriced = (replace(table, targets=targets), assertions, domain)
    assert cost_of(unpriced, {}, A, B, C) == Unpriced(targets=(B,))
    assert cost_of(unpriced, {}, A) == 0


def test_a_bound_on_costs_is_broken_by_what_exceeds_it(
    made: tuple[RouteTable, Assertions, Domain],
) -> None:
    table, assertions, domain = made
    (one,) = (item for item in assertions.items if item.name == "cheap")
    values: Values = {"context.tokens": 30_000, "model": "lynkr/b", "request.max_tokens": 1_000}
    cost = cost_of(made, values, B)
    assert cost == Fraction("0.2775")

    def broken(amount: str) -> bool:
        bounded = replace(one, amount=amount)
        return breaks(table, assertions, bounded, domain, point(domain, values)) == (None,)

    assert [broken(amount) for amount in ("0.2774", "0.2775", "0.2776")] == [True, False, False]


def test_attempts_are_waited_for_up_to_the_total(
    made: tuple[RouteTable, Assertions, Domain],
) -> None:
    table, _, _ = made
    # far: twice 2 s + 30 s, once the longest wait between them; over after 100 s.
    assert worst_latency(table, (B,)) == 2 * 32 + 10
    assert worst_latency(table, (B, C)) == 100
    # home has the defaults of a local provider, and its own time to connect.
    assert worst_latency(table, (A,)) == 600
    assert worst_latency(table, (A, B)) == 600
    assert worst_latency(table, ()) == 0


def test_a_retry_after_may_be_longer_than_a_small_backoff(
    made: tuple[RouteTable, Assertions, Domain],
) -> None:
    table, _, _ = made
    providers = tuple(replace(one, max_backoff=0.1) for one in table.providers)
    assert worst_latency(replace(table, providers=providers), (B,)) == 2 * 32 + 5


def test_the_preferred_target_is_first_only_where_it_is_left(
    made: tuple[RouteTable, Assertions, Domain],
) -> None:
    table, _, domain = made
    ordered = replace(
        table, chains=tuple(replace(one, pick=Pick.ORDER, weights=()) for one in table.chains)
    )
    both = point(domain, {"turns": 4, "tools.count": 1})
    found = names(ordered, pairs(ordered, domain.views[0].vector(both)))
    assert found == [("b", True), ("a", False)]
