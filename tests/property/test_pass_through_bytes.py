"""Client and target speak one dialect: every value of any JSON reaches the target byte for byte.

Unknown members, the order of members, the spelling of numbers and strings, cache marks, blanks
inside values; of a name that is repeated the last value, which is the one we read. A dialect joins
by its `Form`.
"""

import json
from dataclasses import dataclass
from typing import Any, final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.property.effort import tried


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The conversation's member with a hole for any JSON, and members whose values are free."""

    name: str
    holder: str
    also: tuple[tuple[str, str], ...] = ()


MARK = '"cache_control" : {"type":"ephemeral", "ttl": "1h"}'
FORMS = {
    "anthropic-messages": Form(
        name="messages",
        holder='[ {"content":[{"type":"text","text":"a\\u0062\u2028 \\/", '
        + MARK
        + '},{"type":"of_next_year","deep": %s}] ,"role":"user", "extra": 1E-3 } ]',
        also=(
            ("max_tokens", "9"),
            ("system", '[{"type":"text","text":"s", ' + MARK + "}]"),
            ("tools", '[{"name":"t","input_schema":{"type":"object","x":1.50}, ' + MARK + "}]"),
        ),
    ),
    "openai-chat": Form(
        name="messages",
        holder='[ {"content":[{"text":"a\\u0062\u2028 \\/", "type":"text", '
        + MARK
        + '}] ,"role":"user", "extra": %s } ]',
        also=(
            ("tools", '[{"type":"function","function":{"name":"t","x":1.50}, ' + MARK + "}]"),
            ("seed", "12"),
        ),
    ),
    "openai-responses": Form(
        name="input",
        holder='[ {"content":[{"text":"a\\u0062\u2028 \\/", "type":"input_text", '
        + MARK
        + '}] ,"role":"user", "extra": 1E-3 }, '
        '{"type":"reasoning", "id":"rs_1","summary":[ ], "encrypted_content":"gA\\u0041=="}, '
        '{"type":"of_next_year", "deep": %s}]',
        also=(
            ("store", "false"),
            ("tools", '[{"type":"function","name":"t","parameters":{"x":1.50}, ' + MARK + "}]"),
            ("top_logprobs", "2"),
        ),
    ),
}

ATOMS = st.sampled_from(
    ["1.0", "1e2", "-0", "0.10", "12345678901234567890", "1E-3", "true", "false", "null", "{ }"]
) | st.sampled_from(
    ['""', '"a\\u00e9\\/b"', '"\u2028é"', '"\\ud83d\\ude00"', '" "', "[\n]", '"漢"']
)
NAMES = st.sampled_from(["k", "\\u006b", "model", "cache_control", "ü", "", "role", "type"])
RAW = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[" + " , ".join(items) + "]")
        | st.lists(st.tuples(NAMES, inner), max_size=3).map(
            lambda pairs: "{" + ",\n".join(f'"{name}" :{value}' for name, value in pairs) + "}"
        )
    ),
    max_leaves=8,
)
UNKNOWN = st.lists(
    st.tuples(st.sampled_from(["x", "y-1", "ü", "x_next_year", "safeguards"]), RAW), max_size=5
)


def test_every_dialect_of_clients_passes_and_is_here() -> None:
    passing = {name for name, dialect in TARGET_DIALECTS.items() if dialect.pass_request}
    assert set(FORMS) == set(CLIENT_DIALECTS) <= passing


@pytest.mark.parametrize("dialect", FORMS)
@tried(60)
@given(
    unknown=UNKNOWN,
    deep=RAW,
    order=st.randoms(use_true_random=False),
    asked=st.sampled_from(["asked", "served"]),
)
def test_every_value_of_any_json_keeps_its_bytes(
    dialect: str, unknown: list[tuple[str, str]], deep: str, order: Any, asked: str
) -> None:
    form = FORMS[dialect]
    members = [("model", f'"{asked}"'), (form.name, form.holder % deep), *form.also, *unknown]
    order.shuffle(members)
    body = "{ " + " ,\n".join(f'"{name}" : {value}' for name, value in members) + " }"
    request = CLIENT_DIALECTS[dialect].read_request(body.encode(), {})
    passing = TARGET_DIALECTS[dialect].pass_request
    assert passing is not None
    facts = TargetFacts(
        model="served", max_output=1 << 30, capabilities=frozenset(), shape=RequestShape()
    )
    written = passing(request, facts, {})
    found = msgspec.json.decode(written.body, type=dict[str, msgspec.Raw])
    wanted = dict(members) | {"model": '"served"'}
    assert [(name, bytes(raw).decode()) for name, raw in found.items()] == list(wanted.items())
    names = json.loads(written.body, object_pairs_hook=lambda pairs: [name for name, _ in pairs])
    assert names == list(wanted), "each name once"
    assert written.transforms == ()


@pytest.mark.parametrize("dialect", FORMS)
def test_of_a_repeated_member_the_last_is_read_and_sent(dialect: str) -> None:
    form = FORMS[dialect]
    members = [(form.name, form.holder % "1"), *form.also]
    body = ",".join(f'"{name}":{value}' for name, value in members)
    content = f'{{"model":"first","stream":true,{body},"model":"asked","stream":false}}'
    request = CLIENT_DIALECTS[dialect].read_request(content.encode(), {})
    assert (request.model, request.options.stream) == ("asked", False)
    assert request.members["stream"] == b"false"
