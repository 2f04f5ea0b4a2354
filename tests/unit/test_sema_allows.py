"""What `allow` silences, and what is said of an `allow` that does not."""

from lynkrc.diagnostics.codes import CODES
from lynkrc.diagnostics.model import Diagnostic, Severity
from lynkrc.pipeline import check_spec, prove
from tests.unit.sema_sample import HEAD, SECTIONS, Files, catalog, complete, found, resolved

FLOOR = "rules:\n  - name: r\n    when: 'turns > 3'\n    floor: LOW\n"


def told(text: str) -> list[Diagnostic]:
    """What is found in an example once the proofs are made, without notes."""
    data = complete(text).encode()
    checked, _ = prove(check_spec("routing.yaml", data, loader=Files(), catalog=catalog()))
    return [one for one in checked.diagnostics if one.severity is not Severity.NOTE]


def proved(text: str) -> list[tuple[str, str]]:
    return [(one.code.id, one.span.text) for one in told(text)]


def test_a_code_is_silenced_on_its_item_alone() -> None:
    assert proved(FLOOR) == [("LK508", "r")]
    assert proved(f"{FLOOR}    allow: {{LK508: belt and braces}}\n") == []
    elsewhere = FLOOR + "  - {name: s, when: 'turns > 4', floor: HIGH, allow: {LK508: nothing}}\n"
    assert proved(elsewhere) == [("LK508", "r"), ("LK420", "LK508")]


def test_the_document_as_a_whole_may_allow() -> None:
    assert proved(f"allow: {{LK508: all of them}}\n{FLOOR}") == []
    assert proved("allow: {LK508: none of them}\n") == [("LK420", "LK508")]


def test_the_innermost_allow_answers() -> None:
    both = f"allow: {{LK508: outer}}\n{FLOOR}    allow: {{LK508: inner}}\n"
    (one,) = told(both)
    assert one.code.id == "LK420"
    assert one.span.start < both.index("rules:") + len("version: 1\nname: example\n")


def test_an_error_about_a_sound_spec_may_be_allowed() -> None:
    unused = "lexicons:\n  spare: {entries: [hello], allow: {LK413: for next week}}\n"
    typed, findings = resolved(unused)
    assert findings == []
    assert typed is not None


def test_only_a_proof_says_that_an_allow_of_what_it_may_find_is_unneeded() -> None:
    text = "allow: {LK508: none of them}\n"
    assert found(text) == []
    assert proved(text) == [("LK420", "LK508")]


def test_what_has_no_meaning_cannot_be_allowed() -> None:
    assert found(f"{FLOOR}    allow: {{LK401: soon}}\n") == [("LK419", "LK401")]
    assert ("LK419", "LK999") in found(f"{FLOOR}    allow: {{LK999: soon}}\n")


def test_with_other_errors_nothing_is_called_unneeded() -> None:
    broken = "rules:\n  - {name: r, when: 'turnz > 3', floor: LOW, allow: {LK508: yes indeed}}\n"
    assert [code for code, _ in found(broken)] == ["LK401"]


def test_every_warning_but_that_about_allows_may_be_allowed() -> None:
    warnings = {code.id for code in CODES.values() if code.severity is Severity.WARNING}
    allowable = {code.id for code in CODES.values() if code.allowable}
    assert warnings - allowable == {"LK420", "LK532"}
    assert allowable - warnings == {"LK413", "LK504", "LK505", "LK507", "LK514", "LK602", "LK608"}


def test_what_a_base_allows_of_itself_is_allowed_where_it_is_extended() -> None:
    tiers = "tiers:\n  - {name: LOW, up_to: 50, chain: [one]}\n  - {name: HIGH, chain: [one]%s}\n"
    score = "score:\n  dimensions:\n    size: {weight: 10, value: 'ramp(ask.words, 0, 200)'}\n"
    rules = "rules:\n  - {name: r, when: turns > 3, tier: HIGH}\n"
    base = HEAD + SECTIONS["providers"] + SECTIONS["targets"] + score + rules
    child = "version: 1\nname: child\nextends: ./base.yaml\n"
    silent = Files({"./base.yaml": base + tiers % ", allow: {LK506: by rules only}"})
    assert found(child, silent, whole=True) == []
    assert found(child, Files({"./base.yaml": base + tiers % ""}), whole=True) == [
        ("LK506", "HIGH")
    ]
