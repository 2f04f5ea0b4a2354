"""Every provider kind with Chat or Messages: a server that behaves like it, the official SDKs."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import anthropic
import openai
import pytest

from lynkrc_runtime.providers.table import KINDS
from tests.e2e import kind_bundle, kind_servers
from tests.e2e.gateway import serving
from tests.e2e.kind_bundle import NATIVE, name_of
from tests.e2e.kind_servers import CHAT, MESSAGES, SERVERS, KindServer
from tests.e2e.scripted_answers import Call, Said
from tests.e2e.socket_lab import CLIENT_KEY, Lab, clients, forget_targets
from tests.e2e.test_sdk_tools import ANTHROPIC_TOOLS, OPENAI_TOOLS
from tests.e2e.upstream_server import Seen, UpstreamServer, in_background

WAYS = [(kind, dialect) for kind, one in SERVERS.items() for dialect in one.paths.values()]
CHAT_KINDS = sorted(kind for kind, dialect in WAYS if dialect == CHAT)
LOCAL = ("ollama", "llamacpp", "lmstudio", "mlx", "vllm")
CALLS = (
    Call("functions.weather:0", "weather", {"city": "Tromsø", "days": 3}),
    Call("functions.now:1", "now", {}),
)
THOUGHT = ("They ask for two things.", "EqSigned==")
ASK = "How is the weather in Tromsø?"


def key_of(kind: str) -> str:
    return f"key-of-{kind}"


def judge_of(server: KindServer, body: Any, headers: Any) -> Any:
    check = server.messages_judge if "anthropic-version" in headers else server.judge
    text = check(body) if check is not None else None
    return None if text is None else kind_servers.refusal(server, text)


@pytest.fixture(scope="module")
def _kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    server = UpstreamServer()
    for kind, one in SERVERS.items():
        face = server.face(kind, partial(judge_of, one))
        face.paths, face.render = one.paths, partial(kind_servers.spell, one)
    folder = tmp_path_factory.mktemp("kinds")
    bundle = kind_bundle.build(folder)
    with in_background(server) as background:
        environ = {}
        for kind, face in server.faces.items():
            variable = kind_bundle.variable_of(kind)
            environ |= {f"{variable}_URL": face.url, f"{variable}_KEY": key_of(kind)}
        with serving(bundle, folder / "log", environ=environ) as gateway:
            with clients(gateway) as (first, second):
                yield Lab(gateway=gateway, background=background, anthropic=first, openai=second)
            assert gateway.stop() == 0
            assert not [line for line in gateway.lines if line["event"] == "mistake"]


@pytest.fixture
def kinds(_kinds: Lab) -> Iterator[Lab]:
    """The gateway with clean upstreams; afterwards, that nothing was refused."""
    for face in _kinds.faces:
        face.reset()
    forget_targets(_kinds.gateway)
    yield _kinds
    for face in _kinds.faces:
        assert face.refused == [], face.name
        for seen in face.seen:
            check_call(face.name, seen)


def check_call(kind: str, seen: Seen) -> None:
    """The path, the credentials and the headers a provider expects, and nothing of the client."""
    server = SERVERS[kind]
    dialect = server.paths[seen.path]
    for header, prefix in server.auth.items():
        assert seen.headers[header] == prefix + key_of(kind)
    others = {"authorization", "x-api-key", "api-key"} - set(server.auth)
    assert not others & set(seen.headers)
    assert CLIENT_KEY not in str(seen.headers)
    assert seen.headers["content-type"] == "application/json"
    assert ("anthropic-version" in seen.headers) == (dialect == MESSAGES)
    assert seen.json["model"] == server.model


def test_every_kind_with_these_dialects_has_a_server() -> None:
    spoken = {
        (kind.name, endpoint.dialect)
        for kind in KINDS.values()
        for endpoint in kind.endpoints
        if endpoint.dialect in (CHAT, MESSAGES) and kind.name in SERVERS
    }
    assert spoken == set(WAYS)
    speaking = {name for name, kind in KINDS.items() if kind.dialect in (CHAT, MESSAGES)}
    assert speaking - set(SERVERS) == {"simulator"}
    # Those have servers of their own: `tests/providers`, and `test_gemini_sockets.py` beside this.
    assert set(KINDS) - set(SERVERS) == {"bedrock", "vertex", "gemini", "simulator"}


@pytest.mark.parametrize(("kind", "dialect"), WAYS)
def test_text(kinds: Lab, kind: str, dialect: str) -> None:
    said = Said(text="Snow, Tromsø says.", fresh=11, cached=10, output=12)
    face = kinds.face(kind)
    face.behaviours = [said] * 4
    model = f"lynkr/{name_of(kind, dialect)}"
    messages: list[Any] = [{"role": "user", "content": ASK}]
    whole = kinds.anthropic.messages.create(model=model, max_tokens=500, messages=messages)
    with kinds.anthropic.messages.stream(model=model, max_tokens=500, messages=messages) as events:
        final = events.get_final_message()
    for message in (whole, final):
        assert [block.model_dump()["text"] for block in message.content] == [said.text]
        assert message.stop_reason == "end_turn"
        counts = message.usage
        assert (counts.input_tokens, counts.cache_read_input_tokens) == (11, 10)
        assert counts.output_tokens == 12
    done = kinds.openai.chat.completions.create(model=model, messages=messages)
    assert done.usage is not None
    assert done.choices[0].message.content == said.text
    assert done.choices[0].finish_reason == "stop"
    assert (done.usage.prompt_tokens, done.usage.completion_tokens) == (21, 12)
    with kinds.openai.chat.completions.stream(model=model, messages=messages) as stream:
        for _ in stream:
            pass
        streamed = stream.get_final_completion()
    assert streamed.choices[0].message.content == said.text
    assert [server_path(kind, seen) for seen in face.seen] == [dialect] * 4


def server_path(kind: str, seen: Seen) -> str:
    return SERVERS[kind].paths[seen.path]


@pytest.mark.parametrize("kind", sorted(set(SERVERS) - set(NATIVE)))
def test_a_messages_client_goes_where_it_loses_least(kinds: Lab, kind: str) -> None:
    face = kinds.face(kind)
    face.behaviours = [Said(text="Hello."), Said(text="Hello.")]
    messages: list[Any] = [{"role": "user", "content": ASK}]
    model = f"lynkr/{kind}-usual"
    kinds.anthropic.messages.create(model=model, max_tokens=500, messages=messages)
    kinds.openai.chat.completions.create(model=model, messages=messages)
    server = SERVERS[kind]
    first = next(iter(server.paths.values()))
    expected = [MESSAGES if server.passes else first, first]
    assert [server_path(kind, seen) for seen in face.seen] == expected


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("kind", "dialect"), WAYS)
def test_tools_and_reasoning_of_messages_clients(
    kinds: Lab, kind: str, dialect: str, stream: bool
) -> None:
    server, face = SERVERS[kind], kinds.face(kind)
    has_thought = dialect == MESSAGES or server.reasoning is not None
    face.behaviours = [
        Said(
            text="I look." if server.reasoning != "tags" else "",
            thinking=THOUGHT if has_thought else None,
            calls=CALLS,
            stop="tool_use",
        ),
        Said(text="Snow at noon."),
    ]
    ask: dict[str, Any] = {
        "model": f"lynkr/{name_of(kind, dialect)}",
        "max_tokens": 5000,
        "tools": ANTHROPIC_TOOLS,
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "medium"},
        "system": [{"type": "text", "text": "Be brief."}],
    }

    def turn(messages: list[Any]) -> Any:
        if not stream:
            return kinds.anthropic.messages.create(**ask, messages=messages)
        with kinds.anthropic.messages.stream(**ask, messages=messages) as events:
            return events.get_final_message()

    messages: list[Any] = [{"role": "user", "content": ASK}]
    called = turn(messages)
    assert called.stop_reason == "tool_use"
    blocks = {block.type: block for block in called.content}
    if has_thought:
        assert blocks["thinking"].thinking.strip() == THOUGHT[0]
        assert blocks["thinking"].signature
    calls = [block for block in called.content if block.type == "tool_use"]
    assert [(call.name, call.input) for call in calls] == [
        (call.name, call.arguments) for call in CALLS
    ]
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": f"{call.name}: done"}
        for call in reversed(calls)
    ]
    done = turn(
        [
            *messages,
            {"role": "assistant", "content": [block.to_dict() for block in called.content]},
            {"role": "user", "content": [*results, {"type": "text", "text": "Go on."}]},
        ]
    )
    assert done.content[-1].text == "Snow at noon."
    if dialect == CHAT:
        check_history(kind, face.seen[1].json["messages"])


def check_history(kind: str, messages: list[dict[str, Any]]) -> None:
    """The calls with their results in their order, and what the maker wants back of reasoning."""
    [turn] = [message for message in messages if message["role"] == "assistant"]
    results = [message for message in messages if message["role"] == "tool"]
    assert [result["content"] for result in results] == ["now: done", "weather: done"]
    ids = [call["id"] for call in turn["tool_calls"]]
    assert sorted(result["tool_call_id"] for result in results) == sorted(ids)
    match kind:
        case "deepseek" | "moonshot" | "zai":
            assert turn["reasoning_content"] == THOUGHT[0]
        case "openrouter":
            [detail] = turn["reasoning_details"]
            assert (detail["text"], detail["signature"]) == THOUGHT
        case "vllm":
            assert turn["reasoning"] == THOUGHT[0]
        case _:
            assert not {"reasoning", "reasoning_content", "reasoning_details"} & set(turn)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("kind", CHAT_KINDS)
def test_tools_of_chat_clients(kinds: Lab, kind: str, stream: bool) -> None:
    """A client that never heard of reasoning answers calls; another maker made the ids."""
    face = kinds.face(kind)
    face.behaviours = [
        Said(text="I look.", calls=CALLS, stop="tool_use"),
        Said(text="Snow at noon."),
    ]
    ask: dict[str, Any] = {"model": f"lynkr/{name_of(kind, CHAT)}", "tools": OPENAI_TOOLS}

    def turn(messages: list[Any]) -> Any:
        if not stream:
            return kinds.openai.chat.completions.create(**ask, messages=messages).choices[0]
        with kinds.openai.chat.completions.stream(**ask, messages=messages) as events:
            for _ in events:
                pass
            return events.get_final_completion().choices[0]

    messages: list[Any] = [{"role": "user", "content": ASK}]
    called = turn(messages)
    assert called.finish_reason == "tool_calls"
    calls = called.message.tool_calls
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        (call.name, call.arguments) for call in CALLS
    ]
    history = [{"id": c.id, "type": "function", "function": c.function.to_dict()} for c in calls]
    for call in history:
        call["function"].pop("parsed_arguments", None)
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": call.function.name} for call in calls
    ]
    assistant = {"role": "assistant", "content": "I look.", "refusal": None, "tool_calls": history}
    done = turn([*messages, assistant, *results, {"role": "user", "content": "Go on."}])
    assert done.message.content == "Snow at noon."
    sent = face.seen[1].json["messages"]
    ids = [call["id"] for call in sent[1]["tool_calls"]]
    assert [message["tool_call_id"] for message in sent if message["role"] == "tool"] == ids


SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
FUNCTION = {"name": "weather", "parameters": SCHEMA, "strict": True}
WISHES: dict[str, Any] = {
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "One.", "name": "ann"},
        {"role": "user", "content": "Two."},
        {"role": "system", "content": "Be quick."},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "temperature": 1.5,
    "top_p": 0.9,
    "seed": 7,
    "stop": ["a", "b", "c", "d"],
    "presence_penalty": 0.1,
    "frequency_penalty": 0.1,
    "reasoning_effort": "medium",
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "a", "schema": SCHEMA, "strict": True},
    },
    "user": "somebody",
    "max_completion_tokens": 700,
}
STRICT = {"databricks", "deepseek", "groq", "llamacpp", "lmstudio", "mistral", "mlx", "moonshot"}
STRICT |= {"openai-compatible", "xai", "zai"}


@pytest.mark.parametrize("kind", CHAT_KINDS)
def test_every_wish_of_a_chat_client_is_legal_or_left_out(kinds: Lab, kind: str) -> None:
    face = kinds.face(kind)
    face.behaviours = [Said(text="Hello.")]
    done = kinds.openai.chat.completions.create(model=f"lynkr/{name_of(kind, CHAT)}", **WISHES)
    assert done.choices[0].message.content == "Hello."
    # What every server takes is still said.
    said = json.dumps(face.seen[0].json["messages"])
    for words in ("Be brief.", "Be kind.", "One.", "Two.", "Be quick."):
        assert words in said
    assert face.seen[0].json["tools"][0]["function"]["parameters"] == SCHEMA


@pytest.mark.parametrize("kind", sorted(STRICT))
def test_such_a_request_would_be_refused_as_it_is(kind: str) -> None:
    """The judges bite: what they are shown through the gateway is not just anything."""
    judge = SERVERS[kind].judge
    assert judge is not None
    assert judge(WISHES) is not None


@pytest.mark.parametrize("kind", CHAT_KINDS)
def test_every_wish_of_a_messages_client_is_legal_or_left_out(kinds: Lab, kind: str) -> None:
    face = kinds.face(kind)
    face.behaviours = [Said(text="Hello.")] * 4
    for thinking in (
        {"type": "disabled"},
        {"type": "adaptive"},
        {"type": "enabled", "budget_tokens": 2000},
    ):
        kinds.anthropic.messages.create(
            model=f"lynkr/{name_of(kind, CHAT)}",
            max_tokens=4000,
            system="Be brief.",
            messages=[
                {"role": "user", "content": "One."},
                {"role": "user", "content": [{"type": "text", "text": "Two."}]},
            ],
            tools=[{"name": "weather", "input_schema": SCHEMA, "strict": True}],
            tool_choice={"type": "auto", "disable_parallel_tool_use": True},
            thinking=thinking,
            stop_sequences=["a", "b", "c", "d", "e", "f"],
            metadata={"user_id": "somebody"},
            extra_body={"temperature": 1.0, "top_k": 40},
            extra_headers={"anthropic-version": "2023-06-01"},
        )
    off, on, budget = (seen.json for seen in face.seen)
    match kind:
        case "deepseek" | "zai":
            assert off["thinking"] == {"type": "disabled"}
            assert on["thinking"] == budget["thinking"] == {"type": "enabled"}
        case "openrouter":
            assert off["reasoning"] == {"enabled": False}
            assert on["reasoning"] == {"enabled": True}
            assert budget["reasoning"] == {"max_tokens": 2000}
        case "vllm" | "llamacpp":
            asked = [body["chat_template_kwargs"]["enable_thinking"] for body in (off, on, budget)]
            assert asked == [False, True, True]
        case "xai":
            assert not {"reasoning_effort", "reasoning", "thinking"} & set(on)
        case _:
            assert budget["reasoning_effort"] == "low"
    takes_top_k = kind in {"openrouter", "fireworks", "mistral", "together", "llamacpp"} | {
        "lmstudio",
        "mlx",
        "vllm",
    }
    assert ("top_k" in on) == takes_top_k


@pytest.mark.parametrize("kind", ["lmstudio", "ollama"])
def test_pictures_by_address_are_refused_before_they_are_sent(kinds: Lab, kind: str) -> None:
    part = {"type": "image_url", "image_url": {"url": "https://pictures.test/a.png"}}
    source = {"type": "url", "url": "https://pictures.test/a.png"}
    model = f"lynkr/{name_of(kind, CHAT)}"
    with pytest.raises(openai.BadRequestError, match="only with their data"):
        kinds.openai.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": [part]}],
        )
    with pytest.raises(anthropic.BadRequestError, match="only with their data"):
        kinds.anthropic.messages.create(
            model=model,
            max_tokens=9,
            messages=[{"role": "user", "content": [{"type": "image", "source": source}]}],
        )
    assert kinds.face(kind).seen == []


BEGUN: list[Any] = [
    {"role": "user", "content": "A haiku."},
    {"role": "assistant", "content": "Snow"},
]


def test_a_beginning_is_continued_as_each_server_wants_it_marked(kinds: Lab) -> None:
    for kind, mark in (("moonshot", "partial"), ("vllm", None), ("llamacpp", None)):
        face = kinds.face(kind)
        face.behaviours = [Said(text=" falls.")] * 2
        model = f"lynkr/{name_of(kind, CHAT)}"
        kinds.anthropic.messages.create(model=model, max_tokens=9, messages=BEGUN)
        kinds.openai.chat.completions.create(model=model, messages=BEGUN)
        for seen in face.seen:
            last = seen.json["messages"][-1]
            assert last == BEGUN[-1] | ({} if mark is None else {mark: True})
            assert seen.json.get("continue_final_message") == (True if kind == "vllm" else None)
            assert seen.json.get("add_generation_prompt") == (False if kind == "vllm" else None)


@pytest.mark.parametrize("kind", ["deepseek", "mistral"])
def test_a_beginning_that_cannot_be_continued_goes_elsewhere(kinds: Lab, kind: str) -> None:
    model = f"lynkr/{name_of(kind, CHAT)}"
    with pytest.raises(anthropic.BadRequestError, match="does not continue"):
        kinds.anthropic.messages.create(model=model, max_tokens=9, messages=BEGUN)
    assert kinds.face(kind).seen == []


@pytest.mark.parametrize("dialect", [CHAT, MESSAGES])
@pytest.mark.parametrize("kind", CHAT_KINDS)
def test_an_error_in_the_provider_s_own_words(kinds: Lab, kind: str, dialect: str) -> None:
    server = SERVERS[kind]
    kinds.face(kind).behaviours = [kind_servers.own_error(server)]
    model, messages = f"lynkr/{name_of(kind, CHAT)}", [{"role": "user", "content": ASK}]
    if dialect == CHAT:
        with pytest.raises(openai.APIStatusError) as chat_error:
            kinds.openai.chat.completions.create(model=model, messages=messages)
        assert chat_error.value.status_code == server.error.openai
    else:
        with pytest.raises(anthropic.APIStatusError) as error:
            kinds.anthropic.messages.create(model=model, max_tokens=9, messages=messages)
        assert error.value.status_code == server.error.anthropic
