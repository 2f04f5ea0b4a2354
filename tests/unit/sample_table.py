"""A hand-written RouteTable with one of everything, and short builders of its parts.

The worked example of the language: four tiers, three targets of three trust levels, a rule for
each effect, weighted terms, pins, needs.
"""

from dataclasses import replace
from typing import Any

import msgspec

from lynkrc.ir.automaton import Automaton
from lynkrc.ir.guard import (
    ALWAYS,
    NEVER,
    And,
    BoolSlot,
    ClassTest,
    Compare,
    Guard,
    IntCompare,
    IntConst,
    IntExpr,
    IntRamp,
    IntSaturate,
    IntSelect,
    IntSlot,
    IntSteps,
    IntSum,
    Not,
    Or,
    SlotId,
)
from lynkrc.ir.table import (
    Call,
    Chain,
    ChainId,
    Client,
    Definition,
    Deny,
    Dimension,
    Entry,
    Keep,
    Lexicon,
    LexiconId,
    Need,
    Otherwise,
    Pick,
    Pin,
    Provider,
    RouteTable,
    Rule,
    RuleId,
    Slot,
    SlotType,
    StringClass,
    Target,
    TargetId,
    Tier,
    TierId,
)
from lynkrc.source.text import SourceFile, Span
from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.settings import Settings

SPEC = b"version: 1\nname: acme-coding\nrules: []\n"
FILE = SourceFile(path="routing.yaml", text=SPEC.decode())
SPAN = Span(file=FILE, start=11, end=15)


def integer(slot: int) -> IntExpr:
    return IntSlot(slot=SlotId(slot))


def flag(slot: int) -> Guard:
    return BoolSlot(slot=SlotId(slot))


def compare(slot: int, op: str, literal: int) -> Guard:
    return IntCompare(op=Compare(op), left=integer(slot), right=IntConst(value=literal))


def is_class(slot: int, *classes: int) -> Guard:
    return ClassTest(slot=SlotId(slot), classes=classes)


def rule(number: int, name: str, guard: Guard, source: str, **effects: Any) -> Rule:
    none = dict.fromkeys(
        ("deny", "respond", "tier", "floor", "ceiling", "add64", "require", "chain", "prefer")
    )
    return Rule(
        id=RuleId(number),
        name=name,
        guard=guard,
        source=source,
        require_source=effects.pop("require_source", ""),
        span=SPAN,
        **{**none, **effects},
    )


def number_slot(number: int, feature: str, high: int, *args: str) -> Slot:
    return Slot(id=SlotId(number), feature=feature, args=args, type=SlotType.INT, low=0, high=high)


def bool_slot(number: int, feature: str, *args: str) -> Slot:
    return Slot(id=SlotId(number), feature=feature, args=args, type=SlotType.BOOL, low=0, high=1)


def class_slot(number: int, feature: str, *literals: str, args: tuple[str, ...] = ()) -> Slot:
    classes = (
        StringClass(kind="absent"),
        StringClass(kind="other"),
        *(StringClass(kind="literal", text=text) for text in literals),
    )
    return Slot(
        id=SlotId(number),
        feature=feature,
        args=args,
        type=SlotType.CLASS,
        low=0,
        high=len(classes) - 1,
        classes=classes,
    )


def target(number: int, name: str, provider: str, trust: str, context: int, *can: str) -> Target:
    return Target(
        id=TargetId(number),
        name=name,
        provider=provider,
        model=f"{name}-model",
        trust=trust,
        context=context,
        max_output=8192,
        capabilities=can,
        price=("0.15", "0.6", "0.15", "0.15") if trust == "cloud" else None,
        shape="{}",
        dialect=None,
        on_loss="warn",
        span=SPAN,
    )


def provider(name: str, kind: str, trust: str, **facts: Any) -> Provider:
    absent = "base_url api_key connect first_event idle total retries backoff max_backoff simulate"
    none = dict.fromkeys(absent.split())
    rest = msgspec.json.encode(ProviderSettings(), order="sorted").decode()
    return Provider(name=name, kind=kind, trust=trust, headers=(), rest=rest, **{**none, **facts})


def chain(number: int, name: str, *targets: int) -> Chain:
    """A chain of single targets."""
    groups = tuple((TargetId(target),) for target in targets)
    return Chain(id=ChainId(number), name=name, groups=groups, pick=Pick.ORDER, weights=())


def tiny_automaton(entries: int) -> Automaton:
    """Two states; entering the second confirms every entry. Enough where nothing is scanned."""
    return Automaton(
        classes=2,
        byte_class=bytes([0] * 255 + [1]),
        transitions=(0, 1, 0, 1),
        accepts=((), tuple(range(entries))),
    )


def entries(*patterns: str) -> tuple[Entry, ...]:
    return tuple(Entry(pattern=pattern, weight64=64) for pattern in patterns)


SLOTS = (
    number_slot(0, "ask.words", 16_777_215),
    bool_slot(1, "matches", "ask", "greeting"),
    number_slot(2, "count", 255, "ask", "audit"),
    number_slot(3, "loop.tool_results", 65_535),
    class_slot(4, "header", "confidential", args=("x-data-class",)),
    number_slot(5, "images.count", 65_535),
    number_slot(6, "tools.count", 65_535),
    number_slot(7, "context.tokens", 16_777_215),
    number_slot(8, "count", 255, "ask", "proof"),
    Slot(
        id=SlotId(9),
        feature="points",
        args=("ask", "weights"),
        type=SlotType.FIXED,
        low=-(16_777_215 * 64),
        high=16_777_215 * 64,
    ),
    class_slot(10, "model", "lynkr/complex", "lynkr/small", "house-best"),
    bool_slot(11, "wants.stream"),
    number_slot(12, "ask.mean_sentence", 16_777_215),
)
WORDS, GREETS, AUDIT, RESULTS, DATA, IMAGES, TOOLS, TOKENS, PROOF, TERMS, MODEL, STREAM, MEAN = (
    range(13)
)

EFFORT = IntSum(
    terms=(
        IntSteps(x=integer(RESULTS), pairs=((1, 10), (3, 20), (6, 30))),
        IntSelect(
            condition=compare(AUDIT, ">", 0), then=IntConst(value=25), otherwise=IntConst(value=0)
        ),
        IntSteps(x=integer(TOOLS), pairs=((4, 8), (11, 25))),
    )
)
"""A named feature of a spec, used more than once."""


def hard_work(op: str, literal: int) -> Guard:
    return IntCompare(op=Compare(op), left=EFFORT, right=IntConst(value=literal))


def keeps(*guards: Guard) -> tuple[Keep, ...]:
    return tuple(Keep(target=TargetId(i), guard=guard) for i, guard in enumerate(guards))


RULES = (
    rule(0, "no-secrets", is_class(DATA, 1), 'header("x-data-class") not in ["confidential"]',
         deny=Deny(status=403, message="say what class the data has")),
    rule(1, "greetings", And(operands=(compare(WORDS, "<=", 4), flag(GREETS))),
         "ask.words <= 4 and matches(ask, greeting)", tier=TierId(0)),
    rule(2, "audits", compare(AUDIT, ">", 2), "count(ask, audit) > 2", tier=TierId(3)),
    rule(3, "long-loops", compare(RESULTS, ">", 5), "loop.tool_results > 5", floor=TierId(2)),
    rule(4, "stay-home", is_class(DATA, 2), "confidential", ceiling=TierId(2),
         require=keeps(ALWAYS, NEVER, ALWAYS), require_source="target.trust != cloud"),
    rule(5, "builtin/hard-work", hard_work(">=", 40), "effort >= 40",
         floor=TierId(3), add64=35 * 64),
    rule(6, "builtin/some-work",
         And(operands=(hard_work(">=", 20), Not(operand=hard_work(">=", 40)))),
         "effort >= 20 and not effort >= 40", floor=TierId(1), add64=-160),
    rule(7, "chatty", Or(operands=(flag(STREAM), compare(WORDS, ">", 5000))),
         "wants.stream or ask.words > 5000",
         require=keeps(compare(WORDS, "<", 9000), ALWAYS, ALWAYS),
         require_source="target.context > 200k or ask.words < 9000"),
)  # fmt: skip

TABLE = RouteTable(
    name="acme-coding",
    trust_levels=("local", "internal", "cloud"),
    slots=SLOTS,
    lexicons=(
        Lexicon(id=LexiconId(0), name="greeting", entries=entries("hi|hello", "thanks"), first=0),
        Lexicon(id=LexiconId(1), name="audit", entries=entries("security audit*"), first=2),
        Lexicon(id=LexiconId(2), name="proof", entries=entries("prove that"), first=3),
        Lexicon(
            id=LexiconId(3),
            name="weights",
            entries=(Entry(pattern="prove*", weight64=224), Entry(pattern="hi", weight64=-96)),
            first=4,
        ),
    ),
    automaton=tiny_automaton(6),
    clients=(
        Client(
            name="claude-code",
            user_agent=("claude-cli/",),
            injected_tags=("system-reminder",),
            injected_prefixes=("Caveat: ",),
            injected_wrappers=(),
            baseline_tools=("Bash", "Read"),
            tool_weights=(("Bash", 90), ("Agent", 40)),
            ordinary=None,
        ),
    ),
    providers=(
        provider("ollama", "ollama", "local", base_url="${OLLAMA:-http://localhost:11434}"),
        provider("openai", "openai", "cloud", api_key="${OPENAI_API_KEY}", retries=2),
        provider("anthropic", "anthropic", "internal", api_key="${ANTHROPIC_API_KEY}", idle=30.5),
    ),
    targets=(
        target(0, "small", "ollama", "local", 128_000, "tools"),
        target(1, "mid", "openai", "cloud", 128_000, "tools", "vision"),
        target(2, "big", "anthropic", "internal", 1_000_000, "tools", "vision", "thinking"),
    ),
    chains=(
        chain(0, "SIMPLE", 0, 1),
        chain(1, "MEDIUM", 1, 2),
        chain(2, "COMPLEX", 2, 1),
        chain(3, "REASONING", 2),
        chain(4, "pin:small", 0),
    ),
    tiers=(
        Tier(id=TierId(0), name="SIMPLE", up_to=25, chain=ChainId(0), span=SPAN),
        Tier(id=TierId(1), name="MEDIUM", up_to=50, chain=ChainId(1), span=SPAN),
        Tier(id=TierId(2), name="COMPLEX", up_to=75, chain=ChainId(2), span=SPAN),
        Tier(id=TierId(3), name="REASONING", up_to=None, chain=ChainId(3), span=SPAN),
    ),
    pins=(
        Pin(pattern="lynkr/COMPLEX", guard=is_class(MODEL, 2), tier=TierId(2), chain=None),
        Pin(pattern="lynkr/small", guard=is_class(MODEL, 3), tier=None, chain=ChainId(4)),
        Pin(pattern="house-best", guard=is_class(MODEL, 4), tier=TierId(3), chain=None),
    ),
    needs=(
        Need(
            name="vision",
            guard=compare(IMAGES, ">", 0),
            met_by=(TargetId(1), TargetId(2)),
        ),
        Need(name="context 128000", guard=compare(TOKENS, ">", 123_904), met_by=(TargetId(2),)),
        Need(name="context 1000000", guard=compare(TOKENS, ">", 995_904), met_by=()),
    ),
    rules=RULES,
    definitions=(
        Definition(name="confidential", source='header("x-data-class") == "confidential"'),
    ),
    dimensions=(
        Dimension(
            name="proof",
            weight64=40 * 64,
            value=IntSaturate(x=integer(PROOF), full=2),
            terms=None,
            source="saturate(count(ask, proof), 2)",
            span=SPAN,
        ),
        Dimension(
            name="builtin/length",
            weight64=30 * 64 + 32,
            value=IntRamp(x=integer(MEAN), low=10, high=200),
            terms=None,
            source="ramp(ask.mean_sentence, 10, 200)",
            span=SPAN,
        ),
        Dimension(
            name="effort",
            weight64=20 * 64,
            value=IntSum(terms=(EFFORT, EFFORT)),
            terms=None,
            source="effort + effort",
            span=SPAN,
        ),
        Dimension(
            name="terms",
            weight64=0,
            value=None,
            terms=SlotId(TERMS),
            source="points(ask, weights)",
            span=SPAN,
        ),
    ),
    offset64=-128,
    otherwise=Otherwise.ESCALATE,
    models=("auto", "lynkr/COMPLEX", "lynkr/small", "house-best"),
    calls=(
        *(
            Call(surface=surface, call=call, source="decision")
            for surface in ("messages", "chat", "responses")
            for call in ("primary", "retry", "failover", "fix-up")
        ),
        Call(surface="embeddings", call="primary", source="decision"),
        Call(surface="embeddings", call="retry", source="decision"),
        Call(surface="messages", call="count_tokens", source="local"),
        Call(surface="responses", call="count_tokens", source="local"),
    ),
    settings=msgspec.json.encode(Settings(), order="sorted").decode(),
    assertions=(),
)


def vector(**values: int) -> list[int]:
    """A vector of the sample table; slots by feature name without dots: ``ask_words=3``."""
    names = {
        "words": WORDS, "greets": GREETS, "audit": AUDIT, "results": RESULTS, "data": DATA,
        "images": IMAGES, "tools": TOOLS, "tokens": TOKENS, "proof": PROOF, "terms": TERMS,
        "model": MODEL, "stream": STREAM, "mean": MEAN,
    }  # fmt: skip
    found = [0] * len(SLOTS)
    for name, value in values.items():
        found[names[name]] = value
    return found


def with_otherwise(otherwise: Otherwise) -> RouteTable:
    return replace(TABLE, otherwise=otherwise)
