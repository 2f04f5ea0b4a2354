"""The ask's text to the numbers that ``ask.*`` features report.

Each number is worked out when it is first read; what several need (words, sentences) is shared.
Most of them are counted in C, in one go, where that is built (`scan/counts.c`); what is here means
the same. What is only counted is never cut out: every character becomes a mark of its kind, by one
table, and where words begin and sentences end are pairs of marks, which are counted at the speed of
a search.

>>> counts = TextCounts("Don't stop. It's v2.0!")
>>> counts.word_count, counts.sentence_count, counts.words
(5, 2, ["don't", 'stop', "it's", 'v2', '0'])
"""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import final

from msgspec import Struct

from lynkrc_runtime.once import once
from lynkrc_runtime.protocol.estimate import estimate_text
from lynkrc_runtime.scan.edges import ALONE
from lynkrc_runtime.scan.engines import native_count
from lynkrc_runtime.scan.fold import fold_text

# Of scripts without blanks between words; in folded text, as all below that reads it.
_NO_BLANKS = "".join(f"{chr(low)}-{chr(high)}" for low, high in ALONE)
# In folded text all above ASCII are word characters. An apostrophe inside a word belongs to it.
_LETTER = f"(?:[0-9a-z_]|[^\\x00-\\x7f{_NO_BLANKS}])"
_WORD = re.compile(f"[{_NO_BLANKS}]|{_LETTER}+(?:'{_LETTER}+)*")
_ASCII_WORD = re.compile("[0-9a-z_]+(?:'[0-9a-z_]+)*")
_QUESTION_MARKS = ("?", "\uff1f", "\u061f")  # ASCII, full width, Arabic
_COMMAS = ",\uff0c\u3001\u060c"  # ASCII, full width, ideographic, Arabic
_PERIODS = ".\u3002\uff0e"  # ASCII, ideographic, full width
_QUOTES = '"\u201c\u201d\u201e\uff02'  # straight, curly, low, full width
_OPEN_PARENS = "(\uff08"
_CLOSING = " \t\r\n\"')]\u2019\u201d\u300d\u300f\uff09"  # what may follow a sentence's stop
_IDEOGRAPHIC_STOPS = frozenset("\u3002\uff01\uff1f\uff61\uff0e")
_STOPS = re.compile(f"[.!?{''.join(sorted(_IDEOGRAPHIC_STOPS))}]+")
_ASCII_STOPS = re.compile("[.!?]+")
_LINE = re.compile(r"\S[^\n]*")
_DIGITS = re.compile(r"\d+")
_ASCII_DIGITS = re.compile("[0-9]+")
_NO_BLANK_RUN = re.compile(f"[{_NO_BLANKS}]+")
_SURE_WORD = re.compile("[^\\W\u02bc]")  # an apostrophe that counts as a letter is none
_FENCE = re.compile(r"^[ \t]{0,3}(`{3,}|~{3,})", re.MULTILINE)

_IN_WORDS = frozenset(b"0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def _marks(kinds: Mapping[int, str]) -> bytes:
    """A table of `bytes.translate`: a letter of a word to ``w``, others to a mark or a blank."""
    marks = bytearray(b" " * 256)
    for code, mark in [*((code, "w") for code in _IN_WORDS), *kinds.items()]:
        marks[code] = ord(mark)
    return bytes(marks)


_WORD_MARKS = _marks({ord("'"): "'"})
_SENTENCE_MARKS = _marks(
    {code: "x" for code in range(128) if not (chr(code).isspace() or chr(code) in _CLOSING)}
    | {ord(stop): "." for stop in ".!?"}
    | {code: "w" for code in _IN_WORDS}
)
"""A blank stands for all that may follow a stop."""


@final
class TextCounts(Struct, dict=True, eq=False):
    """Numbers about one text, counted in Python."""

    text: str

    @once
    def size(self) -> int:
        """UTF-8 bytes."""
        text = self.text
        return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))

    @once
    def words(self) -> list[str]:
        """The words, folded; in scripts without blanks each character is one."""
        pattern = _ASCII_WORD if self.text.isascii() else _WORD
        return pattern.findall(fold_text(self.text))

    @once
    def word_count(self) -> int:
        """How many `words` there are."""
        text, alone = self.text, 0
        if not text.isascii():
            text = fold_text(text)
            alone = sum(map(len, _NO_BLANK_RUN.findall(text)))
            if alone:
                text = _NO_BLANK_RUN.sub(" ", text)
            # What is left outside ASCII are letters; they are encoded as "?".
            text = text.replace("?", " ")
            return alone + _count_words(text.encode("ascii", "replace").replace(b"?", b"w"))
        return _count_words(text.encode())

    @once
    def sentence_count(self) -> int:
        """How many `sentences` there are."""
        if not self.text.isascii():
            return len(self.sentences)
        marks = self.text.encode().translate(_SENTENCE_MARKS)
        # A stop that ends a sentence is followed by a blank, or by nothing.
        if b". " not in marks:
            return int(b"w" in marks)
        return len(marks.replace(b". ", b"\n").translate(None, b" .x").split())

    @once
    def longest_sentence(self) -> int:
        """Characters of the longest of `sentences`."""
        return max(self.sentences, default=0)

    @once
    def sentences(self) -> list[int]:
        """Characters of each sentence, trimmed, its stop included."""
        lengths: list[int] = []
        start = 0
        for end in (*self._stops(), len(self.text)):
            sentence = self.text[start:end]
            if _has_word(sentence):
                lengths.append(len(sentence.strip()))
            start = end
        return lengths

    def _stops(self) -> Iterator[int]:
        """Where sentences end: an ideographic stop always ends one, others (not in ``3.14`` or
        ``a.py``) where something like its end follows."""
        stops = _ASCII_STOPS if self.text.isascii() else _STOPS
        for match in stops.finditer(self.text):
            end = match.end()
            after = self.text[end : end + 1]
            ideographic = self.text[end - 1] in _IDEOGRAPHIC_STOPS
            if ideographic or not after or after.isspace() or after in _CLOSING:
                yield end

    @once
    def numbers(self) -> int:
        """Runs of digits."""
        pattern = _ASCII_DIGITS if self.text.isascii() else _DIGITS
        return sum(1 for _ in pattern.finditer(self.text))

    def number_of(self, characters: str) -> int:
        """How often any of these characters occurs."""
        return sum(map(self.text.count, characters))


def _count_words(text: bytes) -> int:
    """Words of ASCII text: they begin behind what is in no word, if not behind one's apostrophe."""
    marks = b" " + text.translate(_WORD_MARKS)
    count = marks.count(b" w")
    if b"'" in marks:
        count += marks.count(b" 'w") + marks.count(b"''w")
    return count


def _has_word(text: str) -> bool:
    """Whether any of `TextCounts.words` is in there: a mark alone is one, too."""
    if _SURE_WORD.search(text):
        return True
    return not text.isascii() and _WORD.search(fold_text(text)) is not None


def _mean_sentence(counts: TextCounts) -> int:
    sentences = counts.sentence_count
    return len(counts.text) // sentences if sentences else 0


def _distinct_words(counts: TextCounts) -> int:
    return 100 * len(set(counts.words)) // len(counts.words) if counts.words else 0


def _non_ascii(counts: TextCounts) -> int:
    text = counts.text
    if text.isascii():
        return 0
    return 100 * (len(text) - len(text.encode("ascii", "ignore"))) // len(text)


def _code_blocks(counts: TextCounts) -> int:
    """Fenced blocks; a fence closes with one of its kind at least as long, or with the text."""
    blocks = 0
    opened = ""
    text = counts.text
    # One character is searched for many times faster than three, and three than the expression.
    if not ("`" in text and "```" in text) and not ("~" in text and "~~~" in text):
        return 0
    for match in _FENCE.finditer(text):
        fence = match[1]
        if not opened:
            blocks += 1
            opened = fence
        elif fence.startswith(opened):
            opened = ""
    return blocks


def _last_is_question(counts: TextCounts) -> int:
    return int(counts.text.rstrip(_CLOSING).endswith(_QUESTION_MARKS))


COUNTS: Mapping[str, Callable[[TextCounts], int]] = MappingProxyType(
    {
        "ask.bytes": lambda counts: counts.size,
        "ask.chars": lambda counts: len(counts.text),
        "ask.tokens": lambda counts: estimate_text(counts.text),
        "ask.words": lambda counts: counts.word_count,
        "ask.sentences": lambda counts: counts.sentence_count,
        "ask.longest_sentence": lambda counts: counts.longest_sentence,
        "ask.mean_sentence": _mean_sentence,
        "ask.lines": lambda counts: sum(1 for _ in _LINE.finditer(counts.text)),
        "ask.commas": lambda counts: counts.number_of(_COMMAS),
        "ask.periods": lambda counts: counts.number_of(_PERIODS),
        "ask.numbers": lambda counts: counts.numbers,
        "ask.parens": lambda counts: counts.number_of(_OPEN_PARENS),
        "ask.quotes": lambda counts: counts.number_of(_QUOTES),
        "ask.questions": lambda counts: counts.number_of("".join(_QUESTION_MARKS)),
        "ask.code_blocks": _code_blocks,
        "ask.distinct_word_pct": _distinct_words,
        "ask.non_ascii_pct": _non_ascii,
        "ask.last_is_question": _last_is_question,
    }
)
"""Every ``ask.*`` feature, not yet clamped."""

MEASURED: Mapping[str, int] = MappingProxyType(
    {
        name: place
        for place, name in enumerate(
            (
                "ask.bytes",
                "ask.chars",
                "ask.tokens",
                "ask.words",
                "ask.sentences",
                "ask.longest_sentence",
                "ask.mean_sentence",
                "ask.lines",
                "ask.commas",
                "ask.periods",
                "ask.parens",
                "ask.quotes",
                "ask.questions",
            )
        )
    }
)
"""Those that the kernel counts in one go, each with its place among the numbers."""


def counts_of(text: str) -> dict[str, int]:
    """Every number of a text, in the order of `COUNTS`."""
    counts = TextCounts(text)
    if native_count is None:
        return {name: count(counts) for name, count in COUNTS.items()}
    numbers = native_count(text)
    return {
        name: numbers[MEASURED[name]] if name in MEASURED else count(counts)
        for name, count in COUNTS.items()
    }
