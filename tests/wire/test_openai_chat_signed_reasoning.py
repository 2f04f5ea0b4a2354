"""Signatures travel with a Chat client: in answers, in streams, and back to their maker alone."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lynkrc_runtime.protocol.carrier import CLAUDE, DETAILS, GEMINI, OPENAI, seal
from lynkrc_runtime.protocol.conversation import (
    Answer,
    Block,
    Event,
    MessageEnd,
    MessageStart,
    RedactedThinking,
    RedactedThinkingBlock,
    Role,
    Stop,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ThinkingEnd,
    ToolCall,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
)
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.openai_chat import CLIENT, TARGET
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.wire.openai_chat_lint import context_of, lint_completion, lint_stream

MAKER = "made/by-1"
GEMINI_SIGNED = seal(GEMINI, "c2lnbg==", MAKER)
OPENAI_SIGNED = seal(OPENAI, '{"encrypted_content":"gAAA"}', MAKER)

CALL = ToolCall(id="toolu_1", name="look", arguments='{"at":1}')
OTHER = ToolCall(id="toolu_2", name="look", arguments='{"at":2}')
TURNS: dict[str, tuple[Block, ...]] = {
    "signed": (Thinking(text="Hm.", signature="Eo4B"), Text(text="Hi")),
    "redacted": (RedactedThinking(data="EmwK"), Thinking(text="Hm.", signature="Eo4B"), CALL),
    "interleaved": (
        Thinking(text="One.", signature="Eo41"),
        Text(text="Look."),
        Thinking(text="Two.", signature="Eo42"),
        CALL,
    ),
    "signature alone": (Text(text="So:"), Thinking(text="", signature=GEMINI_SIGNED), CALL, OTHER),
    "encrypted": (Thinking(text="Sum.", signature=OPENAI_SIGNED), CALL),
}


def facts_of(**shape: Any) -> TargetFacts:
    return TargetFacts(
        model="m2",
        max_output=64000,
        capabilities=frozenset(("thinking", "tools")),
        shape=RequestShape(**shape),
        maker=MAKER,
    )


def whole_message(blocks: tuple[Block, ...]) -> dict[str, Any]:
    answer = Answer(
        id="a", model="m", blocks=blocks, stop=Stop.END, stop_sequence=None, usage=Usage(output=1)
    )
    body = CLIENT.write_answer(answer, context_of())
    lint_completion(body)
    return dict(json.loads(body)["choices"][0]["message"])


def events_of(blocks: tuple[Block, ...]) -> list[Event]:
    events: list[Event] = [MessageStart(id="a", model="m", usage=Usage())]
    calls = 0
    for block in blocks:
        match block:
            case Thinking():
                events += (ThinkingDelta(text=piece) for piece in block.text)
                events.append(ThinkingEnd(signature=block.signature))
            case RedactedThinking():
                events.append(RedactedThinkingBlock(data=block.data))
            case Text():
                events.append(TextDelta(text=block.text))
            case ToolCall():
                events.append(ToolCallStart(index=calls, id=block.id, name=block.name))
                events.append(ToolCallDelta(index=calls, json=block.arguments))
                events.append(ToolCallEnd(index=calls))
                calls += 1
            case _:
                raise ValueError(block)
    return [*events, MessageEnd(stop=Stop.END, stop_sequence=None, usage=Usage(output=1))]


def stream_of(blocks: tuple[Block, ...]) -> bytes:
    writer = CLIENT.stream_writer(context_of(stream=True))
    return b"".join(writer.write(event) for event in events_of(blocks))


def entries_of(stream: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for line in stream.split(b"\n"):
        if line.startswith(b"data: {"):
            for choice in json.loads(line[6:])["choices"]:
                found += choice["delta"].get("reasoning_details", [])
    return found


def history(message: dict[str, Any], **members: Any) -> bytes:
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": "ok"}
        for call in message.get("tool_calls") or ()
    ]
    messages = [{"role": "user", "content": "Hi"}, message, *results]
    body = {"model": "m", "messages": [*messages, {"role": "user", "content": "On"}]}
    return json.dumps(body | members).encode()


def turn_of(message: dict[str, Any]) -> tuple[Block, ...]:
    request = CLIENT.read_request(history(message), {})
    return next(turn.blocks for turn in request.messages if turn.role is Role.ASSISTANT)


@pytest.mark.parametrize("name", TURNS)
def test_a_message_sent_back_unchanged_is_the_turn_that_was_said(name: str) -> None:
    assert turn_of(whole_message(TURNS[name])) == TURNS[name]


@pytest.mark.parametrize("name", TURNS)
def test_a_stream_carries_the_entries_of_the_whole_answer(name: str) -> None:
    stream = stream_of(TURNS[name])
    lint_stream(stream, with_usage=False)
    assert entries_of(stream) == whole_message(TURNS[name])["reasoning_details"]


def test_entries_have_the_shapes_of_openrouter() -> None:
    blocks = (*TURNS["redacted"][:2], Text(text="Hi"), Thinking(text="", signature=GEMINI_SIGNED))
    assert whole_message(blocks)["reasoning_details"] == [
        {
            "type": "reasoning.encrypted",
            "data": "EmwK",
            "format": "anthropic-claude-v1",
            "index": 0,
        },
        {
            "type": "reasoning.text",
            "text": "Hm.",
            "signature": "Eo4B",
            "format": "anthropic-claude-v1",
            "index": 1,
        },
        {"type": "reasoning.encrypted", "data": GEMINI_SIGNED, "index": 2},
    ]


def test_reasoning_nobody_signed_has_no_entry() -> None:
    message = whole_message((Thinking(text="Hm."), Text(text="Hi")))
    assert message["reasoning_content"] == "Hm." and "reasoning_details" not in message
    assert turn_of(message) == (Thinking(text="Hm."), Text(text="Hi"))


@pytest.mark.parametrize(
    "pieces",
    [
        [{"text": "Hm"}, {"text": "."}, {"signature": "Eo4B"}],
        [{"text": "Hm", "index": 0}, {"text": ".", "signature": "Eo4B", "index": 0}],
        [{"text": "Hm.", "signature": None}, {"text": "", "signature": "Eo4B"}],
    ],
)
def test_an_entry_that_was_kept_in_pieces_is_one_again(pieces: list[dict[str, Any]]) -> None:
    told = {"type": "reasoning.text", "format": "anthropic-claude-v1"}
    message = {
        "role": "assistant",
        "content": "Hi",
        "reasoning_details": [told | piece for piece in pieces],
    }
    assert turn_of(message) == TURNS["signed"]


def test_two_entries_stay_two() -> None:
    message = whole_message(TURNS["interleaved"])
    signatures = [block.signature for block in turn_of(message) if isinstance(block, Thinking)]
    assert signatures == ["Eo41", "Eo42"]


def sent(target: str, blocks: tuple[Block, ...], maker: str = MAKER) -> tuple[str, Any]:
    request = CLIENT.read_request(history(whole_message(blocks)), {})
    facts = TargetFacts(
        model="claude-x" if target != "gemini" else "g",
        max_output=64000,
        capabilities=frozenset(("thinking", "tools")),
        shape=RequestShape(),
        maker=maker,
    )
    written = TARGET_DIALECTS[target].write_request(request, facts, {})
    return written.body.decode(), json.loads(written.body)


def test_claude_gets_its_thinking_back() -> None:
    _, body = sent("anthropic-messages", TURNS["interleaved"])
    turn = next(turn for turn in body["messages"] if turn["role"] == "assistant")
    kinds = [block["type"] for block in turn["content"]]
    assert kinds == ["thinking", "text", "thinking", "tool_use"]
    thought = [block for block in turn["content"] if block["type"] == "thinking"]
    assert [(block["thinking"], block["signature"]) for block in thought] == [
        ("One.", "Eo41"),
        ("Two.", "Eo42"),
    ]


def test_gemini_gets_its_signature_back_on_the_call_it_came_with() -> None:
    _, body = sent("gemini", TURNS["signature alone"])
    parts = next(turn["parts"] for turn in body["contents"] if turn["role"] == "model")
    assert [part.get("thoughtSignature") for part in parts] == [None, "c2lnbg==", None]
    assert "functionCall" in parts[1]


def test_openai_gets_its_encrypted_reasoning_back() -> None:
    _, body = sent("openai-responses", TURNS["encrypted"])
    item = next(item for item in body["input"] if item.get("type") == "reasoning")
    assert item["encrypted_content"] == "gAAA"


@pytest.mark.parametrize("target", sorted(TARGET_DIALECTS))
@pytest.mark.parametrize("name", ["signature alone", "encrypted"])
def test_a_carrier_reaches_its_maker_alone(target: str, name: str) -> None:
    if target == "openai-chat":
        request = CLIENT.read_request(history(whole_message(TURNS[name])), {})
        written = TARGET.pass_request
        assert written is not None
        text = written(request, facts_of(), {}).body.decode()
    else:
        text, _ = sent(target, TURNS[name], maker="another/one")
    assert "gw1." not in text
    assert "c2lnbg==" not in text and "gAAA" not in text


def passed(message: dict[str, Any], facts: TargetFacts) -> tuple[dict[str, Any], tuple[str, ...]]:
    request = CLIENT.read_request(history(message, model="m2"), {})
    assert TARGET.pass_request is not None
    written = TARGET.pass_request(request, facts, {})
    return json.loads(written.body)["messages"][1], written.transforms


def test_a_chat_server_is_sent_no_carrier_and_all_else() -> None:
    kept = {"type": "reasoning.encrypted", "data": "xyz", "index": 7}
    message = whole_message(TURNS["encrypted"])
    message["reasoning_details"].append(kept)
    turn, transforms = passed(message, facts_of())
    assert turn["reasoning_details"] == [kept]
    assert turn["reasoning_content"] == "Sum."
    assert transforms == ("stripped=thinking",)


def test_a_chat_server_is_not_sent_what_another_target_signed() -> None:
    facts = facts_of()
    message = whole_message(TURNS["signed"])
    assert passed(message, facts) == (message, ())
    foreign = TargetFacts(
        model="m2",
        max_output=64000,
        capabilities=frozenset(),
        shape=RequestShape(),
        foreign=frozenset(("Eo4B",)),
    )
    turn, transforms = passed(message, foreign)
    assert "reasoning_details" not in turn and transforms == ("stripped=thinking",)


@pytest.mark.parametrize("odd", [[], {}, [None], {"a": 1}, None, 7, True])
@pytest.mark.parametrize("name", ["signature", "data"])
@pytest.mark.parametrize("foreign", [frozenset[str](), frozenset(("Eo4B",))])
def test_what_no_maker_can_have_signed_is_passed_on(
    name: str, odd: Any, foreign: frozenset[str]
) -> None:
    made_up = {"type": "reasoning.encrypted", name: odd, "index": 7}
    message = whole_message(TURNS["encrypted"] if not foreign else TURNS["signed"])
    message["reasoning_details"].append(made_up)
    turn, transforms = passed(message, replace(facts_of(), foreign=foreign))
    assert turn["reasoning_details"] == [made_up]
    assert transforms == ("stripped=thinking",)


def test_a_stream_of_a_gateway_like_this_one_is_read_once() -> None:
    reader = TARGET.stream_reader(facts_of())
    events = reader.feed(stream_of(TURNS["redacted"])) + reader.close()
    said = "".join(event.text for event in events if isinstance(event, ThinkingDelta))
    assert said == "Hm."
    assert [event.signature for event in events if isinstance(event, ThinkingEnd)][-1] == "Eo4B"


def test_claude_s_signature_is_its_own_though_it_came_in_a_carrier() -> None:
    carried = seal(CLAUDE, "Eo4B", "")
    assert carried is not None and carried.startswith("gw1.")
    message = whole_message((Thinking(text="Hm.", signature=carried), Text(text="Hi")))
    assert "gw1." not in passed(message, facts_of())[0].get("reasoning_details", "")


@pytest.mark.parametrize("data", ["garbage", "7", '"x"', "{}", "[" * 3000, "1e400"])
def test_details_that_a_client_made_up_are_left_out(data: str) -> None:
    facts = facts_of(reasoning_field="reasoning_details", reasoning_replay="always")
    signature = seal(DETAILS, data, "")
    turn = [
        {"type": "thinking", "thinking": "Hm.", "signature": signature},
        {"type": "text", "text": "Hi"},
    ]
    user = {"role": "user", "content": "Go"}
    messages = [user, {"role": "assistant", "content": turn}, user]
    content = json.dumps({"model": "m", "max_tokens": 9, "messages": messages}).encode()
    request = CLIENT_DIALECTS["anthropic-messages"].read_request(content, {})
    written = TARGET.write_request(request, facts, {})
    assert "reasoning_details" not in json.loads(written.body)["messages"][1]
    assert "stripped=thinking" in written.transforms
