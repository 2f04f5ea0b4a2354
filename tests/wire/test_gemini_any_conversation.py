"""Any conversation makes a request Gemini takes; any answer survives its way through a client."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol import anthropic, carrier
from lynkrc_runtime.protocol.conversation import (
    Block,
    BrokenAnswer,
    CannotTranslate,
    Document,
    Image,
    Message,
    MessageEnd,
    Opaque,
    Options,
    RedactedThinking,
    Refusal,
    Request,
    Role,
    StreamError,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.dialect import AnswerContext, TargetFacts
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.gemini import TARGET
from lynkrc_runtime.protocol.gemini.schemas import open_schema
from lynkrc_runtime.protocol.shapes import RequestShape
from tests.wire.gemini_lint import SIGNATURE, lint_request, read_stream, to_sse
from tests.wire.test_gemini_answers import MESSAGES_BODY

MAKER = "gemini/gemini-x"
CARRIER = carrier.seal(carrier.GEMINI, SIGNATURE, MAKER)

TEXTS = st.sampled_from(["", " ", "Hi", "晨 \u2028", "x-anthropic-billing-header: 1"])
IDS = st.sampled_from(["c1", "c2", "functions.f:0", ""])
NAMES = st.sampled_from(["look", "3d", "-x", "", "é" * 70, "a.b:c"])
EXTRA = st.sampled_from([{}, {"cache_control": {"type": "ephemeral"}}])
PLAIN: st.SearchStrategy[Block] = st.one_of(
    st.builds(Text, text=TEXTS, extra=EXTRA),
    st.builds(Refusal, text=TEXTS),
    st.just(Image(media_type="image/png", data="aGk=")),
    st.just(Image(url="https://h.example/a.png")),
    st.just(Document(text="Words", title="Title")),
    st.just(Document(media_type="application/pdf", data="aGk=", title="Title")),
    st.just(Opaque(dialect="x", type="search_result", value={})),
)
BLOCKS: st.SearchStrategy[Block] = st.one_of(
    PLAIN,
    st.builds(
        ToolCall,
        id=IDS,
        name=NAMES,
        arguments=st.sampled_from(["", "{}", '{"a": 1.50}', "[1]", '{"a": "b', "null", "}"]),
        custom=st.booleans(),
    ),
    st.builds(
        ToolResult,
        call_id=IDS,
        content=st.lists(PLAIN, max_size=2).map(tuple),
        is_error=st.sampled_from([None, False, True]),
    ),
    st.builds(Thinking, text=TEXTS, signature=st.sampled_from([None, "claude's", CARRIER])),
    st.just(RedactedThinking(data="x")),
)
MESSAGES = st.lists(
    st.builds(Message, role=st.sampled_from(Role), blocks=st.lists(BLOCKS, max_size=4).map(tuple)),
    max_size=5,
)
SHAPES = st.builds(
    RequestShape,
    result_media=st.sampled_from([None, False]),
    plain_schemas=st.sampled_from([None, False]),
)


def facts(shape: RequestShape, *, without: bool = False) -> TargetFacts:
    return TargetFacts(
        model="gemini-x",
        max_output=9000,
        capabilities=frozenset(),
        shape=shape,
        maker=MAKER,
        without_thinking=without,
    )


def request_of(messages: list[Message], tools: tuple[Tool, ...] = ()) -> Request:
    return Request(
        dialect="x",
        model="m",
        system=(),
        messages=tuple(messages),
        tools=tools,
        tool_choice=None,
        options=Options(),
        metadata={},
        members={},
        rest=(),
    )


@settings(derandomize=True, max_examples=300, deadline=None)
@given(MESSAGES, SHAPES, st.booleans())
def test_any_conversation_is_legal(
    messages: list[Message], shape: RequestShape, without: bool
) -> None:
    target = facts(shape, without=without)
    try:
        written = TARGET.write_request(request_of(messages), target, {})
    except CannotTranslate as misfit:
        # Of what is always said nothing was there.
        assert misfit.feature == "messages"
        blocks = [block for message in messages for block in message.blocks]
        heard = [block for one in messages if one.role is Role.USER for block in one.blocks]
        assert not any(isinstance(block, ToolResult) for block in heard)
        assert not any(isinstance(block, Text) and block.text.strip() for block in blocks)
        return
    lint_request(written.body)
    assert TARGET.write_request(request_of(messages), target, {}) == written
    thoughts = [b for m in messages for b in m.blocks if isinstance(b, Thinking)]
    if without and any(block.signature == CARRIER for block in thoughts):
        assert SIGNATURE.encode() not in written.body


SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(
        [
            {},
            True,
            {"type": "string", "format": "uri"},
            {"type": ["integer", "null"], "exclusiveMinimum": 3},
            {"enum": ["a", 1, None]},
            {"const": "a"},
            {"$ref": "#"},
            {"$ref": "#/$defs/gone"},
            {"type": "array"},
        ]
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
                "required": st.lists(st.sampled_from("abcd"), max_size=2, unique=True),
                "additionalProperties": st.booleans(),
            }
        ),
        st.fixed_dictionaries({"anyOf": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, max_size=2)}),
    ),
    max_leaves=6,
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(SCHEMAS)
def test_any_schema_fits_the_subset(schema: Any) -> None:
    given_schema = schema if isinstance(schema, dict) else {}
    tool = Tool(
        kind="function",
        name="f",
        description=None,
        parameters=given_schema,
        strict=None,
        value={},
    )
    shape = RequestShape(plain_schemas=False)
    written = TARGET.write_request(request_of([], (tool,)), facts(shape), {})
    lint_request(written.body)
    cleaned, _ = open_schema(given_schema)
    again, _ = open_schema(given_schema)
    assert cleaned == again


PARTS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"text": TEXTS}),
        st.fixed_dictionaries({"text": TEXTS, "thought": st.just(True)}),
        st.fixed_dictionaries({"text": TEXTS, "thoughtSignature": st.just(SIGNATURE)}),
        st.fixed_dictionaries(
            {
                "functionCall": st.fixed_dictionaries(
                    {"name": st.sampled_from(["look", "now"]), "args": st.just({"a": [1]})},
                    optional={"id": st.sampled_from(["c1", "c2"])},
                )
            },
            optional={"thoughtSignature": st.just(SIGNATURE)},
        ),
        st.just({"executableCode": {"language": "PYTHON", "code": "1"}}),
        st.just({"inlineData": {"mimeType": "image/png", "data": "aGk="}}),
        st.just({"somethingNew": 1}),
    ),
    max_size=5,
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    st.recursive(
        st.sampled_from([None, 7, "object", True, [], ["string", 7]]),
        lambda inner: st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "properties",
                    "required",
                    "items",
                    "enum",
                    "anyOf",
                    "oneOf",
                    "allOf",
                    "$ref",
                    "format",
                    "$defs",
                ]
            ),
            st.one_of(inner, st.lists(inner, max_size=2)),
            max_size=4,
        ),
        max_leaves=8,
    )
)
def test_what_is_no_schema_raises_nothing(given_value: Any) -> None:
    if isinstance(given_value, dict):
        cleaned, _ = open_schema(given_value)
        json.dumps(cleaned)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(PARTS, st.sampled_from(["STOP", "MAX_TOKENS", "SAFETY"]), st.integers(1, 60))
def test_any_answer_goes_through_a_client_and_back(
    parts: list[Any], finish: str, size: int
) -> None:
    whole = {"candidates": [{"content": {"parts": parts}, "finishReason": finish}]}
    pieces = [{"candidates": [{"content": {"parts": [part]}}]} for part in parts]
    target = facts(RequestShape())
    answer = TARGET.read_answer(json.dumps(whole).encode(), target)
    data = to_sse([*pieces, {"candidates": [{"finishReason": finish}]}])
    assert fold(read_stream(data, size, facts=target)) == answer
    context = AnswerContext(
        request=anthropic.CLIENT.read_request(MESSAGES_BODY, {}),
        id="a" * 24,
        model="served",
        created=1,
        input_estimate=lambda: 1,
        request_id="r",
    )
    content = json.loads(anthropic.CLIENT.write_answer(answer, context))["content"]
    replay = {
        "model": "m",
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": content},
            {"role": "user", "content": "Go on"},
        ],
    }
    request = anthropic.CLIENT.read_request(json.dumps(replay).encode(), {})
    body = lint_request(TARGET.write_request(request, target, {}).body)
    sent = [part for turn in body["contents"] if turn["role"] == "model" for part in turn["parts"]]
    made = [part["functionCall"] for part in parts if "functionCall" in part]
    back = [part for part in sent if "functionCall" in part]
    assert [(one["functionCall"]["name"], one["functionCall"]["args"]) for one in back] == [
        (one["name"], one["args"]) for one in made
    ]
    signed = [part for part in parts if "functionCall" in part]
    for before, after in zip(signed, back, strict=True):
        if "thoughtSignature" in before:
            assert after["thoughtSignature"] == SIGNATURE


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.lists(st.integers(1, 9), max_size=4), st.booleans())
def test_any_bytes_end_in_one_way(noise: bytes, sizes: list[int], framed: bool) -> None:
    data = b"data: " + noise + b"\r\n\r\n" if framed else noise
    events = read_stream(data, *sizes)
    ends = [event for event in events if isinstance(event, MessageEnd | StreamError)]
    assert ends == events[-1:]
    assert read_stream(data) == events
    try:
        TARGET.read_answer(noise)
    except BrokenAnswer as broken:
        assert broken.failure.message
