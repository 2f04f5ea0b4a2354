"""What users' CI runs: each shell step of the action, the hooks, the GitLab snippet, run here."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import pytest
import yaml

from lynkrc.cli.main import COMMANDS
from tests.unit.ci_lab import (
    ACTION,
    BROKEN,
    GITLAB,
    HOOKS,
    LEAKY,
    ROOT,
    SPEC,
    STEPS,
    Lab,
    action,
    copy_lab,
    make_lab,
    run_action,
)

KNOWN = dict(COMMANDS)
USED = {"check", "build", "test", "diff"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return make_lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture
def lab(made: Lab, tmp_path: Path) -> Lab:
    return copy_lab(made, tmp_path)


def ran(lab: Lab) -> dict[str, str]:
    """Each command of lynkrc that ran: whether the real one or a stand-in."""
    found = {}
    for line in lab.log:
        kind, command = line.split()[:2]
        if kind != "python":
            found[command] = kind
    return found


def real(*commands: str) -> dict[str, str]:
    """A command that exists is never stood in for."""
    return {name: "real" if name in KNOWN else "stand-in" for name in commands}


def schema(name: str) -> dict[str, Any]:
    """A schema of SchemaStore (https://www.schemastore.org), as check-jsonschema ships it."""
    folder = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor"
    document: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return document


# -- GitHub --------------------------------------------------------------------------------


def test_a_pull_request_without_a_change_runs_every_step(lab: Lab) -> None:
    outcomes = run_action(lab)
    said = "\n".join(f"{name}: {text}" for name, text in outcomes.items())
    assert all(outcomes[step] == "success" for step in STEPS), said
    assert ran(lab) == real(*USED)
    assert any("-m pip install" in line and str(ACTION.parent) in line for line in lab.log)
    assert len(lab.comments) == 1
    assert lab.comments[0]["body"].startswith("<!-- lynkrc diff ")
    assert outcomes["summary"] and outcomes["summary"] in lab.comments[0]["body"]


def test_the_comment_is_updated_and_nobody_elses_is(lab: Lab) -> None:
    run_action(lab)
    first = lab.comments[0]["body"]
    stolen = {"id": 1, "login": "mallory", "body": first.partition("\n")[0] + "\nall is well"}
    ours = {"id": 2, "login": "github-actions[bot]", "body": first.partition("\n")[0] + "\nold"}
    (lab.folder / "comments.json").write_text(json.dumps([stolen, ours]))
    run_action(lab)
    assert lab.comments == [stolen, {**ours, "body": first}]
    # Another spec of the same repository has a comment of its own.
    lab.write("other/routing.yaml", SPEC)
    run_action(lab, spec="other/routing.yaml", test="false", **{"build-check": "false"})
    assert len(lab.comments) == 3
    assert "has no `other/routing.yaml`" in lab.comments[2]["body"]


def test_findings_are_annotations_and_end_it(lab: Lab) -> None:
    lab.write("routing.yaml", BROKEN)
    outcomes = run_action(lab)
    assert outcomes["check"] == "failure"
    assert "::error file=routing.yaml,line=" in outcomes["check.said"]
    assert {outcomes[step] for step in ("build", "test", "diff", "comment")} == {"skipped"}


def test_stale_output_fails_and_the_rest_still_runs(lab: Lab) -> None:
    lab.write("routing.yaml", LEAKY)
    outcomes = run_action(lab, test="false")
    assert outcomes["build"] == "failure"
    assert "stale: generated/scratch" in outcomes["build.said"]
    assert "diff" in ran(lab) and len(lab.comments) == 1


def test_a_leak_into_the_cloud_fails_on_privacy(lab: Lab) -> None:
    lab.write("routing.yaml", LEAKY)
    options = {"test": "false", "build-check": "false"}
    outcomes = run_action(lab, **options)
    assert outcomes["diff"] == ("failure" if "diff" in KNOWN else "success"), outcomes["diff.said"]
    assert outcomes["comment"] == "success" and len(lab.comments) == 1
    assert run_action(lab, **options, **{"fail-on": "never"})["diff"] == "success"


def test_a_token_that_may_not_write_is_a_warning(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for failing in ("--jq", "--method"):
        monkeypatch.setenv("LAB_GH_FAILS", failing)
        outcomes = run_action(lab, test="false", **{"build-check": "false"})
        assert outcomes["comment"] == "success"
        assert "::warning title=lynkrc::" in outcomes["comment.said"]
        assert lab.comments == [] and outcomes["summary"]


def test_without_a_pull_request_there_is_no_diff(lab: Lab) -> None:
    outcomes = run_action(lab, event="push")
    assert (outcomes["diff"], outcomes["comment"]) == ("skipped", "skipped")
    assert ran(lab) == real("check", "build", "test")


def test_inputs_are_words_never_code(lab: Lab) -> None:
    """A hostile name of a spec or an option reaches each program as one word."""
    hostile = "$(touch hacked) `touch hacked`; touch hacked #.yaml"
    lab.write(hostile, SPEC)
    options = {"output": "generated/scratch", "tests": "routing.test.yaml", "strict": "false"}
    outcomes = run_action(lab, spec=hostile, **options)
    assert outcomes["check"] == outcomes["build"] == "success", outcomes["check.said"]
    named = ("output", "tests", "fail-on", "comment-author", "strict")
    outcomes = run_action(lab, **dict.fromkeys(named, hostile))
    assert outcomes["build"] == "failure" and "touch hacked" in outcomes["build.said"]
    assert list(lab.folder.rglob("hacked")) == []


def test_the_action_is_sound() -> None:
    document = action()
    jsonschema.validate(document, schema("github-actions"))
    steps = document["runs"]["steps"]
    assert [step["id"] for step in steps] == list(STEPS)
    for step in steps:
        assert "${{" not in step["run"], "an expression in a script is code of whoever fills it"
        assert "uses" not in step
    tokens = [step["id"] for step in steps if "inputs.token" in str(step.get("env"))]
    assert tokens == ["comment"]
    conditions = {step["id"]: step.get("if") for step in steps}
    after = "!cancelled() && steps.check.outcome == 'success' && "
    assert conditions == {
        "install": None,
        "check": None,
        "build": f"${{{{ {after}inputs.build-check == 'true' }}}}",
        "test": f"${{{{ {after}inputs.test == 'true' }}}}",
        "diff": f"${{{{ {after}github.event.pull_request }}}}",
        "comment": "${{ !cancelled() && steps.diff.outputs.report && inputs.comment == 'true' }}",
    }
    text = ACTION.read_text(encoding="utf-8")
    assert {name for name in document["inputs"] if f"inputs.{name} " not in text} == set()


# -- pre-commit ----------------------------------------------------------------------------


def hooks() -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in yaml.safe_load(HOOKS.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("name", hooks())
def test_a_hook(name: str, lab: Lab) -> None:
    hook = hooks()[name]
    words = [*shlex.split(hook["entry"]), *hook.get("args", [])]
    if hook.get("pass_filenames", True):
        words.append("routing.yaml")
    done = lab.run("bash", shlex.join(words))
    # The sample is written for people: `fmt` has something to do, and says so once.
    if name == "lynkrc-fmt":
        done = lab.run("bash", shlex.join(words))
    assert done.returncode == 0, done.stdout + done.stderr
    assert ran(lab) == real(words[1])
    assert re.search(hook["files"], "team/routing.yaml")
    assert not re.search(hook["files"], "notes.yaml")
    if words[1] == "check":
        lab.write("routing.yaml", BROKEN)
        assert lab.run("bash", shlex.join(words)).returncode == 1


def test_the_hooks_are_those_we_document() -> None:
    found = {"lynkrc-check", "lynkrc-fmt", "lynkrc-test", "lynkrc-build-check"}
    assert set(hooks()) == found
    for hook in hooks().values():
        # https://pre-commit.com/#creating-new-hooks
        assert {"id", "name", "entry", "language"} <= hook.keys()
        assert hook["language"] == "python"


# -- GitLab --------------------------------------------------------------------------------


def gitlab() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))
    return document


JOBS = [name for name in gitlab() if name.startswith("lynkrc-")]


def run_job(lab: Lab, name: str, shell: str, **values: str) -> tuple[int, str]:
    document = gitlab()
    job = {**document[".lynkrc"], **document[name]}
    script = "\n".join([*job["before_script"], *job["script"]])
    # The programs of the runner: its own sh may be any.
    done = lab.run(
        shell,
        script,
        **{**document["variables"], "LYNKRC_PACKAGE": "git+https://example.invalid@0", **values},
        CI_MERGE_REQUEST_DIFF_BASE_SHA=lab.base,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", JOBS)
def test_a_job(name: str, lab: Lab) -> None:
    # The least of the shells that a runner may have.
    code, said = run_job(lab, name, "sh -e")
    assert code == 0, said
    command = name.removeprefix("lynkrc-").partition("-")[0]
    assert ran(lab) == real(command)
    job = gitlab()[name]
    for kind, path in job.get("artifacts", {}).get("reports", {}).items():
        text = (lab.repository / path).read_text(encoding="utf-8")
        if kind == "codequality":
            assert isinstance(json.loads(text), list)
        elif command in KNOWN:
            assert text.startswith("<?xml")
    for path in job.get("artifacts", {}).get("paths", []):
        assert (lab.repository / path).read_text(encoding="utf-8")


def test_jobs_fail_where_they_should(lab: Lab) -> None:
    shell = "bash -eo pipefail"
    assert run_job(lab, "lynkrc-check", shell, LYNKRC_PACKAGE="")[0] != 0
    lab.write("routing.yaml", LEAKY)
    assert run_job(lab, "lynkrc-build-check", shell)[0] == 1
    assert run_job(lab, "lynkrc-diff", shell)[0] == ("diff" in KNOWN)
    lab.write("routing.yaml", BROKEN)
    code, said = run_job(lab, "lynkrc-check", shell)
    assert code == 1 and "lagre" in said
    report = json.loads((lab.repository / "gl-lynkrc-codequality.json").read_text())
    assert report[0]["location"]["path"] == "routing.yaml"
    code, said = run_job(lab, "lynkrc-diff", shell, LYNKRC_SPEC="other.yaml")
    assert code == 0 and "has no `other.yaml`" in said


def test_the_snippet_is_sound() -> None:
    document = gitlab()
    jsonschema.validate(document, schema("gitlab-ci"))
    assert "LYNKRC_PACKAGE" not in document["variables"]
    assert JOBS == ["lynkrc-check", "lynkrc-build-check", "lynkrc-test", "lynkrc-diff"]


def test_the_guide_names_every_input_hook_and_job() -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    names = [*action()["inputs"], *hooks(), *JOBS, *gitlab()["variables"], "LYNKRC_PACKAGE"]
    assert [name for name in names if f"`{name}`" not in page] == []
