"""What is said beside the reader's own findings: nothing that only follows from them."""

import pytest

from lynkrc.pipeline import check_spec
from lynkrc.source.text import SourceFile
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


def test_a_name_that_is_empty_is_told_beside_another_mistake() -> None:
    rules = """rules:\n  - {name: r, when: 'matches(ask, "")', floor: HIGH}\n"""
    assert found("otherwise: maybe\n" + rules) == [("LK104", "maybe"), ("LK403", '""')]


def test_a_missing_base_hides_no_mistake_of_the_spec_itself() -> None:
    rules = "rules:\n  - {name: r, when: 'turns > \"x\" and client == codex', floor: HIGH}\n"
    limits = "budgets:\n  - {name: month, usd: 3, period: month, alert_at: [50, 40]}\n"
    assert found("extends: ./missing.yaml\n" + limits + rules) == [
        ("LK407", "./missing.yaml"),
        ("LK105", "40"),
        ("LK311", '"x"'),
    ]


def test_a_broken_base_hides_no_mistake_of_the_spec_itself() -> None:
    files = Files({"./base.yaml": "version: 1\nname: base\nclients: [\n"})
    text = (
        "extends: ./base.yaml\nrules:\n  - {name: r, when: 'turns > wants.stream', tier: LATER}\n"
    )
    data = complete(text).encode()
    checked = check_spec("routing.yaml", data, loader=files, catalog=catalog())
    places = [(one.span.file.path, one.code.id) for one in checked.diagnostics]
    assert [code for path, code in places if path == "routing.yaml"] == ["LK311"]
    assert any(path == "base.yaml" for path, _ in places)


def test_a_broken_catalog_leaves_no_fact_missing() -> None:
    text = "targets:\n  one: {provider: house, model: m}\n  two: {provider: far, model: m}\n"
    text += "providers:\n  house: {kind: ollama, trust: local}\n"
    text += "rules:\n  - {name: r, when: 'turnz > 3', floor: HIGH}\n"
    broken = SourceFile(path="catalog/models.yaml", text="models: [\n")
    checked = check_spec("routing.yaml", complete(text).encode(), loader=Files(), catalog=[broken])
    codes = [(one.span.file.path, one.code.id) for one in checked.diagnostics]
    assert [code for path, code in codes if path == "routing.yaml"] == ["LK404", "LK401"]
    assert any(path == "catalog/models.yaml" for path, _ in codes)


def test_a_target_without_its_facts_is_a_target_all_the_same() -> None:
    text = (
        "providers:\n  house: {kind: ollama, trust: local}\n"
        "targets:\n  one: {provider: house, model: nobody-knows-it}\n"
        'keys:\n  ci: {secret: "${CI}", targets: [one]}\n'
    )
    assert [one for one in found(text) if one[0] != "LK601"] == [("LK414", "one")]
