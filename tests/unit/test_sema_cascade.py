"""What is said beside the reader's own findings: nothing that only follows from them."""

import pytest

from lynkrc.pipeline import check_spec
from tests.unit.sema_sample import Files, catalog, complete


def found(text: str) -> list[tuple[str, str]]:
    data = complete(text).encode()
    checked = check_spec("routing.yaml", data, loader=Files(), catalog=catalog())
    return [(one.code.id, one.span.text) for one in checked.diagnostics]


RULES = "rules:\n  - {name: r, when: 'client == codex and matches(ask, greeting)', floor: HIGH}\n"


def test_names_of_a_base_that_was_left_out_are_not_called_unknown() -> None:
    twice = "extends: [builtin/lynkr, builtin/lynkr]\n"
    assert found(twice + RULES) == [("LK108", "builtin/lynkr")]


def test_names_of_a_profile_that_was_left_out_are_not_called_unknown() -> None:
    score = "score:\n  use: 13\n  dimensions:\n    d: {weight: 5, value: 'count(ask, technical)'}\n"
    assert found(score) == [("LK102", "13")]


def test_unknown_names_are_told_beside_another_mistake() -> None:
    assert found("otherwise: maybe\n" + RULES) == [
        ("LK104", "maybe"),
        ("LK402", "codex"),
        ("LK403", "greeting"),
    ]


@pytest.mark.parametrize("test", ["distinct(ask, words) >= 3", "points(ask, words) >= 3"])
def test_the_range_of_a_lexicon_with_a_broken_entry_is_not_known(test: str) -> None:
    lexicon = "lexicons:\n  words: [one, two, (three]\n"
    rules = f"rules:\n  - {{name: r, when: '{test}', floor: HIGH}}\n"
    assert found(lexicon + rules) == [("LK201", "(")]
    assert found(lexicon + rules.replace("3", "3 and turns > -1")) == [
        ("LK201", "("),
        ("LK313", "-1"),
    ]
