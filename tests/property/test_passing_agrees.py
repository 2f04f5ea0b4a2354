"""A Messages request that another model surely takes goes on as it does when all is looked at."""

import importlib
import json
from dataclasses import replace
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.protocol.by_options import MOST, ByOptions
from lynkrc_runtime.protocol.conversation import CannotTranslate
from lynkrc_runtime.protocol.dialect import ANY_TARGET, TargetFacts
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.property.effort import tried

passing = importlib.import_module("lynkrc_runtime.protocol.anthropic.pass_request")
writing = importlib.import_module("lynkrc_runtime.protocol.anthropic.write_request")
SEEDS = st.integers(0, 1 << 32)
USER = {"role": "user", "content": "Hi"}
LATER = {"role": "system", "content": "be brief"}
ASSISTANT = {"role": "assistant", "content": "Well,"}
THOUGHT = {
    "role": "assistant",
    "content": [{"type": "thinking", "thinking": "hm", "signature": "gw1.x"}],
}
OPTIONS: tuple[tuple[str, Any], ...] = (
    ("max_tokens", 9000),
    ("max_tokens", 10),
    ("temperature", 0.5),
    ("temperature", 1),
    ("temperature", None),
    ("top_k", 5),
    ("top_k", None),
    ("stop_sequences", ["END"]),
    ("stop_sequences", []),
    ("thinking", {"type": "enabled", "budget_tokens": 2000}),
    ("thinking", {"type": "adaptive", "display": "updates"}),
    ("thinking", {"type": "disabled"}),
    ("output_config", {"effort": "high"}),
    ("output_config", {"format": {"type": "json_schema", "schema": {}}}),
    ("tool_choice", {"type": "any"}),
    ("tool_choice", {"type": "auto", "disable_parallel_tool_use": True}),
    ("context_management", {"edits": [{"type": "clear_thinking_x"}]}),
    ("stream", True),
)
SHAPES = (
    RequestShape(),
    RequestShape(thinking=["adaptive"], efforts=["low"], sampling=[]),
    RequestShape(thinking=["enabled", "disabled"], tool_choice=["auto"], prefill=False),
    RequestShape(mid_system=False, structured_output=False, versions=["2023-06-01"]),
    RequestShape(versions=["2027-01-01"], prefill=False, mid_system=False, betas=["a-1"]),
    RequestShape(disabled_max_effort="low", sampling=["stop"]),
)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {},
    {"anthropic-version": "2027-01-01"},
    {"anthropic-beta": "a-1,context-management-2025"},
)
FACTS = [
    TargetFacts(model=model, max_output=limit, capabilities=frozenset(), shape=shape)
    for model in ("m", "other")
    for limit in (64, 64_000)
    for shape in SHAPES
]


def written(body: bytes, facts: TargetFacts, headers: dict[str, str], client: str) -> Any:
    """What comes out, the body by its members."""
    request = CLIENT_DIALECTS[client].read_request(body, {})
    dialect = TARGET_DIALECTS["anthropic-messages"]
    write = dialect.pass_request if client == dialect.name else dialect.write_request
    assert write is not None
    try:
        found = write(request, facts, headers)
    except CannotTranslate as error:
        return error.feature, error.message
    members = msgspec.json.decode(found.body, type=dict[str, msgspec.Raw])
    spelled = [(name, bytes(value)) for name, value in members.items()]
    return spelled, dict(found.headers), found.transforms


@given(seed=SEEDS)
@tried(700)
def test_the_short_way_and_the_long_one(seed: int) -> None:
    chance = Random(seed)
    options = dict(chance.sample(OPTIONS, chance.choice((0, 0, 1, 2, 3))))
    turns = [USER, *chance.choices((USER, ASSISTANT, LATER, THOUGHT), k=chance.choice((0, 1, 3)))]
    body = json.dumps({"model": "m", **options, "messages": turns}).encode()
    headers, facts = chance.choice(HEADERS), chance.choice(FACTS)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passing, "_is_plain", lambda *_: False)
        wanted = written(body, facts, headers, "anthropic-messages")
    for _ in range(2):
        assert written(body, facts, headers, "anthropic-messages") == wanted


@given(seed=SEEDS)
@tried(150)
def test_options_that_came_before_come_to_the_same(seed: int) -> None:
    chance = Random(seed)
    given_options: tuple[tuple[str, Any], ...] = (
        ("max_tokens", 9000),
        ("temperature", 1.5),
        ("top_p", 0.5),
        ("stop", ["END", " "]),
        ("reasoning_effort", "high"),
        ("reasoning_effort", "none"),
        ("seed", 5),
        ("user", "ann"),
        ("metadata", {"a": "b"}),
        ("tool_choice", "required"),
        ("response_format", {"type": "json_object"}),
        ("stream", True),
    )
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    called = [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "x"},
    ]
    options = dict(chance.sample(given_options, chance.choice((0, 1, 2, 3))))
    facts = chance.choice(FACTS)
    for turns in ([USER], [USER, *called], [USER]):
        body = json.dumps({"model": "m", **options, "messages": turns}).encode()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(writing, "_settled", writing._settle)
            wanted = written(body, facts, {}, "openai-chat")
        assert written(body, facts, {}, "openai-chat") == wanted


def test_what_is_kept_of_options_is_bounded() -> None:
    body = b'{"model":"m","n":%d,"messages":[{"role":"user","content":"Hi"}]}'
    read = CLIENT_DIALECTS["openai-chat"].read_request
    known, requests = ByOptions[int](), [read(body % n, {}) for n in range(MOST + 1)]
    requests = [msgspec.structs.replace(one, body=b"{}") for one in requests]
    for number, one in enumerate(requests):
        known.keep(one, ANY_TARGET, number)
    assert len(known) == MOST
    assert known.get(requests[0], ANY_TARGET) is None
    assert known.get(requests[1], ANY_TARGET) == 1


def test_options_that_cannot_come_again_drive_none_out() -> None:
    body = b'{"model":"m","input":[{"type":"message","role":"user","content":"Hi"}]}'
    request = CLIENT_DIALECTS["openai-responses"].read_request(body, {})
    assert request.body is None
    known = ByOptions[int]()
    known.keep(request, ANY_TARGET, 1)
    whole = msgspec.structs.replace(request, body=body)
    known.keep(whole, replace(ANY_TARGET, without_thinking=True), 1)
    assert len(known) == 0
    known.keep(whole, ANY_TARGET, 1)
    assert known.get(whole, ANY_TARGET) == 1
