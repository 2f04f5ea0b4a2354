"""What a document inherits, what it replaces, and where that comes from."""

from tests.unit.sema_sample import BASES, Files, found, resolved, sound

TEAM = """\
version: 1
name: team
lexicons:
  urgent: [urgent, asap]
  calm: [whenever]
features:
  pressing: matches(ask, urgent)
score:
  offset: 2
  dimensions:
    size: {weight: 100, value: 'ramp(ask.words, 0, 200)'}
    rush: {weight: 3, value: 'saturate(count(ask, calm), 2)'}
rules:
  - {name: first, when: pressing, floor: HIGH}
  - {name: second, when: 'turns > 9', tier: HIGH}
"""
FILES = Files({**BASES, "./team.yaml": TEAM})


def test_own_rules_come_first_and_a_same_named_one_takes_the_place_of_the_bases() -> None:
    typed = sound(
        "extends: ./team.yaml\n"
        "rules:\n"
        "  - {name: mine, when: 'turns > 2', add: 1}\n"
        "  - {name: first, when: 'turns > 5', floor: HIGH}\n",
        FILES,
    )
    assert [rule.name for rule in typed.rules] == ["mine", "first", "team/second"]
    assert typed.rules[1].source == "turns > 5"


def test_an_own_lexicon_replaces_the_bases_for_its_rules_too() -> None:
    typed = sound("extends: ./team.yaml\nlexicons:\n  urgent: [now]\n", FILES)
    (urgent,) = typed.lexicons
    assert urgent.name == "urgent"
    assert [entry.pattern.text for entry in urgent.lexicon.entries] == ["now"]
    assert typed.rules[0].name == "team/first"


def test_a_profile_brings_dimensions_and_offset_but_no_rules() -> None:
    typed = sound(
        "score:\n  use: ./team.yaml\n  dimensions:\n"
        "    extra: {weight: -0.5, value: 'min(turns, 100)'}\n"
        "    rush: {weight: 4, value: 'saturate(count(ask, calm), 3)'}\n",
        FILES,
    )
    assert [(one.name, one.weight64) for one in typed.dimensions] == [
        ("extra", -32),
        ("team/size", 6400),
        ("rush", 256),
    ]
    assert typed.offset64 == 128
    assert typed.rules == ()
    assert [one.name for one in typed.lexicons] == ["team/calm"]


def test_an_own_offset_of_nothing_replaces_the_profiles() -> None:
    assert sound("score:\n  use: ./team.yaml\n  offset: 0\n", FILES).offset64 == 0


def test_the_score_of_a_base_holds_where_none_is_written() -> None:
    text = (
        "version: 1\nname: whole\nextends: ./team.yaml\n"
        "providers:\n  house: {kind: simulator, trust: local}\n"
        "targets:\n  one: {provider: house, model: m}\n"
        "tiers:\n  - {name: LOW, up_to: 50, chain: [one]}\n  - {name: HIGH, chain: [one]}\n"
    )
    typed, findings = resolved(text, FILES, whole=True)
    assert findings == []
    assert typed is not None
    assert [one.name for one in typed.dimensions] == ["team/size", "team/rush"]


def test_the_same_base_by_two_ways_is_no_conflict() -> None:
    left = "version: 1\nname: left\nextends: ./team.yaml\n"
    files = Files({**FILES.texts, "./left.yaml": left, "./right.yaml": left})
    typed = sound("extends: [./left.yaml, ./right.yaml]\n", files)
    assert [rule.name for rule in typed.rules] == ["team/first", "team/second"]


def test_a_base_by_many_ways_is_merged_once() -> None:
    both = "version: 1\nname: both\nextends: [./left{0}.yaml, ./right{0}.yaml]\n"
    last = "version: 1\nname: last\nextends: ./nowhere.yaml\n"
    texts = {
        f"./{side}{i}.yaml": both.format(i + 1) if i < 40 else last
        for i in range(41)
        for side in ("left", "right")
    }
    assert found("extends: [./left0.yaml, ./right0.yaml]\n", Files(texts)) == [
        ("LK407", "./nowhere.yaml"),
        ("LK407", "./nowhere.yaml"),
    ]


def test_bases_that_lead_back_through_other_folders_end() -> None:
    files = Files({"../team/a.yaml": "version: 1\nname: a\nextends: ../team/a.yaml\n"})
    assert found("extends: ../team/a.yaml\n", files) == [("LK408", "../team/a.yaml")]


def test_a_broken_base_is_reported_and_ends_the_search() -> None:
    files = Files({"./team.yaml": "version: 1\nname: team\nrulez: []\n"})
    typed, findings = resolved("extends: ./team.yaml\n", files)
    assert typed is None
    assert [(one.code.id, one.span.file.path) for one in findings] == [("LK101", "team.yaml")]


def test_advice_on_inherited_rules_is_not_given() -> None:
    base = "version: 1\nname: team\nrules:\n  - {name: idle, when: 'turns > 2', floor: LOW}\n"
    sound("extends: ./team.yaml\n", Files({"./team.yaml": base}))


def test_the_built_in_base_and_profile() -> None:
    typed = sound(
        "extends: builtin/lynkr\nscore:\n  use: builtin/lynkr-13\n"
        "tiers:\n"
        "  - {name: SIMPLE, up_to: 25, chain: [one]}\n"
        "  - {name: MEDIUM, up_to: 50, chain: [one]}\n"
        "  - {name: COMPLEX, up_to: 75, chain: [one]}\n"
        "  - {name: REASONING, chain: [one]}\n"
    )
    assert len(typed.dimensions) == 13
    assert sum(one.weight64 for one in typed.dimensions) == 100 * 64
    assert typed.rules[0].name == "builtin/side-requests"
    assert all(one.name.startswith("builtin/") for one in typed.lexicons)


def test_bases_stand_on_one_another_only_so_deep() -> None:
    head = "version: 1\nname: base\n"
    texts = {f"b{i}.yaml": f"{head}extends: b{i + 1}.yaml\n" for i in range(2_000)}
    deep = Files(texts={**texts, "b2000.yaml": head})
    assert [code for code, _ in found("extends: b0.yaml\n", deep)] == ["LK424"]
    shallow = Files(texts={**texts, "b48.yaml": head})
    assert found("extends: b0.yaml\n", shallow) == []


def test_an_assertion_two_bases_inherit_is_made_once() -> None:
    common = (
        "version: 1\nname: common\nassert:\n  - {name: sane, always: turns >= 0 or tier == LOW}\n"
    )
    side = "version: 1\nname: %s\nextends: ./common.yaml\n"
    files = Files(
        {"./common.yaml": common, "./left.yaml": side % "left", "./right.yaml": side % "right"}
    )
    typed, _ = resolved("extends: [./left.yaml, ./right.yaml]\n", files)
    assert typed is not None
    assert [one.name for one in typed.assertions] == ["sane"]


def test_a_client_that_overlaps_one_of_a_base_is_told_of_where_it_can_be_mended() -> None:
    files = Files({"./base.yaml": BASE_CLIENT})
    text = "extends: ./base.yaml\nclients:\n  mine: {user_agent: [ours]}\n"
    _, findings = resolved(text, files)
    assert [(one.code.id, one.span.file.path, one.span.text) for one in findings] == [
        ("LK417", "routing.yaml", "ours")
    ]


BASE_CLIENT = "version: 1\nname: base\nclients:\n  theirs: {user_agent: [ours/]}\n"
