"""Random conversations, in the neutral vocabulary, and the request each client would write of them.

They hold what clients really send beside what they should: calls without results, results of
nobody's call or out of order, repeated ids, blank texts, reasoning of several makers. The spelling
is apart from the project's own writers.
"""

import json
from collections.abc import Callable, Mapping
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

MESSAGES, CHAT, RESPONSES = "anthropic-messages", "openai-chat", "openai-responses"
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


def spell(client: str, talk: Talk) -> bytes:
    """The body a client of this dialect writes, separators unescaped as JSON allows."""
    return json.dumps(SPELL[client](talk), ensure_ascii=False).encode()


def _object(arguments: str) -> Json:
    """The arguments as a dialect has them that knows objects only."""
    try:
        value = json.loads(arguments, parse_constant=str)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _taken(talk: Talk, names: Mapping[str, str]) -> Json:
    return {names[name]: value for name, value in talk.wishes.items() if name in names}


# -- Anthropic Messages ----------------------------------------------------------------------


def _messages(talk: Talk) -> Json:
    names = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k"}
    wishes = talk.wishes
    body: Json = {"model": "asked", "max_tokens": wishes.get("max_tokens", 1024)}
    if talk.system:
        body["system"] = [{"type": "text", "text": text} for text in talk.system]
    body["messages"] = [
        {"role": message.role.value, "content": [_messages_block(one) for one in message.blocks]}
        for message in talk.messages
    ]
    body |= _taken(talk, names | {"stop": "stop_sequences"})
    tools = [
        {"name": one.name, "description": "It looks.", "input_schema": {"type": "object", **schema}}
        for one in talk.tools
        for schema in (one.schema or {"properties": {"input": {"type": "string"}}},)
    ]
    if tools or wishes.get("empty_tools"):
        body["tools"] = tools
    if "choice" in wishes and tools:
        choice = {"auto": "auto", "required": "any", "none": "none"}.get(wishes["choice"], "tool")
        body["tool_choice"] = {"type": choice}
        if choice == "tool":
            body["tool_choice"]["name"] = wishes["choice"]
        if choice != "none" and "parallel" in wishes:
            body["tool_choice"]["disable_parallel_tool_use"] = not wishes["parallel"]
    if "budget" in wishes:
        body["thinking"] = {"type": "enabled", "budget_tokens": wishes["budget"]}
    if "effort" in wishes:
        body.setdefault("output_config", {})["effort"] = wishes["effort"]
    if "schema" in wishes:
        form = {"type": "json_schema", "schema": wishes["schema"]}
        body.setdefault("output_config", {})["format"] = form
    if "user" in wishes:
        body["metadata"] = {"user_id": wishes["user"]}
    return body


def _messages_block(block: Block) -> Json:
    match block:
        case Text(text=text) | Refusal(text=text):
            return {"type": "text", "text": text}
        case Image(url=None):
            source = {"type": "base64", "media_type": block.media_type, "data": block.data}
            return {"type": "image", "source": source}
        case Image():
            return {"type": "image", "source": {"type": "url", "url": block.url}}
        case Document():
            source = {"type": "base64", "media_type": block.media_type, "data": block.data}
            if block.text is not None:
                source = {"type": "text", "media_type": "text/plain", "data": block.text}
            title = {"title": block.title} if block.title else {}
            return {"type": "document", "source": source, **title}
        case ToolCall():
            given = _object(block.arguments)
            return {"type": "tool_use", "id": block.id, "name": block.name, "input": given}
        case ToolResult():
            error = {} if block.is_error is None else {"is_error": block.is_error}
            content = [_messages_block(one) for one in block.content]
            return {
                "type": "tool_result",
                "tool_use_id": block.call_id,
                "content": content,
                **error,
            }
        case Thinking():
            signature = block.signature or ""
            return {"type": "thinking", "thinking": block.text, "signature": signature}
        case RedactedThinking():
            return {"type": "redacted_thinking", "data": block.data}
        case _:
            raise ValueError(block)


# -- OpenAI Chat -----------------------------------------------------------------------------


def _chat(talk: Talk) -> Json:
    names = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "stop": "stop"}
    wishes = talk.wishes
    body: Json = {"model": "asked"}
    body["messages"] = [{"role": "system", "content": text} for text in talk.system]
    for message in talk.messages:
        body["messages"] += _chat_messages(message)
    more = {"max_tokens": "max_completion_tokens", "effort": "reasoning_effort"}
    body |= _taken(talk, names | more | {"user": "user", "seed": "seed"})
    tools = [_chat_tool(one) for one in talk.tools]
    if tools or wishes.get("empty_tools"):
        body["tools"] = tools
    if "choice" in wishes and tools:
        body["tool_choice"] = _chat_choice(wishes["choice"])
    if "parallel" in wishes and tools:
        body["parallel_tool_calls"] = wishes["parallel"]
    if "schema" in wishes:
        form = {"name": "answer", "schema": wishes["schema"], "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return body


def _chat_tool(one: Offer) -> Json:
    if one.schema is None:
        return {"type": "custom", "custom": {"name": one.name, "description": "It patches."}}
    return {"type": "function", "function": {"name": one.name, "parameters": dict(one.schema)}}


def _chat_choice(choice: str) -> Any:
    if choice in ("auto", "required", "none"):
        return choice
    if choice == "patch":
        return {"type": "custom", "custom": {"name": choice}}
    return {"type": "function", "function": {"name": choice}}


def _chat_messages(message: Message) -> list[Json]:
    if message.role is Role.ASSISTANT:
        return [_chat_assistant(message)]
    results = [one for one in message.blocks if isinstance(one, ToolResult)]
    made: list[Json] = [
        {
            "role": "tool",
            "tool_call_id": one.call_id,
            "content": [_chat_part(part) for part in one.content],
        }
        for one in results
    ]
    others = [_chat_part(one) for one in message.blocks if not isinstance(one, ToolResult)]
    if others:
        made.append({"role": message.role.value, "content": others})
    return made


def _chat_assistant(message: Message) -> Json:
    made: Json = {"role": "assistant", "content": None}
    texts = [one.text for one in message.blocks if isinstance(one, Text)]
    refusals = [one.text for one in message.blocks if isinstance(one, Refusal)]
    thoughts = [one.text for one in message.blocks if isinstance(one, Thinking)]
    calls = [_chat_call(one) for one in message.blocks if isinstance(one, ToolCall)]
    if texts:
        made["content"] = "".join(texts)
    if refusals:
        made["refusal"] = "".join(refusals)
    if thoughts:
        made["reasoning_content"] = "".join(thoughts)
    if calls:
        made["tool_calls"] = calls
    return made


def _chat_call(block: ToolCall) -> Json:
    if block.custom:
        custom = {"name": block.name, "input": block.arguments}
        return {"id": block.id, "type": "custom", "custom": custom}
    function = {"name": block.name, "arguments": block.arguments}
    return {"id": block.id, "type": "function", "function": function}


def _chat_part(block: Block) -> Json:
    match block:
        case Text(text=text):
            return {"type": "text", "text": text}
        case Image():
            url = block.url or f"data:{block.media_type};base64,{block.data}"
            return {"type": "image_url", "image_url": {"url": url}}
        case Document(text=None):
            data = f"data:{block.media_type};base64,{block.data}"
            return {"type": "file", "file": {"filename": block.title or "a.pdf", "file_data": data}}
        case Document(text=str(text)):
            return {"type": "text", "text": text}
        case _:
            raise ValueError(block)


# -- OpenAI Responses ------------------------------------------------------------------------


def _responses(talk: Talk) -> Json:
    wishes = talk.wishes
    body: Json = {"model": "asked", "store": False}
    if talk.system:
        body["instructions"] = talk.system[0]
    body["input"] = [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": text}]}
        for text in talk.system[1:]
    ]
    for message in talk.messages:
        body["input"] += _responses_items(message)
    names = {"temperature": "temperature", "top_p": "top_p", "max_tokens": "max_output_tokens"}
    body |= _taken(talk, names | {"user": "user"})
    tools = [_responses_tool(one) for one in talk.tools]
    if tools or wishes.get("empty_tools"):
        body["tools"] = tools
    if "choice" in wishes and tools:
        choice = wishes["choice"]
        kind = "custom" if choice == "patch" else "function"
        is_word = choice in ("auto", "required", "none")
        body["tool_choice"] = choice if is_word else {"type": kind, "name": choice}
    if "parallel" in wishes:
        body["parallel_tool_calls"] = wishes["parallel"]
    if "effort" in wishes:
        body["reasoning"] = {"effort": wishes["effort"], "summary": "auto"}
        body["include"] = ["reasoning.encrypted_content"]
    if "schema" in wishes:
        form = {"type": "json_schema", "name": "answer", "schema": wishes["schema"], "strict": True}
        body["text"] = {"format": form}
    return body


def _responses_tool(one: Offer) -> Json:
    if one.schema is None:
        return {"type": "custom", "name": one.name, "description": "It patches."}
    return {"type": "function", "name": one.name, "parameters": dict(one.schema), "strict": False}


def _responses_items(message: Message) -> list[Json]:
    items: list[Json] = []
    texts: list[Json] = []

    def flush() -> None:
        if texts:
            items.append({"type": "message", "role": role, "content": list(texts)})
            texts.clear()

    role = "developer" if message.role is Role.SYSTEM else message.role.value
    for number, block in enumerate(message.blocks):
        item = _responses_item(block, number)
        if item is None:
            texts.append(_responses_part(block, spoken=message.role is Role.ASSISTANT))
        else:
            flush()
            items.append(item)
    flush()
    return items


def _responses_item(block: Block, number: int) -> Json | None:
    match block:
        case ToolCall(custom=True):
            head = {"type": "custom_tool_call", "call_id": block.id, "name": block.name}
            return head | {"input": block.arguments}
        case ToolCall():
            head = {"type": "function_call", "call_id": block.id, "name": block.name}
            return head | {"arguments": block.arguments}
        case ToolResult():
            output = [_responses_part(one, spoken=False) for one in block.content]
            head = {"type": "function_call_output", "call_id": block.call_id}
            return head | {"output": output}
        case Thinking(text=text):
            summary = [{"type": "summary_text", "text": text}] if text else []
            item: Json = {"type": "reasoning", "id": f"rs_{number}", "summary": summary}
            signature = block.signature
            return item if signature is None else item | {"encrypted_content": signature}
        case RedactedThinking(data=data):
            sealed = carrier.seal(carrier.CLAUDE_REDACTED, data, "")
            return {"type": "reasoning", "id": "rs_r", "summary": [], "encrypted_content": sealed}
        case _:
            return None


def _responses_part(block: Block, *, spoken: bool) -> Json:
    match block:
        case Text(text=text) if spoken:
            return {"type": "output_text", "text": text, "annotations": []}
        case Text(text=text) | Document(text=str(text)):
            return {"type": "input_text", "text": text}
        case Refusal(text=text):
            return {"type": "refusal", "refusal": text}
        case Image():
            url = block.url or f"data:{block.media_type};base64,{block.data}"
            return {"type": "input_image", "detail": "auto", "image_url": url}
        case Document():
            data = f"data:{block.media_type};base64,{block.data}"
            return {"type": "input_file", "filename": block.title or "a.pdf", "file_data": data}
        case _:
            raise ValueError(block)


SPELL: Mapping[str, Callable[[Talk], Json]] = {
    MESSAGES: _messages,
    CHAT: _chat,
    RESPONSES: _responses,
}
"""By client dialect."""
