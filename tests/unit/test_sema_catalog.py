"""The catalog: how entries are read and chosen, and what the one we ship says."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

from lynkrc.cli.specs import check_file
from lynkrc.sema import catalog_read
from lynkrc.sema.catalog import ModelFacts, Provision, facts_of, names_for, price_of, provision_of
from lynkrc.sema.catalog_read import read_catalog
from lynkrc.source.resources import read_schema, read_spec, spec_names
from lynkrc.source.text import SourceFile
from lynkrc_runtime.feature_table import CAPABILITIES
from lynkrc_runtime.providers.table import KINDS
from tests.unit.sema_sample import catalog, found, resolved, sound

SCHEMA: dict[str, Any] = json.loads(read_schema("catalog"))
ROOT = Path(__file__).resolve().parents[2]
WHOLE_SPECS = sorted([*ROOT.glob("examples/*/routing.yaml"), *ROOT.glob("specs/starter/*.yaml")])
HEAD = 'sources: {s: {url: "https://a.example/b", date: "2026-01-31"}}\n'
SELLER = "seller: {name: Ours, kinds: [openai], hosts: [ours.example], facts: everywhere}\n"


def files(*texts: str) -> list[SourceFile]:
    return [SourceFile(path=f"{index}.yaml", text=text) for index, text in enumerate(texts)]


@pytest.fixture(scope="module")
def shipped() -> tuple[ModelFacts, ...]:
    facts, findings = read_catalog(catalog())
    assert findings == [], [one.message for one in findings]
    return facts


def test_the_closest_entry_applies() -> None:
    entry = "  - {{ids: [{0}], context: {1}, sources: [s]{2}}}\n"
    rows = (
        ('"*"', 1, ", kinds: [ollama]"),
        ("m*", 2, ""),
        ("m-1*, other", 3, ""),
        ("m-1", 4, ""),
        ("m-1*", 5, ", kinds: [ollama]"),
    )
    facts, findings = read_catalog(
        files(HEAD + "models:\n" + "".join(entry.format(*row) for row in rows))
    )
    assert findings == []
    asked = [("x", "ollama"), ("x", "openai"), ("m-2", "openai"), ("m-1", "ollama")]
    asked += [("m-1-a", "openai"), ("m-1-a", "ollama"), ("other", "ollama")]
    chosen = [facts_of(facts, model, Provision(kind)).context for model, kind in asked]
    assert chosen == [1, None, 2, 4, 3, 5, 3]
    assert names_for(facts, Provision("openai")) == ["other", "m-1"]


GOOD_PRICE = "price: {input: 2, output: 3, sources: [s]}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("models: 3\n", "a list under `models`"),
        ("models: []\n", "missing required field `sources`"),
        (HEAD + "models: []\n", "no entry names the source `s`"),
        (HEAD + "modles: []\nmodels: []\n", "unknown field `modles`"),
        ("sources: {s: {url: ftp, date: '2026-01-31'}}\nmodels: []\n", "`ftp` is no address"),
        ("sources: {s: {url: 'https://x'}}\nmodels: []\n", "missing required field `date`"),
        ("sources: {s: {url: 'https://x', date: '2026-02-30'}}\nmodels: []\n", "is no day"),
        (HEAD + "models:\n  - {ids: [m]}\n", "missing required field `sources`"),
        (HEAD + "models:\n  - {ids: [m], sources: []}\n", "length >= 1"),
        (HEAD + "models:\n  - {ids: [m], sources: [t]}\n", "`t` is no source"),
        (HEAD + "models:\n  - {ids: [], sources: [s]}\n", "length >= 1"),
        (HEAD + "models:\n  - {ids: ['a*b'], sources: [s]}\n", "`a*b` is no id"),
        (HEAD + "models:\n  - {ids: [m], contxt: 3, sources: [s]}\n", "unknown field `contxt`"),
        (HEAD + "models:\n  - {ids: [m], context: 0, sources: [s]}\n", "number of tokens"),
        (HEAD + "models:\n  - {ids: [m], context: 17M, sources: [s]}\n", "number of tokens"),
        (HEAD + "models:\n  - {ids: [m], kinds: [olama], sources: [s]}\n", "`olama` is no kind"),
        (HEAD + "models:\n  - {ids: [m], capabilities: [fly], sources: [s]}\n", "no capability"),
        (HEAD + "models:\n  - {ids: [m], shape: {sizes: 3}, sources: [s]}\n", "field `sizes`"),
        (HEAD + "models:\n  - {ids: [m], retires: soon, sources: [s]}\n", "`soon` is no day"),
        (
            HEAD + f"models:\n  - {{ids: [m], {GOOD_PRICE}, sources: [s]}}\n",
            "a price is somebody's",
        ),
        (HEAD + SELLER + "models:\n  - {ids: [m], kinds: [openai], sources: [s]}\n", "`kinds` are"),
        (
            HEAD + "seller: {name: Ours, facts: here}\nmodels:\n  - {ids: [m], sources: [s]}\n",
            "known by `kinds`, `hosts`",
        ),
        (
            HEAD + SELLER + "models:\n  - {ids: [m], price: {input: 2, output: 3}, sources: [s]}\n",
            "missing required field `sources` - at `$.price`",
        ),
        (
            HEAD + SELLER + "models:\n"
            "  - {ids: [m], price: {input: -1, output: 3, sources: [s]}, sources: [s]}\n",
            ">= 0",
        ),
        (
            HEAD + SELLER + f"models:\n  - {{ids: [m], {GOOD_PRICE}, sources: [s],"
            " price_below: {tokens: 9k, input: 1, output: 4}}\n",
            "dearer than `price`",
        ),
        (
            HEAD + SELLER + f"models:\n  - {{ids: [m], context: 9k, {GOOD_PRICE}, sources: [s],"
            " price_below: {tokens: 9k, input: 1, output: 1}}\n",
            "the whole window",
        ),
        (
            HEAD + SELLER + "models:\n  - {ids: [m], sources: [s],"
            " price_below: {tokens: 9k, input: 1, output: 1}}\n",
            "needs `price`",
        ),
        (HEAD + "models:\n  - {ids: [m, m], sources: [s]}\n", "stands there twice"),
        (
            HEAD + "models:\n  - {ids: [m], sources: [s]}\n  - {ids: [other, m], sources: [s]}\n",
            "`m` has an entry already",
        ),
        (
            HEAD + "models:\n  - {ids: [m], kinds: [ollama, openai], sources: [s]}\n"
            "  - {ids: [m], kinds: [openai], sources: [s]}\n",
            "`m` has an entry already",
        ),
    ],
)
def test_a_damaged_catalog(text: str, why: str) -> None:
    _, findings = read_catalog(files(text))
    assert [one.code.id for one in findings] == ["LK415"]
    assert why in findings[0].message


def test_two_files_have_no_entry_in_common() -> None:
    text = HEAD + "models:\n  - {ids: [m], sources: [s]}\n"
    _, findings = read_catalog(files(text, text))
    assert [(one.code.id, one.span.file.path) for one in findings] == [("LK415", "1.yaml")]


@pytest.mark.parametrize("name", spec_names("catalog"))
def test_the_schema_describes_every_file(name: str) -> None:
    document = yaml.safe_load(read_spec(name))
    problems = [e.message for e in Draft202012Validator(SCHEMA).iter_errors(document)]
    assert problems == []


@pytest.mark.parametrize(
    ("schema", "struct"),
    [
        (SCHEMA["properties"]["seller"], catalog_read._Seller),
        (SCHEMA["properties"]["sources"]["additionalProperties"], catalog_read._Source),
        (SCHEMA["$defs"]["entry"], catalog_read._Entry),
        (SCHEMA["$defs"]["entry"]["properties"]["price"], catalog_read._Price),
        (SCHEMA["$defs"]["entry"]["properties"]["price_below"], catalog_read._Below),
    ],
)
def test_the_schema_has_the_keys_that_are_read(
    schema: dict[str, Any], struct: type[msgspec.Struct]
) -> None:
    fields = msgspec.structs.fields(struct)
    assert set(schema["properties"]) == {one.name for one in fields}
    assert set(schema["required"]) == {one.name for one in fields if one.required}


def test_the_schema_has_the_words_of_the_code() -> None:
    defs = SCHEMA["$defs"]
    assert defs["kinds"]["items"]["enum"] == list(KINDS)
    assert defs["entry"]["properties"]["capabilities"]["items"]["enum"] == list(CAPABILITIES)


def test_every_figure_we_ship_has_a_source_and_a_day(shipped: tuple[ModelFacts, ...]) -> None:
    assert len(shipped) > 20
    for entry in shipped:
        assert entry.sources, entry.ids
        assert entry.price is None or entry.price.sources, entry.ids
        sources = [*entry.sources, *(entry.price.sources if entry.price else ())]
        assert all(source.url and source.date >= "2026-09-01" for source in sources), entry.ids


def test_a_model_we_ship_is_known_whole(shipped: tuple[ModelFacts, ...]) -> None:
    for entry in shipped:
        if entry.seller is not None:
            assert None not in (entry.context, entry.max_output, entry.capabilities, entry.price)


CLAUDE, CLAUDE_LIKE = Provision("anthropic"), Provision("anthropic-compatible")
OPENAI, SEEK = Provision("openai"), Provision("openai-compatible", "api.deepseek.com")
ELSEWHERE = Provision("openai-compatible", "llm.example.com")


@pytest.mark.parametrize(
    ("model", "at", "entry", "price"),
    [
        ("claude-fable-5-2", CLAUDE, "claude-fable-5-2", (8, 40)),
        ("claude-fable-5-1", CLAUDE, "claude-fable-5-1", (10, 50)),
        ("claude-opus-5-5", CLAUDE, "claude-opus-5-5", (4, 20)),
        ("claude-opus-5", CLAUDE, "claude-opus-5", (5, 25)),
        ("claude-opus-5-6", CLAUDE, "*", None),
        ("claude-opus-5-5-fast", CLAUDE, "*", None),
        ("claude-sonnet-5-5", CLAUDE, "claude-sonnet-5-5", (2, 10)),
        ("claude-sonnet-5", CLAUDE, "claude-sonnet-5", (2, 10)),
        ("claude-haiku-5-5", CLAUDE, "claude-haiku-5-5", (0.5, 2.5)),
        ("claude-opus-4-6", CLAUDE, "claude-opus-4-6", (5, 25)),
        ("claude-sonnet-4-6", CLAUDE, "claude-sonnet-4-6", (3, 15)),
        ("claude-opus-4-5-20251101", CLAUDE, "claude-opus-4-5", (5, 25)),
        ("claude-sonnet-4-5", CLAUDE, "claude-sonnet-4-5", (3, 15)),
        ("claude-sonnet-4-5-20250929", CLAUDE, "claude-sonnet-4-5", (3, 15)),
        ("claude-haiku-4-5-20251001", CLAUDE, "claude-haiku-4-5", (1, 5)),
        # Others sell the same models at prices of their own.
        ("claude-opus-5-5", CLAUDE_LIKE, "claude-opus-5-5", None),
        ("anthropic.claude-opus-5-5", CLAUDE_LIKE, "claude-opus-5-5", None),
        ("anthropic.claude-opus-4-6-v1", CLAUDE_LIKE, "claude-opus-4-6", None),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", CLAUDE_LIKE, "claude-sonnet-4-5", None),
        ("claude-sonnet-4-5@20250929", CLAUDE_LIKE, "claude-sonnet-4-5", None),
        ("claude-opus-5-5", Provision("anthropic-compatible", "api.anthropic.com"),
         "claude-opus-5-5", (4, 20)),
        ("gpt-4o", OPENAI, "gpt-4o", (2.5, 10)),
        ("gpt-4o-2024-05-13", OPENAI, "*", None),
        ("gpt-4o-mini", OPENAI, "gpt-4o-mini", (0.15, 0.6)),
        ("gpt-4o-mini-2024-07-18", OPENAI, "gpt-4o-mini", (0.15, 0.6)),
        ("gpt-4o-transcribe", OPENAI, "*", None),
        ("gpt-5.6", OPENAI, "gpt-5.6", (8, 30)),
        ("gpt-5.6-sol", OPENAI, "gpt-5.6", (8, 30)),
        ("gpt-5.6-terra", OPENAI, "gpt-5.6-terra", (4, 18)),
        ("gpt-5.6-luna", OPENAI, "gpt-5.6-luna", (0.4, 1.8)),
        ("gpt-5.6-cyber", OPENAI, "*", None),
        ("gpt-6-sol", OPENAI, "gpt-6-sol", (4, 15)),
        ("gpt-5.4-nano", OPENAI, "gpt-5.4-nano", (0.2, 1.25)),
        ("o3", OPENAI, "o3", (2, 8)),
        ("o3-pro", OPENAI, "*", None),
        ("o3-mini", OPENAI, "*", None),
        ("o4-mini", OPENAI, "o4-mini", (1.1, 4.4)),
        ("gpt-4o-mini", ELSEWHERE, "gpt-4o-mini", None),
        ("deepseek-v4-pro", SEEK, "deepseek-v4-pro", (1.32, 3.96)),
        ("deepseek-v4-flash", SEEK, "deepseek-flash", (0.3, 1.2)),
        ("deepseek-v4-pro", ELSEWHERE, "*", None),
        ("llama3.2", Provision("ollama"), "*", None),
        ("qwen2.5-coder:7b", Provision("ollama"), "*", None),
        ("anything", Provision("simulator"), "*", (0, 0)),
    ],
)  # fmt: skip
def test_which_entry_a_model_has(
    model: str,
    at: Provision,
    entry: str,
    price: tuple[float, float] | None,
    shipped: tuple[ModelFacts, ...],
) -> None:
    facts = facts_of(shipped, model, at)
    assert facts.ids[0] == entry
    taken = price_of(facts, at)
    assert (None if taken is None else (taken.input, taken.output)) == price


def test_the_classic_parameter_of_a_compatible_server(shipped: tuple[ModelFacts, ...]) -> None:
    for model, at in (("qwen3", ELSEWHERE), ("deepseek-v4-pro", SEEK)):
        assert facts_of(shipped, model, at).shape.max_tokens_field == "max_tokens"


def test_where_a_provider_is() -> None:
    assert provision_of("anthropic", None) == Provision("anthropic", "api.anthropic.com")
    assert provision_of("anthropic-compatible", None) == Provision("anthropic-compatible")
    assert provision_of("openai-compatible", "https://API.deepseek.com:443/v1").host == (
        "api.deepseek.com"
    )
    for unknown in ("${URL}", "https://${HOST:-api.deepseek.com}/v1", "https://[::1", "nowhere"):
        assert provision_of("openai-compatible", unknown).host is None


PROVIDERS = {
    "claude": '{kind: anthropic, api_key: "${KEY}", trust: cloud}',
    "resold": '{kind: anthropic-compatible, base_url: "https://a.example", trust: cloud}',
}


def priced(provider: str, model: str) -> str:
    return (
        f"providers:\n  {provider}: {PROVIDERS[provider]}\n"
        f"targets:\n  one: {{provider: {provider}, model: {model}}}\n"
        "tiers:\n  - {name: LOW, up_to: 50, chain: [one]}\n  - {name: HIGH, chain: [one]}\n"
    )


def test_a_target_has_the_price_of_the_catalog_or_its_own() -> None:
    claude = sound(priced("claude", "claude-opus-5-5"))
    assert (claude.targets[0].price.input, claude.targets[0].price.cache_read) == (4, 0.2)
    own = "providers:\n  house: {kind: simulator, trust: local}\ntargets:\n  one: "
    tiers = "tiers:\n  - {name: LOW, up_to: 50, chain: [one]}\n  - {name: HIGH, chain: [one]}\n"
    for written, output in (("", 0), (", price: {input: 1, output: 2}", 2), (", price: free", 0)):
        typed = sound(f"{own}{{provider: house, model: m{written}}}\n{tiers}")
        assert typed.targets[0].price.output == output


def test_the_price_of_a_reseller_is_written() -> None:
    text = priced("resold", "claude-opus-5-5")
    assert found(text) == [("LK414", "one")]
    _, (finding,) = resolved(text)
    assert finding.message == "nothing states the price of `one`"
    assert finding.labels[0].message == "what the catalog knows is the price of Anthropic's own API"
    assert found(text.replace("opus-5-5}", "opus-5-5, price: {input: 5, output: 22}}")) == []


@pytest.mark.parametrize("spec", WHOLE_SPECS, ids=lambda spec: f"{spec.parent.name}-{spec.stem}")
def test_every_target_of_the_specs_we_ship_has_a_price(spec: Path) -> None:
    checked = check_file(spec)
    assert checked.typed is not None, [one.message for one in checked.diagnostics]
    assert all(target.price is not None for target in checked.typed.targets)
