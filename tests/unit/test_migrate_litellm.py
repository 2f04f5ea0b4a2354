"""A LiteLLM config to a spec: groups, fallbacks, facts; nothing lost in silence, no key copied."""

import pytest

from lynkrc.cli.init import known_models
from lynkrc.migrate.account import Fate
from lynkrc.migrate.litellm import migrate_litellm
from lynkrc.migrate.litellm_vendors import PREFIXES
from lynkrc.migrate.migration import Migration, Unreadable
from tests.unit.migrate_check import sound_text

GROUP = """\
model_list:
  - model_name: house
    litellm_params: {model: %s}
"""


def migrated(text: str) -> Migration:
    found = migrate_litellm("config.yaml", text.encode(), known_models())
    assert isinstance(found, Migration), found
    return found


def lines_of(text: str) -> tuple[str, ...]:
    found = migrate_litellm("config.yaml", text.encode(), known_models())
    assert isinstance(found, Unreadable)
    return found.lines


def test_a_group_of_one_is_pinned_and_one_of_several_is_a_chain() -> None:
    found = migrated(
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: openai/gpt-4o}}\n"
        "  - {model_name: a, litellm_params: {model: anthropic/claude-sonnet-4-5}}\n"
        "  - {model_name: b, litellm_params: {model: openai/gpt-4o-mini}}\n"
        "router_settings: {fallbacks: [{b: [a]}], model_group_alias: {c: b}}\n"
    )
    sound_text(found.draft)
    assert [(tier.name, tier.chain) for tier in found.draft.tiers] == [
        ("a", ("gpt-4o", "claude-sonnet-4-5")),
        ("b", ("gpt-4o-mini", "gpt-4o", "claude-sonnet-4-5")),
    ]
    assert [(one.pattern, one.tier) for one in found.draft.models] == [
        ("a", "a"),
        ("b", "b"),
        ("c", "b"),
    ]


def test_fallbacks_for_long_prompts_come_after_the_others() -> None:
    found = migrated(
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: gpt-4o}}\n"
        "  - {model_name: b, litellm_params: {model: gpt-4o-mini}}\n"
        "  - {model_name: c, litellm_params: {model: claude-sonnet-4-6}}\n"
        "router_settings: {context_window_fallbacks: [{a: [c]}]}\n"
        "litellm_settings: {fallbacks: [{a: [b]}], default_fallbacks: [c]}\n"
    )
    sound_text(found.draft)
    assert found.draft.tiers[0].chain == ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-6")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_prefix_is_called_or_named_with_a_reason(prefix: str) -> None:
    params = f"{prefix}/some-model, api_base: https://api.example.com/v1"
    found = migrated(GROUP % params)
    text = sound_text(found.draft)
    assert "model: some-model" in text
    # Every kind is served.
    assert "is carried over and compiled" not in "".join(found.notices)


def test_a_key_written_out_is_never_copied_and_its_variable_is_named() -> None:
    found = migrated(GROUP % "openrouter/x/y, api_key: sk-or-secret-0123456789")
    text = sound_text(found.draft)
    assert "sk-or-secret" not in text + repr(found)
    assert 'api_key: "${OPENROUTER_API_KEY}"' in text
    (account,) = (one for one in found.accounts if one.name.endswith("api_key"))
    assert account.fate is Fate.LEFT
    assert account.text.endswith("set OPENROUTER_API_KEY in the environment")


def test_facts_of_model_info_are_facts_of_the_target() -> None:
    found = migrated(
        GROUP
        % "hosted_vllm/our-8b, api_base: 'http://10.0.0.5:8000/v1'"
        + "    model_info: {max_input_tokens: 32000, max_tokens: 4096, supports_vision: true,\n"
        "      input_cost_per_token: 3e-07, output_cost_per_token: 0.0000015}\n"
    )
    text = sound_text(found.draft)
    target = found.draft.targets[0]
    assert (target.context, target.max_output, target.assumed) == (32_000, 4_096, False)
    assert target.capabilities == ("tools", "vision")
    assert target.price == (("input", "0.3"), ("output", "1.5"))
    assert "price: {input: 0.3, output: 1.5}" in text
    assert found.draft.providers[0].trust == "internal"


def test_deployments_of_one_address_and_key_share_a_provider() -> None:
    found = migrated(
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: gpt-4o, api_key: os.environ/ONE}}\n"
        "  - {model_name: b, litellm_params: {model: gpt-4o-mini, api_key: os.environ/ONE}}\n"
        "  - {model_name: c, litellm_params: {model: gpt-4o, api_key: os.environ/TWO}}\n"
    )
    sound_text(found.draft)
    keys = {one.name: one.api_key for one in found.draft.providers}
    assert keys == {"openai": "${ONE}", "openai-2": "${TWO}"}
    assert [one.name for one in found.draft.targets] == ["gpt-4o", "gpt-4o-mini", "gpt-4o-2"]


@pytest.mark.parametrize("name", ["on", "a b", "auto", "lynkr/x", "*", "claude*", "absent", "1.0"])
def test_awkward_group_names_give_a_sound_spec(name: str) -> None:
    entry = f"  - {{model_name: '{name}', litellm_params: {{model: gpt-4o}}}}\n"
    more = f"  - {{model_name: '{name}', litellm_params: {{model: gpt-4o-mini}}}}\n"
    found = migrated("model_list:\n" + entry + more)
    sound_text(found.draft)
    mapped = [one.pattern for one in found.draft.models]
    assert mapped == ([] if name in ("a b", "auto", "lynkr/x") else [name])


def test_every_setting_is_answered_for_exactly_once() -> None:
    found = migrated(
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: gpt-4o, rpm: 6, foo: 1},\n"
        "     model_info: {id: x}, tpm: 7}\n"
        "  - {model_name: b, litellm_params: {model: whisper}, rpm: 1}\n"
        "router_settings: {num_retries: 2, redis_host: h, fallbacks: [{a: [zzz]}]}\n"
        "litellm_settings: {request_timeout: 60, cache: true, unheard_of: 1}\n"
        "general_settings: {master_key: sk-secret-000000000000}\n"
        "environment_variables: {A: secret-b}\n"
        "guardrails: [{x: 1}]\n"
    )
    text = sound_text(found.draft)
    names = [one.name for one in found.accounts]
    assert len(names) == len(set(names)) == 18
    assert "sk-secret" not in text + repr(found)
    assert "secret-b" not in text + repr(found)
    lost = "router_settings.fallbacks names `zzz`, which is not carried over"
    assert any(notice.startswith(lost) for notice in found.notices)
    settings = [(".".join(one.path), one.value) for one in found.draft.settings]
    assert settings == [
        ("resilience.timeouts.total", "1m"),
        ("resilience.retry.times", "2"),
        ("state.store", "redis"),
        ("state.url", '"redis://h:6379"'),
        ("keys.master.secret", '"${LITELLM_MASTER_KEY}"'),
    ]


@pytest.mark.parametrize(
    ("router", "url"),
    [
        ("redis_url: os.environ/REDIS_URL", "${REDIS_URL}"),
        ("redis_host: os.environ/H, redis_port: 7000", "redis://${H}:7000"),
        ("redis_host: h, redis_password: os.environ/P", "redis://:${P}@h:6379"),
        ("redis_host: h, redis_password: written", None),
        ("redis_url: 'redis://:written@h'", None),
        ("redis_host: 'h/../x'", None),
        ("redis_host: h, redis_port: x", None),
    ],
)
def test_the_redis_of_routers_is_the_state(router: str, url: str | None) -> None:
    found = migrated(
        "model_list: [{model_name: a, litellm_params: {model: gpt-4o}}]\n"
        f"router_settings: {{{router}}}\n"
        "general_settings: {master_key: os.environ/MASTER}\n"
    )
    assert "written" not in sound_text(found.draft)
    settings = {".".join(one.path): one.value for one in found.draft.settings}
    assert settings.get("state.url") == (None if url is None else f'"{url}"')
    assert settings["keys.master.secret"] == '"${MASTER}"'


def test_what_cannot_be_read_is_placed_and_not_quoted() -> None:
    lines = lines_of('model_list:\n  - api_key: "sk-secret\n')
    assert lines[0] == "error[LK004]: config.yaml:2:14: this quoted text is never closed"
    assert "secret" not in "".join(lines)


def test_aliases_come_with_a_way_out() -> None:
    lines = lines_of("a: &x {b: 1}\nmodel_list: []\nc: *x\n")
    assert lines[0].startswith("error[LK009]: config.yaml:1:4:")
    assert any("yq 'explode(.)'" in line for line in lines)


@pytest.mark.parametrize("text", ["[]", "model_list: 1", "PORT: 8080", ""])
def test_another_file_is_no_config(text: str) -> None:
    assert lines_of(text)[0].startswith("error")


def test_words_that_yaml_reads_in_two_ways_are_no_obstacle() -> None:
    found = migrated("model_list: []\nlitellm_settings: {drop_params: yes, ttl: 1_000}\n")
    assert [one.name for one in found.accounts] == [
        "litellm_settings.drop_params",
        "litellm_settings.ttl",
    ]


def test_what_litellm_enforces_becomes_a_section() -> None:
    found = migrated(
        "model_list: [{model_name: a, litellm_params: {model: gpt-4o}}]\n"
        "router_settings: {num_retries: 20, timeout: 90, allowed_fails: 3, cooldown_time: 5}\n"
        "litellm_settings: {max_budget: 100.5, budget_duration: 30d, cache: true,\n"
        "  cache_params: {type: redis, ttl: 600, host: h}}\n"
        "general_settings: {max_request_size_mb: 8, global_max_parallel_requests: 40}\n"
    )
    sound_text(found.draft)
    assert {".".join(one.path): one.value for one in found.draft.settings} == {
        "server.body_limit": "8MiB",
        "server.shedding.active": "40",
        "resilience.timeouts.total": "90s",
        "resilience.retry.times": "10",
        "resilience.breaker.failures": "4",
        "resilience.breaker.within": "1m",
        "resilience.breaker.open_for": "5s",
        "budgets.-.name": "everyone",
        "budgets.-.usd": "100.5",
        "budgets.-.period": "month",
        "cache.exact.ttl": "10m",
    }
    left = [one.name for one in found.accounts if one.fate is Fate.LEFT]
    assert left == ["litellm_settings.cache_params.type", "litellm_settings.cache_params.host"]


@pytest.mark.parametrize(
    "lines",
    [
        "router_settings: {allowed_fails: 3, disable_cooldowns: true}",
        "litellm_settings: {max_budget: 5}",
        "litellm_settings: {max_budget: 5, budget_duration: 12h}",
        "litellm_settings: {cache: true}",
        "litellm_settings: {cache: true, cache_params: {type: redis-semantic, ttl: 5}}",
        "router_settings: {timeout: fast, num_retries: -1}",
    ],
)
def test_half_of_a_section_is_left_with_a_reason(lines: str) -> None:
    found = migrated("model_list: []\n" + lines)
    assert found.draft.settings == ()
    assert {one.fate for one in found.accounts} == {Fate.LEFT}


@pytest.mark.parametrize(
    ("strategy", "pick", "group"),
    [
        ("", "weighted", 2),
        ("simple-shuffle", "weighted", 2),
        ("cost-based-routing", "cheapest", 2),
        ("latency-based-routing", "fastest", 2),
        ("least-busy", None, 0),
    ],
)
def test_deployments_of_a_group_are_picked_as_litellm_does(
    strategy: str, pick: str | None, group: int
) -> None:
    found = migrated(
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: gpt-4o, weight: 3}}\n"
        "  - {model_name: a, litellm_params: {model: gpt-4o-mini}}\n"
        "  - {model_name: b, litellm_params: {model: claude-sonnet-4-5}}\n"
        f"router_settings: {{fallbacks: [{{a: [b]}}], routing_strategy: '{strategy}'}}\n"
    )
    sound_text(found.draft)
    tier = found.draft.tiers[0]
    assert (tier.pick, tier.group, len(tier.chain)) == (pick, group, 3)
    assert tier.weights == ((("gpt-4o", 3),) if pick == "weighted" else ())


def test_a_deployment_keeps_its_patience_and_its_region() -> None:
    found = migrated(
        GROUP % "bedrock/eu.anthropic.claude-x, aws_region_name: eu-west-1, timeout: 30, "
        "max_retries: 1"
    )
    sound_text(found.draft)
    provider = found.draft.providers[0]
    assert (provider.kind, provider.region) == ("bedrock", "eu-west-1")
    assert (provider.timeouts, provider.retries) == ((("total", "30s"),), 1)


def test_vertex_is_called_where_its_project_is() -> None:
    found = migrated(
        GROUP % "vertex_ai/gemini-3.8-flash, vertex_project: ours, vertex_location: europe-west1"
    )
    sound_text(found.draft)
    assert found.draft.providers[0].base_url == (
        "https://europe-west1-aiplatform.googleapis.com/v1/projects/ours/locations/europe-west1"
    )
    assert (
        migrated(GROUP % "vertex_ai/gemini-3.8-flash")
        .notices[0]
        .endswith("a deployment of Vertex needs `vertex_project` and `vertex_location`")
    )
