"""A body to its messages and to what it says beside them, all of it read in place by the kernel.

One pass over the JSON text tells who spoke, what came of tools and how long it all is; a message is
decoded when somebody wants it.

>>> body = b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"tools":[]}'
>>> found = find_in_place(body)
>>> found is None or found[1:] == (b'{"model":"m","messages":,"tools":}', 3, None, b"[]", True)
True
"""

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from lynkrc_runtime.protocol.late_messages import Course
from lynkrc_runtime.protocol.long_member import members_beside
from lynkrc_runtime.scan.engines import native_outlined

if TYPE_CHECKING:
    from lynkrc_runtime.scan._kernel import Turns

InPlace: TypeAlias = tuple["Turns", bytes, int, bytes | None, bytes | None, bool]
"""What is known of the messages; the body without the values of `messages`, `system` and `tools`,
its outline; how many members that names; the values of `system` and of `tools` where it names them;
whether the body is ASCII, but for tools that were known. That the outline and these two are JSON is
for others to find out."""


def find_in_place(body: bytes, is_chat: bool = False, tools: bytes = b"") -> InPlace | None:
    """The parts of the body, which is UTF-8 then; None where it must be read in another way, or
    there is no kernel.

    `tools` is a value of `tools` that was read before: where it comes again, that is found sooner,
    and these are the very bytes that are given back.
    """
    if native_outlined is None:
        return None
    try:
        found = native_outlined(body, is_chat, tools)
        if not found[5]:
            body.decode()
    except ValueError:
        return None
    return found


def members_of(body: bytes, found: InPlace) -> dict[str, msgspec.Raw] | None:
    """All members, in order, with another value in the place of the messages; None where the body
    is no JSON.
    """
    turns = found[0]
    return members_beside(body[: turns.begin], body[turns.end :], "messages")


def course_in(turns: "Turns") -> Course:
    """What happens in the messages."""
    return Course(
        kinds=turns.kinds,
        results=turns.results,
        errors=turns.errors,
        has_reasoning=turns.has_reasoning,
    )
