"""A request for embeddings, to what the policy reads of it: its target, and its texts."""

from collections.abc import Mapping

from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.protocol.conversation import Message, Opaque, Options, Request, Role, Text
from lynkrc_runtime.protocol.embeddings.request import EmbeddingRequest
from lynkrc_runtime.string_classes import fold_ascii

DIALECT = "openai-chat"
"""Whose errors and headers the surface speaks."""
RULE = "embeddings"
"""What ``x-lynkr-rule`` says of a target that was declared."""


def target_of(declared: Mapping[str, str], model: str) -> str | None:
    """The target of a requested name: exact names first, else the longest ``prefix*``.

    >>> target_of({"text-*": "small", "text-large": "big"}, "Text-Large")
    'big'
    """
    asked = fold_ascii(model)
    by_name = {fold_ascii(name): target for name, target in declared.items()}
    if asked in by_name and not asked.endswith("*"):
        return by_name[asked]
    prefixes = [name for name in by_name if name.endswith("*") and asked.startswith(name[:-1])]
    return by_name[max(prefixes, key=len)] if prefixes else None


def pinned(asked: EmbeddingRequest, target: str) -> Request:
    """The request as the policy is asked about it: as if the target were pinned."""
    return as_conversation(asked, f"lynkr/{target}")


def as_conversation(asked: EmbeddingRequest, model: str) -> Request:
    """What the policy reads: the texts as one message of the user."""
    blocks = tuple(Text(text=text) for text in asked.texts) + tuple(
        Opaque(dialect=EMBEDDINGS, type="tokens", value={"tokens": tokens})
        for tokens in asked.tokens
    )
    return Request(
        dialect=DIALECT,
        model=model,
        system=(),
        messages=(Message(role=Role.USER, blocks=blocks),),
        tools=(),
        tool_choice=None,
        options=Options(),
        metadata={},
        members=asked.members,
        rest=(),
    )
