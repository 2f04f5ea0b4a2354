"""Overlapping entries: what is found is certain, and what cannot be written out is passed over."""

import pytest

from tests.unit.sema_sample import found, resolved

READS = "rules:\n  - {name: r, when: 'count(ask, words) > 1', floor: HIGH}\n"


def overlaps(*entries: str) -> list[str]:
    written = ", ".join(f"'{entry}'" for entry in entries)
    return [text for code, text in found(f"lexicons:\n  words: [{written}]\n{READS}")]


@pytest.mark.parametrize(
    ("entries", "marked"),
    [
        (("plan*", "planning"), ["'planning'"]),
        (("planning", "plan*"), ["'planning'"]),
        (("hi|hello", "hello|hey"), ["'hi|hello'"]),
        (("good (morning|evening)", "good evening"), ["'good evening'"]),
        (("Think Hard", "think  hard"), ["'Think Hard'"]),
        (("(very )?big", "very big"), ["'very big'"]),
        (("plan", "plans", "planner"), []),
        (("plan*", "the plan"), []),
        (("plan*", "plan b"), []),
        (("~plan", "planning"), []),
        (("/pla[mn]/", "plan"), []),
        (("/x[ab]*/", "xyz"), []),
        (("/x\\w*/", "xyz"), ["'xyz'"]),
        (("a b", "/a b/"), []),
        (("a\\*", "ab"), []),
        (("a\\*|b", "a\\*"), ["'a\\*'"]),
        (("gpt*", "gpt模型"), []),
    ],
)
def test_what_overlaps(entries: tuple[str, ...], marked: list[str]) -> None:
    assert overlaps(*entries) == marked


def test_a_lexicon_of_many_forms_is_passed_over() -> None:
    many = "(" + "|".join(f"w{i}" for i in range(9)) + ") (" + "|".join("abcdefgh") + ")"
    assert overlaps(many, "w1 a") == []


def test_weights_may_overlap_and_not_repeat() -> None:
    size = "size: {weight: 100, value: 'ramp(ask.words, 0, 9)'}"
    dimension = f"score: {{dimensions: {{d: {{terms: moods}}, {size}}}}}\n"
    adding = f"lexicons:\n  moods: {{'prove*': 3, 'prove that': 2}}\n{dimension}"
    assert found(adding) == []
    twice = f"lexicons:\n  moods: {{'prove that': 3, 'prove  that': 2}}\n{dimension}"
    assert [code for code, _ in found(twice)] == ["LK421"]


def test_both_entries_are_shown() -> None:
    _, findings = resolved(f"lexicons:\n  words: [plan*, planning]\n{READS}")
    (one,) = findings
    assert one.message == "everything `planning` matches is matched by `plan*` too"
    assert [label.span.text for label in one.labels] == ["plan*"]


def test_a_rest_of_both_is_shown_as_a_star() -> None:
    _, findings = resolved(f"lexicons:\n  words: [plan*|a, plan*|b]\n{READS}")
    assert [one.message for one in findings] == ["`plan*|a` and `plan*|b` both match `plan*`"]


def test_a_text_of_both_is_shown_in_letters_that_people_write() -> None:
    _, findings = resolved(f"lexicons:\n  words: [ภาษา|ไทย, ไทย|ลาว]\n{READS}")
    assert [one.message for one in findings] == ["`ภาษา|ไทย` and `ไทย|ลาว` both match `ไทย`"]
