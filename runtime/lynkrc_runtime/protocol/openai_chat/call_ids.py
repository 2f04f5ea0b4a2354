"""Ids for tool calls of servers that give none, or the same one twice (wire reference C.1.5).

Pure functions of the answer, so that a stream split elsewhere gives the same ids.

>>> made_id("chatcmpl-1", 1795240000, 0)
'call_c4qkffnavujf45wi6rtosqiy'
"""

import base64
import hashlib
from collections.abc import Collection
from typing import Any

ID_LIMIT = 40
"""Characters of a tool call id in Chat (wire reference A.2.1)."""

KEPT = ID_LIMIT - 5
"""Characters of a repeated id that are kept before its number."""


def made_id(answer_id: str, created: Any, number: int) -> str:
    """The id of call `number` of this answer."""
    digest = hashlib.sha256(f"{answer_id}|{created}|{number}".encode()).digest()
    return "call_" + base64.b32encode(digest).decode()[:24].lower()


def unique_id(given: str, taken: Collection[str]) -> str:
    """The id itself, marked by its number where an earlier call of the answer has it.

    >>> unique_id("call_0", ["call_0"])
    'call_0__1'
    """
    return f"{given[:KEPT]}__{len(taken)}" if given in taken else given
