"""Responses requests for Responses targets: the client's bytes, and only the edits needed."""

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.carrier import CLAUDE, OPENAI, seal
from lynkrc_runtime.protocol.conversation import CannotTranslate
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.openai_responses import CLIENT, TARGET
from tests.wire.openai_responses_upstream import MAKER, facts_of, lint_body

INCLUDED = "reasoning.encrypted_content"


def passed(body: bytes, facts: TargetFacts | None = None) -> tuple[bytes, list[str]]:
    assert TARGET.pass_request is not None
    request = CLIENT.read_request(body, {})
    found = TARGET.pass_request(request, facts or facts_of(), {})
    lint_body(json.loads(found.body))
    return found.body, list(found.transforms)


def of(**members: Any) -> bytes:
    given = {"model": "served", "input": "x", "store": False, **members}
    return json.dumps(given).encode()


def reasoning(sealed: str | None, **members: Any) -> dict[str, Any]:
    return {
        "type": "reasoning",
        "id": "rs_9",
        "summary": [],
        "encrypted_content": sealed,
        **members,
    }


def said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


def carrier(maker: str = MAKER) -> str:
    return seal(OPENAI, '{"encrypted_content":"gA==","id":"rs_up"}', maker) or ""


def test_the_request_of_the_official_client() -> None:
    # As recorded from the Python SDK.
    recorded = b'{"model":"gpt-5.6-terra","input":"x","store":false}'
    body, transforms = passed(recorded, replace(facts_of(), model="gpt-5.6-terra"))
    assert body == recorded
    assert transforms == []


def test_every_value_keeps_its_bytes() -> None:
    given = (
        b'{"store": false, "temperature": 1.50, "model": "served", "input": [ {"role":"user",'
        b' "content": "\\u00e9"} ], "metadata": {"a" : "b"}, "prompt_cache_key": "k"}'
    )
    body, transforms = passed(given)
    assert body == (
        b'{"store":false,"temperature":1.50,"model":"served","input":[ {"role":"user",'
        b' "content": "\\u00e9"} ],"metadata":{"a" : "b"},"prompt_cache_key":"k"}'
    )
    assert transforms == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.dictionaries(st.text("abcxyz_", min_size=3, max_size=6), VALUES, max_size=4))
def test_unknown_members_survive(extra: dict[str, Any]) -> None:
    assert TARGET.pass_request is not None
    given = extra | {"model": "asked", "input": "x", "store": False}
    request = CLIENT.read_request(json.dumps(given).encode(), {})
    body = TARGET.pass_request(request, facts_of(), {}).body
    assert json.loads(body) == given | {"model": "served"}
    assert list(json.loads(body)) == list(given)


@pytest.mark.parametrize("store", [{"store": True}, {"store": None}, {}])
def test_nothing_is_stored_at_the_target(store: dict[str, Any]) -> None:
    given = {"model": "served", "input": "x", **store}
    body, transforms = passed(json.dumps(given).encode())
    assert json.loads(body) == {**given, "store": False, "include": [INCLUDED]}
    assert transforms == ["store=false", f"added=include.{INCLUDED}"]
    body, transforms = passed(json.dumps(given).encode(), facts_of("tools"))
    assert json.loads(body) == {**given, "store": False}
    assert transforms == ["store=false"]


def test_carriers_are_restored_for_their_maker() -> None:
    items = [said("a"), reasoning(carrier(), status="completed"), said("b")]
    body, transforms = passed(of(input=items))
    found = json.loads(body)["input"]
    assert found[1] == reasoning("gA==", id="rs_up", status="completed")
    assert [found[0], found[2]] == [said("a"), said("b")]
    assert transforms == []


@pytest.mark.parametrize(
    "sealed", [carrier("openai/other"), seal(CLAUDE, "sig", ""), "gw1.", "gw1.damaged!"]
)
def test_carriers_of_others_are_left_out(sealed: str) -> None:
    body, transforms = passed(of(input=[said("a"), reasoning(sealed), said("b")]))
    assert json.loads(body)["input"] == [said("a"), said("b")]
    assert transforms == ["stripped=thinking"]


def test_what_openai_sealed_itself_keeps_its_bytes() -> None:
    given = of(input=[said("gw1. is a prefix"), reasoning("gAAAA==")])
    body, transforms = passed(given)
    assert json.loads(body) == json.loads(given)
    assert transforms == []


def test_reasoning_a_target_could_not_read_is_left_out() -> None:
    items = [said("a"), reasoning("gAAAA=="), said("b")]
    body, transforms = passed(of(input=items), replace(facts_of(), without_thinking=True))
    assert json.loads(body)["input"] == [said("a"), said("b")]
    assert transforms == ["stripped=thinking"]
    with pytest.raises(CannotTranslate):
        passed(of(input=[reasoning("gw1.")]))


def test_another_model_gets_what_it_takes() -> None:
    form = {"type": "json_schema", "name": "a", "schema": {"type": "object"}}
    given = of(
        model="asked",
        max_output_tokens=9000,
        temperature=0.5,
        top_logprobs=3,
        reasoning={"effort": "max", "summary": "auto"},
        text={"format": form, "verbosity": "low"},
        parallel_tool_calls=True,
        instructions="Be terse.",
        tools=[],
        tool_choice="auto",
    )
    shape = {"efforts": ["low", "high"], "sampling": ["top_p"], "structured_output": False}
    body, transforms = passed(given, facts_of(**shape, parallel_tool_calls=False))
    found = json.loads(body)
    assert found["max_output_tokens"] == 4096
    assert found["reasoning"] == {"effort": "high", "summary": "auto"}
    assert found["text"] == {"format": {"type": "json_object"}, "verbosity": "low"}
    assert found["instructions"].startswith("Be terse.\n\n")
    assert not {"temperature", "top_logprobs", "tools", "tool_choice"} & set(found)
    assert transforms == [
        "max_output_tokens=4096",
        "dropped=temperature",
        "dropped=top_logprobs",
        "dropped=tools",
        "dropped=parallel_tool_calls",
        "dropped=tool_choice",
        "reasoning.effort=high",
        "prompted=text.format",
    ]
    same, _ = passed(given, replace(facts_of(**shape), model="asked"))
    assert json.loads(same) == json.loads(given)


def test_a_model_without_reasoning_is_not_asked_for_it() -> None:
    given = of(model="asked", include=[INCLUDED, "message.output_text.logprobs"])
    given = msgspec.json.encode(json.loads(given) | {"reasoning": {"effort": "low"}})
    body, transforms = passed(given, facts_of("tools", efforts=[]))
    found = json.loads(body)
    assert found["include"] == ["message.output_text.logprobs"]
    assert "reasoning" not in found
    assert transforms == ["dropped=reasoning", f"dropped=include.{INCLUDED}"]


def test_counting_keeps_what_counting_takes() -> None:
    assert TARGET.counting is not None
    request = CLIENT.read_request(of(stream=True, instructions="I", user="u"), {})
    found = json.loads(TARGET.counting.write(request, facts_of(), {}).body)
    assert found == {"model": "served", "instructions": "I", "input": "x"}
