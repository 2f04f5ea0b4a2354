"""A client's request, by way of another client dialect and back: the same, or listed as changed."""

import json
from typing import Any

import pytest
from hypothesis import given

from lynkrc_runtime.protocol.conversation import (
    Block,
    CannotTranslate,
    ChoiceKind,
    Message,
    Request,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.losses import losses_in
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.property.conversations import Talk, talks
from tests.property.effort import tried
from tests.property.spelled_requests import spell
from tests.property.test_pair_requests import facts_of

BOTH = [name for name in CLIENT_DIALECTS if name in TARGET_DIALECTS]
ROUTES = [(here, there) for here in BOTH for there in BOTH if here != there]

OPTIONS = ("max_tokens", "temperature", "top_p", "top_k", "stop", "effort", "seed")
NAMES = {
    "max_tokens": ("max_tokens", "max_completion_tokens", "max_output_tokens"),
    "effort": ("effort", "thinking", "reasoning"),
    "parallel": ("parallel", "tool_choice"),
    "format": ("format", "schema"),
    "tool_choice": ("tool",),
    "tools": ("tool", "schema"),
    "system": ("system", "prompted", "billing"),
}
"""How a change names the part it is about, where that is not the part's own name."""


def carried(request: Request, target: str) -> tuple[Request, tuple[str, ...]]:
    """(the request as the target reads it, changes); raises CannotTranslate."""
    facts = facts_of(target, RequestShape())
    written = TARGET_DIALECTS[target].write_request(request, facts, {})
    return CLIENT_DIALECTS[target].read_request(written.body, {}), written.transforms


def parts_of(request: Request) -> dict[str, Any]:
    """What the request asks for, by part, without the spelling of its dialect."""
    options = request.options
    parts: dict[str, Any] = {name: getattr(options, name) for name in OPTIONS}
    choice = request.tool_choice
    return parts | {
        # The schema alone: not every dialect has a name for it.
        "format": options.format and options.format.schema,
        "parallel": options.parallel_tools is not False,
        # To choose freely is what every model does unasked.
        "tool_choice": (
            choice and choice.kind is not ChoiceKind.AUTO and (choice.kind, choice.name)
        )
        or None,
        # An empty schema takes an object without members: some dialects want that said.
        "tools": [
            (tool.name, {"type": "object", "properties": {}, **(tool.parameters or {})})
            for tool in request.tools
        ],
        # One text or several: what is said is the same.
        "system": "\n\n".join(block.text for block in request.system).split(),
        "messages": _turns(request.messages),
    }


def _turns(messages: tuple[Message, ...]) -> list[Any]:
    turns: list[tuple[str, list[Any]]] = []
    for message in messages:
        if not turns or turns[-1][0] != message.role.value:
            turns.append((message.role.value, []))
        turns[-1][1].extend(_told(block) for block in message.blocks)
    return turns


def _told(block: Block) -> Any:
    match block:
        case Text(text=text):
            return text
        case ToolCall():
            return "call", block.id, block.name, json.loads(block.arguments)
        case ToolResult():
            return "result", block.call_id, [_told(one) for one in block.content]
        case _:
            return repr(block)


@pytest.mark.parametrize(("here", "there"), ROUTES)
@tried(20)
@given(talk=talks(tidy=True))
def test_what_both_have_words_for_comes_back(here: str, there: str, talk: Talk) -> None:
    read = CLIENT_DIALECTS[here].read_request(spell(here, talk), {})
    abroad, out = carried(read, there)
    again, back = carried(abroad, here)
    assert losses_in((*out, *back)) == ()
    wanted = parts_of(read)
    for found in (parts_of(abroad), parts_of(again)):
        for name in ("messages", "system", "tools", "tool_choice", "temperature", "top_p"):
            assert found[name] == wanted[name], name


@pytest.mark.parametrize(("here", "there"), ROUTES)
@tried(30)
@given(talk=talks())
def test_every_difference_is_listed(here: str, there: str, talk: Talk) -> None:
    read = CLIENT_DIALECTS[here].read_request(spell(here, talk), {})
    wanted = parts_of_any(read)
    try:
        abroad, out = carried(read, there)
        again, back = carried(abroad, here)
    except CannotTranslate:
        return
    found, changes = parts_of_any(again), (*out, *back)
    if any(message.role is Role.SYSTEM for message in read.messages):
        # What stands at the head of the messages is read as instructions.
        del wanted["system"]
    if not read.tools:
        # Without tools there is nothing to call at once.
        del wanted["parallel"]
    for name, value in wanted.items():
        if found[name] != value and name != "messages":
            told = NAMES.get(name, (name,))
            assert any(one in change for one in told for change in changes), (name, changes)


def parts_of_any(request: Request) -> dict[str, Any]:
    """The parts but for the messages, which tidy talks compare."""
    return parts_of(Request(**{**_members(request), "messages": ()}))


def _members(request: Request) -> dict[str, Any]:
    return {name: getattr(request, name) for name in request.__struct_fields__}
