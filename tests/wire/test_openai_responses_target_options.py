"""Options of Messages and Chat requests for Responses targets, and what is counted of them."""

import json
from typing import Any

import pytest

from lynkrc_runtime.protocol.conversation import CannotTranslate
from lynkrc_runtime.protocol.openai_responses import TARGET
from tests.wire.openai_responses_upstream import (
    USER,
    chat_request,
    facts_of,
    messages_request,
    written,
)

WEATHER = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
EFFORTS = ["none", "low", "medium", "high", "xhigh", "max"]


@pytest.mark.parametrize(
    ("members", "reasoning", "changes"),
    [
        ({}, None, []),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
            {"effort": "high", "summary": "auto"},
            [],
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 9000}, "max_tokens": 10000},
            {"effort": "medium", "summary": "auto"},
            ["max_output_tokens=4096", "reasoning.effort=medium"],
        ),
        (
            {"thinking": {"type": "adaptive", "display": "omitted"}},
            None,
            [],
        ),
        (
            {"thinking": {"type": "disabled"}},
            {"effort": "none"},
            ["reasoning.effort=none"],
        ),
    ],
)
def test_reasoning_is_asked_for(
    members: dict[str, Any], reasoning: Any, changes: list[str]
) -> None:
    body, transforms = written(messages_request(**members), facts_of(efforts=EFFORTS))
    assert body.get("reasoning") == reasoning
    assert body["include"] == ["reasoning.encrypted_content"]
    assert transforms == changes


def test_tools_and_reasoning_go_together_here() -> None:
    shape = {"efforts": EFFORTS, "effort_with_tools": "none"}
    request = messages_request(tools=[WEATHER], output_config={"effort": "max"})
    body, transforms = written(request, facts_of(**shape))
    assert body["reasoning"] == {"effort": "max"}
    assert transforms == []


def test_a_model_without_reasoning_is_asked_for_none() -> None:
    request = messages_request(thinking={"type": "adaptive"}, output_config={"effort": "low"})
    body, transforms = written(request, facts_of("tools"))
    assert "reasoning" not in body
    assert "include" not in body
    assert transforms == ["dropped=thinking", "dropped=effort"]


@pytest.mark.parametrize(("asked", "sent"), [(1, 16), (16, 16), (4096, 4096), (9000, 4096)])
def test_limits(asked: int, sent: int) -> None:
    body, transforms = written(messages_request(max_tokens=asked))
    assert body["max_output_tokens"] == sent
    assert transforms == ([] if asked == sent else [f"max_output_tokens={sent}"])


def test_what_has_no_member_is_listed() -> None:
    request = chat_request(
        stop=["x"],
        seed=1,
        presence_penalty=1,
        frequency_penalty=1,
        verbosity="low",
        user="u",
        temperature=0.5,
        top_p=0.5,
    )
    body, transforms = written(request)
    assert body["text"] == {"verbosity": "low"}
    assert (body["temperature"], body["top_p"]) == (0.5, 0.5)
    assert len(body["user"]) == 64
    assert transforms == [
        "dropped=seed",
        "dropped=presence_penalty",
        "dropped=frequency_penalty",
        "enforced=stop",
        "hashed=user",
    ]
    body, transforms = written(request, facts_of(sampling=["seed"]))
    assert "temperature" not in body
    assert "dropped=temperature" in transforms


def test_answer_formats_are_flat() -> None:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    request = messages_request(output_config={"format": {"type": "json_schema", "schema": schema}})
    body, _ = written(request)
    form = {"type": "json_schema", "name": "output", "schema": schema, "strict": True}
    assert body["text"] == {"format": form}
    body, transforms = written(request, facts_of(structured_output=False))
    assert body["text"] == {"format": {"type": "json_object"}}
    assert "JSON schema" in body["instructions"]
    assert transforms == ["prompted=text.format"]


def test_prefill_where_it_is_refused_is_a_misfit() -> None:
    request = messages_request(messages=[USER, {"role": "assistant", "content": "So"}])
    written(request)
    with pytest.raises(CannotTranslate):
        written(request, facts_of(prefill=False))
    with pytest.raises(CannotTranslate):
        written(messages_request(max_tokens=0))


def test_counting_leaves_out_what_counting_does_not_take() -> None:
    assert TARGET.counting is not None
    request = messages_request(tools=[WEATHER], stream=True, temperature=0.5)
    found = json.loads(TARGET.counting.write(request, facts_of(), {}).body)
    assert list(found) == ["model", "input", "tools"]
    assert TARGET.counting.read(b'{"object":"response.input_tokens","input_tokens":7}') == 7
