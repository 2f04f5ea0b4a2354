"""Requests to vectors: every feature, clamping, refusals, explanations."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from lynkrc.codegen.tables import tables_of
from lynkrc.lower.patterns import build_automaton
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc_runtime.clients import Profile, recognise
from lynkrc_runtime.dispatch import Client, Dispatch, Lexicon, Slot, StringClass
from lynkrc_runtime.feature_table import DIALECTS, FEATURES, SURFACES, FeatureType, Parameter
from lynkrc_runtime.features import Extractor, RefusedRequest, RequestFacts
from lynkrc_runtime.protocol.conversation import (
    Document,
    Image,
    JsonFormat,
    Message,
    Options,
    Request,
    Role,
    Text,
    ThinkingKind,
    ThinkingWish,
    Tool,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.estimate import estimate_tokens
from lynkrc_runtime.settings import Settings

LEXICONS = {"greeting": ["hi|hello", "good (morning|evening)"], "proof": ["prove*", "~证明"]}
WEIGHTS = {"greeting": [64, 64], "proof": [224, -32]}

CODER = Client(
    name="coder",
    user_agent=["Coder-CLI/"],
    injected_tags=["system-reminder"],
    injected_prefixes=["[Request interrupted"],
    injected_wrappers=[],
    baseline_tools=["Bash", "Edit", "Read", "Write", "Grep"],
    tool_weights={"Bash": 90, "Read": 30, "Deploy": 80},
)
OTHER_CODER = Client(
    name="other-coder",
    user_agent=["other"],
    injected_tags=["note"],
    injected_prefixes=[],
    injected_wrappers=[],
    baseline_tools=["shell"],
    tool_weights={},
)


def pattern(text: str) -> Pattern:
    parsed, findings = parse_pattern(
        text, Span(file=SourceFile(path="-", text=text), start=0, end=len(text)), None
    )
    assert parsed is not None, findings
    return parsed


TABLES = tables_of(
    build_automaton([[pattern(text) for text in texts] for texts in LEXICONS.values()]),
    sizes=[len(texts) for texts in LEXICONS.values()],
)


def string_classes(*classes: tuple[str, str]) -> list[StringClass]:
    return [
        StringClass(kind=kind, text=text)
        for kind, text in (("absent", ""), ("other", ""), *classes)
    ]


def slot(feature: str, *args: str, classes: list[StringClass] | None = None) -> Slot:
    known = FEATURES[feature]
    kinds = {FeatureType.STRING: "class", FeatureType.ENUM: "class"}
    classes = classes or []
    return Slot(
        feature=feature,
        args=list(args),
        type=kinds.get(known.type, known.type.value),
        low=known.low,
        high=len(classes) - 1 if classes else known.high,
        classes=classes,
    )


def members(*names: str) -> list[StringClass]:
    return [StringClass(kind="member", text=name) for name in names]


def dispatch(*slots: Slot) -> Dispatch:
    lexicons = []
    first = 0
    for name, patterns in LEXICONS.items():
        lexicons.append(Lexicon(name=name, first=first, patterns=patterns, weights64=WEIGHTS[name]))
        first += len(patterns)
    return Dispatch(
        name="test",
        slots=list(slots),
        lexicons=lexicons,
        clients=[CODER, OTHER_CODER],
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


def tool(name: str) -> Tool:
    return Tool(kind="function", name=name, description=None, parameters={}, strict=None, value={})


def user(*texts: str) -> Message:
    return Message(role=Role.USER, blocks=tuple(Text(text=text) for text in texts))


def request(
    *messages: Message,
    tools: tuple[str, ...] = (),
    options: Options | None = None,
    metadata: Mapping[str, Any] | None = None,
    model: str = "auto",
    system: str = "",
) -> Request:
    return Request(
        dialect="anthropic-messages",
        model=model,
        system=(Text(text=system),) if system else (),
        messages=messages,
        tools=tuple(tool(name) for name in tools),
        tool_choice=None,
        options=options or Options(),
        metadata=metadata or {},
        members={},
        rest=(),
    )


def facts(repeated: tuple[str, ...] = (), **headers: str) -> RequestFacts:
    return RequestFacts(
        surface="messages",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        repeated=frozenset(repeated),
    )


def value(one: Slot, of: Request, known: RequestFacts | None = None) -> int:
    (only,) = Extractor(dispatch(one), TABLES).extract(of, known or facts())
    return only


# -- lexicons --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("feature", "args", "expected"),
    [
        ("count", ("ask", "greeting"), 3),
        ("matches", ("ask", "greeting"), 1),
        ("distinct", ("ask", "greeting"), 2),
        ("points", ("ask", "greeting"), 128),
        ("count", ("ask", "proof"), 0),
        ("matches", ("ask", "proof"), 0),
        ("points", ("ask", "proof"), 0),
        ("count", ("history", "proof"), 2),
        ("points", ("history", "proof"), 192),
        ("count", ("envelope", "greeting"), 1),
        ("distinct", ("envelope", "proof"), 1),
        ("points", ("envelope", "proof"), 224),
    ],
)
def test_lexicon_features(feature: str, args: tuple[str, str], expected: int) -> None:
    conversation = request(
        user("Prove it. 请证明"),
        Message(role=Role.ASSISTANT, blocks=(Text(text="ok"),)),
        user("Hi, hello and good  morning"),
        system="Provers say hi",
    )
    assert value(slot(feature, *args), conversation) == expected


# -- plain features --------------------------------------------------------------------------

LOOP = request(
    Message(role=Role.SYSTEM, blocks=(Text(text="rules"),)),
    Message(role=Role.USER, blocks=(Text(text="go"), Image(url="u"))),
    Message(
        role=Role.ASSISTANT,
        blocks=(
            ToolCall(id="1", name="Read", arguments='{"a": 1, "b": 2}'),
            ToolCall(id="2", name="Read", arguments='{"b":2,"a":1}'),
            ToolCall(id="3", name="Read", arguments="{}"),
        ),
    ),
    Message(
        role=Role.USER,
        blocks=(
            ToolResult(call_id="1", content=(Image(data="", media_type="image/png"),)),
            ToolResult(call_id="2", content=(Document(text="d"),), is_error=True),
            ToolResult(call_id="3", content=(), is_error=False),
            Text(text="<system-reminder>keep going</system-reminder>"),
        ),
    ),
    Message(role=Role.ASSISTANT, blocks=(ToolCall(id="4", name="Grep", arguments="not json"),)),
    Message(role=Role.USER, blocks=(ToolResult(call_id="4", content=()),)),
    tools=("Bash", "Edit", "Read", "Write", "Deploy", "Other"),
    options=Options(max_tokens=99_999_999, stream=True),
)


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("messages.count", 5),
        ("turns", 1),
        ("tools.count", 6),
        ("tools.added", 2),
        ("tools.max_weight", 80),
        ("tools.mean_weight", 65),
        ("loop.tool_results", 4),
        ("loop.tool_errors", 1),
        ("loop.steps_since_user", 2),
        ("loop.repeats", 1),
        ("images.count", 2),
        ("documents.count", 1),
        ("wants.stream", 1),
        ("wants.thinking", 0),
        ("wants.json_schema", 0),
        ("request.max_tokens", FEATURES["request.max_tokens"].high),
        ("context.tokens", estimate_tokens(LOOP)),
    ],
)
def test_plain_features(feature: str, expected: int) -> None:
    assert value(slot(feature), LOOP) == expected


@pytest.mark.parametrize("name", [name for name in FEATURES if name.startswith("ask.")])
def test_ask_features_read_the_ask_alone(name: str) -> None:
    noisy = request(
        user("<system-reminder>many, many words (here)? 1 2 3</system-reminder>", "Why? 1"),
        system="also, many words?",
    )
    assert value(slot(name), noisy) == value(slot(name), request(user("Why? 1")))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(), 0),
        (Options(thinking=ThinkingWish(kind=ThinkingKind.ADAPTIVE)), 1),
        (Options(thinking=ThinkingWish(kind=ThinkingKind.ENABLED, budget=1024)), 1),
        (Options(thinking=ThinkingWish(kind=ThinkingKind.DISABLED), effort="low"), 0),
        (Options(thinking=ThinkingWish(kind=ThinkingKind.BETWEEN_TOOLS)), 0),
        (Options(effort="none"), 0),
        (Options(effort="medium"), 1),
    ],
)
def test_wants_thinking(options: Options, expected: int) -> None:
    assert value(slot("wants.thinking"), request(user("x"), options=options)) == expected


def test_wants_json_schema_needs_a_schema_that_must_be_followed() -> None:
    one = slot("wants.json_schema")
    assert value(one, request(options=Options(format=JsonFormat(schema=None)))) == 0
    for strict, expected in ((None, 1), (True, 1), (False, 0)):
        wanted = JsonFormat(schema={}, strict=strict)
        assert value(one, request(options=Options(format=wanted))) == expected


def test_values_are_clamped_to_the_slot() -> None:
    narrow = Slot(feature="tools.count", args=[], type="int", low=1, high=3, classes=[])
    assert value(narrow, request()) == 1
    assert value(narrow, request(tools=("a", "b", "c", "d"))) == 3


# -- clients, tools --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user_agent", "tools", "expected"),
    [
        (None, (), "other"),
        ("coder-cli/2.1 (external)", (), "coder"),
        ("my Coder-CLI/2", (), "other"),
        ("OTHER/1", ("Bash", "Edit", "Read", "Write"), "other-coder"),
        ("x", ("Bash", "Edit", "Read", "Write"), "coder"),
        ("x", ("Bash", "Edit", "Read", "Mine"), "other"),
    ],
)
def test_clients_are_known_by_user_agent_then_tools(
    user_agent: str | None, tools: tuple[str, ...], expected: str
) -> None:
    names = ("other", "coder", "other-coder")
    known = facts(user_agent=user_agent) if user_agent is not None else facts()
    index = value(slot("client", classes=members(*names)), request(user("x"), tools=tools), known)
    assert names[index] == expected


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        ("Bash Edit Read Write", 0),
        ("Bash Edit Read Write Mine", 0),
        ("Bash Edit Read Write Mine Yours", None),
        ("Bash Edit Read", None),
    ],
)
def test_a_client_is_known_by_a_part_of_a_long_baseline(tools: str, expected: int | None) -> None:
    """A version that offers few of the tools its profile lists is that client all the same."""
    older = [f"Older{number}" for number in range(30)]
    profile = Profile(msgspec.structs.replace(CODER, baseline_tools=CODER.baseline_tools + older))
    assert recognise([profile], None, frozenset(tools.split())) == expected


def test_of_two_clients_with_common_tools_the_one_with_more_of_them_is_it() -> None:
    wide = CODER.baseline_tools + [f"tool{number}" for number in range(30)]
    profiles = [
        Profile(msgspec.structs.replace(CODER, baseline_tools=wide)),
        Profile(msgspec.structs.replace(CODER, baseline_tools=[*CODER.baseline_tools, "Ask"])),
    ]
    assert recognise(profiles, None, frozenset([*CODER.baseline_tools, "Ask"])) == 1
    assert recognise(profiles, None, frozenset(CODER.baseline_tools)) == 0


def test_for_an_unknown_client_all_tools_are_added() -> None:
    conversation = request(user("x"), tools=("Bash", "Deploy"))
    assert value(slot("tools.added"), conversation) == 2
    assert value(slot("tools.max_weight"), conversation) == 50
    assert value(slot("tools.mean_weight"), request(user("x"))) == 0


def test_tools_named_is_exact() -> None:
    conversation = request(user("x"), tools=("Bash",))
    assert value(slot("tools.named", "Bash"), conversation) == 1
    assert value(slot("tools.named", "bash"), conversation) == 0


def test_enums_are_members() -> None:
    assert value(slot("dialect", classes=members(*DIALECTS)), request()) == 0
    assert value(slot("surface", classes=members(*reversed(SURFACES))), request()) == 2


# -- strings ---------------------------------------------------------------------------------


def test_a_session_that_nobody_keeps_has_no_tier_and_a_key_no_team() -> None:
    explained = Extractor(
        dispatch(
            slot("session.tier", classes=members("none", "SIMPLE")),
            slot("key.team", classes=string_classes(("literal", "legal"))),
            slot("session.turn"),
        ),
        None,
    ).explain(request(user("Hello")), facts())
    assert [found.shown for found in explained] == ["none", "absent", "0"]


def test_model_classes() -> None:
    one = slot(
        "model",
        classes=string_classes(
            ("literal", "claude-opus"), ("prefix", "claude-"), ("prefix", "claude-haiku")
        ),
    )
    found = [
        value(one, request(model=name))
        for name in ("x", " Claude-Opus ", "claude-sonnet", "claude-haiku-5", "")
    ]
    assert found == [1, 2, 3, 4, 1]


HEADER = slot("header", "X-Data-Class", classes=string_classes(("literal", "confidential")))


def test_header_classes() -> None:
    assert value(HEADER, request()) == 0
    assert value(HEADER, request(), facts(x_data_class="public")) == 1
    assert value(HEADER, request(), facts(x_data_class=" CONFIDENTIAL\t")) == 2
    assert value(HEADER, request(), facts(x_data_class="\u0130")) == 1


@pytest.mark.parametrize(
    "known",
    [
        facts(x_data_class="a", repeated=("x-data-class",)),
        facts(x_data_class=b"\xff".decode("utf-8", "surrogateescape")),
    ],
    ids=["repeated", "not UTF-8"],
)
def test_a_header_without_one_meaning_is_refused(known: RequestFacts) -> None:
    with pytest.raises(RefusedRequest) as caught:
        value(HEADER, request(), known)
    assert caught.value.field == "header x-data-class"
    assert "x-data-class" in caught.value.message


def test_a_repeated_header_nobody_reads_is_no_matter() -> None:
    assert value(HEADER, request(), facts(cookie="a", repeated=("cookie",))) == 0


def test_metadata_classes() -> None:
    classes = string_classes(("literal", "7"), ("literal", "true"), ("literal", "1.5"))
    one = slot("metadata", "team", classes=classes)
    values = ("x", "7", 7, True, 1.5, None, False)
    found = [value(one, request(metadata={"team": entry})) for entry in values]
    assert found == [1, 2, 2, 3, 4, 0, 1]
    assert value(one, request()) == 0


@pytest.mark.parametrize("entry", [{}, [], ["x"]])
def test_metadata_that_is_no_scalar_is_refused(entry: object) -> None:
    one = slot("metadata", "team", classes=string_classes())
    with pytest.raises(RefusedRequest) as caught:
        value(one, request(metadata={"team": entry}))
    assert caught.value.field == "metadata.team"


# -- the whole -------------------------------------------------------------------------------


def every_slot() -> list[Slot]:
    slots = []
    for feature in FEATURES.values():
        match feature.parameter, feature.type:
            case Parameter.TEXT_AND_LEXICON, _:
                slots.append(slot(feature.name, "ask", "greeting"))
            case Parameter.LITERAL, FeatureType.BOOL:
                slots.append(slot(feature.name, "Bash"))
            case Parameter.LITERAL, _:
                slots.append(slot(feature.name, "x", classes=string_classes()))
            case _, FeatureType.ENUM:
                names = feature.members or ("other", "coder", "other-coder")
                slots.append(slot(feature.name, classes=members(*names)))
            case _, FeatureType.STRING:
                slots.append(slot(feature.name, classes=string_classes()))
            case _:
                slots.append(slot(feature.name))
    return slots


@pytest.mark.parametrize("of", [LOOP, request(), request(user(""))], ids=["loop", "none", "blank"])
def test_every_feature_of_the_table_can_be_a_slot(of: Request) -> None:
    slots = every_slot()
    vector = Extractor(dispatch(*slots), TABLES).extract(of, facts())
    assert len(vector) == len(FEATURES)
    assert all(s.low <= v <= s.high for s, v in zip(slots, vector, strict=True))


@pytest.mark.parametrize(
    "ask", ["", 'Is it ("so")? Yes.\n\n```\nx, y\n```', "你好。\u518d\u89c1\uff0c\u00e9"]
)
def test_the_vector_is_the_same_without_the_kernel(
    ask: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = every_slot()
    vector = Extractor(dispatch(*slots), TABLES).extract(request(user(ask)), facts())
    monkeypatch.setattr("lynkrc_runtime.features.native_count", None)
    assert Extractor(dispatch(*slots), TABLES).extract(request(user(ask)), facts()) == vector


def test_unknown_features_and_missing_tables_are_programming_errors() -> None:
    unknown = Slot(feature="ask.mood", args=[], type="int", low=0, high=1, classes=[])
    with pytest.raises(ValueError, match=r"ask\.mood"):
        Extractor(dispatch(unknown), TABLES)
    with pytest.raises(ValueError, match=r"count\(ask, proof\) needs tables"):
        Extractor(dispatch(slot("count", "ask", "proof")), None)
    with pytest.raises(ValueError, match="string slot"):
        Extractor(dispatch(slot("model", classes=members("a"))), TABLES)


def test_a_vector_without_lexicons_needs_no_tables() -> None:
    assert Extractor(dispatch(slot("ask.words")), None).extract(request(user("a b")), facts()) == [
        2
    ]
