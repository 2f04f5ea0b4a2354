"""Texts made for entries: in letters that people write, never in those that folding leaves."""

import pytest

from lynkrc.ir.table import Entry, Lexicon, LexiconId
from lynkrc.lower.patterns import build_automaton
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc.testing.ask_text import AskWish, write_ask
from lynkrc.testing.sample import Walker
from lynkrc.testing.wanted import Bounds
from lynkrc_runtime.text_counts import TextCounts

SPAN = Span(file=SourceFile(path="-", text=""), start=0, end=0)


@pytest.mark.parametrize("entry", ["ภาษา", "ខ្មែរ", "𠮷野家", "ｶﾅ", "ㅋㅋ", "မြန်", "/[ก-ฮ]{2}/"])
def test_an_entry_is_sampled_as_it_is_written(entry: str) -> None:
    pattern, _ = parse_pattern(entry, SPAN, None)
    assert pattern is not None
    lexicon = Lexicon(
        id=LexiconId(0), name="it", entries=(Entry(pattern=entry, weight64=64),), first=0
    )
    walker = Walker([lexicon], build_automaton([[pattern]]))
    text = walker.sample(0, forbidden=0)
    assert text is not None
    assert walker.present(text) == 1
    assert text == ("กก" if entry.startswith("/") else entry)


def test_a_word_that_is_said_again_is_said_as_it_was() -> None:
    wish = AskWish(bounds={"words": Bounds(6, 6), "distinct_word_pct": Bounds(None, 50)})
    text = write_ask(wish, ["ก"], "olm", "12")
    assert TextCounts(text).word_count == 6
    assert set(text) <= set("กolm .")
