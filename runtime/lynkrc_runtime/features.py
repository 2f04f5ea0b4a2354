"""A request to the clamped feature vector that the scorer reads, and to the reasons for it.

The plan, one function a slot, is made once from the dispatch table; a request pays only for the
parts its slots read.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import itemgetter
from types import MappingProxyType
from typing import TypeAlias, TypeVar, final

from lynkrc_runtime.ask import count_turns, markers_of
from lynkrc_runtime.clients import Clients
from lynkrc_runtime.dispatch import Dispatch, Lexicon, Slot
from lynkrc_runtime.feature_table import FIXED_UNIT, NO_TIER
from lynkrc_runtime.offered import OFFERED, Offered
from lynkrc_runtime.protocol.conversation import Options, Request, ThinkingKind
from lynkrc_runtime.protocol.estimate import estimate_tokens
from lynkrc_runtime.protocol.late_messages import ASSISTANT, SYSTEM, calls_since
from lynkrc_runtime.reading import (
    Reading,
    RefusedRequest,
    RequestFacts,
    SessionFacts,
)
from lynkrc_runtime.repeats import repeats
from lynkrc_runtime.scan.engines import Numbers, native_count
from lynkrc_runtime.scan.matcher import Found, Matcher
from lynkrc_runtime.scan.places import Place
from lynkrc_runtime.scan.tables import Tables
from lynkrc_runtime.string_classes import Remembered, StringClasses
from lynkrc_runtime.text_counts import COUNTS, MEASURED, TextCounts

__all__ = [
    "Extractor",
    "PatternFound",
    "RefusedRequest",
    "RequestFacts",
    "SessionFacts",
    "SlotValue",
    "written",
]

_T = TypeVar("_T")
_Feature: TypeAlias = Callable[[Reading], int]
_Step: TypeAlias = tuple[int, Callable[[_T], int], int, int]
"""Place in the vector, how its value is got, the least and the greatest it may be."""

PLACES = 5
"""Places of one entry that are told, the first ones."""

_THINKS = frozenset({ThinkingKind.ENABLED, ThinkingKind.ADAPTIVE})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PatternFound:
    """An entry of a lexicon that occurs in a text, by its pattern; it holds nothing of the text.

    `times` counts the positions where a match of it ends (of the first 10,000 matches in the
    text), `places` are the first of them; `weight64` is the entry's weight in 1/64.
    """

    pattern: str
    weight64: int
    times: int
    places: tuple[Place, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SlotValue:
    """One entry of the vector, explained.

    `slot` is written as in the language; `value` is the vector's integer, `shown` what it means.
    A slot that reads a lexicon has the `text` it reads and the `patterns` that occur in it.
    """

    slot: str
    value: int
    shown: str
    text: str | None = None
    patterns: tuple[PatternFound, ...] = ()


@final
class _OverText:
    """Slots over lexicons in one text; where a lexicon does not occur, its slots are zero."""

    __slots__ = ("marks", "steps")

    def __init__(self, lexicons: int) -> None:
        self.marks: list[list[tuple[int, int]]] = [[] for _ in range(lexicons)]
        """By lexicon: places of ``matches``, and what stands there where it occurs."""
        self.steps: dict[int, list[_Step[Found]]] = {}
        """By lexicon: what must be looked at more closely."""


@final
class Extractor:
    """Computes the vector of one dispatch table.

    ValueError when the tables do not fit the lexicons, or a slot is of an unknown feature.
    """

    def __init__(self, dispatch: Dispatch, tables: Tables | None) -> None:
        self._dispatch = dispatch
        self._markers = markers_of(dispatch.clients)
        self._clients = Clients(dispatch.clients)
        self._offered = Offered(dispatch.slots, dispatch.clients, self._clients)
        self._matcher = None if tables is None else _matcher(dispatch.lexicons, tables)
        self._lexicons = {
            lexicon.name: (number, lexicon) for number, lexicon in enumerate(dispatch.lexicons)
        }
        self._plan: list[_Step[Reading]] = []
        self._of_numbers: list[_Step[Numbers]] = []
        """What the kernel counts in the ask."""
        self._of_ask: list[_Step[TextCounts]] = []
        """What is counted there beside it."""
        self._of_loop: list[_Step[Reading]] = []
        """What is zero where nothing follows the ask."""
        self._over_texts: dict[str, _OverText] = {}
        self._reads_ask = any(map(_is_of_ask, dispatch.slots))
        for place, slot in enumerate(dispatch.slots):
            count = COUNTS.get(slot.feature)
            if slot.feature in _OVER_LEXICON:
                self._add_over_lexicon(place, slot)
            elif native_count is not None and slot.feature in MEASURED:
                number = itemgetter(MEASURED[slot.feature])
                self._of_numbers.append((place, number, slot.low, slot.high))
            elif count is not None:
                self._of_ask.append((place, count, slot.low, slot.high))
            elif slot.feature not in OFFERED:
                plan = self._of_loop if slot.feature in _OF_LOOP else self._plan
                plan.append((place, self._feature(slot), slot.low, slot.high))

    def extract(self, request: Request, facts: RequestFacts) -> list[int]:
        """The vector in slot order. Raises RefusedRequest for what a slot reads and cannot."""
        return self._vector(self._read(request, facts))

    def explain(self, request: Request, facts: RequestFacts) -> list[SlotValue]:
        """The vector with its reasons. Raises RefusedRequest as `extract` does."""
        reading = self._read(request, facts)
        vector = self._vector(reading)
        ends: dict[str, dict[int, list[int]]] = {}
        found: dict[tuple[str, ...], tuple[PatternFound, ...]] = {}
        explained = []
        for slot, value in zip(self._dispatch.slots, vector, strict=True):
            text: str | None = None
            if slot.feature in _OVER_LEXICON:
                text, name = slot.args
                if text not in ends:
                    ends[text] = _ends(reading, text)
                if (text, name) not in found:
                    lexicon = self._lexicons[name][1]
                    found[text, name] = tuple(_found(reading, text, lexicon, ends[text]))
            explained.append(
                SlotValue(
                    slot=written(slot),
                    value=value,
                    shown=_shown(slot, value),
                    text=text,
                    patterns=() if text is None else found[text, name],
                )
            )
        return explained

    def text(self, request: Request, facts: RequestFacts, name: str) -> str:
        """``ask``, ``history`` or ``envelope`` of a request: what places of patterns point into."""
        return self._read(request, facts).text(name)

    def client(self, request: Request, user_agent: str | None) -> str | None:
        """The name of the client profile that fits a request; None where none does."""
        found = self._clients.recognise(user_agent, request.tools)
        return None if found is None else self._dispatch.clients[found].name

    def _read(self, request: Request, facts: RequestFacts) -> Reading:
        return Reading(request, facts, self._markers, self._matcher)

    def _vector(self, reading: Reading) -> list[int]:
        request = reading.request
        if self._reads_ask:
            reading.prepare()
        vector = self._offered.begin(request.tools, reading.facts.headers.get("user-agent"))
        _fill(vector, self._plan, reading)
        if self._of_numbers and native_count is not None:
            _fill(vector, self._of_numbers, native_count(reading.ask.text))
        if self._of_ask:
            _fill(vector, self._of_ask, TextCounts(reading.ask.text))
        if self._of_loop and reading.ask.last + 1 < len(reading.course.kinds):
            _fill(vector, self._of_loop, reading)
        for text, over in self._over_texts.items():
            matcher = reading.matcher
            found = matcher.scan(reading.ask.text if text == "ask" else reading.text(text))
            if found is matcher.nothing:
                continue
            # Few of the lexicons occur in a text.
            for marks in compress(over.marks, found.counts):
                for place, value in marks:
                    vector[place] = value
            for number, steps in over.steps.items():
                if found.counts[number]:
                    _fill(vector, steps, found)
        return vector

    def _feature(self, slot: Slot) -> _Feature:
        name = slot.feature
        plain = _PLAIN.get(name)
        if plain is not None:
            return plain
        match name:
            case "dialect":
                dialects = _members(slot)
                return lambda reading: dialects[reading.request.dialect]
            case "surface":
                surfaces = _members(slot)
                return lambda reading: surfaces[reading.facts.surface]
            case "model":
                models = Remembered(StringClasses(slot.classes).classify)
                return lambda reading: models[reading.request.model]
            case "header":
                return _header(slot)
            case "metadata":
                return _metadata(slot)
            case "key.team":
                teams = StringClasses(slot.classes)
                return lambda reading: teams.classify(reading.facts.team)
            case "key.tenant":
                tenants = StringClasses(slot.classes)
                return lambda reading: tenants.classify(reading.facts.tenant)
            case "session.tier":
                tiers = _members(slot)
                # A tier that this bundle has not: the session began with another one.
                return lambda reading: tiers.get(reading.facts.session.tier or NO_TIER, 0)
        raise ValueError(f"no feature is called {name}")

    def _add_over_lexicon(self, place: int, slot: Slot) -> None:
        if self._matcher is None:
            raise ValueError(f"{written(slot)} needs tables")
        text, name = slot.args
        number, _ = self._lexicons[name]
        over = self._over_texts.setdefault(text, _OverText(len(self._lexicons)))
        if slot.feature == "matches":
            over.marks[number].append((place, min(max(1, slot.low), slot.high)))
        else:
            step = (place, _measure(slot.feature, number), slot.low, slot.high)
            over.steps.setdefault(number, []).append(step)


def _measure(feature: str, lexicon: int) -> Callable[[Found], int]:
    match feature:
        case "count":
            return lambda found: found.counts[lexicon]
        case "distinct":
            return lambda found: found.distinct[lexicon]
        case _:
            return lambda found: found.points[lexicon]


def _fill(vector: list[int], steps: Sequence[_Step[_T]], source: _T) -> None:
    """Puts in what the steps make of the source."""
    for place, measure, low, high in steps:
        value = measure(source)
        vector[place] = value if low <= value <= high else low if value < low else high


def _is_of_ask(slot: Slot) -> bool:
    """Whether it takes the user's last turn to fill the slot."""
    if slot.feature in _OVER_LEXICON:
        return slot.args[0] != "envelope"
    return slot.feature in COUNTS or slot.feature in _OF_LOOP or slot.feature == "turns"


def _matcher(lexicons: Sequence[Lexicon], tables: Tables) -> Matcher:
    sizes = tuple(len(lexicon.patterns) for lexicon in lexicons)
    if sizes != tables.sizes:
        raise ValueError(f"lexicons of {tables.sizes} entries in the tables, of {sizes} elsewhere")
    return Matcher(tables, [weight for lexicon in lexicons for weight in lexicon.weights64])


def _members(slot: Slot) -> dict[str, int]:
    return {member.text: number for number, member in enumerate(slot.classes)}


def _header(slot: Slot) -> _Feature:
    classes = StringClasses(slot.classes)
    (written,) = slot.args
    name = written.lower()

    def header(reading: Reading) -> int:
        if name in reading.facts.repeated:
            raise RefusedRequest(f"header {name} is repeated", f"header {name}")
        value = reading.facts.headers.get(name)
        if value is not None and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise RefusedRequest(f"header {name} is not UTF-8", f"header {name}") from None
        return classes.classify(value)

    return header


def _metadata(slot: Slot) -> _Feature:
    classes = StringClasses(slot.classes)
    (key,) = slot.args

    def metadata(reading: Reading) -> int:
        match reading.request.metadata.get(key):
            case None:
                return 0
            case str() as text:
                return classes.classify(text)
            case bool() as flag:
                return classes.classify("true" if flag else "false")
            case int() | float() as number:
                return classes.classify(str(number))
        raise RefusedRequest(
            f"metadata.{key} must be a string, a number or a boolean", f"metadata.{key}"
        )

    return metadata


def _wants_thinking(options: Options) -> bool:
    if options.thinking is not None:
        return options.thinking.kind in _THINKS
    return options.effort is not None and options.effort != "none"


def _wants_schema(options: Options) -> bool:
    # Who says `strict: false` asks for a try, which any target can make.
    form = options.format
    return form is not None and form.schema is not None and form.strict is not False


def _messages(reading: Reading) -> int:
    kinds = reading.course.kinds
    return len(kinds) - kinds.count(SYSTEM)


def _tokens(reading: Reading) -> int:
    told = reading.facts.tokens
    return estimate_tokens(reading.request) if told is None else told()


def _repeats(reading: Reading) -> int:
    calls = calls_since(reading.request.messages, reading.ask.last + 1)
    return repeats(calls) if calls else 0


def _since(places: Sequence[int], last: int) -> int:
    """How many of the places, which ascend, lie behind the last message with the user's words."""
    if not places or places[0] > last:
        return len(places)
    return len(places) - bisect_right(places, last)


_OVER_LEXICON = frozenset({"count", "matches", "distinct", "points"})
_OF_LOOP = frozenset(
    {"loop.tool_results", "loop.tool_errors", "loop.steps_since_user", "loop.repeats"}
)

_PLAIN: Mapping[str, _Feature] = MappingProxyType(
    {
        "context.tokens": _tokens,
        "messages.count": _messages,
        "turns": lambda reading: count_turns(
            reading.request.messages, reading.ask, reading.markers, reading.own_kinds
        ),
        "loop.tool_results": lambda reading: _since(reading.course.results, reading.ask.last),
        "loop.tool_errors": lambda reading: _since(reading.course.errors, reading.ask.last),
        "loop.steps_since_user": lambda reading: reading.course.kinds.count(
            ASSISTANT, reading.ask.last + 1
        ),
        "loop.repeats": _repeats,
        "images.count": lambda reading: reading.course.images,
        "documents.count": lambda reading: reading.course.documents,
        "wants.thinking": lambda reading: int(_wants_thinking(reading.request.options)),
        "wants.json_schema": lambda reading: int(_wants_schema(reading.request.options)),
        "wants.stream": lambda reading: int(reading.request.options.stream),
        "request.max_tokens": lambda reading: reading.request.options.max_tokens or 0,
        "session.turn": lambda reading: reading.facts.session.turn,
        "session.warm_tokens": lambda reading: reading.facts.session.warm_tokens,
        "budget.used_pct": lambda reading: reading.facts.budget_used,
    }
)
"""Features without parameters, beside ``ask.*``, not yet clamped."""


def _ends(reading: Reading, text: str) -> dict[int, list[int]]:
    """Where matches end in a folded text, by entry."""
    ends: dict[int, list[int]] = {}
    for entry, end in reading.matcher.locate(reading.folded(text)):
        ends.setdefault(entry, []).append(end)
    return ends


def _found(
    reading: Reading, text: str, lexicon: Lexicon, ends: Mapping[int, list[int]]
) -> Iterator[PatternFound]:
    places = None
    for offset, pattern in enumerate(lexicon.patterns):
        entry = lexicon.first + offset
        if entry in ends:
            places = places or reading.matcher.places(reading.text(text), reading.folded(text))
            yield PatternFound(
                pattern=pattern,
                weight64=lexicon.weights64[offset],
                times=len(ends[entry]),
                places=tuple(places.of(entry, end) for end in ends[entry][:PLACES]),
            )


def written(slot: Slot) -> str:
    """A slot as the language writes it: ``count(ask, greeting)``, ``header("x-team")``."""
    if not slot.args:
        return slot.feature
    if slot.feature in _OVER_LEXICON:
        return f"{slot.feature}({', '.join(slot.args)})"
    return f'{slot.feature}("{slot.args[0]}")'


def _shown(slot: Slot, value: int) -> str:
    if slot.classes:
        chosen = slot.classes[value]
        match chosen.kind:
            case "absent" | "other":
                return chosen.kind
            case "prefix":
                return f"{chosen.text}..."
            case _:
                return chosen.text
    match slot.type:
        case "bool":
            return "true" if value else "false"
        case "fixed":
            return str(value / FIXED_UNIT).removesuffix(".0")
        case _:
            return str(value)
