"""What a provider wants around a request of a dialect it did not invent, by name.

A frame turns what a dialect's writer wrote into what the provider's endpoint takes: members moved
between body, headers and address, every other value byte for byte. Where the answers to it are
wrapped too, it says how they are taken out. `Endpoint.frame` names one.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, final

import msgspec

from lynkrc_runtime.protocol.anthropic import raw
from lynkrc_runtime.protocol.bedrock_converse.counting import read_count
from lynkrc_runtime.protocol.dialect import Written
from lynkrc_runtime.protocol.event_stream import CONTENT_TYPES
from lynkrc_runtime.protocol.invoke_stream import InvokeUnwrapper

_encode = msgspec.json.encode


class Unwrapper(Protocol):
    """Takes the dialect's own stream out of what it travels in."""

    def feed(self, data: bytes) -> bytes:
        """What these bytes complete, maybe nothing; a break is an error event of the dialect."""
        ...


def _unframed(written: Written) -> Written:
    return written


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`request` and `count` frame requests for answers and for token counts.

    `read_count` reads a count that has another form than the dialect's; `stream_types` and `unwrap`
    are of streams that do not travel as the dialect's own.
    """

    request: Callable[[Written], Written] = _unframed
    count: Callable[[Written], Written] = _unframed
    read_count: Callable[[bytes], int] | None = None
    stream_types: tuple[str, ...] = ()
    unwrap: Callable[[], Unwrapper] | None = None


PLAIN = Frame()
"""Nothing is done."""

_VERSION, _BETA = "anthropic-version", "anthropic-beta"
_OLD = "2023-06-01"
_BEDROCK_OLD, _VERTEX_OLD = "bedrock-2023-05-31", "vertex-2023-10-16"
"""What each cloud calls the version of 2023; the later ones have one name everywhere (B.5, B.7)."""


def _versioned(
    written: Written, old: str, leaves: tuple[str, ...]
) -> tuple[dict[str, bytes], dict[str, str]]:
    """The body's members with the version among them and without `leaves`, and the headers."""
    members = {name: bytes(value) for name, value in raw.members(written.body, None).items()}
    for name in leaves:
        members.pop(name, None)
    headers = dict(written.headers)
    version = headers.pop(_VERSION, _OLD)
    members["anthropic_version"] = _encode(old if version == _OLD else version)
    return members, headers


def _invoke_members(written: Written) -> tuple[dict[str, bytes], dict[str, str]]:
    members, headers = _versioned(written, _BEDROCK_OLD, ("model", "stream"))
    betas = headers.pop(_BETA, "")
    if betas:
        members["anthropic_beta"] = _encode(betas.split(","))
    return members, headers


def _framed(written: Written, members: dict[str, bytes], headers: Mapping[str, str]) -> Written:
    return Written(body=raw.join(members), headers=headers, transforms=written.transforms)


def _invoke(written: Written) -> Written:
    """InvokeModel: the model stands in the address, streaming too, and betas in the body."""
    return _framed(written, *_invoke_members(written))


def _invoke_count(written: Written) -> Written:
    """CountTokens takes the body of an InvokeModel, which has a limit of output."""
    members, headers = _invoke_members(written)
    members.setdefault("max_tokens", b"1")
    body = base64.b64encode(raw.join(members)).decode()
    return Written(
        body=_encode({"input": {"invokeModel": {"body": body}}}),
        headers=headers,
        transforms=written.transforms,
    )


def _vertex(written: Written) -> Written:
    """rawPredict: the model stands in the address; `stream` and the beta header stay."""
    return _framed(written, *_versioned(written, _VERTEX_OLD, ("model",)))


def _vertex_count(written: Written) -> Written:
    """Counting has an address of its own: the model stays in the body."""
    return _framed(written, *_versioned(written, _VERTEX_OLD, ()))


FRAMES: Mapping[str, Frame] = MappingProxyType(
    {
        "bedrock-invoke": Frame(
            request=_invoke,
            count=_invoke_count,
            read_count=read_count,
            stream_types=CONTENT_TYPES,
            unwrap=InvokeUnwrapper,
        ),
        "vertex-claude": Frame(request=_vertex, count=_vertex_count),
    }
)
"""Every frame by name."""
