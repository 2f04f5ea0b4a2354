"""The official SDKs against a live gateway: what a client wishes beside its words.

Each wish arrives, or the answer's `x-lynkr-transforms` names what became of it, or it is refused
by name; the upstreams' judges accept what was sent.
"""

import json
from typing import Any

import anthropic
import openai
import pytest
from pydantic import BaseModel

from tests.e2e.scripted_answers import Said
from tests.e2e.socket_lab import Lab

PROVIDERS = {
    "opus": "claude",
    "haiku": "claude",
    "veteran": "claude",
    "sonnet": "claude-like",
    "mini": "gpt",
    "open": "gpt-like",
    "llama": "house",
}
HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
TOOLS: list[Any] = [{"name": "shot", "description": "A shot", "input_schema": {"type": "object"}}]
FUNCTIONS: list[Any] = [
    {"type": "function", "function": {"name": "shot", "parameters": {"type": "object"}}}
]


def sent_by_anthropic(lab: Lab, target: str, **wishes: Any) -> tuple[dict[str, Any], list[str]]:
    """(the upstream's body, the listed transforms)."""
    asked: dict[str, Any] = {"max_tokens": 9000, "messages": HELLO} | wishes
    raw = lab.anthropic.messages.with_raw_response.create(model=f"lynkr/{target}", **asked)
    return seen(lab, target, raw)


def sent_by_openai(lab: Lab, target: str, **wishes: Any) -> tuple[dict[str, Any], list[str]]:
    """(the upstream's body, the listed transforms)."""
    asked: dict[str, Any] = {"messages": HELLO} | wishes
    raw = lab.openai.chat.completions.with_raw_response.create(model=f"lynkr/{target}", **asked)
    return seen(lab, target, raw)


def seen(lab: Lab, target: str, raw: Any) -> tuple[dict[str, Any], list[str]]:
    listed = raw.headers.get("x-lynkr-transforms", "")
    return lab.face(PROVIDERS[target]).seen[-1].json, listed.split(", ")


@pytest.mark.parametrize("target", ["opus", "haiku", "sonnet"])
def test_sampling_where_the_model_takes_none(lab: Lab, target: str) -> None:
    wishes = {"temperature": 0.5, "top_p": 0.9}
    body, listed = sent_by_anthropic(lab, target, extra_body=wishes)
    assert not body.keys() & wishes.keys()
    assert {"dropped=temperature", "dropped=top_p"} <= set(listed)
    body, listed = sent_by_openai(lab, target, **wishes)
    assert not body.keys() & wishes.keys()
    assert {"dropped=temperature", "dropped=top_p"} <= set(listed)


def test_sampling_picks_the_version_that_takes_it(lab: Lab) -> None:
    """The SDK speaks a version without sampling parameters; the older model has them."""
    body, listed = sent_by_anthropic(lab, "veteran", extra_body={"temperature": 0.5})
    assert body["temperature"] == 0.5
    assert "anthropic-version=2023-06-01" in listed
    body, _ = sent_by_openai(lab, "veteran", temperature=0.5)
    assert body["temperature"] == 0.5


@pytest.mark.parametrize("target", ["opus", "haiku", "veteran", "sonnet", "mini", "open", "llama"])
def test_thinking_in_every_form(lab: Lab, target: str) -> None:
    """No form is refused by any model; the judges know which each takes."""
    forms: list[Any] = [
        {"type": "enabled", "budget_tokens": 4000},
        {"type": "adaptive"},
        {"type": "between_tools"},
        {"type": "disabled"},
    ]
    for form in forms:
        body, listed = sent_by_anthropic(lab, target, thinking=form)
        if body.get("thinking") != form and form["type"] != "disabled":
            assert [entry for entry in listed if "thinking" in entry], form
    for effort in ("none", "low", "high", "max"):
        if target not in ("open", "llama"):  # nothing is known of what these models take
            sent_by_openai(lab, target, reasoning_effort=effort)


@pytest.mark.parametrize("target", ["haiku", "mini"])
def test_limits(lab: Lab, target: str) -> None:
    name, limit = {"haiku": ("max_tokens", 128_000), "mini": ("max_completion_tokens", 16_384)}[
        target
    ]
    body, _ = sent_by_openai(lab, target, max_completion_tokens=700)
    assert body[name] == 700
    body, listed = sent_by_openai(lab, target, max_tokens=999_999)
    assert body[name] == limit
    assert f"{name}={limit}" in listed
    body, _ = sent_by_anthropic(lab, target, max_tokens=700)
    assert body[name] == 700


@pytest.mark.parametrize("target", ["haiku", "veteran", "mini"])
def test_stop_sequences(lab: Lab, target: str) -> None:
    name = "stop" if target == "mini" else "stop_sequences"
    body, _ = sent_by_openai(lab, target, stop=["one", "two"])
    assert body[name] == ["one", "two"]
    body, _ = sent_by_anthropic(lab, target, stop_sequences=["one", "two"])
    assert body[name] == ["one", "two"]
    body, listed = sent_by_anthropic(lab, target, stop_sequences=list("abcde"))
    assert body[name] == list("abcde")[: 4 if target == "mini" else 5]
    assert ("enforced=stop" in listed) == (target == "mini")


class City(BaseModel):
    """What the answer must look like."""

    name: str
    people: int


@pytest.mark.parametrize("target", ["haiku", "veteran", "mini"])
def test_an_answer_with_a_schema(lab: Lab, target: str) -> None:
    face = lab.face(PROVIDERS[target])
    face.behaviours = [Said(text='{"name": "Oslo", "people": 700000}')] * 2
    parsed = lab.anthropic.messages.parse(
        model=f"lynkr/{target}", max_tokens=100, messages=HELLO, output_format=City
    )
    assert parsed.parsed_output == City(name="Oslo", people=700000)
    completion = lab.openai.chat.completions.parse(
        model=f"lynkr/{target}", messages=HELLO, response_format=City
    )
    assert completion.choices[0].message.parsed == City(name="Oslo", people=700000)
    for got in face.seen:
        if target == "mini":
            schema = got.json["response_format"]["json_schema"]["schema"]
        else:
            schema = got.json["output_config"]["format"]["schema"]
        assert schema["properties"].keys() == {"name", "people"}
        assert schema["required"] == ["name", "people"]


def test_a_schema_needs_a_target_that_keeps_it(lab: Lab) -> None:
    with pytest.raises(openai.BadRequestError, match="json_schema"):
        lab.openai.chat.completions.parse(model="lynkr/llama", messages=HELLO, response_format=City)
    completion = lab.openai.chat.completions.with_raw_response.create(
        model="lynkr/SIMPLE",
        messages=HELLO,
        response_format={"type": "json_schema", "json_schema": {"name": "c", "schema": {}}},
    )
    assert completion.headers["x-lynkr-model"] == "gpt-4o-mini", "the first that can"


def test_a_demand_the_model_cannot_obey_is_weakened(lab: Lab) -> None:
    body, listed = sent_by_anthropic(lab, "opus", tools=TOOLS, tool_choice={"type": "any"})
    assert body["tool_choice"] == {"type": "auto"}
    assert "tool_choice=auto" in listed
    body, listed = sent_by_openai(lab, "opus", tools=FUNCTIONS, tool_choice="required")
    assert body["tool_choice"] == {"type": "auto"}
    assert "tool_choice=auto" in listed


@pytest.mark.parametrize("target", ["opus", "sonnet", "haiku"])
def test_a_beginning_the_model_does_not_continue(lab: Lab, target: str) -> None:
    prefill: list[Any] = [*HELLO, {"role": "assistant", "content": "Dear"}]
    with pytest.raises(anthropic.BadRequestError, match="assistant message"):
        sent_by_anthropic(lab, target, messages=prefill)
    with pytest.raises(openai.BadRequestError, match="assistant message"):
        sent_by_openai(lab, target, messages=prefill)
    assert lab.face(PROVIDERS[target]).seen == []
    # In a chain, the next target that continues it gets it.
    raw = lab.anthropic.messages.with_raw_response.create(
        model="lynkr/MEDIUM", max_tokens=100, messages=prefill
    )
    assert raw.headers["x-lynkr-model"] == "gpt-4o-mini"
    assert raw.headers["x-lynkr-attempts"] == "1", "nobody else was called"
    assert raw.headers["x-lynkr-fallback"] == "true"


@pytest.mark.parametrize("target", ["opus", "mini", "open"])
def test_an_empty_list_of_tools_is_none(lab: Lab, target: str) -> None:
    body, _ = sent_by_anthropic(lab, target, tools=[])
    assert not body.get("tools")
    body, _ = sent_by_openai(lab, target, tools=[])
    assert not body.get("tools")


@pytest.mark.parametrize("target", ["haiku", "mini"])
def test_pictures_a_tool_brought(lab: Lab, target: str) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    result = {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [{"type": "text", "text": "seen"}, {"type": "image", "source": source}],
    }
    call = {"type": "tool_use", "id": "toolu_1", "name": "shot", "input": {}}
    messages = [
        *HELLO,
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result, {"type": "text", "text": "And now?"}]},
    ]
    body, listed = sent_by_anthropic(lab, target, messages=messages, tools=TOOLS)
    if target == "haiku":
        assert body["messages"] == messages
    else:
        assert "moved=tool-result-media" in listed
        answer, *rest = body["messages"][2:]
        assert answer["role"] == "tool"
        assert "seen" in answer["content"]
        text = json.dumps(rest)
        assert text.index("data:image/png;base64,iVBORw0KGgo=") < text.index("And now?")


def test_what_one_dialect_alone_has(lab: Lab) -> None:
    """Members the target has no word for are dropped and listed, or refused where they matter."""
    _, listed = sent_by_openai(lab, "haiku", seed=7, logprobs=True, store=True)
    assert {"dropped=seed", "dropped=logprobs", "dropped=store"} <= set(listed)
    body, listed = sent_by_anthropic(lab, "mini", extra_body={"top_k": 5})
    assert "top_k" not in body
    assert "dropped=top_k" in listed
    with pytest.raises(openai.BadRequestError) as raised:
        sent_by_openai(lab, "haiku", n=2)
    assert raised.value.param == "n"
    audio = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    with pytest.raises(openai.BadRequestError, match="input_audio"):
        sent_by_openai(lab, "haiku", messages=[{"role": "user", "content": [audio]}])


def test_the_same_model_is_not_improved(lab: Lab) -> None:
    """What the client itself sends to a model is between the two; so is the refusal."""
    face = lab.face("claude")
    lab.allowed.append("temperature: not supported")
    with pytest.raises(anthropic.BadRequestError, match="temperature: not supported") as raised:
        lab.anthropic.messages.create(
            model="claude-opus-5-5",
            max_tokens=100,
            messages=HELLO,
            extra_body={"temperature": 0.5},
        )
    assert face.seen[0].json["temperature"] == 0.5
    assert "x-lynkr-transforms" not in raised.value.response.headers
    # Under another name the same wish is for us to fit.
    sent_by_anthropic(lab, "opus", extra_body={"temperature": 0.5})
