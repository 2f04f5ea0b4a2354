"""Whole Chat completions: what servers send, to neutral answers and back to clients."""

import json

import pytest

from lynkrc_runtime.protocol.conversation import (
    Answer,
    BrokenAnswer,
    Opaque,
    RedactedThinking,
    Refusal,
    Stop,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from lynkrc_runtime.protocol.fold import unfold
from lynkrc_runtime.protocol.naming import legal_name
from lynkrc_runtime.protocol.openai_chat import CLIENT, TARGET
from tests.wire.openai_chat_lint import (
    check_answer,
    context_of,
    lint_completion,
    lint_stream,
    load,
)

ANSWERS = load("answers")
BROKEN = load("broken_answers")


def answer_of(*blocks, stop=Stop.END, usage=None) -> Answer:
    return Answer(
        id="up",
        model="up-model",
        blocks=blocks,
        stop=stop,
        stop_sequence=None,
        usage=usage or Usage(input=5, output=2),
    )


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_an_answer_is_read(name: str) -> None:
    want = ANSWERS[name]
    answer = TARGET.read_answer(json.dumps(want["body"]).encode())
    check_answer(answer, want)
    assert answer.id == "chatcmpl-up1"
    assert answer.model == "up-model"
    assert list(answer.lost) == want.get("lost", [])


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_an_answer_read_is_written_legally(name: str) -> None:
    answer = TARGET.read_answer(json.dumps(ANSWERS[name]["body"]).encode())
    completion = lint_completion(CLIENT.write_answer(answer, context_of()))
    assert completion.id == "chatcmpl-" + "A" * 24
    assert completion.model == "served-1"
    assert completion.created == 1795240000


@pytest.mark.parametrize("name", sorted(set(ANSWERS) - {"together_eos", "zai_context"}))
def test_reading_what_was_written_gives_the_same_answer(name: str) -> None:
    first = TARGET.read_answer(json.dumps(ANSWERS[name]["body"]).encode())
    again = TARGET.read_answer(CLIENT.write_answer(first, context_of()))
    said = [b for b in again.blocks if not isinstance(b, Refusal)]
    assert said == [b for b in first.blocks if not isinstance(b, Refusal)]
    assert again.usage.output == first.usage.output
    assert again.usage.input + again.usage.cache_read == (
        first.usage.input + first.usage.cache_read
    )


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_what_is_no_answer_is_a_failure(name: str) -> None:
    want = BROKEN[name]
    with pytest.raises(BrokenAnswer) as caught:
        TARGET.read_answer(want["body"].encode())
    assert caught.value.failure.status == want["status"]
    assert caught.value.failure.message == want["message"]


def test_usage_counts_every_token_once() -> None:
    usage = Usage(input=9, output=140, cache_read=18432, cache_write=2048, reasoning=128)
    written = json.loads(CLIENT.write_answer(answer_of(usage=usage), context_of()))["usage"]
    assert written == {
        "prompt_tokens": 20489,
        "completion_tokens": 140,
        "total_tokens": 20629,
        "prompt_tokens_details": {"cached_tokens": 18432, "cache_write_tokens": 2048},
        "completion_tokens_details": {"reasoning_tokens": 128},
    }


def test_usage_nobody_reported_is_not_invented() -> None:
    body = CLIENT.write_answer(answer_of(usage=Usage(reported=False)), context_of())
    assert lint_completion(body).usage is None


def test_blocks_become_one_message() -> None:
    answer = answer_of(
        Thinking(text="Hm", signature="s"),
        RedactedThinking(data="x"),
        Text(text="Par"),
        Text(text="is."),
        Opaque(dialect="anthropic-messages", type="server_tool_use", value={}),
        ToolCall(id="toolu_1", name="go", arguments='{"a": 1}'),
        ToolCall(id="toolu_2", name="stop", arguments=""),
        stop=Stop.TOOL_USE,
    )
    [choice] = json.loads(CLIENT.write_answer(answer, context_of()))["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {
        "role": "assistant",
        "content": "Paris.",
        "refusal": None,
        "reasoning_content": "Hm",
        "reasoning_details": [
            {
                "type": "reasoning.text",
                "text": "Hm",
                "signature": "s",
                "format": "anthropic-claude-v1",
                "index": 0,
            },
            {
                "type": "reasoning.encrypted",
                "data": "x",
                "format": "anthropic-claude-v1",
                "index": 1,
            },
        ],
        "tool_calls": [
            {
                "id": "toolu_1",
                "type": "function",
                "function": {"name": "go", "arguments": '{"a": 1}'},
            },
            {
                "id": "toolu_2",
                "type": "function",
                "function": {"name": "stop", "arguments": "{}"},
            },
        ],
    }


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        (Stop.END, "stop"),
        (Stop.LENGTH, "length"),
        (Stop.STOP_SEQUENCE, "stop"),
        (Stop.PAUSE, "stop"),
        (Stop.CONTEXT, "length"),
        (Stop.REFUSAL, "content_filter"),
        (Stop.TOOL_USE, "stop"),
    ],
)
def test_a_stop_becomes_a_finish_reason(stop: Stop, finish: str) -> None:
    body = CLIENT.write_answer(answer_of(Text(text="x"), stop=stop), context_of())
    assert lint_completion(body).choices[0].finish_reason == finish


def test_a_call_stops_with_tool_calls_whatever_the_upstream_said() -> None:
    answer = answer_of(ToolCall(id="a", name="go", arguments="{}"), stop=Stop.END)
    body = CLIENT.write_answer(answer, context_of())
    assert lint_completion(body).choices[0].finish_reason == "tool_calls"


def test_a_refusal_has_words() -> None:
    said = lint_completion(
        CLIENT.write_answer(answer_of(Refusal(text="No."), stop=Stop.REFUSAL), context_of())
    ).choices[0]
    silent = lint_completion(
        CLIENT.write_answer(answer_of(stop=Stop.REFUSAL), context_of())
    ).choices[0]
    assert (said.message.refusal, said.finish_reason) == ("No.", "stop")
    assert (silent.message.refusal, silent.finish_reason) == (
        "The model declined to answer.",
        "stop",
    )


def test_an_empty_answer_has_empty_text() -> None:
    assert lint_completion(CLIENT.write_answer(answer_of(), context_of())).choices[
        0
    ].message.content == ("")


def test_names_the_target_saw_mapped_are_restored() -> None:
    name = "mcp__" + "x" * 70
    tools = [{"type": "function", "function": {"name": name}}]
    call = ToolCall(id="a", name=legal_name(name, limit=64), arguments="{}")
    body = CLIENT.write_answer(answer_of(call, stop=Stop.TOOL_USE), context_of(tools=tools))
    [written] = json.loads(body)["choices"][0]["message"]["tool_calls"]
    assert written["function"]["name"] == name


def test_a_free_form_tool_gets_its_text_back() -> None:
    tools = [{"type": "custom", "custom": {"name": "shell"}}]
    call = ToolCall(id="a", name="shell", arguments='{"input": "ls -l"}')
    body = CLIENT.write_answer(answer_of(call, stop=Stop.TOOL_USE), context_of(tools=tools))
    assert lint_completion(body)
    [written] = json.loads(body)["choices"][0]["message"]["tool_calls"]
    assert written == {
        "id": "a",
        "type": "custom",
        "custom": {"name": "shell", "input": "ls -l"},
    }


def test_line_separators_are_escaped() -> None:
    body = CLIENT.write_answer(answer_of(Text(text="a\u2028b\u2029c\u0085d")), context_of())
    assert b"a\\u2028b\\u2029c\\u0085d" in body


def test_a_call_without_an_id_gets_the_same_one_streamed_or_not() -> None:
    call = ToolCall(id="", name="go", arguments="{}")
    answer = answer_of(call, stop=Stop.TOOL_USE)
    [whole] = (
        lint_completion(CLIENT.write_answer(answer, context_of())).choices[0].message.tool_calls
        or ()
    )
    writer = CLIENT.stream_writer(context_of())
    chunks = lint_stream(b"".join(writer.write(event) for event in unfold(answer)))
    [streamed] = chunks[1].choices[0].delta.tool_calls or ()
    assert whole.id == streamed.id
    assert whole.id.startswith("call_")


def test_parts_without_a_neutral_form_are_named() -> None:
    parts = [
        {"type": "text", "text": "a"},
        {"type": "video", "video": {}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    choice = {"index": 0, "message": {"role": "assistant", "content": parts}}
    found = TARGET.read_answer(json.dumps({"id": "c", "choices": [choice]}).encode())
    assert found.lost == ("video", "image")
