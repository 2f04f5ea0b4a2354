"""Both official SDKs through the gateway to a server that behaves like Gemini."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.e2e.gateway import GatewayProcess, built, serving
from tests.e2e.socket_lab import CLIENT_KEY, clients, exchange, forget_targets
from tests.providers.gemini_server import (
    COUNT,
    KEY,
    Fault,
    GeminiServer,
    Said,
    called,
    gemini_server,
)
from tests.wire.gemini_lint import SIGNATURE

SPEC = Path(__file__).parent / "gemini.yaml"
WORDS = "Grüße — 晨"
HELLO: list[Any] = [{"role": "user", "content": "Hi"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: list[Any] = [
    {"name": "weather", "description": "Weather of a city", "input_schema": SCHEMA},
    {"name": "3d-map", "input_schema": {"type": "object"}},
]
CHAT_TOOLS: list[Any] = [
    {"type": "function", "function": {"name": tool["name"], "parameters": tool["input_schema"]}}
    for tool in TOOLS
]


@dataclass(frozen=True)
class Site:
    """The gateway, Gemini, and both clients."""

    gateway: GatewayProcess
    gemini: GeminiServer
    anthropic: anthropic.Anthropic
    openai: openai.OpenAI

    def last(self) -> dict[str, Any]:
        """The body Gemini got last."""
        return dict(json.loads(self.gemini.asked[-1].body))

    def message(self, *, stream: bool, **ask: Any) -> Any:
        asked: dict[str, Any] = {"model": "lynkr/flash", "max_tokens": 500, "messages": HELLO} | ask
        if not stream:
            return self.anthropic.messages.create(**asked)
        with self.anthropic.messages.stream(**asked) as events:
            return events.get_final_message()

    def choice(self, *, stream: bool, **ask: Any) -> Any:
        asked: dict[str, Any] = {"model": "lynkr/flash", "messages": HELLO} | ask
        if not stream:
            return self.openai.chat.completions.create(**asked)
        with self.openai.chat.completions.stream(
            **asked, stream_options={"include_usage": True}
        ) as events:
            for _ in events:
                pass
            return events.get_final_completion()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(SPEC, tmp_path_factory.mktemp("bundle"), "gemini")


@pytest.fixture(scope="module")
def _site(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    log = tmp_path_factory.mktemp("gateway") / "log"
    with gemini_server().running() as gemini:
        environ = {"GOOGLE_URL": gemini.url, "GOOGLE_KEY": KEY}
        with serving(bundle, log, environ=environ) as gateway:
            with clients(gateway) as (messages, chat):
                yield Site(gateway=gateway, gemini=gemini, anthropic=messages, openai=chat)
            assert gateway.stop() == 0
            assert not [line for line in gateway.lines if line["event"] == "mistake"]


@pytest.fixture
def site(_site: Site) -> Iterator[Site]:
    """A silent Gemini; afterwards, that it refused nothing and saw no client's key."""
    _site.gemini.reset()
    forget_targets(_site.gateway)
    yield _site
    assert _site.gemini.refused == []
    assert _site.gemini.script == []
    for asked in _site.gemini.asked:
        assert CLIENT_KEY not in str(asked.headers)
        assert CLIENT_KEY.encode() not in asked.body


STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@STREAM
def test_text_for_a_messages_client(site: Site, stream: bool) -> None:
    said = Said(({"text": WORDS[:3]}, {"text": WORDS[3:]}), cached=5)
    site.gemini.script = [said]
    message = site.message(stream=stream, system="Be brief")
    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": WORDS}]
    assert (message.stop_reason, message.model) == ("end_turn", "gemini-3.8-flash")
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (16, 5, 12)
    (asked,) = site.gemini.asked
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    assert asked.path == f"/v1beta/models/gemini-3.8-flash:{verb}"
    assert asked.headers["accept"] == ("text/event-stream" if stream else "application/json")
    assert site.last()["systemInstruction"] == {"parts": [{"text": "Be brief"}]}


@STREAM
def test_text_for_a_chat_client(site: Site, stream: bool) -> None:
    thought = {"text": "Hm.", "thought": True}
    site.gemini.script = [Said((thought, {"text": WORDS}), thoughts=8)]
    completion = site.choice(stream=stream, reasoning_effort="high")
    (choice,) = completion.choices
    assert (choice.message.content, choice.finish_reason) == (WORDS, "stop")
    assert choice.message.reasoning_content == "Hm."
    usage = completion.usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (21, 20)
    assert usage.completion_tokens_details.reasoning_tokens == 8
    thinking = site.last()["generationConfig"]["thinkingConfig"]
    assert thinking == {"thinkingLevel": "HIGH", "includeThoughts": True}


@STREAM
def test_parallel_calls_of_a_messages_client(site: Site, stream: bool) -> None:
    """The signature comes back on the very call it came on, through the client's history."""
    calls = (
        called("weather", sign=SIGNATURE, city="Tromsø"),
        called("weather", city="Oslo"),
    )
    site.gemini.script = [Said(({"text": "I look."}, *calls)), Said(({"text": "Snow."},))]
    first = site.message(stream=stream, tools=TOOLS)
    assert first.stop_reason == "tool_use"
    kinds = [block.type for block in first.content]
    assert kinds == ["text", "thinking", "tool_use", "tool_use"]
    uses = first.content[2:]
    assert [use.input for use in uses] == [{"city": "Tromsø"}, {"city": "Oslo"}]
    assert len({use.id for use in uses}) == 2
    results = [
        {"type": "tool_result", "tool_use_id": use.id, "content": use.input["city"]}
        for use in reversed(uses)
    ]
    replayed = [block.to_dict() for block in first.content]
    turns = [{"role": "assistant", "content": replayed}, {"role": "user", "content": results}]
    second = site.message(stream=stream, tools=TOOLS, messages=[*HELLO, *turns])
    assert second.content[0].text == "Snow."
    _, model, user = site.last()["contents"]
    assert [part.get("thoughtSignature") for part in model["parts"]] == [None, SIGNATURE, None]
    responses = [part["functionResponse"] for part in user["parts"]]
    assert [one["response"] for one in responses] == [{"output": "Tromsø"}, {"output": "Oslo"}]
    names = [one["name"] for one in site.last()["tools"][0]["functionDeclarations"]]
    assert names[0] == "weather"
    assert names[1] != "3d-map"


@STREAM
def test_parallel_calls_of_a_chat_client(site: Site, stream: bool) -> None:
    calls = (
        called("weather", id="fc1", sign=SIGNATURE, city="Oslo"),
        called("weather", city="Rome"),
    )
    site.gemini.script = [Said(calls), Said(({"text": "Sun."},))]
    first = site.choice(stream=stream, tools=CHAT_TOOLS).choices[0]
    assert first.finish_reason == "tool_calls"
    made = first.message.tool_calls
    assert [json.loads(call.function.arguments) for call in made] == [
        {"city": "Oslo"},
        {"city": "Rome"},
    ]
    assert made[0].id == "fc1"
    replayed = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.function.name, "arguments": call.function.arguments},
        }
        for call in made
    ]
    turns = [
        {"role": "assistant", "tool_calls": replayed},
        *({"role": "tool", "tool_call_id": call.id, "content": "ok"} for call in made),
    ]
    second = site.choice(stream=stream, tools=CHAT_TOOLS, messages=[*HELLO, *turns])
    assert second.choices[0].message.content == "Sun."


def test_a_model_that_thinks_by_a_budget(site: Site) -> None:
    site.gemini.script = [Said(({"text": "4"},), thoughts=30)]
    thinking = {"type": "enabled", "budget_tokens": 2000}
    message = site.message(stream=False, model="lynkr/old", max_tokens=5000, thinking=thinking)
    assert message.usage.output_tokens == 42
    config = site.last()["generationConfig"]
    assert config["thinkingConfig"] == {"thinkingBudget": 2000, "includeThoughts": True}
    assert config["maxOutputTokens"] == 5000


@STREAM
def test_a_prompt_it_declines(site: Site, stream: bool) -> None:
    site.gemini.script = [Said((), finish="SAFETY", candidates=0)] * 2
    assert site.message(stream=stream).stop_reason == "refusal"
    completion = site.openai.chat.completions.create(model="lynkr/flash", messages=HELLO)
    assert completion.choices[0].message.refusal


QUOTA = Fault(
    429, "RESOURCE_EXHAUSTED", "Slow down.", ({"@type": "x.RetryInfo", "retryDelay": "40s"},)
)
ERRORS: list[tuple[Fault, type[Exception], type[Exception]]] = [
    (Fault(400, "INVALID_ARGUMENT", "Bad."), anthropic.BadRequestError, openai.BadRequestError),
    (QUOTA, anthropic.RateLimitError, openai.RateLimitError),
    (
        Fault(503, "UNAVAILABLE", "Overloaded."),
        anthropic.InternalServerError,
        openai.InternalServerError,
    ),
]


@STREAM
@pytest.mark.parametrize(("fault", "for_messages", "for_chat"), ERRORS)
def test_errors_keep_their_kind(
    site: Site,
    fault: Fault,
    for_messages: type[Exception],
    for_chat: type[Exception],
    stream: bool,
) -> None:
    site.gemini.script = [fault, fault]
    with pytest.raises(for_messages, match=fault.message) as raised:
        site.message(stream=stream)
    if fault is QUOTA:
        assert isinstance(raised.value, anthropic.RateLimitError)
        assert raised.value.response.headers["retry-after"] == "40"
    forget_targets(site.gateway)
    with pytest.raises(for_chat, match=fault.message):
        site.choice(stream=stream)


@pytest.mark.parametrize(
    "said",
    [
        Fault(503, "UNAVAILABLE", "Overloaded.", midway=({"text": "Hel"},)),
        Said(({"text": "Hel"},), cut=True),
    ],
    ids=["error", "cut"],
)
def test_a_stream_that_breaks_is_no_answer(site: Site, said: Said | Fault) -> None:
    site.gemini.script = [said, said]
    with pytest.raises(anthropic.APIStatusError):
        site.message(stream=True)
    with pytest.raises(openai.APIError):
        site.choice(stream=True)


def test_a_signature_it_refuses_is_left_out_once(site: Site) -> None:
    call = called("weather", sign=SIGNATURE, city="Oslo")
    site.gemini.script = [Said((call,))]
    first = site.message(stream=False, tools=TOOLS)
    result = {"type": "tool_result", "tool_use_id": first.content[-1].id, "content": "ok"}
    turns = [
        {"role": "assistant", "content": [block.to_dict() for block in first.content]},
        {"role": "user", "content": [result]},
    ]
    corrupted = Fault(400, "INVALID_ARGUMENT", "Corrupted thought signature.")
    site.gemini.script = [corrupted, Said(({"text": "Sun."},))]
    second = site.message(stream=False, tools=TOOLS, messages=[*HELLO, *turns])
    assert second.content[0].text == "Sun."
    assert SIGNATURE.encode() in site.gemini.asked[-2].body
    assert SIGNATURE.encode() not in site.gemini.asked[-1].body


def test_tokens_are_counted_by_gemini(site: Site) -> None:
    counted = site.anthropic.messages.count_tokens(
        model="lynkr/flash", messages=HELLO, tools=TOOLS, system="Be brief"
    )
    assert counted.input_tokens == COUNT
    (asked,) = site.gemini.asked
    assert asked.path == "/v1beta/models/gemini-3.8-flash:countTokens"


def test_changes_are_told(site: Site) -> None:
    site.gemini.script = [Said(({"text": "Hi"},))]
    body = {
        "model": "lynkr/flash",
        "max_tokens": 500,
        "messages": HELLO,
        "metadata": {"user_id": "me"},
        "thinking": {"type": "disabled"},
    }
    answer = exchange(
        site.gateway.url,
        "POST",
        "/v1/messages",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    told = answer.headers["x-lynkr-transforms"].split(", ")
    assert told == ["thinkingLevel=LOW", "max_tokens=8692", "dropped=user"]


def test_a_beginning_of_the_answer_is_refused(site: Site) -> None:
    turns = [*HELLO, {"role": "assistant", "content": "Well,"}]
    with pytest.raises(anthropic.BadRequestError, match="does not continue"):
        site.message(stream=False, messages=turns)
    assert site.gemini.asked == []
