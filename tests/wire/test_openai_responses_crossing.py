"""Responses requests for targets of other dialects, and any answer of theirs as a response."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.conversation import (
    Answer,
    Block,
    RedactedThinking,
    Refusal,
    Stop,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.fold import fold, unfold
from lynkrc_runtime.protocol.openai_responses import CLIENT
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import TARGET_DIALECTS
from tests.wire.openai_responses_lint import (
    context_of,
    lint_response,
    lint_stream,
    read,
    stream_of,
)

FACTS = TargetFacts(
    model="served",
    max_output=4096,
    capabilities=frozenset(("tools", "vision", "thinking")),
    shape=RequestShape(),
)
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: PATCH"}
PATCH = {"type": "custom", "name": "apply_patch", "description": "Edits.", "format": GRAMMAR}
TOLD = "Edits.\n\nThe input must follow this lark grammar:\nstart: PATCH"
CALLED: list[dict[str, Any]] = [
    {"role": "user", "content": "Go"},
    {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "*** Begin"},
    {"type": "custom_tool_call_output", "call_id": "c", "output": "done"},
]


def written(dialect: str, **members: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    found = TARGET_DIALECTS[dialect].write_request(read(**members), FACTS, {})
    return json.loads(found.body), found.transforms


def test_a_chat_target_gets_a_function_for_a_free_form_tool() -> None:
    choice = {"type": "custom", "name": "apply_patch"}
    body, transforms = written("openai-chat", tools=[PATCH], tool_choice=choice, input=CALLED)
    (tool,) = body["tools"]
    assert tool["function"]["description"] == TOLD
    assert tool["function"]["parameters"]["required"] == ["input"]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "apply_patch"}}
    (call,) = body["messages"][1]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"input": "*** Begin"}
    assert "mapped=custom-tools" in transforms
    assert "dropped=format" not in transforms


def test_a_messages_target_is_told_the_grammar_too() -> None:
    body, transforms = written("anthropic-messages", tools=[PATCH], input=CALLED)
    (tool,) = body["tools"]
    assert tool["description"] == TOLD
    assert body["messages"][1]["content"][0]["input"] == {"input": "*** Begin"}
    assert "dropped=format" not in transforms


@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic-messages"])
def test_what_is_lost_is_listed(dialect: str) -> None:
    _, transforms = written(
        dialect,
        input=[
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
            {"role": "user", "content": "Go"},
        ],
        tools=[{"type": "web_search"}, {"type": "tool_search", "execution": "client"}],
        reasoning={"effort": "low", "summary": "auto", "context": "all_turns"},
        include=["reasoning.encrypted_content", "web_search_call.results"],
        store=False,
        prompt_cache_key="k",
    )
    assert {
        "dropped=web_search_call",
        "dropped=tools.web_search",
        "dropped=tools.tool_search",
        "dropped=reasoning.context",
        "dropped=include.web_search_call.results",
        "dropped=prompt_cache_key",
    } <= set(transforms)
    assert not {"dropped=store", "dropped=include"} & set(transforms)


_TEXTS = st.text(min_size=1, max_size=12)
_SIGNED = st.none() | st.just("c2ln")
_BLOCKS: st.SearchStrategy[Block] = st.one_of(
    st.builds(lambda text: Text(text=text), _TEXTS),
    st.builds(lambda text: Refusal(text=text), _TEXTS),
    st.builds(
        lambda text, signed: Thinking(text=text, signature=signed), st.text(max_size=8), _SIGNED
    ),
    st.builds(lambda text: RedactedThinking(data=text), st.just("c2VjcmV0")),
    st.builds(
        lambda name, text: ToolCall(id="c", name=name, arguments=json.dumps({"input": text})),
        st.sampled_from(["read", "apply_patch", "unknown"]),
        _TEXTS,
    ),
    st.builds(
        lambda text: ToolCall(id="c", name="apply_patch", arguments=text, custom=True), _TEXTS
    ),
)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(blocks=st.lists(_BLOCKS, max_size=6), stop=st.sampled_from(list(Stop)))
def test_any_answer_is_a_legal_response_and_the_same_as_a_stream(
    blocks: list[Block], stop: Stop
) -> None:
    context = context_of(tools=[PATCH])
    answer = Answer(
        id="up",
        model="m",
        blocks=tuple(blocks),
        stop=stop,
        stop_sequence=None,
        usage=Usage(input=1, output=2),
    )
    assert fold(unfold(answer)) == answer
    whole = lint_response(CLIENT.write_answer(answer, context))
    assert lint_stream(stream_of(unfold(answer), context))[-1]["response"] == whole
