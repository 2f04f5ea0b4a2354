"""The `input` of a Responses request, to leading system text and neutral messages (C.5.1, C.5.4).

What the model said stands in items of its own: text, reasoning and calls in a row are one turn.
Results in a row are one user message. Items only OpenAI's server understands stay opaque.
"""

from typing import Any, final

import msgspec

from lynkrc_runtime.protocol import carrier
from lynkrc_runtime.protocol.conversation import (
    Block,
    Document,
    Image,
    Message,
    Opaque,
    RedactedThinking,
    Refusal,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.openai_chat.checks import (
    as_list,
    as_object,
    as_text,
    malformed,
    others,
)
from lynkrc_runtime.protocol.openai_chat.read_messages import (
    USUAL_DETAIL,
    file_data,
    read_content,
    split_data_url,
)
from lynkrc_runtime.protocol.openai_responses.read_tools import ToolNames

DIALECT_NAME = "openai-responses"

_ROLES = "user, assistant, system, developer"
_MESSAGE = ("type", "id", "role", "content", "status")
_CALL = ("type", "id", "call_id", "name", "namespace", "arguments", "input", "status")
_RESULT = ("type", "id", "call_id", "name", "namespace", "output", "status")

_OFFERS = ("additional_tools", "tool_search_output")
"""Items whose `tools` are on offer from there on."""


def offered_in(items: list[Any]) -> list[tuple[str, list[Any]]]:
    """(place, tools) of the items that offer tools."""
    found: list[tuple[str, list[Any]]] = []
    for number, item in enumerate(items):
        if isinstance(item, dict) and item.get("type") in _OFFERS and item.get("tools"):
            place = f"input.{number}.tools"
            found.append((place, as_list(item["tools"], place)))
    return found


def read_items(
    items: list[Any], instructions: str | None, names: ToolNames
) -> tuple[tuple[Text, ...], tuple[Message, ...]]:
    """(leading system text, the other messages). Raises MalformedRequest.

    >>> read_items([{"role": "developer", "content": "Be terse."}], None, ToolNames())
    ((Text(text='Be terse.', extra={}),), ())
    """
    conversation = _Conversation(names)
    if instructions:
        conversation.system.append(Text(text=instructions))
    for number, item in enumerate(items):
        place = f"input.{number}"
        conversation.add(as_object(item, place), place)
    conversation.end_turn()
    return tuple(conversation.system), tuple(conversation.messages)


@final
class _Conversation:
    """What has been read so far; `said` and `results` are the open turn's, one of them empty.

    `extra` gathers the members of the messages in `said`: a turn may hold several.
    """

    __slots__ = ("extra", "messages", "names", "results", "said", "system")

    def __init__(self, names: ToolNames) -> None:
        self.names = names
        self.system: list[Text] = []
        self.messages: list[Message] = []
        self.said: list[Block] = []
        self.extra: dict[str, Any] = {}
        self.results: list[Block] = []

    def add(self, item: dict[str, Any], place: str) -> None:
        kind = item.get("type")
        if kind is None:
            # The easy form of a message has no type; a bare id is a reference.
            kind = "message" if "role" in item else "item_reference" if "id" in item else None
        match as_text(kind, f"{place}.type"):
            case "message":
                self._add_message(item, place)
            case "reasoning":
                self._say(read_reasoning(item, place))
            case "function_call" | "custom_tool_call":
                self._say(self._call(item, place))
            case "function_call_output" | "custom_tool_call_output":
                self._add_result(_result(item, place))
            case "additional_tools":
                # Its tools are on offer like all others; there is nothing else in it.
                pass
            case "item_reference":
                found = as_text(item.get("id"), f"{place}.id")
                raise malformed(
                    place,
                    f"item {found!r} is not stored here: send the item itself, as clients do"
                    " with `store: false`, or declare `responses_store` in the routing",
                )
            case other if other.endswith(("_output", "_response")) or other in _OFFERS:
                self.end_said()
                self.results.append(Opaque(dialect=DIALECT_NAME, type=other, value=item))
            case other:
                self._say(Opaque(dialect=DIALECT_NAME, type=other, value=item))

    def end_turn(self) -> None:
        """Close what is open."""
        self.end_said()
        self.end_results()

    def end_said(self) -> None:
        if self.said:
            turn = Message(role=Role.ASSISTANT, blocks=tuple(self.said), extra=self.extra)
            self.messages.append(turn)
        self.said, self.extra = [], {}

    def end_results(self) -> None:
        if self.results:
            self.messages.append(Message(role=Role.USER, blocks=tuple(self.results)))
            self.results = []

    def _say(self, *blocks: Block) -> None:
        self.end_results()
        self.said += blocks

    def _add_result(self, result: ToolResult) -> None:
        self.end_said()
        self.results.append(result)

    def _add_message(self, item: dict[str, Any], place: str) -> None:
        role = as_text(item.get("role"), f"{place}.role")
        blocks = _content(item.get("content"), f"{place}.content")
        extra = others(item, _MESSAGE)
        match role:
            case "assistant":
                self._say(*blocks)
                self.extra |= extra
            case "user":
                self.end_turn()
                self.messages.append(Message(role=Role.USER, blocks=blocks, extra=extra))
            case "system" | "developer":
                self.end_turn()
                self._add_system(blocks, extra)
            case _:
                raise malformed(f"{place}.role", f"must be one of {_ROLES}, not {role!r}")

    def _add_system(self, blocks: tuple[Block, ...], extra: dict[str, Any]) -> None:
        texts = [block for block in blocks if isinstance(block, Text)]
        if self.messages or len(texts) < len(blocks):
            self.messages.append(Message(role=Role.SYSTEM, blocks=blocks, extra=extra))
        elif extra and texts:
            first = Text(text=texts[0].text, extra={**extra, **texts[0].extra})
            self.system += (first, *texts[1:])
        else:
            self.system += texts

    def _call(self, item: dict[str, Any], place: str) -> ToolCall:
        is_custom = item["type"] == "custom_tool_call"
        member = "input" if is_custom else "arguments"
        namespace = item.get("namespace")
        if namespace is not None:
            namespace = as_text(namespace, f"{place}.namespace")
        return ToolCall(
            id=as_text(item.get("call_id"), f"{place}.call_id"),
            name=self.names.of(namespace, as_text(item.get("name"), f"{place}.name")),
            arguments=as_text(item.get(member), f"{place}.{member}"),
            custom=is_custom,
            extra=others(item, _CALL),
        )


def _result(item: dict[str, Any], place: str) -> ToolResult:
    return ToolResult(
        call_id=as_text(item.get("call_id"), f"{place}.call_id"),
        content=_content(item.get("output"), f"{place}.output"),
        extra=others(item, _RESULT),
    )


def read_reasoning(item: dict[str, Any], place: str) -> Thinking | RedactedThinking:
    """The reasoning with what its maker needs back (`protocol/carrier.py`)."""
    text = "\n\n".join(_pieces(item, "summary", place)) or "".join(_pieces(item, "content", place))
    given = item.get("encrypted_content")
    if given is None:
        return Thinking(text=text)
    given = as_text(given, f"{place}.encrypted_content")
    if not given.startswith(carrier.PREFIX):
        kept = {name: item[name] for name in ("id", "encrypted_content") if item.get(name)}
        data = msgspec.json.encode(kept).decode()
        return Thinking(text=text, signature=carrier.seal(carrier.OPENAI, data, ""))
    return carrier.opened(given, text)


def _pieces(item: dict[str, Any], name: str, place: str) -> list[str]:
    given = item.get(name)
    values = [] if given is None else as_list(given, f"{place}.{name}")
    return [
        as_text(as_object(value, where).get("text"), f"{where}.text")
        for number, value in enumerate(values)
        for where in (f"{place}.{name}.{number}",)
    ]


def _content(content: Any, place: str) -> tuple[Block, ...]:
    return read_content(content, place, _part)


def _part(part: dict[str, Any], place: str) -> Block:
    kind = as_text(part.get("type"), f"{place}.type")
    match kind:
        case "input_text" | "output_text" | "text":
            text = as_text(part.get("text"), f"{place}.text")
            extra = others(part, ("type", "text"))
            return Text(text=text, extra={n: v for n, v in extra.items() if v != []})
        case "refusal":
            return Refusal(text=as_text(part.get("refusal"), f"{place}.refusal"))
        case "input_image":
            return _image(part, place)
        case "input_file":
            return _file(part, place)
        case _:
            return Opaque(dialect=DIALECT_NAME, type=kind, value=part)


def _image(part: dict[str, Any], place: str) -> Image:
    extra = others(part, ("type", "image_url", "file_id"))
    if extra.get("detail") == USUAL_DETAIL:
        del extra["detail"]
    if part.get("image_url") is None:
        return Image(file_id=as_text(part.get("file_id"), f"{place}.file_id"), extra=extra)
    url = as_text(part["image_url"], f"{place}.image_url")
    if url[:5].lower() == "data:":
        media_type, data = split_data_url(url, f"{place}.image_url")
        return Image(media_type=media_type, data=data, extra=extra)
    return Image(url=url, extra=extra)


def _file(part: dict[str, Any], place: str) -> Document:
    title = part.get("filename")
    title = None if title is None else as_text(title, f"{place}.filename")
    extra = others(part, ("type", "file_data", "file_id", "file_url", "filename"))
    if part.get("file_url") is not None:
        url = as_text(part["file_url"], f"{place}.file_url")
        return Document(url=url, title=title, extra=extra)
    if part.get("file_data") is None:
        file_id = as_text(part.get("file_id"), f"{place}.file_id")
        return Document(file_id=file_id, title=title, extra=extra)
    media_type, data = file_data(part["file_data"], title, f"{place}.file_data")
    return Document(media_type=media_type, data=data, title=title, extra=extra)
