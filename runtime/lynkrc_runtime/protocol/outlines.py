"""The outline of a body to what was read of a body of the same outline before.

An agent sends the same model, limits and wishes with every step; what differs are its messages,
and few clients send many sets of instructions and tools. A body without these three values is its
outline (`in_place`). Two bodies of one outline say the same beside them, so that is read once.

Nothing of a conversation is kept, and no instructions: only outlines whose every member is of a
kind that says none, up to a size, and of them so many; the first kept goes first. What is kept is
shared by requests: nobody may change what it holds.

>>> known = Outlines(frozenset(("model",)))
>>> known.get(b'{"model":"m"}') is None
True
"""

from typing import Final, final

import msgspec

from lynkrc_runtime.protocol.conversation import Request

MOST: Final = 256
"""Outlines that one dialect keeps."""
MOST_OF_ONE: Final = 1024
"""Bytes of one that is kept."""
_LEFT_OUT: Final = ("messages", "system", "tools")


@final
class Outlines:
    """Requests as read, by the outlines of their bodies; without what an outline leaves out.

    `names` are the members that an outline may name to be kept.
    """

    __slots__ = ("_kept", "_names", "get")

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._kept: dict[bytes, Request] = {}
        self.get = self._kept.get
        """What was kept of an outline, or None."""

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, outline: bytes, request: Request) -> None:
        """The request was read, with care, of a body with this outline; each member stands there
        once (`Request.body`).
        """
        is_short = len(outline) <= MOST_OF_ONE and request.options.format is None
        if not is_short or request.body is None or not request.members.keys() <= self._names:
            return
        if len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        members = {
            name: b"" if name in _LEFT_OUT else value for name, value in request.members.items()
        }
        self._kept[outline] = msgspec.structs.replace(
            request, system=(), messages=(), tools=(), members=members, body=None
        )
