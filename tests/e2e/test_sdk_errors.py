"""The official SDKs against a live gateway: which error classes they raise, and what these say."""

import json
from typing import Any

import anthropic
import openai
import pytest

from tests.e2e.scripted_answers import Raw, Said, render, stopped_after
from tests.e2e.socket_lab import Lab, key_of

PROVIDERS = {"haiku": "claude", "mini": "gpt"}
TARGETS = sorted(PROVIDERS)
HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
JSON = {"content-type": "application/json"}


def ask_anthropic(lab: Lab, target: str, **more: Any) -> Any:
    asked: dict[str, Any] = {"max_tokens": 100, "messages": HELLO} | more
    return lab.anthropic.messages.create(model=f"lynkr/{target}", **asked)


def ask_openai(lab: Lab, target: str, **more: Any) -> Any:
    asked: dict[str, Any] = {"messages": HELLO} | more
    return lab.openai.chat.completions.create(model=f"lynkr/{target}", **asked)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("target", TARGETS)
def test_a_rate_limit(lab: Lab, target: str, stream: bool) -> None:
    lab.face(PROVIDERS[target]).behaviours = ["fail:429:7", "fail:429:7"]
    with pytest.raises(anthropic.RateLimitError) as first:
        ask_anthropic(lab, target, stream=stream)
    with pytest.raises(openai.RateLimitError) as second:
        ask_openai(lab, target, stream=stream)
    assert first.value.type == "rate_limit_error"
    assert second.value.code == "rate_limit_exceeded"
    for error in (first.value, second.value):
        assert error.response.headers["retry-after"] == "7"
        assert error.response.headers["x-should-retry"] == "true"
        assert error.request_id


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [500, 502, 503, 504, 529])
@pytest.mark.parametrize("target", TARGETS)
def test_an_overload(lab: Lab, target: str, status: int, stream: bool) -> None:
    lab.face(PROVIDERS[target]).behaviours = [f"fail:{status}", f"fail:{status}"]
    with pytest.raises(anthropic.OverloadedError) as first:
        ask_anthropic(lab, target, stream=stream)
    with pytest.raises(openai.InternalServerError) as second:
        ask_openai(lab, target, stream=stream)
    assert (first.value.status_code, first.value.type) == (529, "overloaded_error")
    assert second.value.status_code == 503
    for error in (first.value, second.value):
        assert float(error.response.headers["retry-after"]) > 0
        assert target in error.message


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("target", TARGETS)
def test_our_own_misconfiguration(lab: Lab, target: str, status: int) -> None:
    """The upstream says no to the gateway's credentials: no business of the client's."""
    face = lab.face(PROVIDERS[target])
    refused = {"error": {"message": f"bad key {key_of(face.name)}", "type": "authentication_error"}}
    raw = Raw(pieces=(json.dumps(refused).encode(),), status=status, headers=JSON)
    face.behaviours = [raw, raw]
    with pytest.raises(anthropic.APIStatusError) as first:
        ask_anthropic(lab, target)
    with pytest.raises(openai.APIStatusError) as second:
        ask_openai(lab, target)
    for error in (first.value, second.value):
        assert error.status_code == 424
        assert error.response.headers["x-should-retry"] == "false"
        assert target in error.message
        assert key_of(face.name) not in error.response.text


@pytest.mark.parametrize("target", TARGETS)
def test_the_caller_s_own_mistake_keeps_its_words(lab: Lab, target: str) -> None:
    error: dict[str, Any] = {"message": "stop: at most 4", "type": "invalid_request_error"}
    if target == "mini":
        error |= {"param": "stop", "code": "too_many"}
    raw = Raw(
        pieces=(json.dumps({"type": "error", "error": error}).encode(),), status=400, headers=JSON
    )
    lab.face(PROVIDERS[target]).behaviours = [raw, raw]
    with pytest.raises(anthropic.BadRequestError) as first:
        ask_anthropic(lab, target)
    with pytest.raises(openai.BadRequestError) as second:
        ask_openai(lab, target)
    for found in (first.value, second.value):
        assert "stop: at most 4" in found.message
        assert found.response.headers["x-lynkr-attempts"] == "1"
    if target == "mini":
        assert (second.value.param, second.value.code) == ("stop", "too_many")


@pytest.mark.parametrize("target", TARGETS)
def test_a_prompt_that_is_too_long(lab: Lab, target: str) -> None:
    words = {
        "haiku": {
            "type": "invalid_request_error",
            "message": "prompt is too long: 210000 tokens > 200000 maximum",
        },
        "mini": {
            "type": "invalid_request_error",
            "code": "context_length_exceeded",
            "param": "messages",
            "message": "This model's maximum context length is 128000 tokens. However, your "
            "messages resulted in 210000 tokens.",
        },
    }[target]
    raw = Raw(pieces=(json.dumps({"error": words}).encode(),), status=400, headers=JSON)
    lab.face(PROVIDERS[target]).behaviours = [raw, raw]
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long: 210000 tokens > "):
        ask_anthropic(lab, target)
    with pytest.raises(openai.BadRequestError) as second:
        ask_openai(lab, target)
    assert second.value.code == "context_length_exceeded"


@pytest.mark.parametrize("target", TARGETS)
def test_a_stream_that_breaks_raises(lab: Lab, target: str) -> None:
    face = lab.face(PROVIDERS[target])
    dialect = "anthropic-messages" if target == "haiku" else "openai-chat"
    said = Said(text="The first half and the second.")
    whole = render(said, dialect, {"model": "m", "stream": True})
    face.behaviours = [stopped_after(whole, b"The fir"), stopped_after(whole, b"The fir")]
    seen = ""
    with pytest.raises(anthropic.APIStatusError) as first:
        for event in ask_anthropic(lab, target, stream=True):
            if event.type == "content_block_delta":
                seen += event.delta.text
                lab.background.let_go(face)
            assert event.type not in ("message_delta", "message_stop")
    assert said.text.startswith(seen) and seen
    assert first.value.type == "overloaded_error"

    face.let_go.clear()
    seen = ""
    with pytest.raises(openai.APIError) as second:
        for chunk in ask_openai(lab, target, stream=True):
            [choice] = chunk.choices
            assert choice.finish_reason is None
            if choice.delta.content:
                seen += choice.delta.content
                lab.background.let_go(face)
    assert said.text.startswith(seen) and seen
    assert "broke" in second.value.message


@pytest.mark.parametrize("target", TARGETS)
def test_an_error_in_the_middle_of_a_stream_raises(lab: Lab, target: str) -> None:
    """As an upstream says it in its stream, after content."""
    face = lab.face(PROVIDERS[target])
    dialect = "anthropic-messages" if target == "haiku" else "openai-chat"
    whole = render(Said(text="The first half."), dialect, {"model": "m", "stream": True})
    start = stopped_after(whole, b"The fir", cut=False, held=False)
    if target == "haiku":
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        tail = b"event: error\ndata: " + json.dumps(error).encode() + b"\n\n"
    else:
        error = {"error": {"type": "server_error", "message": "Overloaded", "code": None}}
        tail = b"data: " + json.dumps(error).encode() + b"\n\n"
    broken = Raw(pieces=(*start.pieces, tail), headers=start.headers)
    face.behaviours = [broken, broken]
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        list(ask_anthropic(lab, target, stream=True))
    with pytest.raises(openai.APIError, match="Overloaded"):
        list(ask_openai(lab, target, stream=True))


BAD_MESSAGES = [
    ({"messages": "Hello"}, "messages"),
    ({"messages": [{"role": "wizard", "content": "Hello"}]}, "messages.0.role"),
    ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content.0.text"),
    ({"max_tokens": "many"}, "max_tokens"),
    ({"tools": [{"description": "no name"}]}, "tools.0"),
    ({"system": 7}, "system"),
]


@pytest.mark.parametrize(("members", "field"), BAD_MESSAGES)
def test_a_malformed_messages_body_names_the_field(
    lab: Lab, members: dict[str, Any], field: str
) -> None:
    with pytest.raises(anthropic.BadRequestError) as raised:
        ask_anthropic(lab, "haiku", extra_body=members)
    assert raised.value.type == "invalid_request_error"
    assert field in raised.value.message
    assert lab.face("claude").seen == []


BAD_CHATS = [
    ({"messages": "Hello"}, "messages"),
    ({"messages": [{"role": "wizard", "content": "Hello"}]}, "messages.0.role"),
    ({"messages": [{"role": "tool", "content": "Hello"}]}, "messages.0.tool_call_id"),
    ({"tools": [{"type": "function"}]}, "tools.0"),
    ({"max_tokens": "many"}, "max_tokens"),
    ({"stream": "yes"}, "stream"),
]


@pytest.mark.parametrize(("members", "field"), BAD_CHATS)
def test_a_malformed_chat_body_names_the_field(
    lab: Lab, members: dict[str, Any], field: str
) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        ask_openai(lab, "mini", extra_body=members)
    assert raised.value.type == "invalid_request_error"
    assert field in raised.value.message
    assert (raised.value.param or "").startswith(field)
    assert lab.face("gpt").seen == []


def test_a_denied_request(lab: Lab) -> None:
    with pytest.raises(anthropic.PermissionDeniedError, match="this team may not") as first:
        ask_anthropic(lab, "haiku", extra_headers={"x-team": "banned"})
    with pytest.raises(openai.PermissionDeniedError, match="this team may not") as second:
        ask_openai(lab, "mini", extra_headers={"x-team": "Banned"})
    for error in (first.value, second.value):
        assert error.response.headers["x-lynkr-rule"] == "banned"
        assert "x-lynkr-attempts" not in error.response.headers
    assert [face.seen for face in lab.faces if face.seen] == []


def test_a_request_no_target_may_take(lab: Lab) -> None:
    """Only a local target is allowed, and none of those sees images."""
    home = {"x-data-class": "confidential"}
    png = "iVBORw0KGgo="
    source = {"type": "base64", "media_type": "image/png", "data": png}
    image: Any = [{"role": "user", "content": [{"type": "image", "source": source}]}]
    with pytest.raises(anthropic.BadRequestError) as first:
        lab.anthropic.messages.create(
            model="auto", max_tokens=100, messages=image, extra_headers=home
        )
    url = f"data:image/png;base64,{png}"
    part: Any = [{"type": "image_url", "image_url": {"url": url}}]
    with pytest.raises(openai.BadRequestError) as second:
        lab.openai.chat.completions.create(
            model="auto", messages=[{"role": "user", "content": part}], extra_headers=home
        )
    for error in (first.value, second.value):
        assert "llama" in error.message
        assert "vision" in error.message
    assert [face.seen for face in lab.faces if face.seen] == []


def test_an_unknown_path(lab: Lab) -> None:
    with pytest.raises(anthropic.NotFoundError):
        lab.anthropic.messages.batches.list()
    with pytest.raises(openai.NotFoundError, match="no section `embeddings`"):
        lab.openai.embeddings.create(model="auto", input="Hello")
