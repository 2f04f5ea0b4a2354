"""A request to the clamped feature vector that the scorer reads, and to the reasons for it.

The plan, one function a slot, is made once from the dispatch table; a request pays only for the
parts its slots read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from types import MappingProxyType
from typing import TypeAlias, TypeVar, final

from lynkrc_runtime.ask import markers_of
from lynkrc_runtime.clients import Profile, recognise
from lynkrc_runtime.dispatch import Dispatch, Lexicon, Slot
from lynkrc_runtime.feature_table import FIXED_UNIT, NO_TIER, OTHER_CLIENT
from lynkrc_runtime.protocol.conversation import Options, Request, ThinkingKind
from lynkrc_runtime.protocol.known_tools import names_of
from lynkrc_runtime.protocol.late_messages import SYSTEM
from lynkrc_runtime.reading import (
    Reading,
    RefusedRequest,
    RequestFacts,
    SessionFacts,
)
from lynkrc_runtime.repeats import repeats
from lynkrc_runtime.scan.matcher import Found, Matcher
from lynkrc_runtime.scan.places import Place
from lynkrc_runtime.scan.tables import Tables
from lynkrc_runtime.string_classes import StringClasses
from lynkrc_runtime.text_counts import COUNTS

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
        self._profiles = [Profile(client) for client in dispatch.clients]
        self._matcher = None if tables is None else _matcher(dispatch.lexicons, tables)
        self._lexicons = {
            lexicon.name: (number, lexicon) for number, lexicon in enumerate(dispatch.lexicons)
        }
        self._zeros = [min(max(0, slot.low), slot.high) for slot in dispatch.slots]
        self._plan: list[_Step[Reading]] = []
        self._of_tools: list[_Step[Reading]] = []
        """What is zero without tools."""
        self._of_loop: list[_Step[Reading]] = []
        """What is zero where nothing follows the ask."""
        self._over_texts: dict[str, _OverText] = {}
        self._named: dict[str, tuple[int, int]] = {}
        """By the name of a tool: the place of its slot, and what it is where the tool is there."""
        for place, slot in enumerate(dispatch.slots):
            if slot.feature in _OVER_LEXICON:
                self._add_over_lexicon(place, slot)
            elif slot.feature == "tools.named":
                self._named[slot.args[0]] = (place, min(max(1, slot.low), slot.high))
            else:
                plan = self._plan
                if slot.feature in _OF_TOOLS:
                    plan = self._of_tools
                elif slot.feature in _OF_LOOP:
                    plan = self._of_loop
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
        found = recognise(self._profiles, user_agent, names_of(request.tools))
        return None if found is None else self._dispatch.clients[found].name

    def _read(self, request: Request, facts: RequestFacts) -> Reading:
        return Reading(request, facts, self._profiles, self._markers, self._matcher)

    def _vector(self, reading: Reading) -> list[int]:
        vector = self._zeros.copy()
        request = reading.request
        _fill(vector, self._plan, reading)
        if request.tools:
            _fill(vector, self._of_tools, reading)
            if self._named:
                for name in self._named.keys() & reading.tool_names:
                    place, value = self._named[name]
                    vector[place] = value
        if self._of_loop and reading.ask.last + 1 < len(request.messages):
            _fill(vector, self._of_loop, reading)
        for text, over in self._over_texts.items():
            found = reading.found(text)
            counts = found.counts
            # Few of the lexicons occur in a text.
            for marks in compress(over.marks, counts):
                for place, value in marks:
                    vector[place] = value
            for number, steps in over.steps.items():
                if counts[number]:
                    _fill(vector, steps, found)
        return vector

    def _feature(self, slot: Slot) -> _Feature:
        name = slot.feature
        plain = _PLAIN.get(name)
        if plain is not None:
            return plain
        count = COUNTS.get(name)
        if count is not None:
            return lambda reading: count(reading.counts)
        match name:
            case "client":
                return self._client(slot)
            case "dialect":
                dialects = _members(slot)
                return lambda reading: dialects[reading.request.dialect]
            case "surface":
                surfaces = _members(slot)
                return lambda reading: surfaces[reading.facts.surface]
            case "model":
                models = StringClasses(slot.classes)
                return lambda reading: models.classify(reading.request.model)
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

    def _client(self, slot: Slot) -> _Feature:
        members = _members(slot)
        numbers = [members[client.name] for client in self._dispatch.clients]
        other = members[OTHER_CLIENT]

        def client(reading: Reading) -> int:
            return other if reading.client is None else numbers[reading.client]

        return client


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


def _mean_weight(reading: Reading) -> int:
    weights = reading.added_weights
    return sum(weights) // len(weights) if weights else 0


def _messages(reading: Reading) -> int:
    kinds = reading.course.kinds
    return len(kinds) - kinds.count(SYSTEM)


_OVER_LEXICON = frozenset({"count", "matches", "distinct", "points"})
_OF_TOOLS = frozenset({"tools.count", "tools.added", "tools.max_weight", "tools.mean_weight"})
_OF_LOOP = frozenset(
    {"loop.tool_results", "loop.tool_errors", "loop.steps_since_user", "loop.repeats"}
)

_PLAIN: Mapping[str, _Feature] = MappingProxyType(
    {
        "context.tokens": lambda reading: reading.tokens,
        "messages.count": _messages,
        "turns": lambda reading: reading.turns,
        "tools.count": lambda reading: len(reading.request.tools),
        "tools.added": lambda reading: len(reading.added_weights),
        "tools.max_weight": lambda reading: max(reading.added_weights, default=0),
        "tools.mean_weight": _mean_weight,
        "loop.tool_results": lambda reading: reading.loop.tool_results,
        "loop.tool_errors": lambda reading: reading.loop.tool_errors,
        "loop.steps_since_user": lambda reading: reading.loop.steps,
        "loop.repeats": lambda reading: repeats(reading.calls),
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
