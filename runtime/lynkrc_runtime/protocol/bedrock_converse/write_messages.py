"""Neutral messages and instructions, to Converse's `messages` and `system` (wire reference C.2)."""

from collections.abc import Sequence

from msgspec.structs import replace

from lynkrc_runtime.protocol.bedrock_converse.families import Family
from lynkrc_runtime.protocol.bedrock_converse.write_blocks import BlockWriter, lose, says_something
from lynkrc_runtime.protocol.bedrock_converse.write_tools import Json, cache_point
from lynkrc_runtime.protocol.carrier import is_foreign
from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import (
    Block,
    CannotTranslate,
    Document,
    Image,
    Message,
    Opaque,
    RedactedThinking,
    Request,
    Role,
    Text,
    Thinking,
)
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.turns import settle

_BILLING = "x-anthropic-billing-header"


def settled(
    request: Request, facts: TargetFacts, family: Family, changes: Changes
) -> tuple[Message, ...]:
    """The turns Converse takes, of blocks it takes. Raises CannotTranslate for a prefill."""
    kept = [
        replace(message, blocks=_sayable(message, facts, family, changes))
        for message in request.messages
    ]
    turns = settle(kept, changes)
    last = turns[-1]
    if last.role is not Role.ASSISTANT:
        return turns
    if facts.shape.prefill is False:
        raise CannotTranslate("prefill", "the target does not continue an assistant message")
    block = last.blocks[-1]
    if isinstance(block, Text):
        # Claude refuses a prefill that ends in white space.
        shorter = replace(block, text=block.text.rstrip())
        turns = (*turns[:-1], replace(last, blocks=(*last.blocks[:-1], shorter)))
    return turns


def _sayable(
    message: Message, facts: TargetFacts, family: Family, changes: Changes
) -> tuple[Block, ...]:
    """Without what the target cannot be sent, so that no turn is left empty when it is written."""
    kept: list[Block] = []
    for block in message.blocks:
        match block:
            case Thinking() | RedactedThinking():
                is_ours = family.claude and not is_foreign(block)
                if facts.without_thinking or not is_ours:
                    changes["stripped=thinking"] = None
                    continue
            case Image() | Document() if message.role is not Role.USER:
                changes[f"dropped={message.role.value}-media"] = None
                continue
            case Opaque():
                lose(block, changes)
                continue
            case _:
                pass
        if says_something(block):
            kept.append(block)
    return tuple(kept)


def write_messages(turns: Sequence[Message], family: Family, changes: Changes) -> list[Json]:
    """The `messages` list."""
    writer = BlockWriter(family, changes)
    return [{"role": turn.role.value, "content": writer.turn(turn.blocks)} for turn in turns]


def write_system(
    request: Request, hints: Sequence[str], family: Family, changes: Changes
) -> list[Json]:
    """The `system` list; `hints` are said at its end."""
    written: list[Json] = []
    for block in request.system:
        if block.text.startswith(_BILLING):
            changes["dropped=billing-header"] = None
            continue
        if not block.text.strip():
            continue
        written.append({"text": block.text})
        for name in block.extra:
            if name != "cache_control":
                changes[f"dropped={name}"] = None
        written += cache_point(block.extra.get("cache_control"), family, changes)
    return [*written, *({"text": hint} for hint in hints)]
