"""Requests to Converse: legal by botocore's own shapes, and every loss told."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.anthropic import CLIENT as MESSAGES
from lynkrc_runtime.protocol.bedrock_converse import TARGET
from lynkrc_runtime.protocol.bedrock_converse.families import family_of
from lynkrc_runtime.protocol.carrier import MARKER, seal
from lynkrc_runtime.protocol.conversation import (
    CannotTranslate,
    ChoiceKind,
    Document,
    Image,
    JsonFormat,
    Opaque,
    Options,
    RedactedThinking,
    Role,
    Text,
    Thinking,
    ThinkingKind,
    ThinkingWish,
    ToolChoice,
    ToolResult,
)
from lynkrc_runtime.protocol.shapes import RequestShape
from tests.wire.anthropic_send import (
    MANUAL,
    NEWEST,
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
from tests.wire.bedrock_frames import CLAUDE, NOVA, OTHER, check_input
from tests.wire.bedrock_send import facts, send, turns

MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
POINT = {"cachePoint": {"type": "default", "ttl": "1h"}}
ROUND = (
    user("Weather in Paris and Oslo?"),
    assistant("Checking.", call("toolu_01A", '{"city":"Paris"}'), call("b", '{"city": "Oslo"}')),
    user(result("toolu_01A", "12C"), result("b", "no data", is_error=True), "Summarise."),
)


def options(**more: Any) -> Options:
    return Options(**({"max_tokens": 1000} | more))


def wish(kind: ThinkingKind, **more: Any) -> Options:
    return options(thinking=ThinkingWish(kind=kind, **more))


def test_a_tool_conversation_as_the_reference_has_it() -> None:
    body, transforms = send(
        request(
            *ROUND,
            system=(Text(text="You are terse.", extra={"cache_control": {"type": "ephemeral"}}),),
            tools=(function(),),
            tool_choice=ToolChoice(kind=ChoiceKind.AUTO),
        )
    )
    assert transforms == ()
    assert body["system"] == [{"text": "You are terse."}, {"cachePoint": {"type": "default"}}]
    assert body["inferenceConfig"] == {"maxTokens": 1000}
    spec = {"name": "get_weather", "description": "Weather", "inputSchema": {"json": SCHEMA}}
    assert body["toolConfig"] == {"tools": [{"toolSpec": spec}], "toolChoice": {"auto": {}}}
    assert [turn["content"] for turn in body["messages"]] == [
        [{"text": "Weather in Paris and Oslo?"}],
        [
            {"text": "Checking."},
            {"toolUse": {"toolUseId": "toolu_01A", "name": "get_weather",
                         "input": {"city": "Paris"}}},
            {"toolUse": {"toolUseId": "b", "name": "get_weather", "input": {"city": "Oslo"}}},
        ],
        [
            {"toolResult": {"toolUseId": "toolu_01A", "content": [{"text": "12C"}],
                            "status": "success"}},
            {"toolResult": {"toolUseId": "b", "content": [{"text": "no data"}],
                            "status": "error"}},
            {"text": "Summarise."},
        ],
    ]  # fmt: skip


def test_the_input_of_a_call_keeps_its_spelling() -> None:
    written = TARGET.write_request(
        request(user("a"), assistant(call("c", '{"n": 1.50}')), user(result("c"))), facts(), {}
    )
    assert b'"input":{"n": 1.50}' in written.body


def test_history_with_calls_has_tools_even_where_none_are_offered() -> None:
    body, transforms = send(request(*ROUND))
    assert [tool["toolSpec"]["name"] for tool in body["toolConfig"]["tools"]] == ["get_weather"]
    assert "toolChoice" not in body["toolConfig"]
    assert "Do not call any tool" in body["system"][-1]["text"]
    assert "added=tools" in transforms


def test_a_choice_of_no_tools_is_said_in_words() -> None:
    body, transforms = send(
        request(tools=(function(),), tool_choice=ToolChoice(kind=ChoiceKind.NONE)), shape=NEWEST
    )
    assert body["toolConfig"]["tools"] and "toolChoice" not in body["toolConfig"]
    assert "Do not call any tool" in body["system"][-1]["text"]
    assert transforms == ("prompted=tool_choice",)


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (ToolChoice(kind=ChoiceKind.REQUIRED), {"any": {}}),
        (ToolChoice(kind=ChoiceKind.NAMED, name="get_weather"), {"tool": {"name": "get_weather"}}),
    ],
)
def test_forced_tools(choice: ToolChoice, wanted: dict[str, Any]) -> None:
    asked = request(tools=(function(),), tool_choice=choice)
    assert send(asked)[0]["toolConfig"]["toolChoice"] == wanted
    weak, transforms = send(asked, "meta.llama3-1-70b-instruct-v1:0")
    assert weak["toolConfig"]["toolChoice"] == {"auto": {}}
    assert transforms == ("tool_choice=auto",)
    with pytest.raises(CannotTranslate, match="no tool"):
        send(
            request(tools=(function(),), tool_choice=ToolChoice(kind=ChoiceKind.NAMED, name="gone"))
        )


def test_a_single_call_is_claude_s_own_choice() -> None:
    asked = request(tools=(function(),), options=options(parallel_tools=False))
    body, transforms = send(asked)
    fields = {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
    assert body["additionalModelRequestFields"] == fields and transforms == ()
    assert "toolChoice" not in body["toolConfig"]
    body, transforms = send(asked, NOVA)
    assert "additionalModelRequestFields" not in body
    assert transforms == ("dropped=parallel_tool_calls",)


def test_cache_marks_follow_their_blocks_where_the_family_caches() -> None:
    asked = request(
        user(Text(text="long", extra=MARK), "q"),
        tools=(function(value=MARK),),
        system=(Text(text="s", extra=MARK),),
    )
    body, transforms = send(asked)
    assert transforms == ()
    assert body["messages"][0]["content"] == [{"text": "long"}, POINT, {"text": "q"}]
    assert body["system"][1] == body["toolConfig"]["tools"][1] == POINT
    body, transforms = send(asked, OTHER)
    assert b"cachePoint" not in json.dumps(body).encode()
    assert transforms == ("dropped=cache_control",)


def test_a_mark_inside_a_result_has_no_place() -> None:
    marked = ToolResult(call_id="a", content=(Text(text="r", extra=MARK),), extra=MARK)
    content = turns(user("q"), assistant(call("a")), user(marked))[-1]["content"]
    assert content[0]["toolResult"]["content"] == [{"text": "r"}]
    assert content[1] == POINT


def test_status_goes_only_where_it_is_taken() -> None:
    content = turns(*ROUND, model=OTHER)[-1]["content"]
    assert content[0] == {"toolResult": {"toolUseId": "toolu_01A", "content": [{"text": "12C"}]}}
    assert content[1]["toolResult"]["content"] == [{"text": "[tool error] no data"}]
    failed = ToolResult(
        call_id="a", content=(Image(media_type="image/png", data=PNG),), is_error=True
    )
    body, transforms = send(request(user("q"), assistant(call("a")), user(failed)), OTHER)
    parts = body["messages"][-1]["content"][0]["toolResult"]["content"]
    assert [*parts[0].values(), *parts[1]] == ["[tool error]", "image"]
    assert "folded=is_error" in transforms


def test_what_only_claude_takes_goes_to_claude_alone() -> None:
    asked = request(
        dialect="anthropic-messages",
        options=options(max_tokens=9000, top_k=5, thinking=None),
    )
    headers = {"anthropic-beta": "context-1m-2025-08-07"}
    body, transforms = send(asked, headers=headers)
    fields = {"anthropic_beta": ["context-1m-2025-08-07"], "top_k": 5}
    assert body["additionalModelRequestFields"] == fields and transforms == ()
    body, transforms = send(asked, NOVA, headers=headers)
    assert "additionalModelRequestFields" not in body
    assert transforms == ("dropped=top_k", "dropped=beta:context-1m-2025-08-07")


def test_thinking_is_fitted_to_the_model_as_on_claude_s_own_api() -> None:
    body, _ = send(request(options=wish(ThinkingKind.ENABLED, budget=900)), shape=NEWEST)
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "adaptive"}}
    assert body["outputConfig"] == {"effort": "low"}
    manual = request(options=options(max_tokens=20000, effort="high"))
    body, _ = send(manual, shape=MANUAL)
    assert body["additionalModelRequestFields"]["thinking"]["type"] == "enabled"
    assert 1024 <= body["additionalModelRequestFields"]["thinking"]["budget_tokens"] < 20000
    body, transforms = send(manual, NOVA)
    assert "outputConfig" not in body and transforms == ("dropped=effort",)
    body, transforms = send(manual, OTHER, capabilities=frozenset(("thinking",)))
    assert body["outputConfig"] == {"effort": "high"} and transforms == ()


def test_manual_thinking_stops_where_its_last_block_is_gone() -> None:
    foreign = Thinking(text="t", signature=seal(MARKER, "", "gemini/x"))
    loop = (user("q"), assistant(foreign, call("a")), user(result("a")))
    thinks = options(max_tokens=9000, thinking=ThinkingWish(kind=ThinkingKind.ENABLED, budget=2000))
    body, transforms = send(request(*loop, options=thinks, tools=(function(),)))
    assert "additionalModelRequestFields" not in body
    assert transforms == ("stripped=thinking", "dropped=thinking")
    own = (user("q"), assistant(Thinking(text="t", signature="EqS="), call("a")), user(result("a")))
    body, transforms = send(request(*own, options=thinks, tools=(function(),)))
    assert body["additionalModelRequestFields"]["thinking"]["budget_tokens"] == 2000
    assert transforms == ()


def test_reasoning_goes_back_to_claude_with_its_own_signature_only() -> None:
    said = assistant(
        Thinking(text="", signature="Eq=="),
        RedactedThinking(data="cmVk"),
        Thinking(text="x"),
        Thinking(text="y", signature=seal(MARKER, "", "")),
        "answer",
    )
    content = turns(user("q"), said, user("more"))[1]["content"]
    assert content == [
        {"reasoningContent": {"reasoningText": {"text": "", "signature": "Eq=="}}},
        {"reasoningContent": {"redactedContent": "cmVk"}},
        {"text": "answer"},
    ]
    for more in ({"model": NOVA}, {"without_thinking": True}):
        body, transforms = send(request(user("q"), said, user("more")), **more)
        assert body["messages"][1]["content"] == [{"text": "answer"}]
        assert "stripped=thinking" in transforms


def test_a_turn_of_foreign_reasoning_alone_is_left_out() -> None:
    body, _ = send(request(user("q"), assistant(Thinking(text="x")), user("more")))
    assert [turn["role"] for turn in body["messages"]] == ["user"]


def test_documents_have_unique_plain_names_and_a_text_beside_them() -> None:
    body, transforms = send(
        request(
            user(
                Document(media_type="application/pdf", data="JVBERg==", title="Q3_report (v1).pdf"),
                Document(text="x", title="Q3/report (v1):pdf"),
                Document(
                    data="YQ==",
                    media_type="text/csv",
                    extra={"citations": {"enabled": True}, "context": "old", "other": 1},
                ),
            )
        )
    )
    parts = body["messages"][0]["content"]
    named = [part["document"]["name"] for part in parts if "document" in part]
    assert named == ["Q3 report (v1) pdf", "Q3 report (v1) pdf (2)", "Document"]
    assert [part["document"]["format"] for part in parts[:3]] == ["pdf", "txt", "csv"]
    assert parts[2]["document"]["citations"] == {"enabled": True}
    assert parts[2]["document"]["context"] == "old"
    assert parts[3] == {"text": "The documents are attached."}
    assert transforms == ("dropped=other", "added=text")


def test_pictures_are_told_by_their_bytes() -> None:
    lied = Image(media_type="image/jpeg", data=PNG)
    (picture,) = turns(user(lied))[0]["content"]
    assert picture["image"] == {"format": "png", "source": {"bytes": PNG}}


@pytest.mark.parametrize(
    ("block", "feature"),
    [
        (Image(url="https://example.com/a.png"), "image.url"),
        (Image(file_id="f"), "file_id"),
        (Image(media_type="image/bmp", data="Qk0="), "image"),
        (Document(url="https://example.com/a.pdf"), "document.url"),
        (Document(media_type="application/zip", data="YQ=="), "file"),
        (Opaque(dialect="openai-chat", type="input_audio", value={}), "input_audio"),
    ],
)
def test_what_cannot_be_sent_is_a_misfit(block: Any, feature: str) -> None:
    with pytest.raises(CannotTranslate) as caught:
        send(request(user(block, "q")))
    assert caught.value.feature == feature


def test_blank_text_is_left_out_and_empty_results_say_so() -> None:
    sent = turns(user(" \n", "q"), assistant("", call("a")), user(result("a", ""), "\t"))
    assert sent[0]["content"] == [{"text": "q"}]
    assert sent[2]["content"][0]["toolResult"]["content"] == [{"text": "(no output)"}]
    assert len(sent[2]["content"]) == 1


def test_ids_and_names_within_limits_are_mapped_alike() -> None:
    long_id, long_name = "call|" + "x" * 80, "mcp__" + "n" * 80
    sent = turns(
        user("q"), assistant(call(long_id, name=long_name)), user(result(long_id)), model=OTHER
    )
    used, answered = sent[1]["content"][0]["toolUse"], sent[2]["content"][0]["toolResult"]
    assert used["toolUseId"] == answered["toolUseId"] != long_id
    assert len(used["name"]) == 64


def test_sampling_and_stops() -> None:
    body, transforms = send(
        request(options=options(temperature=1.5, top_p=0.5, stop=("END", " "), seed=1, user="me")),
        NOVA,
    )
    config = {"maxTokens": 1000, "temperature": 1.0, "topP": 0.5, "stopSequences": ["END"]}
    assert body["inferenceConfig"] == config
    assert len(body["requestMetadata"]["user_id"]) == 64
    assert transforms == ("dropped=seed", "enforced=stop", "temperature=1", "hashed=user")
    body, _ = send(request(options=options(stop=("END",))))
    assert body["additionalModelResponseFieldPaths"] == ["/stop_sequence"]


def test_the_limit_of_output() -> None:
    assert send(request(options=options(max_tokens=10**6)))[0]["inferenceConfig"] == {
        "maxTokens": 64000
    }
    assert "inferenceConfig" not in send(request(options=Options()), NOVA)[0]
    assert send(request(options=Options()))[1] == ("max_tokens=32000",)
    with pytest.raises(CannotTranslate, match="warm a cache"):
        send(request(options=Options(max_tokens=0)))


def test_json_by_schema_is_a_string_and_without_one_it_is_asked_in_words() -> None:
    wanted = JsonFormat(schema=SCHEMA, name="weather")
    body, transforms = send(request(options=options(format=wanted)))
    inner = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert json.loads(inner["schema"]) == SCHEMA and inner["name"] == "weather"
    assert transforms == ()
    for shape, form in (
        (RequestShape(structured_output=False), wanted),
        (RequestShape(), JsonFormat(schema=None)),
    ):
        body, transforms = send(request(options=options(format=form)), shape=shape)
        assert "outputConfig" not in body and "JSON" in body["system"][0]["text"]
        assert transforms == ("prompted=response_format",)


def test_a_prefill_is_kept_or_a_misfit() -> None:
    assert turns(user("q"), assistant("The answer: "))[1]["content"] == [{"text": "The answer:"}]
    with pytest.raises(CannotTranslate, match="continue"):
        send(request(user("q"), assistant("The")), shape=NEWEST)


def test_turns_alternate_whatever_the_client_sent() -> None:
    body, transforms = send(
        request(
            assistant("first"),
            user("a"),
            user("b"),
            message(Role.SYSTEM, "be brief"),
            assistant(call("x"), call("x")),
            user(result("x")),
        )
    )
    assert len(body["messages"]) == 5
    wanted = {"added=user-turn", "folded=mid-system", "added=tool_result", "added=tools"}
    assert wanted <= set(transforms)


def test_members_of_other_dialects_are_listed() -> None:
    body = {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "x"}],
        "service_tier": "standard_only",
        "context_management": {"edits": []},
        "metadata": {"user_id": "me", "team": "red"},
    }
    asked = MESSAGES.read_request(json.dumps(body).encode(), {})
    _, transforms = send(asked)
    wanted = {"dropped=service_tier", "dropped=context_management", "dropped=metadata.team"}
    assert wanted <= set(transforms)


def test_counting_sends_what_counts() -> None:
    assert TARGET.counting is not None
    asked = request(*ROUND, tools=(function(),), options=options(temperature=0.5))
    written = TARGET.counting.write(asked, facts(), {})
    body = check_input(written.body, "CountTokens")
    assert set(body["input"]["converse"]) == {"messages", "toolConfig"}
    assert TARGET.counting.read(b'{"inputTokens":42}') == 42


@pytest.mark.parametrize(
    ("model", "is_claude", "has_status"),
    [
        (CLAUDE, True, True),
        ("anthropic.claude-3-haiku-20240307-v1:0", True, True),
        ("us-gov.anthropic.claude-x", True, True),
        ("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-x", True, True),
        ("arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc", False, False),
        (NOVA, False, True),
        (OTHER, False, False),
    ],
)
def test_families(model: str, is_claude: bool, has_status: bool) -> None:
    family = family_of(model)
    assert (family.claude, family.status) == (is_claude, has_status)


words = st.sampled_from(["", " ", "hello", "naïve\u2028", "x" * 90])
blocks = st.one_of(
    words.map(lambda text: Text(text=text)),
    words.map(lambda text: Thinking(text=text, signature="Eq==")),
    st.sampled_from(["a", "b", "call:1"]).map(lambda name: call(name, name=f"tool {name}")),
    st.sampled_from(["a", "b", "call:1"]).map(lambda name: result(name, "")),
    st.just(Document(text="t", title="a.b")),
    st.just(Image(media_type="image/png", data=PNG)),
)
messages = st.builds(
    lambda role, parts: message(role, *parts),
    st.sampled_from(list(Role)),
    st.lists(blocks, max_size=4),
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(messages, max_size=6), st.sampled_from([CLAUDE, NOVA, OTHER]))
def test_any_conversation_is_legal(history: list[Any], model: str) -> None:
    send(request(*history, user("end")), model)
