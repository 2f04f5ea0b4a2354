"""Requests of any client, as Ollama takes them: every member checked by the official types."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lynkrc_runtime.protocol import anthropic
from lynkrc_runtime.protocol.carrier import mark
from lynkrc_runtime.protocol.conversation import (
    CannotTranslate,
    ChoiceKind,
    Document,
    Image,
    JsonFormat,
    Opaque,
    Options,
    RedactedThinking,
    Request,
    Role,
    Text,
    Thinking,
    ThinkingKind,
    ThinkingWish,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.ollama import TARGET
from lynkrc_runtime.protocol.shapes import RequestShape
from tests.wire.anthropic_send import (
    PNG,
    SCHEMA,
    assistant,
    call,
    function,
    message,
    request,
    result,
    user,
)
from tests.wire.ollama_lint import FACTS, lint_request


def send(given: Request, facts: TargetFacts = FACTS) -> tuple[dict[str, Any], tuple[str, ...]]:
    written = TARGET.write_request(given, facts, {})
    assert written.headers == {}
    return lint_request(written.body), written.transforms


def messages(*given: Any, facts: TargetFacts = FACTS) -> list[dict[str, Any]]:
    return list(send(request(*given), facts)[0]["messages"])


def options(**given: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    return send(request(options=Options(**given)))


def refused(given: Request, facts: TargetFacts = FACTS) -> CannotTranslate:
    with pytest.raises(CannotTranslate) as caught:
        TARGET.write_request(given, facts, {})
    return caught.value


def test_a_tool_conversation() -> None:
    given = request(
        user("Weather in Paris and Oslo?"),
        assistant("Checking.", call("a", '{"city":"Paris"}'), call("b", '{"city":"Oslo"}')),
        user(result("b", "no data", is_error=True), result("a", "12C"), "Summarise."),
        system=(Text(text="You are terse."), Text(text="Always.")),
        tools=(function(),),
        options=Options(max_tokens=1024),
    )
    body, transforms = send(given)
    assert body == {
        "model": "qwen3:8b",
        "messages": [
            {"role": "system", "content": "You are terse.\n\nAlways."},
            {"role": "user", "content": "Weather in Paris and Oslo?"},
            {
                "role": "assistant",
                "content": "Checking.",
                "tool_calls": [
                    {
                        "id": name,
                        "function": {
                            "index": number,
                            "name": "get_weather",
                            "arguments": {"city": city},
                        },
                    }
                    for number, (name, city) in enumerate([("a", "Paris"), ("b", "Oslo")])
                ],
            },
            {
                "role": "tool",
                "tool_name": "get_weather",
                "tool_call_id": "a",
                "content": "12C",
            },
            {
                "role": "tool",
                "tool_name": "get_weather",
                "tool_call_id": "b",
                "content": "[tool error] no data",
            },
            {"role": "user", "content": "Summarise."},
        ],
        "stream": False,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "get_weather",
                    "description": "Weather",
                    "parameters": SCHEMA,
                },
            }
        ],
        "truncate": False,
        "shift": False,
        "options": {"num_ctx": 32768, "num_predict": 1024},
    }
    assert transforms == ("folded=is_error",)


def test_streaming_is_always_said() -> None:
    assert options(stream=True)[0]["stream"] is True
    assert options()[0]["stream"] is False


def test_every_option_has_its_place() -> None:
    body, transforms = options(
        max_tokens=9000,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        stop=("a", "b", "c", "d", "e"),
        verbosity="low",
        user="someone",
    )
    assert body["options"] == {
        "num_ctx": 32768,
        "num_predict": 8192,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "seed": 7,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "stop": ["a", "b", "c", "d", "e"],
    }
    assert transforms == ("num_predict=8192", "dropped=verbosity", "dropped=user")


def test_a_shape_takes_sampling_away() -> None:
    facts = replace(FACTS, shape=RequestShape(sampling=["seed"]))
    given = request(options=Options(temperature=1.0, seed=1, stop=("x",)))
    body, transforms = send(given, facts)
    assert body["options"] == {"num_ctx": 32768, "seed": 1}
    assert transforms == ("dropped=temperature", "enforced=stop")


def test_without_a_known_context_none_is_written() -> None:
    body, _ = send(request(options=Options()), replace(FACTS, context=0))
    assert "options" not in body


def test_a_prompt_beyond_the_context_is_a_misfit_that_says_so() -> None:
    misfit = refused(request(user("word " * 4000)), replace(FACTS, context=4096))
    assert misfit.context_overflow
    assert misfit.message == "prompt is too long: 5004 tokens > 4096 maximum"


@pytest.mark.parametrize(
    ("wanted", "written"),
    [(JsonFormat(schema=None), "json"), (JsonFormat(schema=SCHEMA, name="w"), SCHEMA)],
)
def test_a_format_is_a_schema_or_a_word(wanted: JsonFormat, written: Any) -> None:
    assert options(format=wanted)[0]["format"] == written


ENABLED = ThinkingWish(kind=ThinkingKind.ENABLED, budget=9000)
DISABLED = ThinkingWish(kind=ThinkingKind.DISABLED)
ADAPTIVE = ThinkingWish(kind=ThinkingKind.ADAPTIVE)


@pytest.mark.parametrize(
    ("model", "wish", "effort", "think", "transforms"),
    [
        ("qwen3:8b", None, None, None, ()),
        ("qwen3:8b", ENABLED, None, True, ()),
        ("qwen3:8b", DISABLED, None, False, ()),
        ("qwen3:8b", None, "none", False, ()),
        ("qwen3:8b", ADAPTIVE, "high", True, ("think=true",)),
        ("gpt-oss:20b", ENABLED, None, "medium", ()),
        ("me/gpt-oss:20b", None, "high", "high", ()),
        ("gpt-oss:20b", None, "max", "high", ("think=high",)),
        ("gpt-oss:20b", None, "minimal", "low", ("think=low",)),
        ("gpt-oss:20b", DISABLED, None, "low", ("think=low",)),
        ("gpt-oss:20b", ADAPTIVE, None, True, ()),
    ],
)
def test_thinking_is_asked_for_in_the_models_words(
    model: str, wish: ThinkingWish | None, effort: str | None, think: Any, transforms: Any
) -> None:
    given = request(options=Options(thinking=wish, effort=effort))
    body, changes = send(given, replace(FACTS, model=model))
    assert body.get("think") == think
    assert changes == transforms


def test_a_shape_knows_other_words() -> None:
    facts = replace(FACTS, shape=RequestShape(efforts=["none", "high", "max"]))
    assert send(request(options=Options(effort="max")), facts)[0]["think"] == "max"
    assert send(request(options=Options(effort="none")), facts)[0]["think"] is False


@pytest.mark.parametrize(
    "facts",
    [replace(FACTS, capabilities=frozenset()), replace(FACTS, without_thinking=True)],
    ids=["no capability", "refused before"],
)
def test_a_model_without_thinking_is_asked_for_none(facts: TargetFacts) -> None:
    given = request(
        user("Hi"),
        assistant(Thinking(text="hm", signature=mark(facts.maker)), "Hello"),
        user("Go"),
        options=Options(thinking=ENABLED, effort="high"),
    )
    body, transforms = send(given, facts)
    assert "think" not in body
    assert "thinking" not in body["messages"][1]
    assert transforms == ("stripped=thinking", "dropped=thinking", "dropped=effort")


def test_reasoning_goes_to_its_maker_alone() -> None:
    written = messages(
        user("Hi"),
        assistant(
            Thinking(text="mine", signature=mark(FACTS.maker)),
            Thinking(text="anyone's"),
            Thinking(text="theirs", signature=mark("ollama/other")),
            Thinking(text="Claude's", signature="c2lnbmVk"),
            RedactedThinking(data="x"),
            call("a"),
        ),
        user(result("a")),
    )
    assert written[1]["thinking"] == "mine\n\nanyone's"
    assert written[1]["content"] == ""


def test_pictures_stand_beside_the_text() -> None:
    picture = Image(media_type="image/png", data=PNG)
    body, transforms = send(request(user(picture, "What is it?")))
    assert body["messages"] == [{"role": "user", "content": "What is it?", "images": [PNG]}]
    assert transforms == ()
    assert send(request(user("This:", picture)))[1] == ("moved=images",)


def test_pictures_of_a_result_follow_it() -> None:
    shot = ToolResult(call_id="a", content=(Text(text="shot"), Image(data=PNG)))
    body, transforms = send(request(user("Look"), assistant(call("a")), user(shot)))
    assert body["messages"][2]["content"] == "shot\n[image 1 of the next message]"
    assert body["messages"][3] == {"role": "user", "content": "", "images": [PNG]}
    assert transforms == ("moved=tool-result-media",)


@pytest.mark.parametrize(
    ("block", "feature"),
    [
        (Image(url="https://example.org/a.png"), "image.url"),
        (Image(file_id="file_1"), "file_id"),
        (Document(media_type="application/pdf", data="JVBERi0="), "document"),
        (Document(url="https://example.org/a.pdf"), "document"),
    ],
)
def test_what_would_have_to_be_fetched_or_read_is_a_misfit(block: Any, feature: str) -> None:
    assert refused(request(user(block))).feature == feature


def test_a_document_of_text_is_text() -> None:
    written = messages(user(Document(text="body", title="A"), "Sum up."))
    assert written == [{"role": "user", "content": "A\nbody\nSum up."}]


def test_only_what_the_choice_leaves_is_offered() -> None:
    tools = (function("read"), function("write"))
    none = ToolChoice(kind=ChoiceKind.NONE)
    body, transforms = send(request(tools=tools, tool_choice=none))
    assert "tools" not in body and transforms == ("dropped=tools",)
    some = ToolChoice(kind=ChoiceKind.AUTO, allowed=("read",))
    body, transforms = send(request(tools=tools, tool_choice=some))
    assert [tool["function"]["name"] for tool in body["tools"]] == ["read"]
    assert transforms == ("filtered=tools",)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (ToolChoice(kind=ChoiceKind.REQUIRED), "You must call one of the tools now."),
        (ToolChoice(kind=ChoiceKind.NAMED, name="read"), "You must call the tool read now."),
    ],
)
def test_a_demanded_call_is_asked_for_in_words(choice: ToolChoice, words: str) -> None:
    given = request(tools=(function("read"),), tool_choice=choice, system=(Text(text="Be."),))
    body, transforms = send(given)
    assert body["messages"][0]["content"] == f"Be.\n\n{words}"
    assert transforms == ("prompted=tool_choice",)


@pytest.mark.parametrize(
    "choice",
    [ToolChoice(kind=ChoiceKind.REQUIRED), ToolChoice(kind=ChoiceKind.NAMED, name="search")],
)
def test_a_demanded_tool_that_is_not_there_is_a_misfit(choice: ToolChoice) -> None:
    search = Tool(
        kind="web_search",
        name="search",
        description=None,
        parameters=None,
        strict=None,
        value={},
    )
    assert refused(request(tools=(search,), tool_choice=choice)).feature == "tool_choice"


def test_one_call_at_a_time_is_asked_for_in_words() -> None:
    body, transforms = send(
        request(tools=(function("read"),), options=Options(parallel_tools=False))
    )
    assert body["messages"][0]["content"] == "Call at most one tool at a time."
    assert transforms == ("prompted=parallel_tool_calls",)


def test_a_free_form_tool_has_one_argument() -> None:
    patch = Tool(
        kind="custom", name="patch", description="d", parameters=None, strict=None, value={}
    )
    used_so = ToolCall(id="a", name="patch", arguments="*** raw", custom=True)
    body, transforms = send(request(user("Go"), assistant(used_so), tools=(patch,)))
    [used] = body["messages"][1]["tool_calls"]
    assert used["function"]["arguments"] == {"input": "*** raw"}
    assert body["tools"][0]["function"]["parameters"]["required"] == ["input"]
    assert transforms == ("mapped=custom-tools", "added=tool_result", "folded=is_error")


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ("*** raw", {"_raw": "*** raw"}),
        ("[1]", {"value": [1]}),
        ('"text"', {"value": "text"}),
        ('{"city": "Os', {"city": "Os"}),
    ],
)
def test_arguments_that_are_no_object_become_one(arguments: str, sent: dict[str, Any]) -> None:
    """A call that a model cut short must not shut a whole conversation out of a target."""
    body, _ = send(request(user("Go"), assistant(call("a", arguments))))
    [used] = body["messages"][1]["tool_calls"]
    assert used["function"]["arguments"] == sent


def test_instructions_between_turns_become_reminders() -> None:
    body, transforms = send(request(user("Hi"), message(Role.SYSTEM, "Be brief.")))
    assert body["messages"] == [
        {"role": "user", "content": "Hi\n<system-reminder>\nBe brief.\n</system-reminder>"}
    ]
    assert transforms == ("folded=mid-system",)


def test_members_nobody_knows_are_listed() -> None:
    given = request(
        user("Hi", Opaque(dialect="x", type="search_result", value={})),
        rest=("service_tier", "store"),
        members={"service_tier": b'"auto"', "store": b"false"},
        metadata={"trace": 1},
    )
    assert send(given)[1] == (
        "dropped=search_result",
        "dropped=service_tier",
        "dropped=metadata.trace",
    )


@pytest.mark.parametrize(
    ("given", "feature"),
    [
        (request(options=Options(max_tokens=0)), "max_tokens"),
        (request(rest=("thread",), members={"thread": b'{"type":"continue"}'}), "thread"),
    ],
)
def test_what_cannot_mean_the_same_is_a_misfit(given: Request, feature: str) -> None:
    assert refused(given).feature == feature


def test_prefill_is_continued_unless_the_shape_forbids_it() -> None:
    given = request(user("Hi"), assistant("Well,"))
    assert messages(*given.messages)[-1] == {"role": "assistant", "content": "Well,"}
    facts = replace(FACTS, shape=RequestShape(prefill=False))
    assert refused(given, facts).feature == "messages"


def test_a_claude_code_request_arrives_whole() -> None:
    body = {
        "model": "claude-opus-5-5",
        "max_tokens": 32000,
        "stream": True,
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
        "system": [
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2"},
            {"type": "text", "text": "You are an agent.", "cache_control": {"type": "ephemeral"}},
        ],
        "tools": [{"name": "Read", "description": "r", "input_schema": SCHEMA}],
        "messages": [{"role": "user", "content": "Hi"}],
        "metadata": {"user_id": "u_1"},
    }
    read = anthropic.CLIENT.read_request(json.dumps(body).encode(), {})
    written, transforms = send(read)
    assert written["messages"][0] == {"role": "system", "content": "You are an agent."}
    assert written["think"] is True and written["stream"] is True
    assert transforms == (
        "dropped=billing-header",
        "dropped=cache_control",
        "think=true",
        "num_predict=8192",
        "dropped=user",
    )
