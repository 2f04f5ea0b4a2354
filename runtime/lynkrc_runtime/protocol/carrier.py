"""What a maker of reasoning needs back, carried where a client keeps a signature.

Clients replay a thinking block's `signature` (Messages), a reasoning item's `encrypted_content`
(Responses) and `reasoning_details` (Chat) verbatim. Reasoning that Claude signed has its own
signature there; what every other maker needs back travels in a *carrier*: ``gw1.`` and base64 of
who made it, what kind of thing it is, and the thing. A carrier never reaches a Claude upstream,
which would refuse it, nor a model that did not make it (wire reference C.1.7, C.3.6).

Inside a neutral conversation `Thinking.signature` is None, Claude's own signature, or a carrier.

>>> sealed = seal(GEMINI, "c2lnbg==", maker="gemini/gemini-3.8-flash")
>>> sealed[:4], unseal(sealed)
('gw1.', Carried(kind='gemini', maker='gemini/gemini-3.8-flash', data='c2lnbg=='))
"""

import base64
import binascii
from typing import Any, Final, final

import msgspec

from lynkrc_runtime.protocol.conversation import RedactedThinking, Thinking
from lynkrc_runtime.protocol.outside import NOT_JSON

PREFIX = "gw1."

MAX_CARRIER = 64 * 1024
"""Characters; what is longer is not carried, and the loss is listed."""

MARKER: Final = "marker"
"""Nothing is needed back: the reasoning's text alone is replayed. `data` is ''."""
CLAUDE: Final = "claude"
"""Claude's signature, for clients of other dialects."""
CLAUDE_REDACTED: Final = "claude-redacted"
"""The data of Claude's redacted thinking."""
OPENAI: Final = "openai"
"""`encrypted_content` of a reasoning item of the Responses API."""
GEMINI: Final = "gemini"
"""A `thoughtSignature`, which belongs to the part after the reasoning."""
DETAILS: Final = "details"
"""`reasoning_details` of OpenRouter, as JSON text."""


@final
class Carried(msgspec.Struct, frozen=True, rename={"kind": "k", "maker": "m", "data": "d"}):
    """What a carrier holds. `maker` is `TargetFacts.maker`, '' where it is not known."""

    kind: str
    maker: str = ""
    data: str = ""


def seal(kind: str, data: str, maker: str) -> str | None:
    """The carrier; None where it would be longer than `MAX_CARRIER`."""
    content = msgspec.json.encode(Carried(kind=kind, maker=maker, data=data))
    carrier = PREFIX + base64.urlsafe_b64encode(content).decode().rstrip("=")
    return carrier if len(carrier) <= MAX_CARRIER else None


def unseal(signature: str | None) -> Carried | None:
    """What a carrier holds; None for anything else, a damaged carrier too."""
    if signature is None or not signature.startswith(PREFIX) or len(signature) > MAX_CARRIER:
        return None
    text = signature.removeprefix(PREFIX)
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        found = msgspec.json.decode(content, type=Carried)
    except (binascii.Error, ValueError, *NOT_JSON):
        return None
    # No maker gives a carrier: only a client could have put one into another.
    return None if PREFIX in found.data else found


def restored(signature: str | None, kind: str, maker: str) -> str | None:
    """The data of a carrier of this kind that `maker` (or nobody known) sealed, else None."""
    carried = unseal(signature)
    if carried is None or carried.kind != kind or carried.maker not in ("", maker):
        return None
    return carried.data


def sealed_content(data: str) -> str | None:
    """The `encrypted_content` in the data of an `OPENAI` carrier."""
    try:
        found = msgspec.json.decode(data)
    except NOT_JSON:
        return None
    content = found.get("encrypted_content") if isinstance(found, dict) else None
    return content if isinstance(content, str) else None


def sealed_details(data: str | None) -> list[Any] | None:
    """The `reasoning_details` in the data of a `DETAILS` carrier.

    None where it holds none: a client can write whatever it likes into a carrier.
    """
    try:
        found = None if data is None else msgspec.json.decode(data)
    except NOT_JSON:
        return None
    return found if isinstance(found, list) else None


def opened(sealed: str, text: str) -> Thinking | RedactedThinking:
    """Reasoning that came back with a carrier: Claude's own signature stands free again."""
    match unseal(sealed):
        case None:
            return Thinking(text=text)
        case Carried(kind="claude", data=signature):
            return Thinking(text=text, signature=signature)
        case Carried(kind="claude-redacted", data=data):
            return RedactedThinking(data=data)
        case Carried():
            return Thinking(text=text, signature=sealed)


def mark(model: str) -> str:
    """The signature of reasoning that came without one: who made it."""
    return seal(MARKER, "", model) or PREFIX


def is_foreign(block: Thinking | RedactedThinking) -> bool:
    """Whether no Claude signed this reasoning, or sealed it."""
    if isinstance(block, RedactedThinking):
        return block.data.startswith(PREFIX)
    return block.signature is None or block.signature.startswith(PREFIX)
