"""Neutral wishes, to the objects the Messages API spells them with (wire reference A.1.2)."""

from typing import Any, assert_never

import msgspec

from lynkrc_runtime.protocol.conversation import ChoiceKind, JsonFormat, ThinkingWish, ToolChoice


def thinking_object(wish: ThinkingWish) -> dict[str, Any]:
    """`thinking`."""
    found: dict[str, Any] = {"type": wish.kind.value}
    if wish.budget is not None:
        found["budget_tokens"] = wish.budget
    if wish.display is not None:
        found["display"] = wish.display
    return found


def tool_choice_object(choice: ToolChoice, parallel_tools: bool | None) -> dict[str, Any]:
    """`tool_choice`, with the single-call switch where it is legal."""
    found: dict[str, Any]
    match choice.kind:
        case ChoiceKind.AUTO:
            found = {"type": "auto"}
        case ChoiceKind.REQUIRED:
            found = {"type": "any"}
        case ChoiceKind.NAMED:
            found = {"type": "tool", "name": choice.name}
        case ChoiceKind.NONE:
            return {"type": "none"}
        case _:
            assert_never(choice.kind)
    if parallel_tools is False:
        found["disable_parallel_tool_use"] = True
    return found


def schema_instruction(wanted: JsonFormat) -> str:
    """Words for a JSON format where there is no parameter for it."""
    if wanted.schema is None:
        return "Answer with one JSON object only: no other text, no code fence."
    schema = msgspec.json.encode(wanted.schema).decode()
    return (
        "Answer with one JSON value only, valid against this JSON Schema: no other text, no code "
        f"fence.\n{schema}"
    )
