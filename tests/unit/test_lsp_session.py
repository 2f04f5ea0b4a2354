"""Open documents: their findings and fixes, unsaved bases, what is computed again."""

from pathlib import Path

import pytest

from lynkrc.cli import lsp
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.main import main
from lynkrc.cli.specs import DiskLoader, catalog_files
from lynkrc.lsp.diagnose import actions_at, fix_all, is_unnecessary, meaning, message
from lynkrc.lsp.format import format_edits
from lynkrc.lsp.session import Session
from lynkrc.source.edits import apply_edits
from lynkrc.source.text import SourceFile
from tests.unit.lsp_sample import SPEC


def session() -> Session:
    return Session(DiskLoader(), catalog_files())


def test_findings_say_the_way_out_and_what_is_unused() -> None:
    opened = session()
    opened.put("routing.yaml", SPEC.replace("when: secret,", "when: turns > 3,"))
    check = opened.check("routing.yaml")
    assert check is not None
    (unused,) = [one for one in check.checked.diagnostics if is_unnecessary(one)]
    assert unused.span.text == "secret"
    assert "\nhelp: " in message(unused)
    assert meaning(unused.code.id)


def test_fixes_are_offered_where_the_finding_is() -> None:
    text = SPEC.replace("floor: COMPLEX", "floor: COMPLX").replace("score:", "Score:")
    opened = session()
    opened.put("routing.yaml", text)
    check = opened.check("routing.yaml")
    assert check is not None
    findings = check.checked.diagnostics
    start = text.index("Score:")
    (action,) = actions_at(findings, "routing.yaml", start, start)
    assert "score:" in apply_edits(text, action.edits)
    assert action.preferred
    everything = fix_all(findings, SourceFile(path="routing.yaml", text=text))
    assert everything is not None
    assert everything.edits == action.edits


def test_a_base_is_read_as_it_stands_in_the_editor(tmp_path: Path) -> None:
    spec, base = str(tmp_path / "routing.yaml"), str(tmp_path / "team.yaml")
    Path(base).write_text("version: 1\nname: saved\n", encoding="utf-8")
    opened = session()
    opened.put(spec, "version: 1\nname: x\nextends: ./team.yaml\n")
    first = opened.check(spec)
    assert first is not None
    assert b"saved" in dict(first.checked.sources)["extends/team.yaml"].data
    opened.put(base, "\ufeffversion: 1\nname: unsaved\n")
    again = opened.check(spec)
    assert again is not None
    assert b"unsaved" in dict(again.checked.sources)["extends/team.yaml"].data
    assert opened.dependents(base) == (spec,)
    opened.drop(base)
    assert opened.check(base) is None
    assert opened.analysis(base) is None


def test_a_check_is_kept_until_the_text_changes() -> None:
    opened = session()
    opened.put("routing.yaml", SPEC)
    check = opened.check("routing.yaml")
    assert opened.last_check("routing.yaml") is check
    opened.put("routing.yaml", SPEC + "# more\n")
    assert opened.last_check("routing.yaml") is not check


def test_formatting_touches_only_what_differs() -> None:
    text = "version: 1\nname: x\nrules:\n  - {name:   a, add: 1}\nextends: b\n"
    wrong = SourceFile(path="routing.yaml", text=text)
    (edit,) = format_edits(wrong)
    formatted = apply_edits(text, [edit])
    assert edit.span.start == text.index("rules:")
    assert format_edits(SourceFile(path="routing.yaml", text=formatted)) == []
    assert format_edits(SourceFile(path="routing.yaml", text="name: [")) == []


def test_without_pygls_the_way_to_it_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lsp, "find_spec", lambda _: None)
    assert main(["lsp"]) == ExitCode.CANNOT_RUN
    assert "pip install 'lynkrc[lsp]'" in capsys.readouterr().err
