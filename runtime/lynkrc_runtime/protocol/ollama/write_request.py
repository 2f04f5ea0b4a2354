"""A request of any client, to an Ollama request; every loss listed (wire reference C.4).

What cannot mean the same (a cache warm-up, a picture by its address, a prompt longer than the
context) is a misfit: the next target is tried.
"""

from collections.abc import Mapping

import msgspec

from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import (
    CannotTranslate,
    ChoiceKind,
    Request,
    Role,
    Tool,
    ToolChoice,
)
from lynkrc_runtime.protocol.dialect import TargetFacts, Written
from lynkrc_runtime.protocol.estimate import estimate_tokens
from lynkrc_runtime.protocol.free_form import PARAMETERS, description
from lynkrc_runtime.protocol.ollama.options import (
    STATED,
    Json,
    write_format,
    write_options,
    write_think,
)
from lynkrc_runtime.protocol.ollama.write_messages import write_messages

_NOTHING = frozenset((b"null", b"false", b"[]", b"{}"))
"""Values of members nobody translates that ask for nothing, so nothing is lost."""

_WRITTEN = frozenset(
    ("type", "name", "description", "input_schema", "parameters", "strict", "function", "custom")
)
"""Members of another dialect's tool that have been read into the neutral one."""

"""The schema of a free-form tool's one argument (wire reference C.1.2)."""


def write_request(request: Request, facts: TargetFacts, _: Mapping[str, str]) -> Written:
    """The upstream request; CannotTranslate where it could not mean the same."""
    changes: Changes = {}
    _refuse(request, facts)
    options = request.options
    tools = _tools(request, changes)
    instructions = _instructions(request, tools, changes)
    body: Json = {
        "model": facts.model,
        "messages": write_messages(request.system, request.messages, instructions, facts, changes),
        # Without a word the server streams.
        "stream": options.stream,
    }
    if tools:
        body["tools"] = tools
    form = write_format(options.format)
    if form is not None:
        body["format"] = form
    think = write_think(options, facts, changes)
    if think is not None:
        body["think"] = think
    body |= {row.member: row.value for row in STATED}
    settings = write_options(options, facts, changes)
    if settings:
        body["options"] = settings
    _list_rest(request, changes)
    return Written(body=_encode(body), headers={}, transforms=tuple(changes))


def _encode(body: Json) -> bytes:
    try:
        return msgspec.json.encode(body)
    except RecursionError as error:
        # Read a few calls higher up, where there was just enough room.
        raise CannotTranslate("depth", "the request is nested too deeply to translate") from error


def _refuse(request: Request, facts: TargetFacts) -> None:
    if request.options.max_tokens == 0:
        raise CannotTranslate("max_tokens", "the target cannot warm a cache: max_tokens is 0")
    members = {name: request.members.get(name, b"") for name in request.rest}
    if members.get("n", b"1") != b"1":
        raise CannotTranslate("n", "the target gives one choice; n must be 1")
    if b'"audio"' in members.get("modalities", b""):
        raise CannotTranslate("audio", "the target does not answer in audio")
    if b'"continue"' in members.get("thread", b""):
        raise CannotTranslate("thread", "the target does not hold the thread to continue")
    is_prefilled = bool(request.messages) and request.messages[-1].role is Role.ASSISTANT
    if is_prefilled and facts.shape.prefill is False:
        raise CannotTranslate("messages", "the target does not continue an assistant message")
    if facts.context:
        tokens = estimate_tokens(request)
        if tokens > facts.context:
            # Servers that do not know `truncate` would drop the beginning without a word.
            raise CannotTranslate(
                "messages",
                f"prompt is too long: {tokens} tokens > {facts.context} maximum",
                context_overflow=True,
            )


def _tools(request: Request, changes: Changes) -> list[Json]:
    """The tools the model may see: what the client forbids or leaves out is not offered."""
    choice = request.tool_choice
    if choice is not None and choice.kind is ChoiceKind.NONE:
        # There is no word for it: what is not offered is not called.
        if request.tools:
            changes["dropped=tools"] = None
        return []
    written: list[Json] = []
    for tool in request.tools:
        if choice is not None and choice.allowed is not None and tool.name not in choice.allowed:
            changes["filtered=tools"] = None
        elif tool.kind in ("function", "custom"):
            written.append(_tool(tool, changes))
        else:
            changes[f"dropped=tools.{tool.kind}"] = None
    return written


def _tool(tool: Tool, changes: Changes) -> Json:
    is_custom = tool.kind == "custom"
    for name in tool.value:
        if name not in _WRITTEN and not (is_custom and name == "format"):
            changes[f"dropped={name}"] = None
    if tool.strict:
        changes["dropped=strict"] = None
    function: Json = {"name": tool.name}
    told = description(tool) if is_custom else tool.description
    if told:
        function["description"] = told
    if is_custom:
        changes["mapped=custom-tools"] = None
        function["parameters"] = dict(PARAMETERS)
    else:
        parameters = dict(tool.parameters or {})
        parameters.setdefault("type", "object")
        if parameters["type"] == "object":
            parameters.setdefault("properties", {})
        function["parameters"] = parameters
    return {"type": "function", "function": function}


def _instructions(request: Request, tools: list[Json], changes: Changes) -> list[str]:
    """Wishes the dialect has no member for, in words for the model (wire reference C.4)."""
    said: list[str] = []
    wish = _choice_in_words(request.tool_choice, [tool["function"]["name"] for tool in tools])
    if wish is not None:
        changes["prompted=tool_choice"] = None
        said.append(wish)
    if tools and request.options.parallel_tools is False:
        changes["prompted=parallel_tool_calls"] = None
        said.append("Call at most one tool at a time.")
    return said


def _choice_in_words(choice: ToolChoice | None, names: list[str]) -> str | None:
    """CannotTranslate where the choice demands a tool that had to be left out."""
    if choice is None:
        return None
    if choice.kind is ChoiceKind.NAMED:
        if choice.name not in names:
            raise CannotTranslate("tool_choice", f"the target has no tool {choice.name!r}")
        return f"You must call the tool {choice.name} now."
    if choice.kind is ChoiceKind.REQUIRED:
        if not names:
            raise CannotTranslate("tool_choice", "the target has none of the required tools")
        return "You must call one of the tools now."
    return None


def _list_rest(request: Request, changes: Changes) -> None:
    for name in request.rest:
        # A dotted name is one member of an object that was read. What is refused above asks for
        # nothing where it is not.
        if name not in ("n", "modalities") and request.members.get(name) not in _NOTHING:
            changes[f"dropped={name}"] = None
    for name in request.metadata:
        if name != "user_id" or not request.options.user:
            changes[f"dropped=metadata.{name}"] = None
