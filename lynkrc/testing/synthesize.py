"""A point of a domain, to a complete client request that has exactly these feature values.

The request is built from what the point wants, part by part, then replayed through the reader of
its dialect and the real extractor. What came out otherwise is corrected and built again, a few
times; the replay alone says what a request realises. Where it need not be exact, it is first built
as people write requests and as providers take them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, final

from lynkrc.ir.domain import Domain, Point
from lynkrc.ir.table import RouteTable
from lynkrc.testing.ask_text import MOST_CHARS, AskWish, ask_wish, filler_words, write_ask
from lynkrc.testing.compare import Difference, differences, shown_difference
from lynkrc.testing.draft import Call, Draft, Said
from lynkrc.testing.fragments import fragments_for, watched_in
from lynkrc.testing.manners import well_formed
from lynkrc.testing.realise import Shows
from lynkrc.testing.replay import DIALECT_OF, Replay
from lynkrc.testing.sample import Walker
from lynkrc.testing.shown_key import ShownKey, key_for
from lynkrc.testing.spell import PATHS, SPELL, USUAL_MAX_TOKENS
from lynkrc.testing.strings import value_of, values_of
from lynkrc.testing.structure import Sayings, messages_for
from lynkrc.testing.tools_plan import plan_tools
from lynkrc.testing.wanted import Bounds, Wanted, wanted_of
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.estimate import BYTES_PER_TOKEN

ROUNDS = 6
"""How often a request is built again for one surface."""

_PLAIN_ROUNDS = 3
"""Of those in plain words: enough to fill it up, and to try the lexicons in another order."""

MOST_BYTES = 4 * 1024 * 1024
"""Larger bodies are not built."""

_JSON = "application/json"

PLAIN_MAX_TOKENS = 1_024
"""What a request asks for where that may be anything."""

_PLAIN_WORDS = ("Hello", "Hi there", "Go on", "Tell me more", "And then", "Next")
"""What is said where that may be anything: the first in which nothing of a lexicon occurs."""


class _Manner(Enum):
    """How a request is built: those that people would send first, the exact one last."""

    PLAIN = "plain words wherever the lexicons ask for none"
    POLITE = "as wanted, in a form that providers take"
    EXACT = "as wanted"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesized:
    """A request. `realised` is whether it shows what was wanted; `missed` says where it does not
    have the point's values. `point` is what was read back of it, None where it would be refused.

    `headers` are by lower-case name and complete but for ``host``, ``content-length`` and the one
    that shows `key`, None where the spec has no keys; a miss is written like ``ask.words (wanted 3,
    got 4)``.
    """

    surface: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    missed: tuple[str, ...]
    point: Point | None
    realised: bool
    key: ShownKey | None = None


def synthesize(
    table: RouteTable, domain: Domain, point: Point, walker: Walker | None = None
) -> Synthesized:
    """The request. `walker` knows the lexicons of the domain, the table's where none is given.

    Variables over lexicons that neither knows are missed; so is state of a session other than at
    rest.
    """
    return Synthesizer(table, domain, walker).synthesize(point)


@final
class Synthesizer:
    """`synthesize` for many points of one domain: what does not depend on them is made once."""

    def __init__(self, table: RouteTable, domain: Domain, walker: Walker | None = None) -> None:
        self._domain = domain
        self._walker = walker or Walker(table.lexicons, table.automaton)
        self._replay = Replay(table, domain, self._walker)
        self._plain_word = _plain_word(self._walker)

    def synthesize(self, point: Point, shows: Shows | None = None) -> Synthesized:
        """The request for one point of the domain, the best of those built.

        Where `shows` is given, any request will do whose own point shows what is wanted.
        """
        wanted = wanted_of(self._domain, point, self._walker.lexicons)
        huge = _is_huge(wanted)
        if shows is not None and not huge:
            for manner in (_Manner.PLAIN, _Manner.POLITE):
                for surface in _surfaces(wanted, exact=False):
                    made, _ = self._in_manner(manner, surface, wanted, point, shows)
                    if made.realised:
                        return made
        # Where none shows what is wanted, the exact one says best what cannot be had.
        best: tuple[Synthesized, int] | None = None
        for surface in _surfaces(wanted, exact=True):
            found = self._in_manner(_Manner.EXACT, surface, wanted, point, shows)
            if best is None or found[1] < best[1] or found[0].realised:
                best = found
            if not found[1] or found[0].realised or huge:
                break
        assert best is not None
        return best[0]

    def _in_manner(
        self, manner: _Manner, surface: str, wanted: Wanted, point: Point, shows: Shows | None
    ) -> tuple[Synthesized, int]:
        """The best request of one surface and how many variables it misses."""
        wish = _without_huge(ask_wish(wanted))
        padding, small = 0, False
        best: tuple[Synthesized, int] | None = None
        for number in range(_rounds(manner, wanted)):
            draft = self._draft(surface, wanted, wish, number, padding, small, manner)
            made, found, tokens = self._judged(surface, draft, point, shows)
            if best is None or len(found) < best[1] or made.realised:
                best = (made, len(found))
            if made.realised:
                break
            wish = _corrected(wish, found)
            room = wanted.of("context.tokens")
            small = small or (room.most is not None and tokens - padding > room.most)
            small = small or any(_is_too_long(one) for one in found)
            if room.least is not None:
                padding = max(0, padding + room.least - tokens)
        assert best is not None
        return best

    def _judged(
        self, surface: str, draft: Draft, point: Point, shows: Shows | None
    ) -> tuple[Synthesized, list[Difference], int]:
        body = SPELL[surface](draft)
        try:
            values, tokens = self._replay.values(surface, draft.headers, body, draft.key)
        except MalformedRequest as error:
            values, tokens = [None] * len(point), 0
            refused: str | None = f"the gateway would refuse the request: {error.message}"
        else:
            refused = None
        found = differences(self._domain, point, values)
        own = tuple(value for value in values if value is not None)
        read = own if len(own) == len(values) and refused is None else None
        made = Synthesized(
            surface=surface,
            path=PATHS[surface],
            headers=draft.headers,
            body=body,
            missed=(refused,) if refused else tuple(map(shown_difference, found)),
            point=read,
            key=draft.key,
            realised=refused is None
            and (not found or (shows is not None and read is not None and shows(read))),
        )
        return made, found, tokens

    def _draft(
        self,
        surface: str,
        wanted: Wanted,
        wish: AskWish,
        number: int,
        padding: int,
        small: bool,
        manner: _Manner,
    ) -> Draft:
        envelope = wanted.lexicons.get("envelope", ())
        names = filler_words(self._walker.filler_letters(watched_in(self._walker, envelope)))
        plan = plan_tools(wanted, self._replay.clients, names)
        sayings = self._sayings(wanted, wish, number, plan.tools, small)
        if manner is _Manner.PLAIN:
            sayings = self._plainly(sayings, wanted, number)
        messages = messages_for(wanted, sayings, merges=surface == "responses")
        tools = plan.tools
        if manner is not _Manner.EXACT:
            messages = well_formed(messages, self._plain_word, sayings.tool)
            if not tools and _calls(messages):
                tools = (sayings.tool,)
        system = [self._text("envelope", wanted, number)]
        if padding:
            room = min(padding * BYTES_PER_TOKEN, MOST_BYTES)
            system.append(_filled(sayings.word, room))
        return Draft(
            model=self._model(surface, wanted),
            key=key_for(self._replay.keys, wanted.key),
            headers=_headers(wanted, plan.agent),
            metadata=_strings(wanted.metadata),
            system=tuple(text for text in system if text),
            tools=tools,
            messages=messages,
            word=sayings.word,
            max_tokens=_max_tokens(surface, wanted, manner),
            thinking=bool(wanted.least("wants.thinking")),
            schema=bool(wanted.least("wants.json_schema")),
            stream=bool(wanted.least("wants.stream")),
            small=small,
            texts=(sayings.ask or sayings.nothing,),
        )

    def _plainly(self, sayings: Sayings, wanted: Wanted, number: int) -> Sayings:
        """Words that people would use, and of lexicons just what is asked for."""
        fragments = fragments_for(self._walker, wanted.lexicons.get("ask", ()))
        word = self._plain_word
        ask = ", ".join(_in_order(fragments, number)) or word
        return replace(sayings, ask=ask, word=word, nothing=word)

    def _sayings(
        self, wanted: Wanted, wish: AskWish, number: int, tools: Sequence[str], small: bool
    ) -> Sayings:
        walker = self._walker
        asked = wanted.lexicons.get("ask", ())
        watched = watched_in(walker, asked)
        fragments = _in_order(fragments_for(walker, asked), number)
        ask = write_ask(
            wish, fragments, walker.filler_letters(watched), walker.filler_digits(watched)
        )
        free = not wish.bounds and not asked
        safe = [*asked, *wanted.lexicons.get("history", ())]
        word = _word(walker.filler_letters(watched_in(walker, safe)))
        word = word[:1] if small else word
        return Sayings(
            ask=word if free and not small and wanted.of("turns").most != 0 else ask,
            history=self._text("history", wanted, number),
            word=word,
            nothing="" if small else " ",
            tool=tools[0] if tools else "lookup",
        )

    def _text(self, text: str, wanted: Wanted, number: int) -> str:
        """A text of which only lexicons are asked."""
        wishes = wanted.lexicons.get(text, ())
        fragments = _in_order(fragments_for(self._walker, wishes), number)
        letters = self._walker.filler_letters(watched_in(self._walker, wishes))
        return f" {_word(letters)} ".join(fragments)

    def _model(self, surface: str, wanted: Wanted) -> str:
        wish = wanted.model
        if surface == EMBEDDINGS:
            declared = self._replay.embeddings
            for name, target in declared.items():
                if wish is None or f"lynkr/{target}" in values_of(wish, (f"lynkr/{target}",)):
                    return name.replace("*", "x")
            return next(iter(declared), "none").replace("*", "x")
        found = None if wish is None else value_of(wish)
        return found or "auto"


def _plain_word(walker: Walker) -> str:
    words = (one for one in _PLAIN_WORDS if not walker.present(one))
    return next(words, None) or _word(walker.filler_letters((1 << _entries(walker)) - 1))


def _entries(walker: Walker) -> int:
    return sum(len(lexicon.entries) for lexicon in walker.lexicons)


def _max_tokens(surface: str, wanted: Wanted, manner: _Manner) -> int | None:
    """The limit a request names, None for none; 0 only warms caches, and providers may refuse."""
    limit = wanted.of("request.max_tokens")
    if manner is _Manner.EXACT:
        return None if limit == Bounds() else limit.nearest(USUAL_MAX_TOKENS)
    tokens = limit.nearest(PLAIN_MAX_TOKENS)
    if tokens or surface != "messages":
        return tokens
    return PLAIN_MAX_TOKENS if manner is _Manner.PLAIN else 1


def _calls(messages: Sequence[Said]) -> bool:
    return any(isinstance(part, Call) for said in messages for part in said.parts)


def _surfaces(wanted: Wanted, *, exact: bool) -> tuple[str, ...]:
    """The surfaces worth a try, those first that fit best."""
    if wanted.surface is not None:
        return (wanted.surface,)
    for surface, dialect in DIALECT_OF.items():
        if dialect == wanted.dialect:
            return (surface,)
    if exact and wanted.of("request.max_tokens").most == 0:
        return ("chat", "responses", "messages")
    return ("messages", "chat", "responses")


def _headers(wanted: Wanted, agent: str | None) -> dict[str, str]:
    headers = {} if "content-type" in wanted.headers else {"content-type": _JSON}
    if agent is not None:
        headers["user-agent"] = agent
    others = {name: wish for name, wish in wanted.headers.items() if name != "user-agent"}
    return headers | _strings(others)


def _strings(wishes: Mapping[str, Any]) -> dict[str, str]:
    values = ((name, value_of(wish)) for name, wish in wishes.items())
    return {name: value for name, value in values if value is not None}


def _word(letters: str) -> str:
    return next(filler_words(letters))


def _filled(word: str, size: int) -> str:
    """A text of so many bytes that holds nothing but the word, and no blank at its ends."""
    text = (f"{word} " * (size // (len(word) + 1) + 1))[:size]
    return text[:-1] + word[-1] if text.endswith(" ") else text


def _in_order(fragments: Sequence[str], number: int) -> list[str]:
    """The pieces in another order each time: neighbours may make what neither holds."""
    match number % 3:
        case 0:
            return list(fragments)
        case 1:
            return list(reversed(fragments))
        case _:
            return [*fragments[1::2], *fragments[::2]]


def _rounds(manner: _Manner, wanted: Wanted) -> int:
    if _is_huge(wanted):
        return 1
    return _PLAIN_ROUNDS if manner is _Manner.PLAIN else ROUNDS


def _without_huge(wish: AskWish) -> AskWish:
    """The wish without the sizes that no text has: what is not written cannot be too long."""
    kept = {
        name: Bounds() if (one.least or 0) > _MOST.get(f"ask.{name}", 4 * MOST_CHARS) else one
        for name, one in wish.bounds.items()
    }
    return replace(wish, bounds=kept)


def _is_huge(wanted: Wanted) -> bool:
    """Whether so much is wanted that no attempt will have it all: then one has to do."""
    return any(wanted.least(name) > most for name, most in _MOST.items())


_MOST = {
    **{f"ask.{name}": MOST_CHARS for name in ("chars", "lines", "longest_sentence", "words")},
    # Characters have four bytes at most.
    "ask.bytes": 4 * MOST_CHARS,
    "context.tokens": MOST_BYTES // BYTES_PER_TOKEN,
}
"""More than this no request has that is built here."""


def _is_too_long(one: Difference) -> bool:
    """Whether there are more messages than wanted."""
    return one.slot.feature == "messages.count" and (one.got or 0) > one.wanted


def _corrected(wish: AskWish, found: Sequence[Difference]) -> AskWish:
    """The wish, moved by what the text was off."""
    bounds = dict(wish.bounds)
    for one in found:
        name = one.slot.feature.removeprefix("ask.")
        if name in bounds and one.got is not None and name in _CORRECTED:
            bounds[name] = bounds[name].moved(one.wanted - one.got)
    return replace(wish, bounds=bounds)


_CORRECTED = frozenset(
    {"sentences", "longest_sentence", "lines", "commas", "periods", "numbers", "parens", "quotes",
     "questions", "words"}
)  # fmt: skip
"""Counts that add up: what is too little by one is one more the next time."""
