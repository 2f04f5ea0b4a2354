"""What each ``ask.*`` number counts."""

from collections.abc import Callable

import pytest

from lynkrc_runtime.feature_table import FEATURES
from lynkrc_runtime.scan.engines import Numbers, native_count
from lynkrc_runtime.text_counts import COUNTS, TextCounts

COUNTERS = (None,) if native_count is None else (None, native_count)

CASES = [
    ("ask.bytes", "a\u00e9\u4e2d", 6),
    ("ask.bytes", "lone \ud800", 8),
    ("ask.chars", "a\u00e9\u4e2d", 3),
    ("ask.tokens", "12345678", 2),
    ("ask.words", "", 0),
    ("ask.words", "Don't stop-me now_1", 4),
    ("ask.words", "don\u2019t stop", 2),
    ("ask.words", "na\u00efve caf\u00e9", 2),
    ("ask.words", "\u8bf7\u8bc1\u660e theorem 2", 5),
    ("ask.words", "\u0939\u093f\u0928\u094d\u0926\u0940 \u092d\u093e\u0937\u093e", 2),
    ("ask.words", "\ud55c\uad6d\uc5b4 \ubb38\uc7a5", 2),
    ("ask.sentences", "", 0),
    ("ask.sentences", "One. Two! Three? four", 4),
    ("ask.sentences", "Use v3.14 of a.py", 1),
    ("ask.sentences", "Really?! Yes...", 2),
    ("ask.sentences", "\u4f60\u597d\u3002\u518d\u89c1\uff01", 2),
    ("ask.sentences", "... !!", 0),
    ("ask.sentences", "\u0301", 1),  # a mark alone is a word
    ("ask.sentences", "\u02bc. a", 1),  # an apostrophe is none
    ("ask.sentences", 'He said "no." Fine.', 2),
    ("ask.longest_sentence", "One. Twelve. Six.", 7),
    ("ask.longest_sentence", "", 0),
    ("ask.mean_sentence", "One. Two three.", 7),
    ("ask.mean_sentence", "...", 0),
    ("ask.lines", "a\n\n  \n b\nc", 3),
    ("ask.commas", "a, b\uff0c c\u3001", 3),
    ("ask.periods", "a.b. c\u3002", 3),
    ("ask.numbers", "3.14 and 42 or x7", 4),
    ("ask.parens", "f(x, (y))", 2),
    ("ask.quotes", "\"a\" \u201cb\u201d 'c'", 4),
    ("ask.questions", "a? b\uff1f ??", 4),
    ("ask.code_blocks", "```py\nx\n```\n~~~\ny", 2),
    ("ask.code_blocks", "````\n```\ninside\n````\n", 1),
    ("ask.code_blocks", "inline ``` is none", 0),
    ("ask.distinct_word_pct", "The the cat", 66),
    ("ask.distinct_word_pct", "", 0),
    ("ask.non_ascii_pct", "ab\u4e2d", 33),
    ("ask.non_ascii_pct", "", 0),
    ("ask.last_is_question", "Is it? It is.", 0),
    ("ask.last_is_question", 'It is. Is it "so?"\n', 1),
    ("ask.last_is_question", "\u662f\u5417\uff1f", 1),
]


@pytest.mark.parametrize("count", COUNTERS, ids=lambda count: "native" if count else "python")
@pytest.mark.parametrize(("feature", "text", "value"), CASES)
def test_counts(
    feature: str, text: str, value: int, count: Callable[[str], Numbers] | None
) -> None:
    assert COUNTS[feature](TextCounts(text, count)) == value


def test_every_ask_feature_is_counted() -> None:
    assert set(COUNTS) == {name for name in FEATURES if name.startswith("ask.")}


def test_long_runs_of_stops_are_counted_in_one_go() -> None:
    # Quadratic matching would take minutes here.
    text = "." * 300_000 + "x"
    for count in COUNTERS:
        assert COUNTS["ask.sentences"](TextCounts(text, count)) == 1
        assert COUNTS["ask.longest_sentence"](TextCounts(text, count)) == 300_001
        assert COUNTS["ask.periods"](TextCounts(text, count)) == 300_000


def test_long_text_is_counted_without_the_lock_too() -> None:
    text = "It's one. " * 10_000
    for count in COUNTERS:
        for written in (text, text + "\u00e9"):
            counts = TextCounts(written, count)
            more = written != text
            assert (counts.word_count, counts.sentence_count) == (20_000 + more, 10_000 + more)
            assert counts.longest_sentence == 9
