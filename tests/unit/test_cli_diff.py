"""`lynkrc diff` as a command: what may be compared, what git gives, and the exit codes."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from lynkrc.cli.main import main
from tests.unit.diff_sample import SPEC, edited

MOVED = edited(("up_to: 50", "up_to: 40"))
RENAMED = edited(("name: urgent", "name: at-once"))


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    Path("old.yaml").write_text(SPEC)
    Path("new.yaml").write_text(MOVED)
    Path("renamed.yaml").write_text(RENAMED)


def git(*words: str) -> None:
    identity = {f"GIT_{who}_{what}": "a@b.test" for who in ("AUTHOR", "COMMITTER")
                for what in ("NAME", "EMAIL")}  # fmt: skip
    env = os.environ | identity | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *words], check=True, capture_output=True, env=env)


def committed(files: dict[str, str]) -> None:
    git("init", "-q", "-b", "main")
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    git("add", *files)
    git("commit", "-q", "-m", "first")


def test_the_same_meaning_is_0_and_a_difference_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "old.yaml", "old.yaml"]) == 0
    assert "Same meaning." in capsys.readouterr().out
    assert main(["diff", "old.yaml", "renamed.yaml"]) == 0
    assert "~ rule at-once: urgent => at-once" in capsys.readouterr().out
    assert main(["diff", "old.yaml", "new.yaml"]) == 1
    said = capsys.readouterr().out
    assert "a higher tier: LOW => HIGH" in said and "example  ask.words = 9\n" in said
    assert "curl" not in said and "--verbose the requests" in said
    assert main(["diff", "old.yaml", "new.yaml", "--verbose"]) == 1
    said = capsys.readouterr().out
    assert "curl -sS http://localhost:8081/v1/" in said
    assert 'tier: "HIGH"' in said and "Route table" not in said
    assert main(["diff", "old.yaml", "new.yaml", "--all"]) == 1
    assert "Route table" in capsys.readouterr().out


def test_fail_on_is_1_for_what_it_names(capsys: pytest.CaptureFixture[str]) -> None:
    Path("dearer.yaml").write_text(edited(("{input: 3, output: 15}", "{input: 3, output: 16}")))
    assert main(["diff", "old.yaml", "dearer.yaml", "--fail-on", "privacy,outcome"]) == 0
    assert main(["diff", "old.yaml", "dearer.yaml", "--fail-on", "privacy, COST"]) == 1
    assert main(["diff", "old.yaml", "new.yaml", "--fail-on", "outcome"]) == 1
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main(["diff", "old.yaml", "new.yaml", "--fail-on", "privacy,costs"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "there is no category `costs`; there are privacy, outcome, cost, chain" in said


def test_json_stands_alone_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "old.yaml", "new.yaml", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["version"] == 1
    assert document["regions"][0]["witness"]["features"] == [["ask.words", "9"]]
    assert main(["diff", "old.yaml", "new.yaml", "--format", "markdown"]) == 1
    assert capsys.readouterr().out.startswith("## Routing plan: the meaning differs\n")


def test_a_bundle_is_compiled_from_its_own_sources(capsys: pytest.CaptureFixture[str]) -> None:
    Path("team").mkdir()
    Path("team/base.yaml").write_text("version: 1\nname: base\nlexicons:\n  secrets: [pay]\n")
    lexicons = ("lexicons:\n  secrets: [salary, password]\n", "extends: team/base.yaml\n")
    Path("based.yaml").write_text(edited(lexicons))
    assert main(["build", "based.yaml", "-o", "out", "--quiet"]) == 0
    assert main(["diff", "out/shop.lynkr", "based.yaml"]) == 0
    # The base on disk is another one now; the bundle holds that of then.
    Path("team/base.yaml").write_text("version: 1\nname: base\nlexicons:\n  secrets: [wage]\n")
    capsys.readouterr()
    assert main(["diff", "out", "based.yaml"]) == 1
    said = capsys.readouterr().out
    assert "~ lexicon base/secrets: pay => wage" in said
    # Two lexicons of one name are two things that a request may say.
    assert "secrets) of the old spec" in said


def test_a_bundle_whose_meaning_is_not_rebuilt_is_not_compared(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["build", "old.yaml", "-o", "out", "--quiet"]) == 0
    monkeypatch.setattr("lynkrc.ir.digest.meaning_digest", lambda _: "e" * 64)
    assert main(["diff", "out/shop.lynkr", "old.yaml"]) == 2
    said = capsys.readouterr().err
    assert "its meaning cannot be rebuilt with this version" in said
    assert "--against git:REF" in said
    Path("broken.lynkr").write_bytes(b"PK")
    assert main(["diff", "broken.lynkr", "old.yaml"]) == 2
    assert "broken.lynkr" in capsys.readouterr().err


def test_a_commit_is_compared_with_what_is_on_disk(capsys: pytest.CaptureFixture[str]) -> None:
    base = "version: 1\nname: base\nlexicons:\n  secrets: [pay]\n"
    lexicons = ("lexicons:\n  secrets: [salary, password]\n", "extends: ../team/base.yaml\n")
    committed({"specs/routing.yaml": edited(lexicons), "team/base.yaml": base})
    assert main(["diff", "specs/routing.yaml", "--against", "git:main"]) == 0
    Path("team/base.yaml").write_text(base.replace("pay", "wage"))
    assert main(["diff", "specs/routing.yaml", "--against", "git:HEAD"]) == 1
    said = capsys.readouterr().out
    assert "- HEAD:specs/routing.yaml" in said and "+ specs/routing.yaml" in said
    assert "~ lexicon base/secrets: pay => wage" in said


def test_against_a_commit_the_default_spec_needs_no_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    committed({"routing.yaml": SPEC})
    Path("routing.yaml").write_text(MOVED)
    assert main(["diff", "--against", "git:HEAD"]) == 1
    assert "- HEAD:routing.yaml" in capsys.readouterr().out


def test_a_log_without_requests_says_nothing_of_shares(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty.jsonl").write_text("")
    assert main(["diff", "old.yaml", "new.yaml", "--replay", "empty.jsonl"]) == 1
    said = capsys.readouterr().out
    assert "0 requests in empty.jsonl, 0 decided by both specs" in said
    assert "confidence" not in said and "bootstrap" not in said


def test_a_commit_with_errors_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    committed({"routing.yaml": edited(("chain: [small, mid]", "chain: [smal, mid]"))})
    Path("routing.yaml").write_text(SPEC)
    assert main(["diff", "routing.yaml", "--against", "git:HEAD"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "there is no target `smal`" in said.err
    assert "`HEAD:routing.yaml` has errors" in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--against", "git:nope", "routing.yaml"], "git knows no commit 'nope'"),
        (["--against", "git:--all", "routing.yaml"], "git knows no commit '--all'"),
        (["--against", "git:main", "new.yaml"], "new.yaml does not exist at main"),
        (["--against", "git:", "routing.yaml"], "write git:REF"),
        (["--against", "main", "routing.yaml"], "write git:REF"),
        (["--against", "git:main", "far/away.yaml"], "there is no folder far"),
        (["--against", "git:main", "old.yaml", "new.yaml"], "name only the new spec"),
        (["old.yaml"], "name two files, OLD and NEW, or one and `--against git:REF`; 1 was named"),
        ([], "`--against git:REF`; none was named"),
        (["old.yaml", "nowhere.yaml"], "cannot read nowhere.yaml"),
        (["old.yaml", "new.yaml", "--replay", "no.jsonl"], "cannot read no.jsonl"),
        (["old.yaml", "new.yaml", "--replay", "old.yaml"], "old.yaml holds no record of a request"),
    ],
)
def test_what_cannot_be_compared_is_2_with_the_way_out(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    committed({"routing.yaml": SPEC})
    assert main(["diff", *words]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""


def test_inside_of_a_hook_the_file_is_still_the_one_beside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    committed({"routing.yaml": MOVED, "specs/routing.yaml": SPEC})
    # What git tells its hooks: here it would make `specs` the top of the repository.
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    monkeypatch.chdir("specs")
    assert main(["diff", "routing.yaml", "--against", "git:HEAD"]) == 0


def test_a_repository_of_somebody_else_is_told_from_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    committed({"routing.yaml": SPEC})
    # Git's own way to act as though another user owned the folder.
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    assert main(["diff", "routing.yaml", "--against", "git:HEAD"]) == 2
    assert "safe.directory" in capsys.readouterr().err


def test_outside_of_a_repository_git_is_not_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(Path.cwd().parent))
    assert main(["diff", "old.yaml", "--against", "git:main"]) == 2
    assert "old.yaml is not in a git repository" in capsys.readouterr().err
    monkeypatch.setenv("PATH", "")
    assert main(["diff", "old.yaml", "--against", "git:main"]) == 2
    assert "git is not installed" in capsys.readouterr().err
