"""The official SDKs against a live gateway: text, streams, system prompts, usage, stop reasons."""

from typing import Any

import pytest

from tests.e2e.scripted_answers import UPSTREAM_ID, Said
from tests.e2e.socket_lab import Lab, key_of

SAID = Said(text="Grüße aus der Küche — 晨\u2028 and a line", fresh=120, cached=30, output=17)
PROVIDERS = {
    "sonnet": "claude-like",
    "haiku": "claude",
    "mini": "gpt",
    "open": "gpt-like",
    "llama": "house",
}
MODELS = {
    "sonnet": "claude-sonnet-5-5",
    "haiku": "claude-haiku-5-5",
    "mini": "gpt-4o-mini",
    "open": "qwen3-coder",
    "llama": "llama3.2",
}
TARGETS = sorted(PROVIDERS)
HELLO: list[Any] = [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize("target", TARGETS)
def test_anthropic_text(lab: Lab, target: str) -> None:
    lab.face(PROVIDERS[target]).behaviours = [SAID, SAID]
    raw = lab.anthropic.messages.with_raw_response.create(
        model=f"lynkr/{target}", max_tokens=100, messages=HELLO
    )
    message = raw.parse()
    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": SAID.text}]
    assert (message.stop_reason, message.stop_sequence) == ("end_turn", None)
    assert message.model == MODELS[target]
    assert message.usage.input_tokens == 120
    assert message.usage.cache_read_input_tokens == 30
    assert message.usage.output_tokens == 17
    assert raw.headers["x-lynkr-model"] == MODELS[target]
    assert raw.headers["x-lynkr-provider"] == PROVIDERS[target]
    assert raw.headers["x-lynkr-attempts"] == "1"
    assert raw.headers["x-lynkr-fallback"] == "false"
    assert raw.headers["x-lynkr-upstream-request-id"] == UPSTREAM_ID
    assert raw.headers["request-id"] == raw.headers["x-request-id"]

    with lab.anthropic.messages.stream(
        model=f"lynkr/{target}", max_tokens=100, messages=HELLO
    ) as stream:
        assert "".join(stream.text_stream) == SAID.text
        streamed = stream.get_final_message()
        assert stream.response.headers["x-lynkr-model"] == MODELS[target]
    assert [(b.type, getattr(b, "text", "")) for b in streamed.content] == [("text", SAID.text)]
    assert streamed.stop_reason == message.stop_reason
    assert streamed.model == message.model
    assert streamed.usage.to_dict() == message.usage.to_dict()


@pytest.mark.parametrize("target", TARGETS)
def test_openai_text(lab: Lab, target: str) -> None:
    lab.face(PROVIDERS[target]).behaviours = [SAID, SAID]
    raw = lab.openai.chat.completions.with_raw_response.create(
        model=f"lynkr/{target}", messages=HELLO
    )
    completion = raw.parse()
    [choice] = completion.choices
    assert choice.message.content == SAID.text
    assert choice.finish_reason == "stop"
    assert completion.model == MODELS[target]
    assert completion.usage is not None
    assert completion.usage.prompt_tokens == 150
    assert completion.usage.prompt_tokens_details is not None
    assert completion.usage.prompt_tokens_details.cached_tokens == 30
    assert (completion.usage.completion_tokens, completion.usage.total_tokens) == (17, 167)
    assert raw.headers["x-lynkr-provider"] == PROVIDERS[target]
    assert raw.headers["x-request-id"]

    with lab.openai.chat.completions.stream(
        model=f"lynkr/{target}", messages=HELLO, stream_options={"include_usage": True}
    ) as stream:
        for _ in stream:
            pass
        streamed = stream.get_final_completion()
    assert streamed.choices[0].message.content == SAID.text
    assert streamed.choices[0].finish_reason == "stop"
    assert streamed.model == completion.model
    assert streamed.usage == completion.usage


@pytest.mark.parametrize("target", TARGETS)
def test_an_openai_stream_has_usage_only_when_asked(lab: Lab, target: str) -> None:
    lab.face(PROVIDERS[target]).behaviours = [SAID]
    chunks = list(
        lab.openai.chat.completions.create(model=f"lynkr/{target}", messages=HELLO, stream=True)
    )
    assert [chunk for chunk in chunks if chunk.usage is not None or not chunk.choices] == []
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == SAID.text
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason]
    assert len({(chunk.id, chunk.model, chunk.created) for chunk in chunks}) == 1


STOPS = {
    "end_turn": "stop",
    "max_tokens": "length",
    "stop_sequence": "stop",
}


@pytest.mark.parametrize("stop", sorted(STOPS))
@pytest.mark.parametrize("target", ["haiku", "mini"])
def test_stop_reasons(lab: Lab, target: str, stop: str) -> None:
    said = Said(text="Half a", stop=stop, stop_sequence="END" if stop == "stop_sequence" else None)
    lab.face(PROVIDERS[target]).behaviours = [said] * 4
    # OpenAI does not tell which of its `stop`s it was.
    is_told = target == "haiku" or stop != "stop_sequence"
    wanted = stop if is_told else "end_turn"
    model = f"lynkr/{target}"
    message = lab.anthropic.messages.create(model=model, max_tokens=100, messages=HELLO)
    assert message.stop_reason == wanted
    assert message.stop_sequence == (said.stop_sequence if is_told else None)
    with lab.anthropic.messages.stream(model=model, max_tokens=100, messages=HELLO) as stream:
        final = stream.get_final_message()
    assert (final.stop_reason, final.stop_sequence) == (message.stop_reason, message.stop_sequence)
    completion = lab.openai.chat.completions.create(model=model, messages=HELLO)
    assert completion.choices[0].finish_reason == STOPS[stop]
    chunks = lab.openai.chat.completions.create(model=model, messages=HELLO, stream=True)
    assert [c.choices[0].finish_reason for c in chunks][-1] == STOPS[stop]


@pytest.mark.parametrize("target", ["haiku", "veteran", "mini", "llama"])
def test_anthropic_system_in_all_three_places(lab: Lab, target: str) -> None:
    name = PROVIDERS.get(target, "claude")
    face = lab.face(name)
    messages: list[Any] = [
        {"role": "user", "content": "Hello"},
        {"role": "system", "content": "mid-conversation words"},
    ]
    ask: dict[str, Any] = {"model": f"lynkr/{target}", "max_tokens": 100}
    lab.anthropic.messages.create(**ask, messages=HELLO, system="plain words")
    blocks: list[Any] = [
        {"type": "text", "text": "first block", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "second block"},
    ]
    lab.anthropic.messages.create(**ask, messages=HELLO, system=blocks)
    lab.anthropic.messages.create(**ask, messages=messages)
    plain, listed, middle = (seen.body.decode() for seen in face.seen)
    assert "plain words" in plain
    assert listed.index("first block") < listed.index("second block")
    assert middle.index("Hello") < middle.index("mid-conversation words")


@pytest.mark.parametrize("target", ["haiku", "veteran", "mini", "llama"])
def test_openai_system_in_all_places(lab: Lab, target: str) -> None:
    face = lab.face(PROVIDERS.get(target, "claude"))
    messages: list[Any] = [
        {"role": "system", "content": "leading words"},
        {"role": "developer", "content": [{"type": "text", "text": "listed words"}]},
        {"role": "user", "content": "Hello"},
        {"role": "system", "content": "mid-conversation words"},
        {"role": "user", "content": "Again"},
    ]
    lab.openai.chat.completions.create(model=f"lynkr/{target}", messages=messages)
    body = face.seen[0].json
    text = face.seen[0].body.decode()
    head = str(body.get("system") or body["messages"][:2])
    assert "leading words" in head
    assert "listed words" in head
    assert text.index("Hello") < text.index("mid-conversation words") < text.index("Again")


@pytest.mark.parametrize("target", TARGETS)
def test_only_the_provider_s_own_credential_is_sent(lab: Lab, target: str) -> None:
    face = lab.face(PROVIDERS[target])
    lab.anthropic.messages.create(model=f"lynkr/{target}", max_tokens=100, messages=HELLO)
    headers = face.seen[0].headers
    if face.name == "house":
        assert not {"authorization", "x-api-key"} & set(headers)
    elif "claude" in face.name:
        assert headers["x-api-key"] == key_of(face.name)
        assert "authorization" not in headers
    else:
        assert headers["authorization"] == f"Bearer {key_of(face.name)}"
        assert not [name for name in headers if name.startswith("anthropic")]
