"""Random conversations in the neutral vocabulary, for `spelled_requests.py` to spell.

They hold what clients really send beside what they should: calls without results, results of
nobody's call or out of order, repeated ids, blank texts, reasoning of several makers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from hypothesis import strategies as st

from lynkrc_runtime.protocol import carrier
from lynkrc_runtime.protocol.conversation import (
    Block,
    Document,
    Image,
    Message,
    RedactedThinking,
    Refusal,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

Json = dict[str, Any]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"
PDF = "JVBERi0xLjQK"
SCHEMA: Json = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "City \u2028 name"}},
    "required": ["city"],
    "additionalProperties": False,
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A tool: its name, and its schema, or None for a free-form one."""

    name: str
    schema: Mapping[str, Any] | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation and the wishes beside it; `wishes` are options by their neutral names."""

    system: tuple[str, ...]
    messages: tuple[Message, ...]
    tools: tuple[Offer, ...]
    wishes: Mapping[str, Any]


TEXTS = st.sampled_from(
    [
        "Hi",
        "",
        " ",
        "\n\t",
        "晨 \u2028 und \u0085",
        "שלום\u200f",
        "e\u0301 \U0001f469\u200d\U0001f680",
        '"quoted\\" {"a": [1',
        "data: [DONE]\n\n",
        "x-anthropic-billing-header: 1",
        "<think>no</think>",
        "\u0000\u001f\u007f",
        "end with blanks  ",
    ]
)
IDS = ["toolu_01A", "call_b", "functions.look:0", "i" * 70, "é 1"]
NAMES = ["look", "mcp__server__" + "long" * 20, "a.b:c", "patch"]
ARGUMENTS = st.sampled_from(
    ["{}", '{"city": "Zür\\u0069ch\u2028", "n": 1.50}', '{"a":{"b":[1,null,true,"\\u0085"]}}']
)
BROKEN_ARGUMENTS = st.sampled_from(["", "[1]", '{"city": "Par', "null", '"x"', "}", '{"a":NaN}'])
SIGNATURES = (
    None,
    "EqQBCkgIClaude==",
    carrier.seal(carrier.GEMINI, "c2ln", "google/other"),
    carrier.seal(carrier.MARKER, "", "local/other"),
    carrier.seal(carrier.OPENAI, '{"encrypted_content":"gAAA"}', "openai/other"),
    carrier.seal(carrier.DETAILS, '[{"type":"reasoning.text","text":"d"}]', "router/other"),
    carrier.PREFIX + "damaged",
)
IMAGES: st.SearchStrategy[Block] = st.sampled_from(
    [
        Image(media_type="image/png", data=PNG),
        Image(media_type="image/webp", data=PNG),
        Image(url="https://files.example.com/a.png"),
    ]
)
DOCUMENTS: st.SearchStrategy[Block] = st.sampled_from(
    [
        Document(media_type="application/pdf", data=PDF, title="A (1).pdf"),
        Document(media_type="application/pdf", data=PDF),
        Document(media_type="text/plain", text="Words \u2028", title="T"),
    ]
)
SAYS: st.SearchStrategy[Block] = st.builds(Text, text=TEXTS)
SHOWS = st.one_of(SAYS, SAYS, IMAGES, DOCUMENTS)
THOUGHTS: st.SearchStrategy[Block] = st.one_of(
    st.builds(Thinking, text=TEXTS, signature=st.sampled_from(SIGNATURES)),
    st.just(RedactedThinking(data="c2VjcmV0")),
)


@st.composite
def talks(draw: st.DrawFn, *, tidy: bool = False) -> Talk:
    """Any talk. `tidy`: what every dialect has a place for, with each call answered in turn."""
    messages = _tidy(draw) if tidy else _any(draw)
    names = draw(st.lists(st.sampled_from(NAMES[:1] if tidy else NAMES), unique=True, max_size=3))
    tools = tuple(
        Offer(name=name, schema=None if name == "patch" else draw(_TIDY if tidy else _SCHEMAS))
        for name in names
    )
    texts = st.just("Be terse.") if tidy else TEXTS
    return Talk(
        system=tuple(draw(st.lists(texts, max_size=2))),
        messages=messages,
        tools=tools,
        wishes={} if tidy else draw(_wishes(names)),
    )


_TIDY = st.sampled_from([SCHEMA, {"type": "object"}, {}])
_SCHEMAS = st.sampled_from(
    [
        SCHEMA,
        {"type": "object", "properties": {}},
        {"type": "object"},
        {},
        {"anyOf": [SCHEMA, {"type": "object", "properties": {"b": {"type": ["null", "string"]}}}]},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **SCHEMA, "$defs": {"x": {}}},
    ]
)


def _any(draw: st.DrawFn) -> tuple[Message, ...]:
    messages: list[Message] = []
    open_calls: list[str] = []
    for _ in range(draw(st.integers(1, 6))):
        match draw(st.sampled_from("uuaaarrs")):
            case "u":
                blocks = tuple(draw(st.lists(SHOWS, min_size=1, max_size=3)))
                messages.append(Message(role=Role.USER, blocks=blocks))
            case "s":
                blocks = tuple(draw(st.lists(SAYS, min_size=1, max_size=2)))
                messages.append(Message(role=Role.SYSTEM, blocks=blocks))
            case "a":
                blocks = tuple(draw(st.lists(_ANY_SAID, min_size=1, max_size=5)))
                open_calls = [one.id for one in blocks if isinstance(one, ToolCall)]
                messages.append(Message(role=Role.ASSISTANT, blocks=blocks))
            case _:
                answered = draw(st.permutations(open_calls))[: draw(st.integers(0, 3))]
                if draw(st.integers(0, 3)) == 0:
                    answered.append(draw(st.sampled_from(IDS)))
                results: list[Block] = [
                    ToolResult(
                        call_id=one,
                        content=tuple(draw(st.lists(SHOWS, max_size=2))),
                        is_error=draw(st.sampled_from([None, True, False])),
                    )
                    for one in answered
                ]
                results += draw(st.lists(SHOWS, max_size=1))
                if results:
                    messages.append(Message(role=Role.USER, blocks=tuple(results)))
    return tuple(messages) or (Message(role=Role.USER, blocks=(Text(text="Hi"),)),)


_ANY_SAID: st.SearchStrategy[Block] = st.one_of(
    SAYS,
    THOUGHTS,
    st.builds(
        ToolCall,
        id=st.sampled_from(IDS),
        name=st.sampled_from(NAMES),
        arguments=st.one_of(ARGUMENTS, ARGUMENTS, BROKEN_ARGUMENTS),
        custom=st.sampled_from([False, False, True]),
    ),
    st.builds(Refusal, text=TEXTS),
)


def _tidy(draw: st.DrawFn) -> tuple[Message, ...]:
    words = st.sampled_from(["Hi", "晨 \u2028 \u0085", "e\u0301 \U0001f469\u200d\U0001f680", '{"'])
    messages = [Message(role=Role.USER, blocks=(Text(text=draw(words)),))]
    for turn in range(draw(st.integers(0, 3))):
        said: list[Block] = [Text(text=draw(words))] if draw(st.booleans()) else []
        calls = [
            ToolCall(id=f"call_{turn}_{place}", name="look", arguments=draw(ARGUMENTS))
            for place in range(draw(st.integers(0 if said else 1, 3)))
        ]
        messages.append(Message(role=Role.ASSISTANT, blocks=(*said, *calls)))
        results = tuple(
            ToolResult(call_id=call.id, content=(Text(text=draw(words)),)) for call in calls
        )
        if results:
            messages.append(Message(role=Role.USER, blocks=results))
        else:
            messages.append(Message(role=Role.USER, blocks=(Text(text=draw(words)),)))
    return tuple(messages)


def _wishes(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    choices: list[Any] = ["auto", "required", "none", *names]
    return st.fixed_dictionaries(
        {},
        optional={
            "max_tokens": st.sampled_from([1, 1000, 10**6]),
            "temperature": st.sampled_from([0, 0.5, 1]),
            "top_p": st.sampled_from([0.1, 1]),
            "top_k": st.just(5),
            "stop": st.lists(
                st.sampled_from(["END", " ", "\n", "\u2028", "A", "B", "C"]),
                unique=True,
                min_size=1,
                max_size=6,
            ),
            "effort": st.sampled_from(["low", "medium", "high"]),
            "budget": st.sampled_from([1024, 20000]),
            "schema": st.just(SCHEMA),
            "choice": st.sampled_from(choices),
            "parallel": st.booleans(),
            "user": st.just("someone"),
            "seed": st.just(7),
            "empty_tools": st.just(True),
        },
    )
