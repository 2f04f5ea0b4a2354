"""What relates features: facts that hold of the numbers of every request on every surface.

A proof may use them and a witness has to keep them, so each must be true and a missing one shows as
a witness that no request has. They speak of the numbers before clamping; who reads clamped ones
minds the tops (`lynkrc.analysis.relations`). Every number here is at least 0 but `points`.

There are none about ``session.*``, ``budget.*``, headers, the client and what is wanted: these are
any value in range, in any combination.
"""

from dataclasses import dataclass
from typing import TypeAlias, final

from lynkrc_runtime.feature_table import DIALECTS, EMBEDDINGS, OTHER_CLIENT, SURFACES


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """A condition: the feature is at least `low`, and at most `high` where there is one."""

    feature: str
    low: int
    high: int | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AtMost:
    """The sum of `left`, pairs of a factor and a feature, is at most ``factor * right + offset``.

    A feature over literals (``tools.named``) stands for the sum over its literals, one over
    lexicons for each lexicon in `text`.
    """

    left: tuple[tuple[int, str], ...]
    right: str
    factor: int = 1
    offset: int = 0
    where: Within | None = None
    text: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Where `left` is at least `low`, and at most `high` if any, `right` is at least `least`.

    With a `text`, `left` is `OCCURS`: an entry of some lexicon occurs in it. `in_words`: this holds
    of those lexicons alone of which every match has a word character in it.
    """

    left: str
    right: str
    least: int = 1
    low: int = 1
    high: int | None = None
    text: str | None = None
    in_words: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The only pairs of enumerators that `left` and `right` have together."""

    left: str
    right: str
    pairs: tuple[tuple[str, str], ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class On:
    """Where `feature` is `member`, each of `features` lies in ``least..most``.

    For a string, 0 is absent. Nothing occurs in any of the `texts`.
    """

    feature: str
    member: str
    features: tuple[str, ...]
    least: int = 0
    most: int = 0
    texts: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Begins:
    """The string is there and begins so, case folded; `where` is a feature and its member."""

    feature: str
    prefix: str
    where: tuple[str, str] | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """For one text and lexicon, all of these are positive, or none."""

    features: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Weighs:
    """The feature is a sum of weights of entries: of at least one where any occurs, else 0."""

    feature: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The feature is at most the number of the lexicon's entries."""

    feature: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Grows:
    """Over one text, a lexicon with all the entries of another has at least as much of these.

    `repeated`: that depends on how often an entry is in the lexicons, too.
    """

    features: tuple[str, ...]
    repeated: bool = False


Fact: TypeAlias = AtMost | Needs | Pairs | On | Begins | Together | Weighs | Numbers | Grows

OCCURS = "matches"
"""`Needs.left`: something of a lexicon occurs, by whichever of its features that is told."""


def _at_most(left: str, right: str, factor: int = 1, offset: int = 0) -> AtMost:
    return AtMost(left=((1, left),), right=right, factor=factor, offset=offset)


_CHARS, _BYTES, _TOKENS, _WORDS = "ask.chars", "ask.bytes", "ask.tokens", "ask.words"
_SENTENCES, _MEAN, _NON_ASCII = "ask.sentences", "ask.mean_sentence", "ask.non_ascii_pct"
_CONTEXT = "context.tokens"
_MARKS = ("ask.commas", "ask.periods", "ask.parens", "ask.quotes", "ask.questions")
_EMPTY_FOR_EMBEDDINGS = (
    "tools.count",
    "tools.added",
    "tools.max_weight",
    "tools.mean_weight",
    "tools.named",
    "loop.tool_results",
    "loop.tool_errors",
    "loop.steps_since_user",
    "loop.repeats",
    "images.count",
    "documents.count",
    "wants.thinking",
    "wants.json_schema",
    "wants.stream",
    "request.max_tokens",
    "metadata",
)

_SIZES: tuple[Fact, ...] = (
    _at_most(_CHARS, _BYTES),
    _at_most(_BYTES, _CHARS, 4),
    # A CJK character is 3 bytes and 0.6 tokens, any other byte 0.25, rounded up at the end.
    _at_most(_TOKENS, _CHARS),
    AtMost(left=((4, _TOKENS),), right=_BYTES, offset=3),
    _at_most(_BYTES, _TOKENS, 5),
    _at_most(_WORDS, _CHARS),
    # Each mark is a character, and no part of a word or of a number.
    AtMost(left=((1, _WORDS), *((1, mark) for mark in _MARKS)), right=_CHARS),
    AtMost(left=((1, "ask.numbers"), *((1, mark) for mark in _MARKS)), right=_CHARS),
    *(_at_most(mark, _CHARS) for mark in _MARKS),
    # Between two runs of digits, and two lines, stands a character.
    AtMost(left=((2, "ask.numbers"),), right=_CHARS, offset=1),
    AtMost(left=((2, "ask.lines"),), right=_CHARS, offset=1),
    Needs(left=_CHARS, right="ask.lines"),
    Needs(left="ask.numbers", right=_WORDS),
    # A fence of three on a line of its own opens a block, and another closes all but the last.
    AtMost(left=((2, "ask.code_blocks"),), right="ask.lines", offset=1),
    AtMost(left=((8, "ask.code_blocks"),), right=_CHARS, offset=5),
    _at_most("ask.last_is_question", "ask.questions"),
)
_SENTENCE_SIZES: tuple[Fact, ...] = (
    # A sentence has a word in it, and no two share one.
    _at_most(_SENTENCES, _WORDS),
    Needs(left=_WORDS, right=_SENTENCES),
    _at_most("ask.longest_sentence", _CHARS),
    AtMost(left=((1, "ask.longest_sentence"), (1, _SENTENCES)), right=_CHARS, offset=1),
    Needs(left=_SENTENCES, right="ask.longest_sentence"),
    Needs(left="ask.longest_sentence", right=_SENTENCES),
    # Characters of the whole ask by sentence.
    _at_most(_MEAN, _CHARS),
    Needs(left=_MEAN, right=_SENTENCES),
    Needs(left=_SENTENCES, right=_MEAN),
    AtMost(left=((1, _CHARS),), right=_MEAN, where=Within(feature=_SENTENCES, low=1, high=1)),
    *(
        AtMost(left=((n, _MEAN),), right=_CHARS, where=Within(feature=_SENTENCES, low=n))
        for n in (2, 5, 10, 50)
    ),
)
_SHARES: tuple[Fact, ...] = (
    Needs(left="ask.distinct_word_pct", right=_WORDS),
    # One distinct word in n at least.
    *(
        Needs(left=_WORDS, low=1, high=n, right="ask.distinct_word_pct", least=100 // n)
        for n in (1, 2, 5, 10, 100)
    ),
    # A character outside ASCII has two bytes or more.
    AtMost(left=((1, _CHARS),), right=_BYTES, offset=-1, where=Within(feature=_NON_ASCII, low=1)),
    AtMost(left=((3, _CHARS),), right=_BYTES, factor=2, where=Within(feature=_NON_ASCII, low=50)),
    AtMost(left=((2, _CHARS),), right=_BYTES, where=Within(feature=_NON_ASCII, low=100)),
    Needs(left=_NON_ASCII, right=_CHARS),
    Needs(left=_NON_ASCII, right=_BYTES, least=2),
)
_CONVERSATION: tuple[Fact, ...] = (
    AtMost(left=((4, "messages.count"), (1, "images.count"), (1, "tools.count")), right=_CONTEXT),
    *(
        Needs(left=left, right=_CONTEXT, least=4)
        for left in ("documents.count", "loop.tool_results", "loop.repeats")
    ),
    # A system message may hold pictures and results, too, and is not counted.
    Needs(left="images.count", right=_CONTEXT, least=5),
    # A break between two blocks adds a quarter of a token, a message four tokens.
    AtMost(
        left=((4, _TOKENS),),
        right=_CONTEXT,
        factor=5,
        offset=-18,
        where=Within(feature=_TOKENS, low=1),
    ),
    Needs(left=_CHARS, right="turns"),
    # Something was answered between two turns.
    AtMost(left=((2, "turns"), (1, "loop.steps_since_user")), right="messages.count", offset=1),
    AtMost(left=((1, "turns"), (1, "loop.steps_since_user")), right="messages.count"),
    AtMost(left=((2, "turns"),), right="messages.count", offset=1),
    _at_most("loop.steps_since_user", "messages.count"),
    _at_most("loop.tool_errors", "loop.tool_results"),
)
_TOOLS: tuple[Fact, ...] = (
    _at_most("tools.added", "tools.count"),
    _at_most("tools.named", "tools.count"),
    _at_most("tools.mean_weight", "tools.max_weight"),
    Needs(left="tools.max_weight", right="tools.added"),
    AtMost(
        left=((1, "tools.max_weight"),),
        right="tools.mean_weight",
        where=Within(feature="tools.added", low=1, high=1),
    ),
    # Without a profile (`other`, the first member) no tool is usual, and each weighs the same.
    AtMost(
        left=((1, "tools.count"),),
        right="tools.added",
        where=Within(feature="client", low=0, high=0),
    ),
    On(
        feature="client",
        member=OTHER_CLIENT,
        features=("tools.max_weight", "tools.mean_weight"),
        most=50,
    ),
)
_SURFACES: tuple[Fact, ...] = (
    Pairs(
        left="surface",
        right="dialect",
        pairs=(*zip(SURFACES, DIALECTS, strict=True), (EMBEDDINGS, "openai-chat")),
    ),
    # The texts come as one message of the user, and the name as that of the declared target.
    On(
        feature="surface",
        member=EMBEDDINGS,
        features=_EMPTY_FOR_EMBEDDINGS,
        texts=("history", "envelope"),
    ),
    On(feature="surface", member=EMBEDDINGS, features=("messages.count",), least=1, most=1),
    On(feature="surface", member=EMBEDDINGS, features=("turns",), most=1),
    Begins(feature="model", prefix=""),
    Begins(feature="model", prefix="lynkr/", where=("surface", EMBEDDINGS)),
)
_OCCURRENCES: tuple[Fact, ...] = (
    Together(features=("count", "matches", "distinct")),
    Weighs(feature="points"),
    Numbers(feature="distinct"),
    Grows(features=("count", "matches")),
    Grows(features=("distinct",), repeated=True),
    Needs(left=OCCURS, text="ask", right=_CHARS),
    Needs(left=OCCURS, text="ask", right=_WORDS, in_words=True),
    Needs(left=OCCURS, text="history", right=_CONTEXT, least=5),
    Needs(left=OCCURS, text="history", right="messages.count"),
    # Blank texts make a line break between them, and no token.
    Needs(left=OCCURS, text="envelope", right=_CONTEXT, in_words=True),
    # Folding makes three characters of one at most.
    AtMost(left=((1, "count"),), text="ask", right=_CHARS, factor=3),
)

FACTS: tuple[Fact, ...] = (
    *_SIZES,
    *_SENTENCE_SIZES,
    *_SHARES,
    *_CONVERSATION,
    *_TOOLS,
    *_SURFACES,
    *_OCCURRENCES,
)
"""Every fact; `tests/property/test_facts_hold.py` holds each against the extractor."""
