"""A long body's members as raw JSON, without a look at the long list among them.

Nearly all of an agent's request is its messages. Finding where they end takes reading all of them,
and then they are read again for what they say. Here the end is found from behind: the last object
with a role is the last message. Whether it is, is seen by putting a word of ours in place of the
list: what is left must be an object that has it for that member. The list itself is not looked at;
who reads it must refuse what is no list.

>>> list(members_around(b'{"model": "m", "messages": [{"role": "user"}], "n": 1}', "messages", 0))
['model', 'messages', 'n']
>>> members_around(b'{"messages": [{"role": "user"}], "messages": []}', "messages", 0) is None
True
"""

import json
import re
import secrets
from typing import Final

import msgspec

from lynkrc_runtime.protocol.outside import NOT_JSON

LEAST: Final = 65_536
"""Bytes of a body from which it is worth it."""

_WORD: Final = f'"{secrets.token_hex(16)}"'.encode()
"""What no client can know of."""
_ROLE: Final = b'"role"'
_OPENS: Final = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*\[")
_CLOSES: Final = re.compile(rb"[ \t\r\n]*\]")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_object = json.JSONDecoder().raw_decode


def members_around(body: bytes, name: str, least: int = LEAST) -> dict[str, msgspec.Raw] | None:
    """The members, in order, of repeated ones the last; None where they must be looked for.

    The body is UTF-8 then, and JSON if the list is.
    """
    if len(body) < least:
        return None
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            return None
    start = list_start(body, name)
    if start is None:
        return None
    last = body.rfind(b"{", start, body.rfind(_ROLE, start) + 1)
    if last < start:
        return None
    rest = body[last:].decode()
    try:
        _, size = _object(rest)
    except (ValueError, RecursionError):
        return None
    closes = _CLOSES.match(body, last + len(rest[:size].encode()))
    if closes is None:
        return None
    end = closes.end()
    found = members_beside(body[:start], body[end:], name)
    if found is not None:
        found[name] = msgspec.Raw(body[start:end])
    return found


def list_start(body: bytes, name: str) -> int | None:
    """Where the list begins that stands behind what may be the member's name."""
    key = f'"{name}"'.encode()
    opens = _OPENS.match(body, body.find(key) + len(key))
    return None if opens is None else opens.end() - 1


def members_beside(before: bytes, after: bytes, name: str) -> dict[str, msgspec.Raw] | None:
    """All members, in order, of a body whose value of one member stands between these parts.

    None where it is not that of the member, or what is around it is not read. In its place stands
    a word of ours.
    """
    try:
        found = _members(b"".join((before, _WORD, after)))
    except NOT_JSON:
        return None
    return found if bytes(found.get(name, b"")) == _WORD else None
