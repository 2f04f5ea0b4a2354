"""A request to its place in its conversation, as what watches outcomes wants it: no text of it.

Conversations are told apart as sessions are (`sessions.identity`), whether or not the spec keeps
any. Words become keyed hashes; the key is made at the start and never written anywhere.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, final

from msgspec import Struct

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.ask import find_ask, markers_of
from lynkrc_runtime.clients import Clients
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.protocol.conversation import Request
from lynkrc_runtime.protocol.late_messages import ASSISTANT, RESULT, course_of
from lynkrc_runtime.sessions.identity import Recogniser
from lynkrc_runtime.telemetry.signals import Signals, Step

_KEY: Final = os.urandom(32)
"""Of this process."""
_ANSWER: Final = bytes((ASSISTANT,))
_SIZE: Final = 16
_SHOWN: Final = 8
"""Bytes of the hash that records have."""


@final
class Placed(Struct, frozen=True, kw_only=True, gc=False):
    """A step, and the name its session has in records."""

    step: Step
    session: str


@final
class Placing:
    """Knows how the clients of one bundle wrap what the user wrote."""

    __slots__ = ("_markers", "_recogniser")

    def __init__(self, dispatch: Dispatch) -> None:
        self._markers = markers_of(dispatch.clients)
        self._recogniser = Recogniser(
            self._markers,
            Clients(dispatch.clients),
            whole=True,
            # Without keys of ours, who shows another credential is somebody else.
            lends=True,
        )

    def place(
        self,
        request: Request,
        headers: Mapping[str, str],
        caller: Caller | None,
        *,
        is_sent_again: bool,
    ) -> Placed:
        """Where the request stands; `is_sent_again`: its client says that it repeats by itself.

        Where a client names no session, one that begins alike may be somebody else's, or a
        program's: only what follows an answer is thought to go on.
        """
        identity = self._recogniser.identify(request, headers, caller)
        course = course_of(request.messages)
        kinds = course.kinds
        ask = find_ask(request.messages, self._markers)
        answered = kinds.rfind(ASSISTANT)
        errors = course.errors
        has_failed = answered >= 0 and errors and errors[-1] > answered
        step = Step(
            conversation=_hash(identity.conversation, _SIZE),
            ask=_hash(ask.text, _SIZE) if ask.text else None,
            size=len(ask.text),
            place=ask.first,
            messages=len(kinds),
            begins_turn=answered < ask.last and kinds.rfind(RESULT) < ask.last,
            failed_after=len(kinds[:answered].rstrip(_ANSWER)) if has_failed else None,
            may_repeat=not is_sent_again and (identity.is_named or answered >= 0),
        )
        name = identity.session or identity.conversation
        return Placed(step=step, session=_hash(name, _SHOWN).hex())


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Noticing:
    """What it takes to notice signals: how the bundle that serves places a request, and what is
    remembered of those before, whichever bundle served them.
    """

    placing: Placing
    signals: Signals


def _hash(text: str, size: int) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size, key=_KEY).digest()
