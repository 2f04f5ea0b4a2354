"""A draft, to the body of a request in each client dialect."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias, assert_never

from lynkrc.testing.draft import Call, Draft, Medium, Part, Result, Said, Words

Json: TypeAlias = dict[str, Any]

USUAL_MAX_TOKENS = 4_096
"""What a Messages request says where nothing is wished; it has to say something."""
_THINKING_BUDGET = 1_024
_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="
)
_PDF = "JVBERi0xLjQKJSVFT0YK"
_TEXT = "eA=="
_SCHEMA: Json = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}


def _document(draft: Draft) -> tuple[str, str, str]:
    """Media type, data and file name of a document."""
    if draft.small:
        return "text/plain", _TEXT, "a.txt"
    return "application/pdf", _PDF, "a.pdf"


def _messages(draft: Draft) -> Json:
    tokens = USUAL_MAX_TOKENS if draft.max_tokens is None else draft.max_tokens
    body: Json = {"model": draft.model, "max_tokens": tokens}
    if draft.system:
        body["system"] = [{"type": "text", "text": text} for text in draft.system]
    body["messages"] = [
        {"role": said.role, "content": _content(said, partial(_messages_part, draft))}
        for said in draft.messages
    ]
    if draft.tools:
        body["tools"] = [{"name": one, "input_schema": {"type": "object"}} for one in draft.tools]
    if draft.thinking:
        # The budget has to be smaller than the limit.
        enabled = {"type": "enabled", "budget_tokens": _THINKING_BUDGET}
        body["thinking"] = enabled if tokens > _THINKING_BUDGET else {"type": "adaptive"}
    if draft.schema:
        body["output_config"] = {"format": {"type": "json_schema", "schema": _SCHEMA}}
    return body | _common(draft)


def _common(draft: Draft) -> Json:
    body: Json = {}
    if draft.metadata:
        body["metadata"] = dict(draft.metadata)
    if draft.stream:
        body["stream"] = True
    return body


def _content(said: Said, spelled: Callable[[Part], Json]) -> Any:
    """The text alone where there is nothing else."""
    match said.parts:
        case ():
            return ""
        case (Words(text=text),):
            return text
        case parts:
            return [spelled(part) for part in parts]


def _messages_part(draft: Draft, part: Part) -> Json:
    match part:
        case Words(text=text):
            return {"type": "text", "text": text}
        case Medium():
            is_image = part is Medium.IMAGE
            kind, data, _ = ("image/png", _PNG, "") if is_image else _document(draft)
            source = {"type": "base64", "media_type": kind, "data": data}
            return {"type": part.value, "source": source}
        case Call():
            given = {"number": part.number}
            return {"type": "tool_use", "id": part.id, "name": part.tool, "input": given}
        case Result():
            made: Json = {"type": "tool_result", "tool_use_id": part.id}
            returned = Said("user", (Words(part.word), *_shown(part)))
            made["content"] = _content(returned, partial(_messages_part, draft))
            return made | ({"is_error": True} if part.is_error else {})
        case _:
            assert_never(part)


def _shown(result: Result) -> tuple[Medium, ...]:
    return (Medium.IMAGE,) * result.images + (Medium.DOCUMENT,) * result.documents


def _chat(draft: Draft) -> Json:
    body: Json = {"model": draft.model}
    messages: list[Json] = [{"role": "system", "content": text} for text in draft.system]
    for said in draft.messages:
        messages += _chat_messages(draft, said)
    body["messages"] = messages
    if draft.max_tokens:
        body["max_completion_tokens"] = draft.max_tokens
    if draft.tools:
        body["tools"] = [{"type": "function", "function": {"name": one}} for one in draft.tools]
    if draft.thinking:
        body["reasoning_effort"] = "medium"
    if draft.schema:
        form = {"name": "answer", "schema": _SCHEMA, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return body | _common(draft)


def _chat_messages(draft: Draft, said: Said) -> list[Json]:
    calls = [part for part in said.parts if isinstance(part, Call)]
    results = [part for part in said.parts if isinstance(part, Result)]
    others = tuple(part for part in said.parts if not isinstance(part, Call | Result))
    made: list[Json] = []
    for one in results:
        media = _shown(one)
        parts = Said("user", (Words(one.word), *media))
        content = _content(parts, partial(_chat_part, draft))
        made.append({"role": "tool", "tool_call_id": one.id, "content": content})
    if others or not results:
        message: Json = {"role": said.role}
        content = _content(Said(said.role, others), partial(_chat_part, draft))
        message["content"] = None if calls and not others else content
        if calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.tool, "arguments": _arguments(call)},
                }
                for call in calls
            ]
        made.append(message)
    return made


def _arguments(call: Call) -> str:
    return f'{{"number": {call.number}}}'


def _chat_part(draft: Draft, part: Part) -> Json:
    match part:
        case Words(text=text):
            return {"type": "text", "text": text}
        case Medium.IMAGE:
            return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PNG}"}}
        case Medium.DOCUMENT:
            kind, content, name = _document(draft)
            data = f"data:{kind};base64,{content}"
            return {"type": "file", "file": {"filename": name, "file_data": data}}
        case Call() | Result():
            raise ValueError("calls and results stand outside the content")
        case _:
            assert_never(part)


def _responses(draft: Draft) -> Json:
    body: Json = {"model": draft.model}
    instructions, *others = draft.system or ("",)
    if instructions:
        body["instructions"] = instructions
    items: list[Json] = [{"role": "developer", "content": text} for text in others]
    for said in draft.messages:
        items += _responses_items(draft, said)
    body["input"] = items
    if draft.max_tokens:
        body["max_output_tokens"] = draft.max_tokens
    if draft.tools:
        body["tools"] = [
            {"type": "function", "name": one, "parameters": {"type": "object", "properties": {}}}
            for one in draft.tools
        ]
    if draft.thinking:
        body["reasoning"] = {"effort": "medium"}
    if draft.schema:
        form = {"type": "json_schema", "name": "answer", "schema": _SCHEMA, "strict": True}
        body["text"] = {"format": form}
    return body | _common(draft)


def _responses_items(draft: Draft, said: Said) -> list[Json]:
    others = tuple(part for part in said.parts if not isinstance(part, Call | Result))
    items: list[Json] = []
    if others or not said.parts:
        role = "developer" if said.role == "system" else said.role
        content = _content(Said(said.role, others), partial(_responses_part, draft))
        items.append({"role": role, "content": content})
    for part in said.parts:
        if isinstance(part, Call):
            call = {"type": "function_call", "call_id": part.id, "name": part.tool}
            items.append(call | {"arguments": _arguments(part)})
        elif isinstance(part, Result):
            media = Said("user", (Words(part.word), *_shown(part)))
            output = {"type": "function_call_output", "call_id": part.id}
            items.append(output | {"output": _content(media, partial(_responses_part, draft))})
    return items


def _responses_part(draft: Draft, part: Part) -> Json:
    match part:
        case Words(text=text):
            return {"type": "input_text", "text": text}
        case Medium.IMAGE:
            url = f"data:image/png;base64,{_PNG}"
            return {"type": "input_image", "detail": "auto", "image_url": url}
        case Medium.DOCUMENT:
            kind, content, name = _document(draft)
            data = f"data:{kind};base64,{content}"
            return {"type": "input_file", "filename": name, "file_data": data}
        case Call() | Result():
            raise ValueError("calls and results are items of their own")
        case _:
            assert_never(part)


def _embeddings(draft: Draft) -> Json:
    return {"model": draft.model, "input": list(draft.texts)}


SPELL: Mapping[str, Callable[[Draft], Json]] = MappingProxyType(
    {
        "messages": _messages,
        "chat": _chat,
        "responses": _responses,
        "embeddings": _embeddings,
    }
)
"""By surface."""

PATHS: Mapping[str, str] = MappingProxyType(
    {
        "messages": "/v1/messages",
        "chat": "/v1/chat/completions",
        "responses": "/v1/responses",
        "embeddings": "/v1/embeddings",
    }
)
"""Where a surface takes requests."""
