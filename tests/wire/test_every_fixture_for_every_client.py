"""Every answer and stream of the data files, read in its dialect and written for every client."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lynkrc_runtime.protocol.conversation import (
    BrokenAnswer,
    Event,
    MessageEnd,
    Stop,
    StreamError,
    ToolCallStart,
)
from lynkrc_runtime.protocol.dialect import AnswerContext, TargetFacts
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.wire import (
    anthropic_lint,
    bedrock_frames,
    gemini_lint,
    ollama_lint,
    openai_chat_lint,
    openai_responses_upstream,
)
from tests.wire.client_oracles import JUDGES

MESSAGES, CHAT, RESPONSES = "anthropic-messages", "openai-chat", "openai-responses"
GEMINI, CONVERSE, OLLAMA = "gemini", "bedrock-converse", "ollama-chat"

ASKED: dict[str, dict[str, Any]] = {
    MESSAGES: {"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
    CHAT: {
        "messages": [{"role": "user", "content": "Hi"}],
        "stream_options": {"include_usage": True},
    },
    RESPONSES: {"input": "Hi"},
}


def _answers() -> Iterator[tuple[str, str, bytes]]:
    for name, value in anthropic_lint.load("answers").items():
        yield MESSAGES, name, json.dumps(value).encode()
    for name, value in openai_chat_lint.load("answers").items():
        yield CHAT, name, json.dumps(value["body"]).encode()
    for name, value in openai_responses_upstream.load("answers").items():
        yield RESPONSES, name, json.dumps(value).encode()
    for name, value in bedrock_frames.load("answers").items():
        yield CONVERSE, name, json.dumps(value).encode()
    for name, value in gemini_lint.load("answers").items():
        yield GEMINI, name, json.dumps(_gemini(value, value["parts"], value["finish"])).encode()
    for name in ollama_lint.STREAMS:
        yield OLLAMA, name, ollama_lint.whole(name)


def _streams() -> Iterator[tuple[str, str, bytes]]:
    for name, events in anthropic_lint.load("streams").items():
        yield MESSAGES, name, anthropic_lint.to_sse(events)
    for file in ("streams", "broken_streams"):
        for name, value in openai_chat_lint.load(file).items():
            yield CHAT, f"{file}.{name}", openai_chat_lint.to_sse(value["items"])
    for name, events in openai_responses_upstream.load("streams").items():
        yield RESPONSES, name, openai_responses_upstream.to_sse(events)
    for name, rows in bedrock_frames.load("streams").items():
        if name != "invoke_anthropic_stream":
            # Frames around a Messages stream, which a frame of the kind takes off.
            yield CONVERSE, name, bedrock_frames.frames(rows)
    for name, value in gemini_lint.load("answers").items():
        chunks = [_gemini(value, [part], None) for part in value["parts"] or ()]
        chunks.append(_gemini(value, [], value["finish"]))
        yield GEMINI, name, gemini_lint.to_sse(chunks)
    for name, lines in ollama_lint.STREAMS.items():
        yield OLLAMA, name, ollama_lint.to_ndjson(lines)


def _gemini(value: dict[str, Any], parts: Any, finish: str | None) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": parts}} if parts else {}
    if finish is not None:
        candidate["finishReason"] = finish
        candidate |= {"finishMessage": value["message"]} if "message" in value else {}
    return {"candidates": [candidate], "usageMetadata": value["usage"], "modelVersion": "up"}


ANSWERS, STREAMS = list(_answers()), list(_streams())


def _named(values: list[tuple[str, str, bytes]]) -> list[str]:
    return [f"{target}-{name}" for target, name, _ in values]


def facts_of(target: str) -> TargetFacts:
    return TargetFacts(
        model=bedrock_frames.CLAUDE if target == CONVERSE else "m",
        max_output=1000,
        capabilities=frozenset(),
        shape=RequestShape(),
        maker="here",
    )


def context_of(client: str) -> AnswerContext:
    body = json.dumps({"model": "asked", **ASKED[client]}).encode()
    return AnswerContext(
        request=CLIENT_DIALECTS[client].read_request(body, {}),
        id="A" * 24,
        model="served",
        created=1795240000,
        input_estimate=lambda: 17,
        request_id="req_1",
    )


def test_every_dialect_has_fixtures() -> None:
    assert {target for target, _, _ in ANSWERS} == set(TARGET_DIALECTS)
    assert {target for target, _, _ in STREAMS} == set(TARGET_DIALECTS)
    assert set(ASKED) == set(CLIENT_DIALECTS)


@pytest.mark.parametrize("client", CLIENT_DIALECTS)
@pytest.mark.parametrize(("target", "name", "body"), ANSWERS, ids=_named(ANSWERS))
def test_a_whole_answer(target: str, name: str, body: bytes, client: str) -> None:
    try:
        answer = TARGET_DIALECTS[target].read_answer(body, facts_of(target))
    except BrokenAnswer as broken:
        assert name == "failed", broken
        return
    JUDGES[client].whole(CLIENT_DIALECTS[client].write_answer(answer, context_of(client)))


@pytest.mark.parametrize("client", CLIENT_DIALECTS)
@pytest.mark.parametrize(("target", "name", "body"), STREAMS, ids=_named(STREAMS))
def test_a_stream(target: str, name: str, body: bytes, client: str) -> None:
    reader = TARGET_DIALECTS[target].stream_reader(facts_of(target))
    events: list[Event] = reader.feed(body) + reader.close()
    writer = CLIENT_DIALECTS[client].stream_writer(context_of(client))
    written = b"".join(writer.write(event) for event in events)
    assert not {"\u0085", "\u2028", "\u2029"} & set(written.decode())
    if isinstance(events[-1], MessageEnd):
        answer = JUDGES[client].stream(written)
        if events[-1].stop is Stop.LENGTH:
            # Its last call may have been cut inside its arguments.
            return
        begun = [event for event in events if isinstance(event, ToolCallStart)]
        assert len(JUDGES[client].calls(answer)) == len(begun)
        return
    assert isinstance(events[-1], StreamError)
    _is_cut_off(client, written)


def _is_cut_off(client: str, written: bytes) -> None:
    """An error is the last word, and no sign of a proper end stands before it."""
    assert b'"error"' in written.rstrip().rpartition(b"\n\n")[2]
    for sign in (b"[DONE]", b"message_stop", b"response.completed"):
        assert sign not in written
