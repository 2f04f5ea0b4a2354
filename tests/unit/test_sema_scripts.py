"""Signs for word edges that say nothing where each letter is a word by itself."""

import pytest

from tests.unit.sema_sample import found, resolved

READS = "rules:\n  - {name: r, when: 'count(ask, words) > 1', floor: HIGH}\n"


def lexicon(entries: str) -> str:
    return f"lexicons:\n  words: {entries}\n{READS}"


@pytest.mark.parametrize(
    "entry",
    [
        *("~证明", "~証明する", "~カタカナ", "~ภาษาไทย", "~ພາສາລາວ", "~ភាសាខ្មែរ", "~မြန်မာဘာသာ"),
        *("~ｶﾅ", "~ㄅㄆ", "~𠀀", "人々*", "ที*"),
        *(
            "~证明*",
            "证明*",
            "证* 明",
            "~证明 定理",
            "~(请)?证明",
            "~证明|定理",
            "~证x明",
            "~/[一-龥]{2}/",
        ),
    ],
)
def test_signs_that_say_nothing_are_told(entry: str) -> None:
    assert found(lexicon(f"['{entry}']")) == [("LK211", f"'{entry}'")]


@pytest.mark.parametrize(
    "entry",
    [
        *("证明", "prove*", "~gpt模型", "~证明 it", "~the 证明", "~한국어", "~доказать", "αβγ*"),
        *("c++", "~/证[a-z]/", "~(证)?x", "~a证?", "~/[^a-z]证{1,2}/", r"证\*", "/证{1,2}/"),
        *("~ㅋㅋ", "ㅋ*"),
    ],
)
def test_others_are_not(entry: str) -> None:
    assert found(lexicon(f"['{entry}']")) == []


@pytest.mark.parametrize(
    ("written", "mended"),
    [
        ("[~证明]", "[证明]"),
        ("['~证明*']", "['证明']"),
        ('["证*|明*"]', '["证|明"]'),
        ('["~请* x"]', '["~请 x"]'),
    ],
)
def test_the_fix_leaves_them_out(written: str, mended: str) -> None:
    _, (finding,) = resolved(lexicon(written))
    assert finding.fix is not None
    (edit,) = finding.fix.edits
    file = edit.span.file.text
    assert mended in file[: edit.span.start] + edit.text + file[edit.span.end :]


def test_of_what_the_file_spells_otherwise_only_the_help_is_given() -> None:
    _, (finding,) = resolved(lexicon(r'["~\u8bc1\u660e"]'))
    assert (finding.code.id, finding.fix) == ("LK211", None)
    assert "`~`" in (finding.help or "")


@pytest.mark.parametrize("other", ["证明", "证明*"])
def test_no_fix_writes_a_key_twice(other: str) -> None:
    size = "size: {weight: 100, value: 'ramp(ask.words, 0, 9)'}"
    read = f"score: {{dimensions: {{d: {{terms: words}}, {size}}}}}\n"
    _, findings = resolved(f"lexicons:\n  words: {{~证明: 1, '{other}': 2}}\n{read}")
    told = [one for one in findings if one.code.id == "LK211"]
    assert told
    assert [one.fix for one in told] == [None] * len(told)
    assert (told[0].help or "").startswith("remove one of the two")
    _, (alone,) = resolved(f"lexicons:\n  words: {{~证明: 1, 明: 2}}\n{read}")
    assert alone.fix is not None


def test_it_can_be_allowed() -> None:
    written = "{entries: [~证明], allow: {LK211: copied as they are}}"
    assert found(lexicon(written)) == []
