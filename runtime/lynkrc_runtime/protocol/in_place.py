"""A body to its other members and its messages, these read in place by the native kernel.

One pass over the JSON text tells who spoke, what came of tools and how long it all is; a message is
decoded when somebody wants it.

>>> found = read_in_place(b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}')
>>> found is None or found[1].kinds == b"u"
True
"""

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from lynkrc_runtime.protocol.late_messages import Course
from lynkrc_runtime.protocol.long_member import list_start, members_beside
from lynkrc_runtime.scan.engines import native_turns

if TYPE_CHECKING:
    from lynkrc_runtime.scan._kernel import Turns

_NAME = "messages"
Found: TypeAlias = tuple[dict[str, msgspec.Raw], "Turns"]
"""The members, with another value in the place of the messages; what is known of these."""


def read_in_place(body: bytes, is_chat: bool = False) -> Found | None:
    """The parts of the body; None where it must be read in another way, or there is no kernel."""
    if native_turns is None:
        return None
    start = list_start(body, _NAME)
    if start is None:
        return None
    try:
        turns = native_turns(body, start, is_chat)
        before, after = body[:start], body[turns.end :]
        if not (turns.is_ascii and before.isascii() and after.isascii()):
            body.decode()
    except ValueError:
        return None
    members = members_beside(before, after, _NAME)
    return None if members is None else (members, turns)


def course_in(turns: "Turns") -> Course:
    """What happens in the messages."""
    return Course(
        kinds=turns.kinds,
        results=turns.results,
        errors=turns.errors,
        has_reasoning=turns.has_reasoning,
    )
