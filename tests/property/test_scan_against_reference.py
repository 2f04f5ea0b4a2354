"""The automaton against a slow matcher that walks the pattern tree over folded characters.

The reference knows nothing of bytes, states or chunks: at each position it asks the tree for all
ends of a match, then looks at the characters beside it.
"""

from collections.abc import Iterator
from typing import assert_never

from hypothesis import example, given
from hypothesis import strategies as st

from lynkrc.codegen.tables import tables_of
from lynkrc.lower.patterns import build_automaton
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import (
    Alternation,
    CharClass,
    Gap,
    Literal,
    Pattern,
    PatternNode,
    Repeat,
    Sequence,
)
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc_runtime.scan.engines import KernelName, kernel_name
from lynkrc_runtime.scan.fold import fold, fold_text
from lynkrc_runtime.scan.matcher import Matcher
from tests.property.effort import tried

KERNELS: tuple[KernelName, ...] = (
    ("portable",) if kernel_name() == "portable" else ("portable", "native")
)
SPAN = Span(file=SourceFile(path="-", text=""), start=0, end=0)
DETERMINISTIC = tried(250)


def parse(text: str) -> Pattern:
    pattern, findings = parse_pattern(text, SPAN, None)
    assert pattern is not None, findings
    return pattern


# -- the reference ---------------------------------------------------------------------------


def is_word(char: str) -> bool:
    return char == "_" or char > "\x7f" or (char.isalnum())


WITHOUT_BLANKS = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3000, 0x312F), (0x3190, 0x9FFF)),
    *((0xA9E0, 0xA9FF), (0xAA60, 0xAA7F), (0xF900, 0xFAFF), (0xFF66, 0xFF9F)),
    *((0x1AFF0, 0x1B16F), (0x20000, 0x3FFFF)),
)
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese as docs/language.md lists them."""
ALONE = frozenset(
    char
    for low, high in WITHOUT_BLANKS
    for char in fold_text("".join(map(chr, range(low, high + 1))))
    if char > "\x7f"
)
"""Their letters, marks and digits, folded: words by themselves."""


def can_begin(text: str, at: int) -> bool:
    """Whether a match that keeps to word edges may begin there.

    A word goes on from one word character to the next, where neither is a word by itself.
    """
    if at == 0 or not is_word(text[at - 1]):
        return True
    return any(char in ALONE for char in text[at - 1 : at + 1])


def ends(node: PatternNode, text: str, at: int) -> set[int]:
    match node:
        case Literal(text=literal):
            return {at + len(literal)} if text.startswith(literal, at) else set()
        case Gap():
            found = set()
            for end in range(at + 1, min(at + 8, len(text)) + 1):
                if text[end - 1] not in " \t\n\r\v\f-":
                    break
                found.add(end)
            return found
        case CharClass(ranges=ranges, negated=negated):
            if at == len(text):
                return set()
            inside = any(low <= ord(text[at]) <= high for low, high in ranges)
            return {at + 1} if inside is not negated else set()
        case Sequence(items=items):
            here = {at}
            for item in items:
                here = {end for start in here for end in ends(item, text, start)}
            return here
        case Alternation(options=options):
            return {end for option in options for end in ends(option, text, at)}
        case Repeat(item=item, low=low, high=high):
            here = {at}
            for _ in range(low):
                here = {end for start in here for end in ends(item, text, start)}
            reached = set(here)
            rounds = low
            while here and (high is None or rounds < high):
                here = {end for start in here for end in ends(item, text, start)} - reached
                if high is None:
                    here = {end for end in here if ALONE.isdisjoint(text[at:end])}
                reached |= here
                rounds += 1
            return reached
        case _:
            assert_never(node)


def matches(pattern: Pattern, text: str) -> Iterator[int]:
    for _, end in spans(pattern, text):
        yield end


def spans(pattern: Pattern, text: str) -> Iterator[tuple[int, int]]:
    for start in range(len(text)):
        # Beside what is in no word an edge is needed, too: `c++` is not found in `c++x`.
        if pattern.bounded and not can_begin(text, start):
            continue
        for end in ends(pattern.root, text, start):
            if not pattern.bounded or can_begin(text[::-1], len(text) - end):
                yield start, end


# -- comparison ------------------------------------------------------------------------------


def check(lexicons: list[list[str]], text: str) -> None:
    patterns = [[parse(entry) for entry in lexicon] for lexicon in lexicons]
    folded = fold_text(text)
    assert folded.encode() == fold(text)
    offset = [0]
    for char in folded:
        offset.append(offset[-1] + len(char.encode()))

    expected_matches = set()
    expected_counts = []
    entry = 0
    for lexicon in patterns:
        positions: set[int] = set()
        for pattern in lexicon:
            found = set(matches(pattern, folded))
            positions |= found
            expected_matches |= {(entry, offset[end]) for end in found}
            entry += 1
        expected_counts.append(min(len(positions), 255))

    sizes = [len(lexicon) for lexicon in patterns]
    weights = [3**number for number in range(entry)]
    tables = tables_of(build_automaton(patterns), sizes)
    expected = {number for number, _ in expected_matches}
    for kernel in KERNELS:
        matcher = Matcher(tables, weights, kernel=kernel)
        found_now = matcher.scan(text)
        assert found_now.counts == tuple(expected_counts)
        assert matcher.present(text) == expected
        first = 0
        for number, size in enumerate(sizes):
            own = expected & set(range(first, first + size))
            first += size
            assert found_now.distinct[number] == len(own)
            assert found_now.points[number] == sum(weights[one] for one in own)
    located = matcher.locate(fold(text))
    assert set(located) == expected_matches

    flat = [pattern for lexicon in patterns for pattern in lexicon]
    places = matcher.places(text, fold(text))
    written = [len(fold(text[:index])) for index in range(len(text) + 1)]
    for number, end in located:
        place = places.of(number, end)
        # The last start of a match that ends here, in characters of the text as written.
        start = max(s for s, e in spans(flat[number], folded) if offset[e] == end)
        begins = offset[start]
        assert place.start is not None
        assert written[place.start] <= begins < written[place.start + 1]
        assert written[place.end - 1] < end <= written[place.end]
        assert place.byte_start == len(text[: place.start].encode("utf-8", "surrogatepass"))
        assert place.byte_end == len(text[: place.end].encode("utf-8", "surrogatepass"))


WORDS = (
    *("a", "ab", "abc", "b", "ba", "ß", "ss", "é", "中", "中文", "文", "x1", "don't", "c++"),
    # Thai with a mark, Lao, Khmer, Burmese with a mark, Kana, Han's repetition: words alone.
    *("ที่", "ກ", "ខ", "မြ", "か", "カ", "々"),
    # The same first bytes, or nearly: Hindi, Vietnamese, Georgian, Hangul and its single letters,
    # half-wide Katakana, full-wide Latin, Han beyond the first plane.
    *("कि", "ệ", "ა", "한", "ㅋ", "ｶ", "\uff41", "\U00020000", "e\u0301"),
)
GLUE = (
    "",
    " ",
    "  ",
    "-",
    "\n",
    " - ",
    "→",
    ".",
    "\u2014",
    "\u3000",
    "\u2019",
    "\x00",
    "_",
    "\t" * 8,
    " " * 9,
)

words = st.sampled_from(WORDS)


@st.composite
def plain_entries(draw: st.DrawFn) -> str:
    word = st.sampled_from(
        (
            "a",
            "ab",
            "A",
            "abc?",
            "ba*",
            "ß",
            "É*",
            "中",
            "中文?",
            "x1",
            "don\u2019t",
            "c++",
            "(a|b)",
            "(ab|中)?c",
            "a中",
            "中a*",
            "(a|中|ก)",
            "ที",
            "ខ*",
            "कि*",
            "か",
            "한?ệ*",
            "ㅋ",
            "𠀀",
        )
    )
    parts = draw(st.lists(word, min_size=1, max_size=3))
    glue = draw(st.sampled_from((" ", "-", "|", " ")))
    return draw(st.sampled_from(("", "", "~"))) + glue.join(parts)


regex_entries = st.sampled_from(
    (
        r"/\w{1,3}b/",
        r"/[a-c]+x1/",
        r"/a.b/",
        r"/[^a-z]b/",
        r"/[é-ü]{1,2}\W[ab]/",
        r"/\w+\s\d/",
        r"/(ab|a){1,3}/",
        r"/[ß]b?/",
        r"/[一-龥]{2}/",
        r"/(?:a\s){1,2}\S/",
        r"/\Dx?\d/",
        r"~/\w*文/",
        r"~/[^\w]{1,2}a/",
        r"/a(b(c|é)?)*a/",
        r"/\+{1,2}/",
        r"~/[^a]/",
        r"/[^a]/",
        r"/[a中]?b?[ก-ฮ]/",
        r"/\w+\.?/",
        r"/\w{1,2}/",
        r"/中\w*/",
        r"~/[^ ]{2}[b中]?/",
        r"/(中|a){1,3}-?/",
        r"/[^a-z]{1,2}\w*[中a]/",
        r"/\w*b/",
        r"/(a|\w*)x?\w*c/",
        r"/\w+(\w?.?)/",
    )
)
entries = st.one_of(plain_entries(), plain_entries(), regex_entries)
lexicons = st.lists(st.lists(entries, min_size=1, max_size=4), min_size=1, max_size=3)
texts = st.builds(
    lambda parts: "".join(word + glue for word, glue in parts),
    st.lists(st.tuples(words, st.sampled_from(GLUE)), max_size=25),
)


@DETERMINISTIC
@given(lexicons=lexicons, text=texts)
@example(lexicons=[["~a", "a", "~中"]], text="中a")
@example(lexicons=[["c++", "~+"]], text="c++")
@example(lexicons=[["~é*"], ["a*", "~中*"]], text="é中文 a中文")
@example(lexicons=[["~c++", "c++"], ["~+"]], text="c++ c++")
@example(lexicons=[["gpt模型", "模型"]], text="用gpt模型做 xgpt模型 gpt模型x")
@example(lexicons=[["ab", "~ab"], ["ab*"]], text="abก abक abခ abệ ab中 ab")
@example(lexicons=[["(ab|a中)"], ["~a", "a中"]], text="abက a中x xa中 aab中b")
@example(lexicons=[[r"/\w*b/"], [r"/a?\w*b/", r"/(x|\w*)中?b/"]], text="ab xab. 中ab éab")
@example(lexicons=[[r"/\w+(\w?.?)/"]], text="中ww한→")
def test_the_automaton_finds_what_the_reference_finds(lexicons: list[list[str]], text: str) -> None:
    check(lexicons, text)


@DETERMINISTIC
@given(
    length=st.sampled_from(
        (29, 30, 31, 32, 33, 34, 35, 36, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256, 257)
    ),
    tail=st.sampled_from(("ab", "中", " ab ", "é", "ab c", "ba文")),
    filler=st.sampled_from(("x", "中", " ", "a ", "é-")),
)
def test_matches_around_block_edges_are_found(length: int, tail: str, filler: str) -> None:
    text = (filler * length)[: length - len(tail)] + tail
    check([["ab", "ab c", "~中", "~é"], ["ba*", "~/x{1,3}a/"]], text + "ab")


@DETERMINISTIC
@given(text=st.text(max_size=60))
def test_any_text_can_be_folded_and_scanned(text: str) -> None:
    check([["~中", "a*", "~/[^\\w]a/", "~/\\w{2}/"]], text)
