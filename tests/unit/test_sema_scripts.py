"""Entries that keep to word edges in scripts that have none between words."""

import pytest

from tests.unit.sema_sample import found, resolved

READS = "rules:\n  - {name: r, when: 'count(ask, words) > 1', floor: HIGH}\n"


def lexicon(entries: str) -> str:
    return f"lexicons:\n  words: {entries}\n{READS}"


@pytest.mark.parametrize(
    "entry",
    [
        *("证明", "証明する", "カタカナ", "ﾊﾝｶｸ", "ภาษาไทย", "ພາສາລາວ", "ភាសាខ្មែរ", "မြန်မာဘာသာ"),
        *("𠜎𠜱", "证明*", "证明 定理", "(请)?证明", "证明|定理", "证x明", "/[一-龥]{2}/"),
    ],
)
def test_edges_in_such_scripts_are_told(entry: str) -> None:
    assert found(lexicon(f"['{entry}']")) == [("LK211", f"'{entry}'")]


@pytest.mark.parametrize(
    "entry",
    [
        *("~证明", "prove", "gpt模型x", "证明 it", "the 证明", "한국어", "доказать", "αβγ"),
        *("c++", "/证[a-z]/", "(证)?明x", "a证?", "/[^a-z]证{1,2}/"),
    ],
)
def test_other_edges_are_not(entry: str) -> None:
    assert found(lexicon(f"['{entry}']")) == []


@pytest.mark.parametrize(
    ("written", "mended"),
    [("[证明]", "[~证明]"), ("['证明']", "['~证明']"), ('["证明"]', '["~证明"]')],
)
def test_the_fix_writes_the_tilde(written: str, mended: str) -> None:
    text = lexicon(written)
    _, (finding,) = resolved(text)
    assert finding.fix is not None
    (edit,) = finding.fix.edits
    file = edit.span.file.text
    assert mended in file[: edit.span.start] + edit.text + file[edit.span.end :]


def test_of_some_alternatives_and_of_escapes_only_the_help_is_given() -> None:
    for written in ("['prove|证明']", r'["\u8bc1\u660e"]'):
        _, (finding,) = resolved(lexicon(written))
        assert (finding.code.id, finding.fix) == ("LK211", None)
        assert "~" in (finding.help or "")


def test_it_can_be_allowed() -> None:
    written = "{entries: [证明], allow: {LK211: titles alone}}"
    assert found(lexicon(written)) == []
