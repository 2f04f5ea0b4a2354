"""Any `.env` and any LiteLLM config: a sound spec or a reason, every setting once, no secret."""

import json

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.cli.init import known_models
from lynkrc.migrate.account import Fate, account_lines
from lynkrc.migrate.litellm import migrate_litellm
from lynkrc.migrate.lynkr_env import migrate_env
from lynkrc.migrate.lynkr_providers import LYNKR_PROVIDERS, variables_of
from lynkrc.migrate.lynkr_settings import SETTINGS
from lynkrc.migrate.lynkr_variables import SPECIAL
from lynkrc.migrate.migration import Migration, Unreadable
from lynkrc.migrate.read_env import read_env
from lynkrc.migrate.write_spec import write_spec
from tests.property.effort import tried
from tests.unit.migrate_check import sound_text

KNOWN = known_models()
SECRET = "s3cr3t-value-0123456789"
NAMES = sorted(
    {*SPECIAL, *SETTINGS, *(n for row in LYNKR_PROVIDERS.values() for n in variables_of(row))}
)

values = st.one_of(
    st.sampled_from(
        [
            "",
            SECRET,
            "'",
            "true",
            "false",
            "90000",
            "https://api.example.com/v1/chat/completions",
            f"http://user:{SECRET}@localhost:1/v1?x=1",
            "http://localhost:8000/anthropic",
            "a:b:c",
            *LYNKR_PROVIDERS,
        ]
    ),
    st.builds("{}:{}".format, st.sampled_from([*LYNKR_PROVIDERS]), st.text(max_size=8)),
    st.text(max_size=12),
)
env_texts = st.lists(
    st.builds("{}={}".format, st.sampled_from([*NAMES, "OTHER", "lower"]), values), max_size=14
).map("\n".join)


def told(found: Migration) -> str:
    """Everything a person sees of it."""
    return "\n".join(
        [write_spec(found.draft, schema=None), *found.notices, *account_lines(found.accounts, Fate)]
    )


@tried(5)
@given(env_texts)
def test_any_env_file_gives_a_sound_spec(text: str) -> None:
    found = migrate_env(".env", text.encode("utf-8", "replace"), KNOWN)
    assert isinstance(found, Migration)
    sound_text(found.draft)


@tried(40)
@given(st.one_of(env_texts, st.text(max_size=80)))
def test_each_variable_is_answered_for_once_and_no_secret_is_told(text: str) -> None:
    data = text.encode("utf-8", "replace")
    found = migrate_env(".env", data, KNOWN)
    assert isinstance(found, Migration)
    assert len(found.accounts) == len(read_env(data.decode()).assignments)
    keys = [one.value for one in read_env(data.decode()).assignments if one.name.endswith("_KEY")]
    if SECRET in keys or SECRET not in text:
        assert SECRET not in told(found)
    assert f"user:{SECRET}" not in told(found)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**9),
    st.floats(allow_nan=False),
    st.text(max_size=9),
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)
params = st.fixed_dictionaries(
    {
        "model": st.one_of(
            st.sampled_from(["gpt-4o", "openai/x", "azure/d", "ollama/m", "groq/a/b", "bedrock/c"]),
            st.text(max_size=9),
        )
    },
    optional={
        "api_key": st.sampled_from([SECRET, "os.environ/SOME_KEY", "none", ""]),
        "api_base": st.one_of(
            st.sampled_from(["https://h.example/v1", "os.environ/BASE", f"http://u:{SECRET}@h"]),
            st.text(max_size=9),
        ),
        "rpm": scalars,
        "weight": scalars,
        "timeout": scalars,
        "max_retries": scalars,
        "extra": trees,
    },
)
groups = st.one_of(st.sampled_from(["a", "A", "b", "c*", "on", "auto"]), st.text(max_size=9))
configs = st.fixed_dictionaries(
    {
        "model_list": st.lists(
            st.fixed_dictionaries({"model_name": groups, "litellm_params": params}), max_size=5
        )
    },
    optional={
        "router_settings": st.fixed_dictionaries(
            {},
            optional={
                "fallbacks": st.lists(
                    st.dictionaries(groups, st.lists(groups, max_size=2), max_size=2), max_size=2
                ),
                "num_retries": scalars,
                "allowed_fails": scalars,
                "cooldown_time": scalars,
                "routing_strategy": st.sampled_from(["simple-shuffle", "cost-based-routing", "x"]),
                "timeout": scalars,
                "model_group_alias": st.dictionaries(groups, groups, max_size=2),
            },
        ),
        "general_settings": trees,
        "odd": trees,
    },
)


@tried(8)
@given(configs)
def test_any_config_gives_a_sound_spec_or_a_reason(config: object) -> None:
    found = migrate_litellm("config.yaml", json.dumps(config).encode(), KNOWN)
    if isinstance(found, Unreadable):
        assert found.lines[0].startswith("error")
        assert SECRET not in "".join(found.lines)
        return
    sound_text(found.draft)
    assert SECRET not in told(found)
    names = [one.name for one in found.accounts]
    assert len(names) == len(set(names))


@tried(40)
@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode())))
def test_any_bytes_are_answered(data: bytes) -> None:
    migrate_env(".env", data, KNOWN)
    migrate_litellm("config.yaml", data, KNOWN)
