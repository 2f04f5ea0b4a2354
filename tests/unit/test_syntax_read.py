"""A document to its surface tree, and what of a broken one is kept."""

from pathlib import Path

import pytest

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.source.text import SourceFile
from lynkrc.syntax.config import Config, Deny, Price, Timeouts
from lynkrc.syntax.print_expr import print_expr
from lynkrc.syntax.read import read_config, read_source

WHOLE = """\
version: 1
name: acme-coding
extends: [builtin/lynkr, team.yaml]
providers:
  near:
    kind: ollama
    trust: local
    base_url: "${OLLAMA:-http://localhost:11434}"
    headers: {x-team: legal}
    timeouts: {connect: 2, first_event: 1.5}
    retry: {times: 0}
  far: {kind: anthropic, trust: cloud, api_key: "${KEY}"}
  play: {kind: simulator, trust: internal, simulate: "fail:503:2"}
targets:
  small: {provider: near, model: m, context: 128k, max_output: 1.5k, capabilities: [], price: free}
  big: {provider: far, model: m2, context: 200000, price: {input: 3, output: 15.5, cache_read: 0.3}}
models:
  claude-opus*: {tier: TOP}
  house: {target: big}
lexicons:
  plain: ["hi", "good (morning|evening)"]
  weighted: {"prove*": 3.5, "step by step": -2}
features:
  loud: ask.words > 300
clients:
  mine:
    user_agent: mine/
    injected: {tags: [note], prefixes: ["[Begin"], wrappers: [ask]}
    baseline_tools: [Bash]
    tool_weights: {Bash: 90}
    ordinary: {surface: chat, context: 12k, tools: 2, stream: true}
score:
  use: builtin/lynkr-13
  offset: -1.5
  dimensions:
    depth: {weight: 12, value: "min(turns, 9)"}
    flat: {weight: 1, value: 3}
    words: {terms: weighted, over: history}
tiers:
  - {name: LOW, up_to: 25, chain: [small, big]}
  - {name: TOP, chain: [big]}
otherwise: deny
rules:
  - {name: stay-home, when: loud, require: "target.trust == local"}
  - {name: shut, deny: {status: 429, message: "later"}}
  - {name: more, when: true, floor: LOW, ceiling: TOP, add: 0.5}
"""


def read(text: str) -> tuple[Config | None, list[Diagnostic]]:
    return read_source("routing.yaml", text.encode())


def whole() -> Config:
    config, findings = read(WHOLE)
    assert findings == []
    assert config is not None
    return config


def test_every_section_arrives() -> None:
    config = whole()
    assert (config.version, config.name.value) == (1, "acme-coding")
    assert [name.value for name in config.extends] == ["builtin/lynkr", "team.yaml"]
    assert config.otherwise is not None
    assert (config.otherwise.value, config.otherwise.span.text) == ("deny", "deny")


def test_providers() -> None:
    near, far, play = whole().providers
    assert near.timeouts == Timeouts(connect=2.0, first_event=1.5)
    assert [(one.value, two.value) for one, two in near.headers] == [("x-team", "legal")]
    assert (near.retry.times, far.retry.times) == (0, None)
    assert near.base_url is not None
    assert near.base_url.value == "${OLLAMA:-http://localhost:11434}"
    assert far.api_key is not None
    assert (far.api_key.value, far.api_key.span.text) == ("${KEY}", '"${KEY}"')
    assert play.simulate is not None
    assert play.simulate.value == "fail:503:2"


def test_targets_and_models() -> None:
    config = whole()
    small, big = config.targets
    assert small.context is not None
    assert small.max_output is not None
    assert (small.context.value, small.max_output.value) == (128_000, 1_500)
    assert small.capabilities == ()
    assert big.capabilities is None
    assert small.price == Price(input=0.0, output=0.0)
    assert big.price == Price(input=3.0, output=15.5, cache_read=0.3)
    assert [(one.pattern.value, one.tier and one.tier.value) for one in config.models] == [
        ("claude-opus*", "TOP"),
        ("house", None),
    ]


@pytest.mark.parametrize(
    ("written", "tokens"),
    [
        ("0.5M", 500_000),
        ("1.5k", 1_500),
        ("16.777214M", 16_777_214),
        ("0k", None),
        ("0.0005k", None),
        ("16.777215M", None),
        ("1.0000000000000000000000000000001k", None),
        ("9" * 5000 + "k", None),
    ],
)
def test_sizes_are_exact(written: str, tokens: int | None) -> None:
    config, findings = read(
        f"version: 1\nname: x\ntargets:\n  t: {{provider: p, model: m, context: {written}}}\n"
    )
    assert config is not None
    assert [t.context and t.context.value for t in config.targets] == ([tokens] if tokens else [])
    assert len(findings) == (0 if tokens else 1)


@pytest.mark.parametrize("name", ["auto", "AUTO", "lynkr/TOP", "Lynkr/top", "Claude-Lynkr-x*"])
def test_a_model_name_with_a_meaning_cannot_be_mapped_in_any_case(name: str) -> None:
    _, findings = read(f"version: 1\nname: x\nmodels:\n  {name}: {{tier: TOP}}\n")
    assert [(found.code.id, found.span.text) for found in findings] == [("LK114", name)]


def test_lexicons_and_clients() -> None:
    config = whole()
    plain, weighted = config.lexicons
    assert [(entry.weight, entry.weighted) for entry in plain.entries] == [(1.0, False)] * 2
    assert [(entry.weight, entry.weighted) for entry in weighted.entries] == [
        (3.5, True),
        (-2.0, True),
    ]
    assert weighted.entries[1].pattern.span.text == '"step by step"'
    (client,) = config.clients
    assert [name.value for name in client.user_agent] == ["mine/"]
    assert [name.value for name in client.injected_prefixes] == ["[Begin"]
    assert [name.value for name in client.injected_wrappers] == ["ask"]
    assert [(name.value, weight) for name, weight in client.tool_weights] == [("Bash", 90)]
    ordinary = client.ordinary
    assert ordinary is not None
    assert ordinary.surface is not None
    assert ordinary.surface.value == "chat"
    assert (ordinary.context, ordinary.max_tokens, ordinary.tools) == (12_000, 0, 2)
    assert (ordinary.thinking, ordinary.stream) == (False, True)


def test_a_size_of_an_ordinary_request_is_a_whole_number_of_tokens() -> None:
    for size in ("1.0005k", "17M"):
        _, findings = read(WHOLE.replace("context: 12k", f"context: {size}"))
        assert [found.span.text for found in findings] == [size]


def test_score_tiers_and_rules() -> None:
    config = whole()
    assert config.score is not None
    assert config.score.offset is not None
    assert config.score.offset.value == -1.5
    depth, flat, words = config.score.dimensions
    assert depth.value is not None
    assert print_expr(depth.value) == "min(turns, 9)"
    assert flat.value is not None
    assert print_expr(flat.value) == "3"
    assert words.terms is not None
    assert (words.terms.value, words.weight) == ("weighted", None)
    low, top = config.tiers
    assert low.up_to is not None
    assert (low.up_to.value, top.up_to) == (25, None)
    assert [name.value for name in low.chain.targets] == ["small", "big"]
    stay, shut, more = config.rules
    assert stay.require is not None
    assert stay.require.span.text == "target.trust == local"
    assert shut.deny == Deny(status=429, message="later")
    assert shut.when is None
    assert more.when is not None
    assert print_expr(more.when) == "true"
    assert more.add is not None
    assert more.add.value == 0.5


def test_line_ends_change_nothing() -> None:
    config, findings = read(WHOLE.replace("\n", "\r\n"))
    assert findings == []
    assert config == whole()


@pytest.mark.parametrize("path", ["specs/builtin/lynkr", "specs/builtin/lynkr-13"])
def test_specs_without_providers_are_documents_too(path: str) -> None:
    file = Path(__file__).parents[2] / f"{path}.yaml"
    config, findings = read_source(path, file.read_bytes())
    assert config is not None
    assert not [found for found in findings if not found.code.id.startswith("LK2")]


def test_one_broken_item_does_not_hide_the_others() -> None:
    text = WHOLE.replace("retry: {times: 0}", "retyr: {times: 0}").replace(
        "up_to: 25", 'up_to: "25"'
    )
    config, findings = read(text.replace("ask.words > 300", "ask.words = 300"))
    assert config is not None
    assert [found.code.id for found in findings] == ["LK101", "LK300", "LK102"]
    assert [provider.name.value for provider in config.providers] == ["far", "play"]
    assert [tier.name.value for tier in config.tiers] == ["TOP"]
    assert config.features == ()
    assert len(config.rules) == 3


def test_expressions_of_a_broken_rule_are_checked_too() -> None:
    _, findings = read("version: 1\nname: x\nrules: [{name: a, teir: B, when: turns = 3}]\n")
    assert [found.code.id for found in findings] == ["LK103", "LK101", "LK300"]


def test_a_place_is_reported_once() -> None:
    _, findings = read("version: 1\nname: x\ntiers: [{name: A, up_to: 010, chain: [b]}]\n")
    assert [found.code.id for found in findings] == ["LK014"]


@pytest.mark.parametrize("text", ["version: 2\nname: x\n", "[]\n"])
def test_of_another_language_there_is_no_tree(text: str) -> None:
    config, findings = read(text)
    assert config is None
    assert findings


def test_a_message_never_repeats_a_secret() -> None:
    secret = "sk-proj-0123456789abcdef0123"
    text = (
        f"version: 1\nname: x\n# {secret}\nproviders:\n"
        f"  a: {{kind: openai, trust: cloud, api_key: {secret}}}\n"
        f"  b: {{kind: openai, trust: cloud, api_key: '${{K}}', headers: {{cookie: {secret}}}}}\n"
        f"targets:\n  c: {{provider: a, model: {secret}}}\n"
    )
    _, findings = read(text)
    assert [found.code.id for found in findings] == ["LK111"] * 4
    assert all(secret not in found.message + (found.help or "") for found in findings)


def test_a_source_file_may_be_given_as_text() -> None:
    config, findings = read_config(SourceFile(path="x.yaml", text="version: 1\nname: x\n"))
    assert (config is not None, findings) == (True, [])
    config, findings = read_config(SourceFile(path="x.yaml", text="version: 1\r"))
    assert (config, [found.code.id for found in findings]) == (None, ["LK003"])
