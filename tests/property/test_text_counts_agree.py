"""Words and sentences that are only counted are as many as those that are cut out."""

from hypothesis import example, given
from hypothesis import strategies as st

from lynkrc_runtime.text_counts import TextCounts
from tests.property.effort import tried

_TIGHT = st.sampled_from("aZ7_' .!?x\n\t\"()]-")
_WIDE = st.sampled_from(
    "a' .\x1c\x0b\x00\u2019\u02bc\uff07\u3002\uff1f\u4e2d\u3042\u0e01\u00e9\u00df\u0130\u0301"
    "\u2028\u00a0\u0085\u2014\u2212\ud800\udfff\U0001f600\U00020000\u0661\u2026"
)
_TEXTS = st.text(_TIGHT, max_size=40) | st.text(_WIDE, max_size=30) | st.text(max_size=40)


@tried(400)
@given(_TEXTS)
@example("it''s 'tis")
@example("\u4e2d'a'\u4e2d")
@example("a?' b")
def test_what_is_counted_is_what_is_found(text: str) -> None:
    counts, cut = TextCounts(text), TextCounts(text)
    assert counts.word_count == len(cut.words)
    assert counts.sentence_count == len(cut.sentences)
    assert counts.longest_sentence == max(cut.sentences, default=0)
