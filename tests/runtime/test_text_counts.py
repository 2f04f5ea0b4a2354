"""What each ``ask.*`` number counts."""

import pytest

from lynkrc_runtime.feature_table import FEATURES
from lynkrc_runtime.scan.engines import native_count
from lynkrc_runtime.text_counts import COUNTS, MEASURED, TextCounts, counts_of

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
    ("ask.lines", "\u4e2d\n\u2003\n\x85\r\x1c\n.\u2028x\n", 2),
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


def counted(feature: str, text: str) -> list[int]:
    """In Python, and by the kernel where it counts this."""
    values = [COUNTS[feature](TextCounts(text))]
    if native_count is not None and feature in MEASURED:
        values.append(native_count(text)[MEASURED[feature]])
    return values


@pytest.mark.parametrize(("feature", "text", "value"), CASES)
def test_counts(feature: str, text: str, value: int) -> None:
    assert set(counted(feature, text)) == {value}
    assert counts_of(text)[feature] == value


def test_every_ask_feature_is_counted() -> None:
    assert set(COUNTS) == {name for name in FEATURES if name.startswith("ask.")}


def test_long_runs_of_stops_are_counted_in_one_go() -> None:
    # Quadratic matching would take minutes here.
    text = "." * 300_000 + "x"
    assert set(counted("ask.sentences", text)) == {1}
    assert set(counted("ask.longest_sentence", text)) == {300_001}
    assert set(counted("ask.periods", text)) == {300_000}


def test_long_text_is_counted_without_the_lock_too() -> None:
    text = "It's one. " * 10_000
    for written, more in ((text, 0), (text + "\u00e9", 1)):
        assert set(counted("ask.words", written)) == {20_000 + more}
        assert set(counted("ask.sentences", written)) == {10_000 + more}
        assert set(counted("ask.longest_sentence", written)) == {9}
        assert set(counted("ask.chars", written)) == {100_000 + more}


@pytest.mark.parametrize("mark", ["`", "~"])
def test_a_text_without_a_fence_has_no_block(mark: str) -> None:
    assert counted("ask.code_blocks", f"{mark}x{mark} {mark * 2}\n{mark * 2}") == [0]
    assert counted("ask.code_blocks", f"{mark}\n{mark * 3}\nx\n{mark * 3} {mark}") == [1]
