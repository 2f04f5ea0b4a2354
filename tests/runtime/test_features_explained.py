"""Vectors with their reasons: what each slot means, and where patterns stand in the text."""

from lynkrc_runtime.features import Extractor, PatternFound, SlotValue
from lynkrc_runtime.scan.places import Place
from tests.runtime.test_features_extract import (
    HEADER,
    TABLES,
    dispatch,
    facts,
    members,
    request,
    slot,
    string_classes,
    user,
)


def found(pattern: str, weight64: int, *ranges: tuple[int, int]) -> PatternFound:
    """A pattern found at these ranges of a text in ASCII."""
    places = [Place(start=start, end=end, byte_start=start, byte_end=end) for start, end in ranges]
    return PatternFound(pattern=pattern, weight64=weight64, times=len(places), places=tuple(places))


def test_explain_names_values_and_patterns() -> None:
    extractor = Extractor(
        dispatch(
            slot("count", "ask", "greeting"),
            slot("points", "ask", "proof"),
            slot("ask.last_is_question"),
            slot("model", classes=string_classes(("prefix", "gpt-"))),
            HEADER,
            slot("client", classes=members("other", "coder", "other-coder")),
            slot("ask.words"),
        ),
        TABLES,
    )
    conversation = request(user("Hi hi hello, prove it?"), model="gpt-5")
    known = facts(user_agent="coder-cli/1")
    explained = extractor.explain(conversation, known)
    assert explained == [
        SlotValue(
            slot="count(ask, greeting)",
            value=3,
            shown="3",
            text="ask",
            patterns=(found("hi|hello", 64, (0, 2), (3, 5), (6, 11)),),
        ),
        SlotValue(
            slot="points(ask, proof)",
            value=224,
            shown="3.5",
            text="ask",
            patterns=(found("prove*", 224, (13, 18)),),
        ),
        SlotValue(slot="ask.last_is_question", value=1, shown="true"),
        SlotValue(slot="model", value=2, shown="gpt-..."),
        SlotValue(slot='header("X-Data-Class")', value=0, shown="absent"),
        SlotValue(slot="client", value=1, shown="coder"),
        SlotValue(slot="ask.words", value=5, shown="5"),
    ]
    assert [entry.value for entry in explained] == extractor.extract(conversation, known)


def test_places_point_into_the_text_as_it_was_written() -> None:
    """Folding makes of one character several, and of four bytes one."""
    extractor = Extractor(dispatch(slot("count", "ask", "greeting")), TABLES)
    text = "\u1e9eo \U0001f600 \uff28\uff29? \u00df HELLO"
    conversation = request(user(text))
    (explained,) = extractor.explain(conversation, facts())
    ((pattern),) = explained.patterns
    assert pattern.times == explained.value
    written = extractor.text(conversation, facts(), "ask")
    assert written == text
    for place in pattern.places:
        assert text[place.start : place.end].casefold() in ("hi", "hello")
        assert (
            text.encode()[place.byte_start : place.byte_end].decode()
            == (text[place.start : place.end])
        )


def test_only_the_first_places_are_told() -> None:
    extractor = Extractor(dispatch(slot("count", "ask", "greeting")), TABLES)
    (explained,) = extractor.explain(request(user("hi " * 30)), facts())
    (pattern,) = explained.patterns
    assert (explained.value, pattern.times) == (30, 30)
    assert [place.start for place in pattern.places] == [0, 3, 6, 9, 12]


def test_what_a_slot_reads_twice_is_located_once() -> None:
    slots = (slot("count", "ask", "greeting"), slot("matches", "ask", "greeting"))
    extractor = Extractor(dispatch(*slots), TABLES)
    first, second = extractor.explain(request(user("hi")), facts())
    assert first.patterns is second.patterns
