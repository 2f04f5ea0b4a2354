"""A conversation, as a client of each dialect would write it in a request.

Spelled by hand after the wire formats, apart from the project's own writers.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

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
from tests.property.conversations import Offer, Talk

Json = dict[str, Any]

MESSAGES, CHAT, RESPONSES = "anthropic-messages", "openai-chat", "openai-responses"


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
