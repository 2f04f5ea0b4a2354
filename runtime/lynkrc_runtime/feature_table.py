"""The only definition of features: name, type, range, provenance. The compiler imports it.

A decision reads a vector of integers, one a slot. This table says which features exist, what their
integer means and the range it is clamped to; the top of a range means "this or more".
`lynkrc_runtime.features` computes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import final


class FeatureType(Enum):
    """What the feature is in an expression."""

    BOOL = "bool"
    INT = "int"
    FIXED = "fixed"
    """A number counted in 1/64."""
    STRING = "string"
    ENUM = "enum"


class Provenance(Enum):
    """Which part of a request a feature reads; part of its type (design: "Features")."""

    ASK = "ask"
    ENVELOPE = "envelope"
    HISTORY = "history"
    LOOP = "loop"
    REQUEST = "request"
    CALLER = "caller"
    SESSION = "session"
    """What the gateway remembers; for proofs any value in range."""


class Parameter(Enum):
    """What a parameterised feature is applied to."""

    NONE = "none"
    TEXT_AND_LEXICON = "text, lexicon"
    LITERAL = "string literal"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature. `low..high` is inclusive, in the unit named by `doc`; strings have 0..0."""

    name: str
    type: FeatureType
    provenance: Provenance
    low: int = 0
    high: int = 0
    parameter: Parameter = Parameter.NONE
    members: tuple[str, ...] = ()
    """Enumerators, where the table fixes them; ``client`` and ``session.tier`` take them from the
    spec."""
    doc: str = ""


FIXED_UNIT = 64
"""Fixed-point features and weights count 1/64."""

BIG = 16_777_215  # texts and token counts: 2**24 - 1
MANY = 65_535
FEW = 255

SURFACES = ("messages", "chat", "responses")
"""Where conversations come in."""
EMBEDDINGS = "embeddings"
"""Where texts come in whose target is declared, not decided."""
DIALECTS = ("anthropic-messages", "openai-chat", "openai-responses")
TEXTS: Mapping[str, Provenance] = MappingProxyType(
    {
        "ask": Provenance.ASK,
        "history": Provenance.HISTORY,
        "envelope": Provenance.ENVELOPE,
    }
)
"""What `count`, `matches`, `distinct` and `points` may read."""

NO_TIER = "none"
"""The enumerator of `session.tier` before a session has one; always the first."""

OTHER_CLIENT = "other"
"""The enumerator of `client` when no profile matches; always the first."""


def _int(name: str, provenance: Provenance, high: int, doc: str) -> Feature:
    return Feature(name=name, type=FeatureType.INT, provenance=provenance, high=high, doc=doc)


def _bool(name: str, provenance: Provenance, doc: str) -> Feature:
    return Feature(name=name, type=FeatureType.BOOL, provenance=provenance, high=1, doc=doc)


def _over_lexicon(name: str, type_: FeatureType, high: int, doc: str) -> Feature:
    # The provenance of these is that of the text they read; ASK stands for "see the argument".
    return Feature(
        name=name,
        type=type_,
        provenance=Provenance.ASK,
        low=-(BIG * FIXED_UNIT) if type_ is FeatureType.FIXED else 0,
        high=high,
        parameter=Parameter.TEXT_AND_LEXICON,
        doc=doc,
    )


def _string(name: str, provenance: Provenance, parameter: Parameter, doc: str) -> Feature:
    return Feature(
        name=name, type=FeatureType.STRING, provenance=provenance, parameter=parameter, doc=doc
    )


_ASK, _ENV = Provenance.ASK, Provenance.ENVELOPE
_LOOP, _REQ, _SESSION = Provenance.LOOP, Provenance.REQUEST, Provenance.SESSION

_ALL: tuple[Feature, ...] = (
    _int("ask.bytes", _ASK, BIG, "UTF-8 bytes of the ask, which is trimmed"),
    _int("ask.chars", _ASK, BIG, "code points"),
    _int("ask.tokens", _ASK, BIG, "estimated tokens: UTF-8 bytes / 4, corrected for CJK"),
    _int("ask.words", _ASK, BIG, "words; in scripts without blanks each character is one"),
    _int("ask.sentences", _ASK, MANY, "sentences (ended by . ! ? or a CJK stop, or the end)"),
    _int("ask.longest_sentence", _ASK, BIG, "characters of the longest sentence"),
    _int("ask.mean_sentence", _ASK, BIG, "characters / sentences, rounded down; 0 when empty"),
    _int("ask.lines", _ASK, BIG, "lines with something on them"),
    _int("ask.commas", _ASK, BIG, "commas"),
    _int("ask.periods", _ASK, BIG, "full stops"),
    _int("ask.numbers", _ASK, BIG, "runs of digits"),
    _int("ask.parens", _ASK, BIG, "opening round brackets"),
    _int("ask.quotes", _ASK, BIG, "double quotation marks, straight or curly"),
    _int("ask.questions", _ASK, BIG, "question marks"),
    _int("ask.code_blocks", _ASK, MANY, "fenced code blocks"),
    _int("ask.distinct_word_pct", _ASK, 100, "100 * distinct folded words / words; 0 when empty"),
    _int("ask.non_ascii_pct", _ASK, 100, "100 * non-ASCII code points / code points"),
    _bool("ask.last_is_question", _ASK, "the last sentence ends with a question mark"),
    _over_lexicon("count", FeatureType.INT, FEW, "positions where some entry's match ends"),
    _over_lexicon("matches", FeatureType.BOOL, 1, "some entry occurs"),
    _over_lexicon("distinct", FeatureType.INT, MANY, "entries that occur"),
    _over_lexicon("points", FeatureType.FIXED, BIG * FIXED_UNIT, "weights of the entries present"),
    _int("context.tokens", _REQ, BIG, "estimated input tokens of the whole request"),
    _int("messages.count", _REQ, MANY, "messages, system ones not counted"),
    _int("turns", _REQ, MANY, "turns with words, images or documents of the user"),
    _int("tools.count", _ENV, MANY, "tools offered"),
    _int("tools.added", _ENV, MANY, "tools offered beyond the client's baseline"),
    _int("tools.max_weight", _ENV, 100, "greatest weight of a tool beyond the baseline"),
    _int("tools.mean_weight", _ENV, 100, "mean weight of the tools beyond the baseline, floor"),
    Feature(
        name="tools.named",
        type=FeatureType.BOOL,
        provenance=_ENV,
        high=1,
        parameter=Parameter.LITERAL,
        doc="a tool of exactly this name is offered",
    ),
    _int("loop.tool_results", _LOOP, MANY, "tool results since the user last wrote"),
    _int("loop.tool_errors", _LOOP, MANY, "of these, marked as errors"),
    _int("loop.steps_since_user", _LOOP, MANY, "assistant messages since the user last wrote"),
    _int(
        "loop.repeats",
        _LOOP,
        MANY,
        "tool calls since then equal in name and input to an earlier one",
    ),
    _int("images.count", _REQ, MANY, "images anywhere in the conversation"),
    _int("documents.count", _REQ, MANY, "documents anywhere in the conversation"),
    _bool("wants.thinking", _REQ, "thinking or reasoning effort is asked for"),
    _bool(
        "wants.json_schema", _REQ, "the answer must follow a JSON schema; not where strict is false"
    ),
    _bool("wants.stream", _REQ, "the answer is to be streamed"),
    _int("request.max_tokens", _REQ, BIG, "output limit the client set; 0 when it set none"),
    Feature(
        name="client",
        type=FeatureType.ENUM,
        provenance=Provenance.CALLER,
        doc="the client profile that matched, else other",
    ),
    Feature(
        name="dialect",
        type=FeatureType.ENUM,
        provenance=_REQ,
        members=DIALECTS,
        doc="the dialect the client speaks",
    ),
    Feature(
        name="surface",
        type=FeatureType.ENUM,
        provenance=_REQ,
        members=(*SURFACES, EMBEDDINGS),
        doc="the endpoint the request came to",
    ),
    _string("model", _REQ, Parameter.NONE, "the model name the client asked for"),
    _string("header", Provenance.CALLER, Parameter.LITERAL, "a request header"),
    _string("metadata", _REQ, Parameter.LITERAL, "a member of the body's metadata"),
    _string("key.team", Provenance.CALLER, Parameter.NONE, "the team of the caller's key"),
    _string("key.tenant", Provenance.CALLER, Parameter.NONE, "the tenant of the caller's key"),
    _int("session.turn", _SESSION, MANY, "user turns of the session before this one"),
    Feature(
        name="session.tier",
        type=FeatureType.ENUM,
        provenance=_SESSION,
        doc="the tier of the session's last turn, else none",
    ),
    _int("session.warm_tokens", _SESSION, BIG, "tokens of the session in a provider's cache"),
    _int("budget.used_pct", _SESSION, 1_000, "spent of the budget nearest to its end, in percent"),
)

FEATURES: Mapping[str, Feature] = MappingProxyType({feature.name: feature for feature in _ALL})
"""Every feature by name."""

CAPABILITIES: tuple[str, ...] = (
    "tools",
    "parallel_tools",
    "vision",
    "documents",
    "json_schema",
    "thinking",
    "prompt_cache",
)
"""What a target can do; also `target.<capability>` in requirements."""
