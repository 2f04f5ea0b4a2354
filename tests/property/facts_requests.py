"""Requests of every surface, and slots of every feature, to hold the facts against."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, final

from hypothesis import strategies as st

from lynkrc.analysis.entries import Scanned
from lynkrc.codegen.tables import tables_of
from lynkrc.ir.automaton import Automaton
from lynkrc.ir.domain import Domain, Part, Point, domain_of
from lynkrc.ir.guard import SlotId
from lynkrc.ir.table import Entry, Lexicon, LexiconId, Slot, SlotType, StringClass
from lynkrc.lower.patterns import build_automaton
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc_runtime import dispatch as runtime
from lynkrc_runtime.feature_table import (
    DIALECTS,
    EMBEDDINGS,
    FEATURES,
    NO_TIER,
    OTHER_CLIENT,
    SURFACES,
    TEXTS,
    FeatureType,
    Parameter,
)
from lynkrc_runtime.features import Extractor, RequestFacts, SessionFacts
from lynkrc_runtime.protocol.conversation import (
    Block,
    Document,
    Image,
    Message,
    Options,
    Request,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.embeddings.policy import pinned
from lynkrc_runtime.protocol.embeddings.request import read_request
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.settings import Settings
from tests.property.conversations import talks
from tests.property.spelled_requests import spell

ENTRIES: dict[str, tuple[tuple[str, int], ...]] = {
    "greeting": (("hi|hello", 64), ("good (morning|evening)", 64)),
    "polite": (("hi|hello", 64), ("good (morning|evening)", 64), ("thanks?", 32)),
    "marks": (("/[!?]{1,3}/", 64), ("~/\\s/", -16), ("c++", 8)),
    "cjk": (("~证明", 96), ("~证", 32), ("~中*", 16)),
    "proof": (("prove*", 224), ("prove that", -32), ("~pro", 16), ("hi|hello", -64)),
    "twice": (("prove*", 1), ("prove*", 2)),
}
"""Lexicons: within one another, of marks alone, without edges, of weights of both signs."""

CLIENT = runtime.Client(
    name="coder",
    user_agent=["Coder/"],
    injected_tags=["note"],
    injected_prefixes=["[Begin"],
    injected_wrappers=["query"],
    baseline_tools=["Bash", "Read"],
    tool_weights={"Deploy": 90, "look": 0},
)
Made = tuple[Request, RequestFacts]


def pattern(text: str) -> Pattern:
    span = Span(file=SourceFile(path="-", text=text), start=0, end=len(text))
    parsed, findings = parse_pattern(text, span, None)
    assert parsed is not None, findings
    return parsed


def lexicons() -> tuple[Lexicon, ...]:
    made, first = [], 0
    for number, (name, entries) in enumerate(ENTRIES.items()):
        own = tuple(Entry(pattern=text, weight64=weight) for text, weight in entries)
        made.append(Lexicon(id=LexiconId(number), name=name, entries=own, first=first))
        first += len(own)
    return tuple(made)


@cache
def automaton() -> Automaton:
    return build_automaton([[pattern(text) for text, _ in one] for one in ENTRIES.values()])


def scanned() -> Scanned:
    return Scanned(lexicons=lexicons(), automaton=automaton())


def classes(*named: tuple[str, str]) -> tuple[StringClass, ...]:
    every = (("absent", ""), ("other", ""), *named)
    return tuple(StringClass(kind=kind, text=text) for kind, text in every)


def members(*names: str) -> tuple[StringClass, ...]:
    return tuple(StringClass(kind="member", text=name) for name in names)


_TYPES = {
    FeatureType.BOOL: SlotType.BOOL,
    FeatureType.INT: SlotType.INT,
    FeatureType.FIXED: SlotType.FIXED,
    FeatureType.STRING: SlotType.CLASS,
    FeatureType.ENUM: SlotType.CLASS,
}
_CLASSES = {
    "client": members(OTHER_CLIENT, "coder"),
    "dialect": members(*DIALECTS),
    "surface": members(*SURFACES, EMBEDDINGS),
    "session.tier": members(NO_TIER, "simple", "hard"),
    "model": classes(
        ("literal", "asked"),
        ("literal", "lynkr/small"),
        ("prefix", "gpt-"),
        ("prefix", "l"),
        ("prefix", "lynkr/s"),
    ),
    "header": classes(("literal", "red"), ("prefix", "r")),
    "metadata": classes(
        ("literal", "someone"),
    ),
    "key.team": classes(("literal", "red"), ("prefix", "r")),
    "key.tenant": classes(),
}
_LITERALS = {"tools.named": ("Bash", "look", "patch"), "header": ("x-team",)}


def all_slots() -> list[tuple[str, tuple[str, ...]]]:
    """Every feature with its arguments."""
    made: list[tuple[str, tuple[str, ...]]] = []
    for feature in FEATURES.values():
        match feature.parameter:
            case Parameter.NONE:
                made.append((feature.name, ()))
            case Parameter.LITERAL:
                named = _LITERALS.get(feature.name, ("user_id",))
                made += [(feature.name, (name,)) for name in named]
            case Parameter.TEXT_AND_LEXICON:
                made += [(feature.name, (text, name)) for text in TEXTS for name in ENTRIES]
    return made


def slot(number: int, name: str, args: tuple[str, ...], top: int | None) -> Slot:
    """A slot of the IR; `top` lowers the greatest value of a number."""
    feature = FEATURES[name]
    own = _CLASSES.get(name, ())
    high = len(own) - 1 if own else feature.high
    is_lowered = top is not None and feature.type in (FeatureType.INT, FeatureType.FIXED)
    return Slot(
        id=SlotId(number),
        feature=name,
        args=args,
        type=_TYPES[feature.type],
        low=-top if is_lowered and top is not None and feature.low < 0 else feature.low,
        high=top if is_lowered and top is not None else high,
        classes=own,
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """Slots, the extractor that fills them and the domain they are in."""

    extractor: Extractor
    domain: Domain

    def point(self, made: Made) -> Point:
        """The request as a point of the domain."""
        vector = self.extractor.extract(*made)
        (view,) = self.domain.views
        point = [0] * len(vector)
        for value, variable, own in zip(vector, view.variables, view.classes, strict=True):
            point[variable] = value if own is None else own.index(value)
        assert view.vector(tuple(point)) == vector
        return tuple(point)


@cache
def rig(seed: int) -> Rig:
    """Of every feature for seed 0; else of some, some of them with low tops."""
    chosen, source = all_slots(), random.Random(seed)
    tops: list[int | None] = [None] * len(chosen)
    if seed:
        share = source.choice((0.1, 0.3, 0.6, 1.0))
        chosen = [one for one in chosen if source.random() < share] or chosen[:3]
        tops = [source.choice((None, 0, 1, 2, 3, 5, 9, 40)) for _ in chosen]
    slots = tuple(
        slot(number, name, args, top)
        for number, ((name, args), top) in enumerate(zip(chosen, tops, strict=True))
    )
    return Rig(
        extractor=Extractor(
            _dispatch(slots), tables_of(automaton(), list(map(len, ENTRIES.values())))
        ),
        domain=domain_of(Part(slots=slots, lexicons=lexicons())),
    )


def _dispatch(slots: Sequence[Slot]) -> runtime.Dispatch:
    return runtime.Dispatch(
        name="facts",
        slots=[
            runtime.Slot(
                feature=one.feature,
                args=list(one.args),
                type=one.type.value,
                low=one.low,
                high=one.high,
                classes=[runtime.StringClass(kind=c.kind, text=c.text) for c in one.classes],
            )
            for one in slots
        ],
        lexicons=[
            runtime.Lexicon(
                name=one.name,
                first=one.first,
                patterns=[entry.pattern for entry in one.entries],
                weights64=[entry.weight64 for entry in one.entries],
            )
            for one in lexicons()
        ],
        clients=[CLIENT],
        providers=[],
        targets=[],
        chains=[],
        tiers=[],
        rules=[],
        needs=[],
        dimensions=[],
        models=[],
        settings=Settings(),
    )


# -- requests --------------------------------------------------------------------------------


def conversation(*messages: Message, surface: str = "messages", **members: Any) -> Made:
    """A request as read, of these messages."""
    dialect = dict(zip(SURFACES, DIALECTS, strict=True))[surface]
    request = Request(
        dialect=dialect,
        model=members.get("model", "asked"),
        system=members.get("system", ()),
        messages=messages,
        tools=members.get("tools", ()),
        tool_choice=None,
        options=members.get("options", Options()),
        metadata=members.get("metadata", {}),
        members={},
        rest=(),
    )
    return request, RequestFacts(
        surface=surface, headers=members.get("headers", {}), **members.get("known", {})
    )


def said(*texts: str) -> Message:
    """A message of the user, a block for each text."""
    return Message(role=Role.USER, blocks=tuple(Text(text=text) for text in texts))


def answered(*texts: str) -> Message:
    """A message of the assistant."""
    return Message(role=Role.ASSISTANT, blocks=tuple(Text(text=text) for text in texts))


def tool(name: str) -> Tool:
    """A tool with as little in it as can be."""
    return Tool(kind="function", name=name, description=None, parameters={}, strict=None, value={})


def embedding(body: bytes, target: str = "small") -> Made:
    """A request for embeddings as the policy sees it."""
    asked = read_request(body)
    made = pinned(asked, target)
    return made, RequestFacts(surface=EMBEDDINGS, headers={})


PIECES = st.sampled_from(
    (
        *("hi", "hello there", "Good morning", "prove", "prove that", "thanks", "a", "x1", "3.14"),
        *("证明", "中", "中文。", "ﬃ", "ŉ", "ΐ", "İ", "\u0301", "\u02bc", "\u02bc\u02bc", "١٢"),
        *(
            ".",
            "!",
            "?",
            "\uff1f",
            "؟",
            ",",
            "、",
            "(",
            "\uff08",
            '"',
            "“",
            "„",
            "...",
            "?!",
            "c++",
            "'",
        ),
        *(
            " ",
            "\n",
            "\n\n",
            "\t",
            "\u3000",
            "\u00a0",
            "\u2028",
            "\x00",
            "\x1f",
            "\ud800",
            "\U0001f469\u200d\U0001f680",
        ),
        *("```", "\n```\n", "\n~~~~\n", "<note>", "</note>", "<query>", "</query>", "[Begin"),
        *("1", "2 3", "word " * 30, "。", "…", "—", "it's", "foo.bar", "x" * 300),
    )
)
TEXTS_OF_PIECES = st.one_of(
    st.lists(PIECES, max_size=12).map("".join),
    st.lists(PIECES, max_size=8).map(" ".join),
    st.text(max_size=20),
)
_BLOCKS: st.SearchStrategy[Block] = st.one_of(
    st.builds(Text, text=TEXTS_OF_PIECES),
    st.builds(Text, text=TEXTS_OF_PIECES),
    st.just(Image(url="https://files.example.com/a.png")),
    st.just(Image(data="R0lGODlhAQABAA==", media_type="image/gif")),
    st.just(Document(url="https://files.example.com/a.pdf")),
    st.builds(
        ToolCall,
        id=st.just("c"),
        name=st.sampled_from(("", "look")),
        arguments=st.sampled_from(("", "{}")),
    ),
    st.builds(
        ToolResult,
        call_id=st.just("c"),
        content=st.sampled_from(((), (Text(text="hi"),), (Image(url="u"),))),
        is_error=st.sampled_from((None, True)),
    ),
)
_ROUGH_MESSAGES = st.builds(
    Message,
    role=st.sampled_from((Role.USER, Role.USER, Role.ASSISTANT, Role.SYSTEM)),
    blocks=st.lists(_BLOCKS, max_size=4).map(tuple),
)


_COUNTS = st.sampled_from((0, 1, 7, 10**9))
_KNOWN = st.fixed_dictionaries(
    {},
    optional={
        "team": st.sampled_from((None, "red", "rose", "blue")),
        "tenant": st.sampled_from((None, "acme")),
        "session": st.builds(
            SessionFacts,
            turn=_COUNTS,
            tier=st.sampled_from((None, "simple", "hard", "gone")),
            warm_tokens=_COUNTS,
        ),
        "budget_used": _COUNTS,
    },
)
"""What the gateway knows of a caller and of the session."""


@st.composite
def rough(draw: st.DrawFn) -> Made:
    """Any block in any message: more than any reader lets through."""
    return conversation(
        *draw(st.lists(_ROUGH_MESSAGES, max_size=6)),
        surface=draw(st.sampled_from(SURFACES)),
        model=draw(st.sampled_from(("asked", "gpt-x", "", "LYNKR/small", " l "))),
        system=tuple(draw(st.lists(st.builds(Text, text=TEXTS_OF_PIECES), max_size=3))),
        tools=tuple(map(tool, draw(st.lists(st.sampled_from(TOOL_NAMES), max_size=5)))),
        options=Options(
            max_tokens=draw(st.sampled_from((None, -1, 0, 9, 10**9))),
            effort=draw(st.sampled_from((None, "none", "high"))),
            stream=draw(st.booleans()),
        ),
        headers=draw(st.sampled_from(({}, {"x-team": "red", "user-agent": "Coder/1"}))),
        known=draw(_KNOWN),
    )


TOOL_NAMES = ("Bash", "Read", "look", "patch", "Deploy", "other", "")


@st.composite
def read(draw: st.DrawFn) -> Made:
    """A talk as a client of one of the dialects writes it, read as it comes in."""
    surface = draw(st.sampled_from(SURFACES))
    dialect = dict(zip(SURFACES, DIALECTS, strict=True))[surface]
    request = CLIENT_DIALECTS[dialect].read_request(spell(dialect, draw(talks())), {})
    return request, RequestFacts(surface=surface, headers={})


@st.composite
def embedded(draw: st.DrawFn) -> Made:
    """Texts, or tokens, to make vectors of."""
    texts = draw(st.lists(TEXTS_OF_PIECES, max_size=3))
    given: Any = [text.encode("utf-8", "ignore").decode() for text in texts] or [[1, 2], [3]]
    body = json.dumps({"model": "m", "input": given}).encode()
    return embedding(body, draw(st.sampled_from(("a", "small", "sm"))))


requests = st.one_of(rough(), rough(), read(), embedded())
