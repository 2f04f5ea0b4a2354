"""A request to the names its session is remembered by: digests, which hold no text.

A client names its session by a header, or in its body; where it does not, the session is known by
how the conversation begins. Either belongs to one caller: what another key sends is never the same
session. Inside one session each *conversation* is remembered by itself (its first words, the model
asked for, whether it has tools), so a title or a helper's work leaves the main one alone.
Design: runtime.md, "State and workers".
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import final

import msgspec
from msgspec import Struct

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.ask import authored_text
from lynkrc_runtime.clients import Clients
from lynkrc_runtime.injected import Markers
from lynkrc_runtime.protocol.conversation import Message, Request
from lynkrc_runtime.protocol.late_messages import USER, WORDS, own_kinds, words_of

MOST_WORDS = 2_000
"""Characters of the first words that tell conversations apart."""
MOST_SYSTEM = 1_000
"""Characters of the system text that do where the client names no session: clients write the date
and the directory further down."""

_CREDENTIALS = ("x-api-key", "authorization", "api-key", "x-goog-api-key")
"""Headers by which a client lends its credential; the first one found says who it is."""
_SPOKEN = frozenset((USER, WORDS))
_OLD_MARK = "_session_"
_SIZE = 16
_PERSON = b"lynkrc.session"


@final
class Identity(Struct, frozen=True, kw_only=True, gc=False):
    """Keys of a store: of the conversation, and of the session it belongs to.

    `is_named`: the client says what the session is. Without, or where nobody asks for the whole
    session, there is none beyond the conversation.
    """

    conversation: str
    session: str | None
    is_named: bool


@final
class Recogniser:
    """Knows how the clients of one bundle wrap what the user wrote.

    `whole`: sessions are asked for too, not conversations alone. `lends`: some provider is called
    with the client's own credential, which without keys is who the client is.
    """

    __slots__ = ("_clients", "_lends", "_markers", "_whole")

    def __init__(
        self,
        markers: Markers,
        clients: Clients,
        *,
        whole: bool,
        lends: bool = False,
    ) -> None:
        self._markers = markers
        self._clients = clients
        self._whole = whole
        self._lends = lends

    def identify(
        self, request: Request, headers: Mapping[str, str], caller: Caller | None
    ) -> Identity:
        """The names; `headers` have lower-case names."""
        if caller is not None:
            scope = _scope(caller.name)
        else:
            scope = _scope(_credential(headers)) if self._lends else b""
        kind = ("tools" if request.tools else "bare", request.model)
        words = first_words(request.messages, self._markers)
        name = named_session(request, headers)
        if name is not None:
            return Identity(
                conversation=_digest(scope, ("named", name, *kind, words)),
                session=_digest(scope, ("named", name, *kind)) if self._whole else None,
                is_named=True,
            )
        system = "\n".join(block.text[:MOST_SYSTEM] for block in request.system)[:MOST_SYSTEM]
        client = self._clients.recognise(headers.get("user-agent"), request.tools)
        key = _digest(scope, ("alike", words, system, str(client), *kind))
        return Identity(conversation=key, session=None, is_named=False)


def named_session(request: Request, headers: Mapping[str, str]) -> str | None:
    """What the client calls its session; None where it does not.

    The first there is of: Claude Code's header, its `metadata.user_id`, `session-id`,
    `x-session-id`, `prompt_cache_key`.
    """
    return (
        headers.get("x-claude-code-session-id")
        or session_of_user(request.metadata.get("user_id"))
        or headers.get("session-id")
        or headers.get("x-session-id")
        or _text_member(request.members.get("prompt_cache_key"))
        or None
    )


def session_of_user(user: object) -> str | None:
    """The session in a `user_id` of Claude Code, in either of its forms.

    >>> session_of_user('{"device_id": "d", "session_id": "s1"}')
    's1'
    >>> session_of_user("user_0f_account_1_session_9b1d")
    '9b1d'
    >>> session_of_user("somebody") is None
    True
    """
    if not isinstance(user, str):
        return None
    if user.startswith("{"):
        try:
            members = msgspec.json.decode(user)
        except (msgspec.DecodeError, RecursionError):
            return None
        session = members.get("session_id") if isinstance(members, dict) else None
        return session if isinstance(session, str) and session else None
    _, mark, session = user.rpartition(_OLD_MARK)
    return session if mark and session else None


def first_words(messages: Sequence[Message], markers: Markers) -> str:
    """The first the user wrote, without what the client put around it; "" without any."""
    # One by one: each is made when it is asked for, and the first mostly is enough.
    for index, kind in enumerate(own_kinds(messages, markers.spelled)):
        if kind in _SPOKEN:
            text = words_of(messages, index) if kind == WORDS else None
            words = authored_text(messages[index], markers) if text is None else text.strip()
            if words:
                return words[:MOST_WORDS]
    return ""


def _text_member(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=str)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None


def _credential(headers: Mapping[str, str]) -> str:
    """What is no key's name, also where there is none."""
    return next((f"\n{headers[name]}" for name in _CREDENTIALS if headers.get(name)), "\n")


def _scope(name: str) -> bytes:
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=32, person=_PERSON).digest()


def _digest(scope: bytes, parts: Sequence[str]) -> str:
    """A key of the store; the parts' lengths are part of it, so no two lists run together."""
    text = "".join([f"{len(part)}:{part}" for part in parts])
    data = text.encode("utf-8", "surrogatepass")
    return f"session:{blake2b(data, digest_size=_SIZE, key=scope, person=_PERSON).hexdigest()}"
