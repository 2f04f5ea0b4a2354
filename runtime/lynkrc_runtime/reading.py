"""One request as the features read it: each part worked out once, when it is first asked for."""

from collections.abc import Callable, Mapping
from typing import final

from msgspec import Struct

from lynkrc_runtime.ask import Ask, envelope_text, find_ask, history_text
from lynkrc_runtime.injected import Markers
from lynkrc_runtime.once import once
from lynkrc_runtime.protocol.conversation import Request
from lynkrc_runtime.protocol.late_messages import Course, course_of, own_kinds
from lynkrc_runtime.scan.fold import fold
from lynkrc_runtime.scan.matcher import Matcher


@final
class SessionFacts(Struct, frozen=True, kw_only=True):
    """What is remembered of the session a request belongs to.

    `turn` counts its turns before this one, `tier` is the last one decided (None: no session, or
    one without), `warm_tokens` what of its prompt a provider's cache is thought to hold still.
    """

    turn: int = 0
    tier: str | None = None
    warm_tokens: int = 0


@final
class RequestFacts(Struct, frozen=True, kw_only=True):
    """What features need beside the body.

    `headers` maps lower-case names to values, decoded as UTF-8 with ``surrogateescape``;
    `repeated` names the headers that came more than once (`headers` holds any one of them).
    `team` and `tenant` are those of the caller's key; `budget_used` is percent of the caller's
    budget that is used furthest, 0 without one. `tokens` gives the estimate of the request where
    others read it too, so that it is worked out once.
    """

    surface: str
    headers: Mapping[str, str]
    repeated: frozenset[str] = frozenset()
    team: str | None = None
    tenant: str | None = None
    session: SessionFacts = SessionFacts()
    budget_used: int = 0
    tokens: Callable[[], int] | None = None


@final
class RefusedRequest(Exception):
    """The spec reads a part of the request that has no single meaning: 400 for the client.

    `field` names the part (``metadata.team``, ``header x-team``).
    """

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


@final
class Reading(Struct, dict=True, eq=False):
    """A request, its facts, and what follows from both; `scanner` is there for lexicons alone."""

    request: Request
    facts: RequestFacts
    markers: Markers
    scanner: Matcher | None
    _folded: dict[str, bytes] = {}

    def prepare(self) -> None:
        """Works out in one go what most slots need."""
        messages = self.request.messages
        self.course = course_of(messages)
        self.own_kinds = own_kinds(messages, self.markers.spelled)
        self.ask = find_ask(messages, self.markers, self.own_kinds)

    @once
    def ask(self) -> Ask:
        """The user's words and where they stand."""
        return find_ask(self.request.messages, self.markers, self.own_kinds)

    @once
    def course(self) -> Course:
        """Who spoke when, and what came of tools."""
        return course_of(self.request.messages)

    @once
    def own_kinds(self) -> bytes:
        """Who spoke when, and of whom it is known without a look whether there are own words."""
        return own_kinds(self.request.messages, self.markers.spelled)

    def folded(self, text: str) -> bytes:
        """``ask``, ``history`` or ``envelope``, folded for matching."""
        folded = self._folded.get(text)
        if folded is None:
            folded = self._folded[text] = fold(self.text(text))
        return folded

    def text(self, name: str) -> str:
        """``ask``, ``history`` or ``envelope``, as it was written."""
        match name:
            case "ask":
                return self.ask.text
            case "history":
                return history_text(self.request.messages, self.ask, self.markers, self.own_kinds)
            case "envelope":
                return envelope_text(self.request)
            case _:
                raise ValueError(f"no text is called {name}")

    @property
    def matcher(self) -> Matcher:
        """The kernel; there is one wherever a slot reads a lexicon."""
        if self.scanner is None:
            raise ValueError("a slot reads a lexicon, but there are no tables")
        return self.scanner
