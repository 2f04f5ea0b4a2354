"""Requests of Messages and Chat clients, as Gemini gets them: legal, and every loss listed."""

import copy
import json
from typing import Any

import pytest

from lynkrc_runtime.protocol import anthropic, carrier, openai_chat
from lynkrc_runtime.protocol.conversation import BrokenAnswer, CannotTranslate
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.gemini import TARGET
from lynkrc_runtime.protocol.gemini.write_contents import ANY_SIGNATURE
from lynkrc_runtime.protocol.naming import original_names
from lynkrc_runtime.protocol.shapes import RequestShape
from tests.wire.gemini_lint import SIGNATURE, lint_request, load, parts_of

MAKER = "gemini/gemini-x"
CARRIER = carrier.seal(carrier.GEMINI, SIGNATURE, MAKER)
PIXEL = "iVBORw0KGgo="


def facts(
    *capabilities: str, maker: str = MAKER, without: bool = False, **shape: Any
) -> TargetFacts:
    return TargetFacts(
        model="gemini-x",
        max_output=64000,
        capabilities=frozenset(capabilities),
        shape=RequestShape(**shape),
        maker=maker,
        without_thinking=without,
    )


def sent(
    body: dict[str, Any], target: TargetFacts | None = None, *, signed: bool = True
) -> tuple[dict[str, Any], list[str]]:
    """(the body that goes out, the changes) of a Messages or Chat body."""
    is_chat = "max_completion_tokens" in body or "max_tokens" not in body
    client = openai_chat.CLIENT if is_chat else anthropic.CLIENT
    request = client.read_request(json.dumps(body).encode(), {})
    written = TARGET.write_request(request, target or facts(), {})
    assert dict(written.headers) == {}
    return lint_request(written.body, signed=signed), list(written.transforms)


def messages(*turns: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 100, "messages": list(turns)} | members


def chat(*turns: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(turns) or [HELLO]} | members


HELLO = {"role": "user", "content": "Hi"}
CALL = {"type": "tool_use", "id": "c1", "name": "look", "input": {}}


def history(*blocks: Any, result: Any = "ok", **members: Any) -> dict[str, Any]:
    answer = {"type": "tool_result", "tool_use_id": "c1", "content": result}
    return messages(
        HELLO,
        {"role": "assistant", "content": list(blocks)},
        {"role": "user", "content": [answer]},
        **members,
    )


# -- conversations ---------------------------------------------------------------------------


def test_a_round_of_tools_of_a_messages_client() -> None:
    golden = load("tool_roundtrip")
    asked = copy.deepcopy(golden["messages"])
    asked["messages"][1]["content"][1]["signature"] = CARRIER
    body, changes = sent(asked)
    assert body == golden["gemini"]
    assert list(body) == list(golden["gemini"])
    assert changes == ["dropped=cache_control"]


def test_a_round_of_tools_of_a_chat_client() -> None:
    """Chat has no sign of a failed tool, and its clients keep no signature."""
    golden = load("tool_roundtrip")
    want = copy.deepcopy(golden["gemini"])
    want["contents"][1]["parts"][1]["thoughtSignature"] = ANY_SIGNATURE
    want["contents"][2]["parts"][1]["functionResponse"]["response"] = {"output": "no data"}
    body, changes = sent(golden["chat"])
    assert body == want
    assert changes == ["added=thought_signature"]


def test_signatures_return_to_the_parts_they_came_on() -> None:
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": CARRIER}
    body, changes = sent(history(thinking, {"type": "text", "text": "I look."}, CALL))
    assert body["contents"][1]["parts"] == [
        {"text": "I look.", "thoughtSignature": SIGNATURE},
        {
            "functionCall": {"id": "c1", "name": "look", "args": {}},
            "thoughtSignature": ANY_SIGNATURE,
        },
    ]
    assert changes == ["added=thought_signature"]
    other = {"type": "thinking", "thinking": "", "signature": CARRIER}
    body, _ = sent(history(thinking, other, CALL, other))
    assert body["contents"][1]["parts"] == [
        {"text": "", "thoughtSignature": SIGNATURE},
        {"functionCall": {"id": "c1", "name": "look", "args": {}}, "thoughtSignature": SIGNATURE},
        {"text": "", "thoughtSignature": SIGNATURE},
    ]


@pytest.mark.parametrize(
    ("signature", "target"),
    [
        ("Claude's own", facts()),
        (carrier.mark("gemini-x"), facts()),
        (carrier.seal(carrier.OPENAI, "x", MAKER), facts()),
        (CARRIER, facts(maker="gemini/gemini-y")),
        (CARRIER, facts(without=True)),
        (CARRIER, facts(without=True, signed_calls=False)),
    ],
)
def test_reasoning_of_others_is_stripped(signature: str, target: TargetFacts) -> None:
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": signature}
    body, changes = sent(history(thinking, CALL), target)
    (part,) = body["contents"][1]["parts"]
    assert part["thoughtSignature"] == ANY_SIGNATURE
    assert changes == ["stripped=thinking", "added=thought_signature"]


def test_older_models_need_no_signature() -> None:
    body, changes = sent(
        history(CALL, CALL | {"id": "c2"}), facts(signed_calls=False), signed=False
    )
    assert not [part for part in body["contents"][1]["parts"] if "thoughtSignature" in part]
    assert changes == ["added=tool_result"]


def test_one_signature_for_a_step_of_parallel_calls() -> None:
    body, _ = sent(history(CALL, CALL | {"id": "c2"}))
    signed = ["thoughtSignature" in part for part in body["contents"][1]["parts"]]
    assert signed == [True, False]


def test_a_turn_of_stripped_reasoning_leaves_no_empty_content() -> None:
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "x"}
    body, changes = sent(messages(HELLO, {"role": "assistant", "content": [thinking]}, HELLO))
    assert body["contents"] == [{"role": "user", "parts": [{"text": "Hi"}, {"text": "Hi"}]}]
    assert changes == ["stripped=thinking"]


def test_a_system_message_inside_becomes_a_reminder() -> None:
    turns = [
        HELLO,
        {"role": "assistant", "content": "Yes?"},
        {"role": "system", "content": "Be kind"},
    ]
    body, changes = sent(chat({"role": "system", "content": "Be brief"}, *turns))
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief"}]}
    assert "Be kind" in body["contents"][2]["parts"][0]["text"]
    assert changes == ["folded=mid-system"]


def test_names_that_gemini_refuses_come_back() -> None:
    tool = {"type": "function", "function": {"name": "3d-render", "parameters": {"type": "object"}}}
    body, changes = sent(
        chat(tools=[tool], tool_choice={"type": "function", "function": {"name": "3d-render"}})
    )
    (name,) = body["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"]
    assert original_names(["3d-render"])[name] == "3d-render"
    assert changes == ["mapped=tool-names"]


@pytest.mark.parametrize("prefill", [None, False])
def test_a_beginning_of_the_answer(prefill: bool | None) -> None:
    asked = messages(HELLO, {"role": "assistant", "content": "Well,"})
    if prefill is None:
        assert sent(asked)[0]["contents"][-1] == {"role": "model", "parts": [{"text": "Well,"}]}
    else:
        with pytest.raises(CannotTranslate, match="does not continue"):
            sent(asked, facts(prefill=False))


# -- media -----------------------------------------------------------------------------------


def image(**source: str) -> dict[str, Any]:
    return {"type": "image", "source": source}


INLINE = image(type="base64", media_type="image/png", data=PIXEL)
LINKED = image(type="url", url="https://h.example/a.JPG?x=1")


def test_pictures_and_documents() -> None:
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}
    text = {"type": "text", "media_type": "text/plain", "data": "Inside"}
    content = [
        INLINE,
        LINKED,
        {"type": "document", "title": "Paper", "source": pdf},
        {"type": "document", "title": "Note", "source": text},
    ]
    body, changes = sent(messages({"role": "user", "content": content}))
    assert body["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": PIXEL}},
        {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://h.example/a.JPG?x=1"}},
        {"text": "Paper"},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBERg=="}},
        {"text": "Note\nInside"},
    ]
    assert changes == []


@pytest.mark.parametrize(
    ("block", "target", "feature"),
    [
        (LINKED, facts(media_urls=False), "image.url"),
        (image(type="url", url="https://h.example/picture"), facts(), "image.url"),
        (image(type="file", file_id="f1"), facts(), "file_id"),
    ],
)
def test_a_picture_that_cannot_be_sent(block: Any, target: TargetFacts, feature: str) -> None:
    with pytest.raises(CannotTranslate) as raised:
        sent(messages({"role": "user", "content": [block]}), target)
    assert raised.value.feature == feature


def test_pictures_of_results_stand_in_the_response() -> None:
    body, changes = sent(history(CALL, result=[{"type": "text", "text": "See"}, INLINE]))
    (part,) = body["contents"][2]["parts"]
    assert part["functionResponse"]["response"] == {"output": "See"}
    assert part["functionResponse"]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": PIXEL}}
    ]
    assert changes == ["added=thought_signature"]


def test_or_behind_all_responses_where_the_model_takes_none_there() -> None:
    asked = history(CALL, CALL | {"id": "c2"}, result=[INLINE])
    asked["messages"][2]["content"].append(
        {"type": "tool_result", "tool_use_id": "c2", "content": "second"}
    )
    body, changes = sent(asked, facts(result_media=False))
    first, second, picture = body["contents"][2]["parts"]
    assert first["functionResponse"]["response"] == {
        "output": "[image 1 of tool result c1 follows]"
    }
    assert second["functionResponse"]["response"] == {"output": "second"}
    assert picture == {"inlineData": {"mimeType": "image/png", "data": PIXEL}}
    assert "moved=tool-result-media" in changes


def test_sound() -> None:
    part = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}
    body, changes = sent(chat({"role": "user", "content": [part]}))
    assert body["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "audio/wav", "data": "aGk="}}
    ]
    assert changes == []


# -- tools -----------------------------------------------------------------------------------

TOOL = {"name": "look", "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}}}
CHAT_TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("look", "now")
]


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        ({"type": "auto"}, {"mode": "AUTO"}),
        ({"type": "any"}, {"mode": "ANY"}),
        ({"type": "none"}, {"mode": "NONE"}),
        ({"type": "tool", "name": "look"}, {"mode": "ANY", "allowedFunctionNames": ["look"]}),
    ],
)
def test_choices(choice: Any, config: Any) -> None:
    body, changes = sent(messages(HELLO, tools=[TOOL], tool_choice=choice))
    assert body["toolConfig"] == {"functionCallingConfig": config}
    assert changes == []


def allowed(mode: str) -> dict[str, Any]:
    names = [{"type": "function", "function": {"name": "now"}}]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": names}}


def test_allowed_tools() -> None:
    body, changes = sent(chat(tools=CHAT_TOOLS, tool_choice=allowed("required")))
    config = body["toolConfig"]["functionCallingConfig"]
    assert config == {"mode": "ANY", "allowedFunctionNames": ["now"]}
    assert changes == []
    body, changes = sent(chat(tools=CHAT_TOOLS, tool_choice=allowed("auto")))
    assert [one["name"] for one in body["tools"][0]["functionDeclarations"]] == ["now"]
    assert changes == ["filtered=tools"]


@pytest.mark.parametrize(
    "choice", [{"type": "tool", "name": "gone"}, {"type": "any"}], ids=["named", "required"]
)
def test_a_demand_for_a_tool_that_is_not_there(choice: Any) -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    with pytest.raises(CannotTranslate):
        sent(messages(HELLO, tools=[search], tool_choice=choice))


def test_a_free_form_tool_is_a_function_of_one_text() -> None:
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: X"}}
    inner = {"name": "patch", "description": "Apply", "format": grammar}
    tool = {"type": "custom", "custom": inner}
    call = {"id": "c1", "type": "custom", "custom": {"name": "patch", "input": "*** x"}}
    asked = chat(
        HELLO,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
        tools=[tool],
    )
    body, changes = sent(asked)
    (declared,) = body["tools"][0]["functionDeclarations"]
    assert declared["parametersJsonSchema"]["required"] == ["input"]
    assert parts_of(body["contents"][1], "functionCall")[0]["args"] == {"input": "*** x"}
    assert changes == ["mapped=custom-tools", "added=thought_signature"]


def test_a_choice_of_one_call_cannot_be_told() -> None:
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    _, changes = sent(messages(HELLO, tools=[TOOL], tool_choice=choice))
    assert changes == ["dropped=parallel_tool_calls"]


def test_schemas_in_the_subset_of_older_models() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "kind": {"enum": ["a", "b", None]},
            "at": {"type": "string", "format": "date-time"},
            "to": {"type": "string", "format": "uri"},
            "size": {"type": ["integer", "null"], "exclusiveMinimum": 0},
            "node": {"$ref": "#/$defs/node"},
            "either": {"oneOf": [{"type": "string"}, {"type": "number"}]},
            "many": {"type": "array"},
            "both": {"allOf": [{"properties": {"x": {"type": "string"}}}, {"required": ["x"]}]},
        },
        "required": ["kind", "gone"],
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
    }
    tools = [
        {"name": "deep", "input_schema": schema},
        {"name": "bare", "input_schema": {"type": "object"}},
    ]
    body, changes = sent(messages(HELLO, tools=tools), facts(plain_schemas=False))
    deep, bare = body["tools"][0]["functionDeclarations"]
    assert bare == {"name": "bare"}
    written = deep["parameters"]
    assert written["required"] == ["kind"]
    properties = written["properties"]
    assert properties["kind"] == {"nullable": True, "enum": ["a", "b"], "type": "STRING"}
    assert properties["at"] == {"type": "STRING", "format": "date-time"}
    assert properties["to"] == {"type": "STRING"}
    assert properties["size"] == {"nullable": True, "type": "INTEGER"}
    assert properties["either"] == {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]}
    assert properties["many"] == {"type": "ARRAY", "items": {}}
    assert properties["both"]["properties"] == {"x": {"type": "STRING"}}
    assert properties["node"] == {"type": "OBJECT", "properties": {"next": {}}}
    assert changes == ["schema=deep"]


def test_schemas_that_never_end() -> None:
    pair = {"type": "object", "properties": {n: {"$ref": "#/$defs/b"} for n in "xyz"}}
    steps = {f"s{n}": {"anyOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 3} for n in range(20)}
    schema = {
        "type": "object",
        "properties": {
            "loop": {"$ref": "#/$defs/a"},
            "tree": {"$ref": "#/$defs/b"},
            "wide": {"$ref": "#/$defs/s0"},
            "whole": {"$ref": "#"},
        },
        "$defs": {"a": {"$ref": "#/$defs/a"}, "b": pair, **steps},
    }
    tool = {"name": "deep", "input_schema": schema}
    body, changes = sent(messages(HELLO, tools=[tool]), facts(plain_schemas=False))
    properties = body["tools"][0]["functionDeclarations"][0]["parameters"]["properties"]
    assert properties["loop"] == {}
    assert properties["tree"] == {"type": "OBJECT", "properties": {n: {} for n in "xyz"}}
    assert changes == ["schema=deep"]


@pytest.mark.parametrize("plain", [None, False])
def test_a_schema_nested_too_deeply(plain: bool | None) -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(330):
        schema = {"type": "object", "properties": {"a": schema}}
    tool = {"name": "deep", "input_schema": schema}
    body = json.dumps(messages(HELLO, tools=[tool])).encode()
    request = anthropic.CLIENT.read_request(body, {})
    if plain is None:
        assert TARGET.write_request(request, facts(), {}).body.count(b"properties") == 330
    else:
        with pytest.raises(CannotTranslate, match="nested too deeply"):
            TARGET.write_request(request, facts(plain_schemas=plain), {})


# -- counting --------------------------------------------------------------------------------


def test_counting_takes_the_whole_prompt() -> None:
    golden = load("tool_roundtrip")
    assert TARGET.counting is not None
    request = openai_chat.CLIENT.read_request(json.dumps(golden["chat"]).encode(), {})
    written = TARGET.counting.write(request, facts(), {})
    inner = json.loads(written.body)["generateContentRequest"]
    assert inner.pop("model") == "models/gemini-x"
    assert sorted(inner) == ["contents", "systemInstruction", "toolConfig", "tools"]
    lint_request(json.dumps(inner).encode())
    assert TARGET.counting.read(b'{"totalTokens": 31, "promptTokensDetails": []}') == 31
    with pytest.raises(BrokenAnswer):
        TARGET.counting.read(b'{"tokens": 31}')
