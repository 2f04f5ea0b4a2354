"""Reasoning with what its maker needs back, to entries of ``reasoning_details``, and back.

Chat clients that replay reasoning replay these entries verbatim (wire reference B.9, C.1.7). What
is needed back always stands in a carrier, so what the gateway wrote is known again, and taken out
on a pass-through: no server would understand it.

>>> entry = write_entry(Thinking(text="2+2", signature="EqClaude=="), 0)
>>> read_entries({"reasoning_details": [entry]})
(Thinking(text='2+2', signature='EqClaude=='),)
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from lynkrc_runtime.protocol import carrier
from lynkrc_runtime.protocol.conversation import RedactedThinking, Thinking

Json: TypeAlias = dict[str, Any]

MEMBER = "reasoning_details"
_FORMAT = "unknown"
"""Of the words this member has for the maker's form: the one that promises none."""


def write_entry(block: Thinking | RedactedThinking, index: int) -> Json | None:
    """The entry; None for reasoning of which nothing is needed back, or too much."""
    if isinstance(block, RedactedThinking):
        sealed = carrier.seal(carrier.CLAUDE_REDACTED, block.data, "")
        entry: Json = {"type": "reasoning.encrypted", "data": sealed}
    else:
        sealed = block.signature
        if sealed is not None and not sealed.startswith(carrier.PREFIX):
            sealed = carrier.seal(carrier.CLAUDE, sealed, "")
        entry = {"type": "reasoning.text", "text": block.text, "signature": sealed}
    return None if sealed is None else entry | {"format": _FORMAT, "index": index}


def read_entries(message: Mapping[str, Any]) -> tuple[Thinking | RedactedThinking, ...]:
    """What the entries of our own say; () where there are none."""
    given = message.get(MEMBER)
    entries = given if isinstance(given, list) else []
    return tuple(
        carrier.opened(sealed, text if isinstance(text := entry.get("text"), str) else "")
        for entry in entries
        if (sealed := _sealed(entry)) is not None
    )


def without_entries(given: Any) -> list[Any]:
    """The entries of others; what is no list has none."""
    entries = given if isinstance(given, list) else []
    return [entry for entry in entries if _sealed(entry) is None]


def _sealed(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return None
    found = entry.get("data" if entry.get("type") == "reasoning.encrypted" else "signature")
    is_ours = isinstance(found, str) and found.startswith(carrier.PREFIX)
    return found if is_ours else None
