"""Blocks of an answer, to output items of a response (wire reference A.3.2, C.5.2).

The ids are pure functions of the answer's id and the item's place, so a stream and a whole answer
name the same items alike.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, final

from lynkrc_runtime.protocol import carrier
from lynkrc_runtime.protocol.conversation import Request, Stop, Tool
from lynkrc_runtime.protocol.dialect import AnswerContext
from lynkrc_runtime.protocol.known_tools import originals_of, written_once
from lynkrc_runtime.protocol.openai_chat.call_ids import made_id

Json: TypeAlias = dict[str, Any]

COMPLETED = "completed"
INCOMPLETE = "incomplete"
IN_PROGRESS = "in_progress"

_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
}


@final
class Offered:
    """The tools of a request by the name a target knows them by."""

    __slots__ = ("_originals", "_tools")

    def __init__(self, tools: tuple[Tool, ...]) -> None:
        self._originals = originals_of(tools)
        self._tools: dict[str, Tool] = {}
        own: dict[str, list[Tool]] = {}
        for tool in tools:
            self._tools[tool.name] = tool
            own.setdefault(str(tool.value.get("name")), []).append(tool)
        for name, alike in own.items():
            if len(alike) == 1:
                # Models now and then call a tool of a namespace by the name it has there.
                self._tools.setdefault(name, alike[0])

    def head(self, called: str) -> tuple[Json, bool]:
        """(name and namespace the client gave, whether the tool is free-form)."""
        name = self._originals.get(called, called)
        tool = self._tools.get(name)
        if tool is None or tool.kind not in ("function", "custom"):
            return {"name": name}, False
        head: Json = {"name": tool.value.get("name", name)}
        if tool.namespace is not None:
            head["namespace"] = tool.namespace
        return head, tool.kind == "custom"


def offered_by(request: Request) -> Offered:
    """The tools of a request, worked out once for a set of them."""
    tools = request.tools
    return written_once(tools, Offered, lambda: Offered(tools))


def item_id(kind: str, context: AnswerContext, index: int) -> str:
    """The id of the item at this place of the output."""
    return f"{_PREFIXES[kind]}_{context.id}{index:04d}"


def call_id(given: str, context: AnswerContext, index: int) -> str:
    """The id of a call; one is made for a target that gave none."""
    return given or made_id(context.id, context.created, index)


def text_part(text: str) -> Json:
    """A part of a message that holds text."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def refusal_part(text: str) -> Json:
    """A part of a message that declines."""
    return {"type": "refusal", "refusal": text}


def message_item(identity: str, parts: Sequence[Json], status: str) -> Json:
    """What the model says."""
    return {
        "id": identity,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": list(parts),
    }


def reasoning_item(identity: str, text: str, carried: str | None) -> Json:
    """What the model thought; `carried` is what its maker needs back."""
    summary = [{"type": "summary_text", "text": text}] if text else []
    return {
        "id": identity,
        "type": "reasoning",
        "summary": summary,
        "encrypted_content": carried,
    }


def function_item(identity: str, call: str, head: Json, arguments: str, status: str) -> Json:
    """A call with JSON arguments."""
    return {
        "id": identity,
        "type": "function_call",
        "status": status,
        "call_id": call,
        **head,
        "arguments": arguments,
    }


def custom_item(identity: str, call: str, head: Json, text: str) -> Json:
    """A call of a free-form tool."""
    return {"id": identity, "type": "custom_tool_call", "call_id": call, **head, "input": text}


def carried_signature(signature: str | None, model: str) -> str | None:
    """`encrypted_content` for reasoning with this signature: Claude's own travels in a carrier."""
    if signature is None:
        return carrier.mark(model)
    if signature.startswith(carrier.PREFIX):
        return signature
    return carrier.seal(carrier.CLAUDE, signature, "")


def carried_redacted(data: str) -> str | None:
    """`encrypted_content` for reasoning that Claude keeps to itself."""
    return carrier.seal(carrier.CLAUDE_REDACTED, data, "")


def outcome(stop: Stop, *, refused: bool) -> tuple[str, Mapping[str, str] | None]:
    """(status, incomplete_details). A refusal said in words is a proper answer."""
    match stop:
        case Stop.LENGTH | Stop.CONTEXT:
            return INCOMPLETE, {"reason": "max_output_tokens"}
        case Stop.REFUSAL if not refused:
            return INCOMPLETE, {"reason": "content_filter"}
        case _:
            return COMPLETED, None


def last_status(stop: Stop) -> str:
    """The status of the item the answer ended in."""
    return INCOMPLETE if stop in (Stop.LENGTH, Stop.CONTEXT) else COMPLETED
