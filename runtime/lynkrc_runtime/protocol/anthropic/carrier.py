"""Reasoning of other makers, carried in the `signature` of an Anthropic thinking block.

Anthropic's clients demand a signature and send it back verbatim. Ours begins with ``gw1.`` and
never reaches a Claude upstream, which would refuse it (wire reference C.1.7).
"""

import base64

import msgspec

from lynkrc_runtime.protocol.conversation import Thinking

PREFIX = "gw1."


def mark(model: str) -> str:
    """The signature of reasoning that came without one: who made it."""
    data = msgspec.json.encode({"k": "marker", "m": model})
    return PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")


def is_foreign(block: Thinking) -> bool:
    """Whether no Claude signed this reasoning."""
    return block.signature is None or block.signature.startswith(PREFIX)
