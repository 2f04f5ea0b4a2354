"""The official SDKs against a live gateway: tool round trips, parallel calls, images."""

import json
from typing import Any

import pytest

from tests.e2e.scripted_answers import Call, Said
from tests.e2e.socket_lab import Lab

PROVIDERS = {"haiku": "claude", "sonnet": "claude-like", "mini": "gpt", "open": "gpt-like"} | {
    "llama": "house"
}
TARGETS = sorted(PROVIDERS)
SEEING = ["haiku", "mini", "open", "sonnet"]

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
ANTHROPIC_TOOLS: list[Any] = [
    {"name": "weather", "description": "Weather of a city", "input_schema": SCHEMA},
    {"name": "now", "description": "The time", "input_schema": {"type": "object"}},
]
OPENAI_TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {"name": "weather", "description": "Weather of a city", "parameters": SCHEMA},
    },
    {
        "type": "function",
        "function": {"name": "now", "parameters": {"type": "object", "properties": {}}},
    },
]
WEATHER = Call("toolu_01AbCdEfGhIjKlMnOpQrStUv", "weather", {"city": "Tromsø", "days": 3})
NOW = Call("call_0123456789abcdefghijklmn", "now", {})
CALLS = Said(text="I look.", calls=(WEATHER, NOW), stop="tool_use")
ASK = "How is the weather in Tromsø?"
DONE = Said(text="Snow, and it is noon.")
RESULTS = {WEATHER.id: "snow", NOW.id: "noon"}


def chat_form(body: dict[str, Any]) -> tuple[list[Any], dict[str, str]]:
    """(calls, results by id) of a conversation as a Chat upstream got it."""
    calls = [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for message in body["messages"]
        for call in message.get("tool_calls", [])
    ]
    results = {m["tool_call_id"]: m["content"] for m in body["messages"] if m["role"] == "tool"}
    return calls, results


def messages_form(body: dict[str, Any]) -> tuple[list[Any], dict[str, str]]:
    """(calls, results by id) of a conversation as a Messages upstream got it."""
    blocks = [
        block
        for message in body["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
    ]
    calls = [(b["id"], b["name"], b["input"]) for b in blocks if b["type"] == "tool_use"]
    results = {}
    for block in blocks:
        if block["type"] == "tool_result":
            content = block["content"]
            text = content if isinstance(content, str) else content[0]["text"]
            results[block["tool_use_id"]] = text
    return calls, results


def check_upstream(lab: Lab, target: str) -> None:
    """The second request brought the calls and their results just as they were made."""
    first, second = lab.face(PROVIDERS[target]).seen
    form = messages_form if "claude" in PROVIDERS[target] else chat_form
    calls, results = form(second.json)
    assert calls == [(call.id, call.name, call.arguments) for call in CALLS.calls]
    assert results == RESULTS
    for seen in (first, second):
        tools = seen.json["tools"]
        names = [tool.get("name") or tool["function"]["name"] for tool in tools]
        assert names == ["weather", "now"]
        schema = tools[0].get("input_schema") or tools[0]["function"]["parameters"]
        assert schema == SCHEMA


def replayed(block: Any) -> dict[str, Any]:
    """A block of an answer as a client sends it back."""
    names = ("type", "text") if block.type == "text" else ("type", "id", "name", "input")
    return {name: getattr(block, name) for name in names}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("target", TARGETS)
def test_anthropic_parallel_tools(lab: Lab, target: str, stream: bool) -> None:
    lab.face(PROVIDERS[target]).behaviours = [CALLS, DONE]
    ask: dict[str, Any] = {"model": f"lynkr/{target}", "max_tokens": 500, "tools": ANTHROPIC_TOOLS}

    def turn(messages: list[Any]) -> Any:
        if not stream:
            return lab.anthropic.messages.create(**ask, messages=messages)
        with lab.anthropic.messages.stream(**ask, messages=messages) as events:
            return events.get_final_message()

    messages: list[Any] = [{"role": "user", "content": ASK}]
    called = turn(messages)
    assert called.stop_reason == "tool_use"
    assert [block.type for block in called.content] == ["text", "tool_use", "tool_use"]
    assert called.content[0].text == CALLS.text
    assert [(b.id, b.name, b.input) for b in called.content[1:]] == [
        (call.id, call.name, call.arguments) for call in CALLS.calls
    ]
    # Agents send results as tools complete, which need not be the order of the calls.
    results = [
        {"type": "tool_result", "tool_use_id": NOW.id, "content": "noon"},
        {
            "type": "tool_result",
            "tool_use_id": WEATHER.id,
            "content": [{"type": "text", "text": "snow"}],
        },
    ]
    content = [replayed(block) for block in called.content]
    done = turn(
        [*messages, {"role": "assistant", "content": content}, {"role": "user", "content": results}]
    )
    assert done.stop_reason == "end_turn"
    assert done.content[0].text == DONE.text
    check_upstream(lab, target)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("target", TARGETS)
def test_openai_parallel_tools(lab: Lab, target: str, stream: bool) -> None:
    lab.face(PROVIDERS[target]).behaviours = [CALLS, DONE]
    ask: dict[str, Any] = {"model": f"lynkr/{target}", "tools": OPENAI_TOOLS}

    def turn(messages: list[Any]) -> Any:
        if not stream:
            return lab.openai.chat.completions.create(**ask, messages=messages).choices[0]
        with lab.openai.chat.completions.stream(**ask, messages=messages) as events:
            for _ in events:
                pass
            return events.get_final_completion().choices[0]

    messages: list[Any] = [{"role": "user", "content": ASK}]
    called = turn(messages)
    assert called.finish_reason == "tool_calls"
    assert called.message.content == CALLS.text
    assert [
        (call.id, call.type, call.function.name, json.loads(call.function.arguments))
        for call in called.message.tool_calls
    ] == [(call.id, "function", call.name, call.arguments) for call in CALLS.calls]
    again = {
        "role": "assistant",
        "content": called.message.content,
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.function.name, "arguments": call.function.arguments},
            }
            for call in called.message.tool_calls
        ],
    }
    results = [
        {"role": "tool", "tool_call_id": NOW.id, "content": "noon"},
        {"role": "tool", "tool_call_id": WEATHER.id, "content": "snow"},
    ]
    done = turn([*messages, again, *results])
    assert done.finish_reason == "stop"
    assert done.message.content == DONE.text
    check_upstream(lab, target)


@pytest.mark.parametrize("target", TARGETS)
def test_a_call_without_text_leaves_none(lab: Lab, target: str) -> None:
    said = Said(calls=(NOW,), stop="tool_use")
    lab.face(PROVIDERS[target]).behaviours = [said] * 4
    messages: list[Any] = [{"role": "user", "content": ASK}]
    model = f"lynkr/{target}"
    anthropic: dict[str, Any] = {"model": model, "max_tokens": 500, "tools": ANTHROPIC_TOOLS}
    message = lab.anthropic.messages.create(**anthropic, messages=messages)
    with lab.anthropic.messages.stream(**anthropic, messages=messages) as stream:
        final = stream.get_final_message()
    for content in (message.content, final.content):
        block: Any
        [block] = content
        assert block.type == "tool_use"
        assert (block.id, block.name, block.input) == (NOW.id, "now", {})
    openai: dict[str, Any] = {"model": model, "tools": OPENAI_TOOLS, "messages": messages}
    choice = lab.openai.chat.completions.create(**openai).choices[0]
    assert not choice.message.content
    with lab.openai.chat.completions.stream(**openai) as events:
        for _ in events:
            pass
        streamed = events.get_final_completion().choices[0]
    for got in (choice, streamed):
        assert got.message.tool_calls is not None
        [call] = got.message.tool_calls
        assert call.type == "function"
        assert json.loads(call.function.arguments) == {}


CHOICES = [
    ({"type": "any"}, "required"),
    ({"type": "tool", "name": "now"}, {"type": "function", "function": {"name": "now"}}),
    ({"type": "none"}, "none"),
]


@pytest.mark.parametrize(("anthropic", "openai"), CHOICES)
@pytest.mark.parametrize("target", ["haiku", "mini"])
def test_a_demand_for_a_tool_arrives(
    lab: Lab, target: str, anthropic: dict[str, Any], openai: Any
) -> None:
    face = lab.face(PROVIDERS[target])
    face.behaviours = [CALLS, CALLS]
    messages: list[Any] = [{"role": "user", "content": ASK}]
    model = f"lynkr/{target}"
    choice: Any = (
        anthropic
        if anthropic["type"] == "none"
        else anthropic | {"disable_parallel_tool_use": True}
    )
    lab.anthropic.messages.create(
        model=model,
        max_tokens=500,
        messages=messages,
        tools=ANTHROPIC_TOOLS,
        tool_choice=choice,
    )
    lab.openai.chat.completions.create(
        model=model, messages=messages, tools=OPENAI_TOOLS, tool_choice=openai
    )
    first, second = (seen.json for seen in face.seen)
    if target == "mini":
        assert first["tool_choice"] == second["tool_choice"] == openai
        if anthropic["type"] != "none":
            assert first["parallel_tool_calls"] is False
    else:
        assert second["tool_choice"] == anthropic
        assert first["tool_choice"]["type"] == anthropic["type"]


MOVES = [
    ("open", Call("functions.weather:0", "weather", {"city": "Oslo"}), "haiku"),
    ("open", Call("functions.weather:0", "weather", {"city": "Oslo"}), "veteran"),
    ("haiku", WEATHER, "mini"),
    ("mini", NOW, "haiku"),
]


@pytest.mark.parametrize(("made_by", "made", "goes_to"), MOVES)
def test_an_openai_conversation_moves(lab: Lab, made_by: str, made: Call, goes_to: str) -> None:
    """Ids one upstream makes may be illegal at the next: its judge refuses them."""
    lab.face(PROVIDERS[made_by]).behaviours = [Said(calls=(made,), stop="tool_use")]
    messages: list[Any] = [{"role": "user", "content": ASK}]
    called = lab.openai.chat.completions.create(
        model=f"lynkr/{made_by}", messages=messages, tools=OPENAI_TOOLS
    )
    calls = called.choices[0].message.tool_calls
    assert calls is not None
    turn: Any = {"role": "assistant", "tool_calls": [calls[0].to_dict()]}
    result: Any = {"role": "tool", "tool_call_id": calls[0].id, "content": "well"}
    done = lab.openai.chat.completions.create(
        model=f"lynkr/{goes_to}", messages=[*messages, turn, result], tools=OPENAI_TOOLS
    )
    assert done.choices[0].finish_reason == "stop"


@pytest.mark.parametrize(("made_by", "made", "goes_to"), MOVES)
def test_an_anthropic_conversation_moves(lab: Lab, made_by: str, made: Call, goes_to: str) -> None:
    lab.face(PROVIDERS[made_by]).behaviours = [Said(calls=(made,), stop="tool_use")]
    ask: dict[str, Any] = {"max_tokens": 500, "tools": ANTHROPIC_TOOLS}
    messages: list[Any] = [{"role": "user", "content": ASK}]
    called: Any = lab.anthropic.messages.create(model=f"lynkr/{made_by}", messages=messages, **ask)
    [block] = called.content
    assert block.type == "tool_use"
    result = {"type": "tool_result", "tool_use_id": block.id, "content": "well"}
    turns: list[Any] = [
        {"role": "assistant", "content": [replayed(block)]},
        {"role": "user", "content": [result]},
    ]
    done = lab.anthropic.messages.create(
        model=f"lynkr/{goes_to}", messages=[*messages, *turns], **ask
    )
    assert done.stop_reason == "end_turn"


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg"


@pytest.mark.parametrize("target", SEEING)
def test_an_image_arrives(lab: Lab, target: str) -> None:
    face = lab.face(PROVIDERS[target])
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    content: list[Any] = [
        {"type": "image", "source": source},
        {"type": "text", "text": "What is this?"},
    ]
    lab.anthropic.messages.create(
        model=f"lynkr/{target}", max_tokens=100, messages=[{"role": "user", "content": content}]
    )
    url = f"data:image/png;base64,{PIXEL}"
    parts: list[Any] = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "What is this?"},
    ]
    lab.openai.chat.completions.create(
        model=f"lynkr/{target}", messages=[{"role": "user", "content": parts}]
    )
    for seen in face.seen:
        image, text = seen.json["messages"][0]["content"]
        assert text == {"type": "text", "text": "What is this?"}
        if "claude" in face.name:
            assert image == {"type": "image", "source": source}
        else:
            assert image["type"] == "image_url"
            assert image["image_url"]["url"] == url


def test_an_image_needs_a_target_that_sees(lab: Lab) -> None:
    """The chain leaves out what cannot see; a pinned target that cannot is refused by name."""
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "Hello"}]
    body = {
        "model": "lynkr/COMPLEX",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": content}],
    }
    lab.face("claude").behaviours = ["fail:503"]
    failed = lab.send("/v1/messages", body)
    assert failed.status == 529
    assert lab.face("house").seen == []
    pinned = lab.send("/v1/messages", body | {"model": "lynkr/llama"})
    assert pinned.status == 400
    assert "llama" in pinned.json["error"]["message"]
    assert "vision" in pinned.json["error"]["message"]
