"""What the parts of the language decode to: chains, effects, long forms, assertions, allows."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from lynkrc.syntax import decode_providers
from lynkrc.syntax.config import (
    AssertionKind,
    Breaker,
    Concurrency,
    Config,
    Retry,
    Timeouts,
)
from lynkrc.syntax.print_expr import print_expr
from lynkrc.syntax.read import read_source
from lynkrc_runtime.providers.table import KINDS

HEAD = "version: 1\nname: example\n"


def sound(text: str) -> Config:
    config, findings = read_source("routing.yaml", f"{HEAD}{text}".encode())
    assert [(one.code.id, one.message) for one in findings] == []
    assert config is not None
    return config


def found(text: str) -> list[tuple[str, str]]:
    _, findings = read_source("routing.yaml", f"{HEAD}{text}".encode())
    return [(one.code.id, one.span.text) for one in findings]


def test_a_chain_has_groups() -> None:
    (tier,) = sound(
        "tiers: [{name: ALL, chain: [[a, b], c], pick: weighted, weights: {a: 3}}]\n"
    ).tiers
    groups = [[name.value for name in group] for group in tier.chain.groups]
    assert groups == [["a", "b"], ["c"]]
    assert [name.value for name in tier.chain.targets] == ["a", "b", "c"]
    assert tier.chain.pick is not None
    assert (tier.chain.pick.value, tier.chain.pick.span.text) == ("weighted", "weighted")
    assert [(name.value, weight) for name, weight in tier.chain.weights] == [("a", 3)]
    assert tier.chain.span.text == "[[a, b], c]"


def test_effects_of_rules() -> None:
    chain, prefer, respond = sound(
        "rules:\n"
        "  - {name: one, chain: [a, [b, c]], pick: fastest}\n"
        "  - {name: two, prefer: cheapest}\n"
        "  - {name: three, respond: Hello.}\n"
    ).rules
    assert chain.chain is not None
    assert [len(group) for group in chain.chain.groups] == [1, 2]
    assert prefer.prefer is not None
    assert (prefer.prefer.value, prefer.chain) == ("cheapest", None)
    assert respond.respond is not None
    assert respond.respond.value == "Hello."


def test_a_chain_that_does_not_fit_takes_its_rule_along() -> None:
    config, _ = read_source(
        "routing.yaml",
        f"{HEAD}rules: [{{name: a, chain: [b], pick: order}}, {{name: c, add: 1}}]\n".encode(),
    )
    assert config is not None
    assert [rule.name.value for rule in config.rules] == ["c"]


def test_limits_of_a_provider() -> None:
    (provider,) = sound(
        "providers:\n"
        "  one:\n"
        "    kind: openai\n"
        "    trust: wherever\n"
        "    credentials: caller\n"
        "    timeouts: {idle: 500ms, total: 0.5h}\n"
        "    retry: {times: 1, backoff: 2, max_backoff: 2s}\n"
        "    breaker: {failures: 2, open_for: 1m}\n"
        "    concurrency: {limit: 3, queue: 2, wait: 250ms}\n"
        "    proxy: http://proxy:3128\n"
        "    ca_file: house.pem\n"
    ).providers
    assert provider.trust.value == "wherever"
    assert provider.forwards_credentials
    assert provider.api_key is None
    assert provider.timeouts == Timeouts(idle=0.5, total=1800.0)
    assert provider.retry == Retry(times=1, backoff=2.0, max_backoff=2.0)
    assert provider.breaker == Breaker(failures=2, open_for=60.0)
    assert provider.concurrency == Concurrency(limit=3, queue=2, wait=0.25)
    assert provider.proxy is not None
    assert provider.ca_file is not None
    assert (provider.proxy.value, provider.ca_file.value) == ("http://proxy:3128", "house.pem")


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ("timeouts: {idle: 0s}", "0s"),
        ("timeouts: {total: 366d}", "366d"),
        ("retry: {backoff: 1m, max_backoff: 59s}", "59s"),
        ("breaker: {within: 8761h}", "8761h"),
    ],
)
def test_times_out_of_range(part: str, place: str) -> None:
    assert found(f"providers: {{one: {{kind: ollama, trust: local, {part}}}}}\n") == [
        ("LK105", place)
    ]


def test_a_kind_whose_address_holds_a_region_needs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = replace(
        KINDS["openai"], name="spread", needs_region=True, base_url="https://{region}.example.com"
    )
    monkeypatch.setattr(decode_providers, "KINDS", MappingProxyType({kind.name: kind}))
    head = "providers: {one: {kind: spread, trust: far, api_key: '${K}'"
    assert found(f"{head}}}}}\n") == [("LK103", "one")]
    assert found(f"{head}, base_url: 'https://example.com'}}}}\n") == []
    (provider,) = sound(f"{head}, region: north-1}}}}\n").providers
    assert provider.region is not None
    assert provider.region.value == "north-1"


def test_forms_of_lexicons() -> None:
    listed, weighted, filed = sound(
        "lexicons:\n"
        "  listed: {entries: [file, entries], allow: {LK413: meant}}\n"
        "  weighted: {entries: {file: 2, allow: 3}}\n"
        "  filed: {file: terms.tsv}\n"
    ).lexicons
    assert [entry.pattern.text for entry in listed.entries] == ["file", "entries"]
    assert [(one.code.value, one.reason) for one in listed.allow] == [("LK413", "meant")]
    assert [(entry.pattern.text, entry.weight) for entry in weighted.entries] == [
        ("file", 2.0),
        ("allow", 3.0),
    ]
    assert filed.file is not None
    assert (filed.file.value, filed.file.span.text, filed.entries) == (
        "terms.tsv",
        "terms.tsv",
        (),
    )


def test_a_feature_may_have_a_long_form() -> None:
    short, long = sound(
        "features: {short: turns > 3, long: {value: turns > 4, allow: {LK413: meant}}}\n"
    ).features
    assert (print_expr(short.expression), short.allow) == ("turns > 3", ())
    assert print_expr(long.expression) == "turns > 4"
    assert [one.code.span.text for one in long.allow] == ["LK413"]


def test_assertions() -> None:
    config = sound(
        "assert:\n"
        "  - never: turns > 3\n"
        "  - {name: cost, max_cost_usd: 12.5, waive: soon}\n"
        "  - max_latency: 1.5m\n"
        "  - monotone: context.tokens\n"
        "  - same_as: before.yaml\n"
    )
    never, cost, latency, monotone, same = config.assertions
    assert (never.kind, never.name) == (AssertionKind.NEVER, None)
    assert never.expression is not None
    assert print_expr(never.expression) == "turns > 3"
    assert cost.name is not None
    assert cost.waive is not None
    assert cost.amount is not None
    assert (cost.name.value, cost.waive.value, cost.amount.value) == ("cost", "soon", 12.5)
    assert latency.amount is not None
    assert (latency.amount.value, latency.amount.span.text) == (90.0, "1.5m")
    assert monotone.expression is not None
    assert print_expr(monotone.expression) == "context.tokens"
    assert same.file is not None
    assert (same.kind, same.file.value) == (AssertionKind.SAME_AS, "before.yaml")


def test_an_assertion_out_of_order_does_not_hide_the_next() -> None:
    assert found(
        "assert: [{name: a, always: turns}, {name: a, max_latency: 0s}, {reachable: 'turns >'}]\n"
    ) == [("LK108", "a"), ("LK105", "0s"), ("LK300", ">")]


def test_an_expression_in_a_broken_assertion_is_read() -> None:
    codes = [code for code, _ in found("assert: [{never: turns =, waived: soon}]\n")]
    assert codes == ["LK300", "LK101"]


def test_words_of_expressions_name_no_trust_level() -> None:
    assert found("trust_levels: [near, or, far]\n") == [("LK114", "or")]


def test_levels_needs_and_allows_of_the_document() -> None:
    config = sound(
        "trust_levels: [near, far]\nneeds: {max_tokens: hard}\nallow: {LK508: for now}\n"
    )
    assert [level.value for level in config.trust_levels] == ["near", "far"]
    assert [(need.value, how.value) for need, how in config.needs] == [("max_tokens", "hard")]
    assert [(one.code.value, one.reason) for one in config.allow] == [("LK508", "for now")]


def test_sections_are_in_canonical_order_and_broken_ones_left_out() -> None:
    text = f"{HEAD}cache: {{}}\nkeys: {{a: {{secret: '${{A}}'}}}}\nserver: {{port: 80}}\n"
    config, findings = read_source("routing.yaml", text.encode())
    assert config is not None
    assert [section.key.value for section in config.settings] == ["server", "keys"]
    assert [one.code.id for one in findings] == ["LK107"]
