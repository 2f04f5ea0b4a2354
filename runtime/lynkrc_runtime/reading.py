"""One request as the features read it: each part worked out once, when it is first asked for."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import final

from msgspec import Struct

from lynkrc_runtime.ask import (
    Ask,
    count_turns,
    envelope_text,
    find_ask,
    history_text,
)
from lynkrc_runtime.clients import Profile, recognise
from lynkrc_runtime.injected import Markers
from lynkrc_runtime.once import once
from lynkrc_runtime.protocol.conversation import Request
from lynkrc_runtime.protocol.estimate import estimate_tokens
from lynkrc_runtime.protocol.known_tools import names_of
from lynkrc_runtime.protocol.late_messages import (
    ASSISTANT,
    Course,
    GivenCall,
    calls_since,
    course_of,
    own_kinds,
)
from lynkrc_runtime.scan.fold import fold
from lynkrc_runtime.scan.matcher import Found, Matcher
from lynkrc_runtime.text_counts import TextCounts

DEFAULT_TOOL_WEIGHT = 50
"""Percent, of a tool the profile does not list."""


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
class LoopFacts(Struct, frozen=True, kw_only=True):
    """The tool loop since the last message that holds something of the user's own."""

    tool_results: int
    tool_errors: int
    steps: int


@final
class Reading:
    """A request, its facts, and what follows from both."""

    def __init__(
        self,
        request: Request,
        facts: RequestFacts,
        profiles: Sequence[Profile],
        markers: Markers,
        matcher: Matcher | None,
    ) -> None:
        self.request = request
        self.facts = facts
        self._profiles = profiles
        self._markers = markers
        self._matcher = matcher
        self._folded: dict[str, bytes] = {}
        self._found: dict[str, Found] = {}

    @once
    def ask(self) -> Ask:
        """The user's words and where they stand."""
        return find_ask(self.request.messages, self._markers, self.own_kinds)

    @once
    def course(self) -> Course:
        """Who spoke when, and what came of tools."""
        return course_of(self.request.messages)

    @once
    def own_kinds(self) -> bytes:
        """Who spoke when, and of whom it is known without a look whether there are own words."""
        return own_kinds(self.request.messages, self._markers.spelled)

    @once
    def counts(self) -> TextCounts:
        """Numbers about the ask."""
        return TextCounts(self.ask.text)

    @once
    def client(self) -> int | None:
        """Index of the profile that fits."""
        return recognise(self._profiles, self.facts.headers.get("user-agent"), self.tool_names)

    @once
    def tool_names(self) -> frozenset[str]:
        """Names of the tools on offer."""
        return names_of(self.request.tools)

    @once
    def added_weights(self) -> list[int]:
        """Percent weight of each tool beyond the client's baseline."""
        if not self.request.tools:
            return []
        profile = None if self.client is None else self._profiles[self.client]
        baseline = profile.baseline if profile else frozenset[str]()
        weights = profile.tool_weights if profile else {}
        return [
            weights.get(tool.name, DEFAULT_TOOL_WEIGHT)
            for tool in self.request.tools
            if tool.name not in baseline
        ]

    @once
    def tokens(self) -> int:
        """The estimate of what the request has."""
        told = self.facts.tokens
        return estimate_tokens(self.request) if told is None else told()

    @once
    def turns(self) -> int:
        """Turns with something of the user's own in them."""
        return count_turns(self.request.messages, self.ask, self._markers, self.own_kinds)

    @once
    def loop(self) -> LoopFacts:
        """What happened since the user last wrote."""
        course, last = self.course, self.ask.last
        return LoopFacts(
            tool_results=len(course.results) - bisect_right(course.results, last),
            tool_errors=len(course.errors) - bisect_right(course.errors, last),
            steps=course.kinds.count(ASSISTANT, last + 1),
        )

    @once
    def calls(self) -> list[GivenCall]:
        """The calls since the user last wrote."""
        return calls_since(self.request.messages, self.ask.last + 1)

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
                return history_text(self.request.messages, self.ask, self._markers)
            case "envelope":
                return envelope_text(self.request)
            case _:
                raise ValueError(f"no text is called {name}")

    def found(self, text: str) -> Found:
        """What occurs in ``ask``, ``history`` or ``envelope``."""
        found = self._found.get(text)
        if found is None:
            found = self._found[text] = self.matcher.scan(self.text(text))
        return found

    @property
    def matcher(self) -> Matcher:
        """The kernel; there is one wherever a slot reads a lexicon."""
        if self._matcher is None:
            raise ValueError("a slot reads a lexicon, but there are no tables")
        return self._matcher
