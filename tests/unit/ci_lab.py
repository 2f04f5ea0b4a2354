"""A scratch repository, stand-ins for a CI runner's programs, and the shell steps of its files.

`lynkrc` is the real one for every command there is; one that is still to come is stood in for, and
the log says so, so that a test sees which ran. `gh` keeps comments in a file, as GitHub would.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lynkrc.cli.main import COMMANDS
from tests.warm_lynkrc import program_text

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "deploy" / "github-action" / "action.yml"
GITLAB = ROOT / "deploy" / "gitlab" / "lynkrc.gitlab-ci.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"

SPEC = """\
version: 1
name: scratch
providers:
  home: {kind: ollama, base_url: "http://localhost:11434", trust: local}
  far: {kind: openai, api_key: "${OPENAI_API_KEY}", trust: cloud}
targets:
  small:
    provider: home
    model: llama3.2
    context: 128k
    max_output: 8k
    capabilities: [tools, vision, documents, json_schema]
    price: free
  large: {provider: far, model: gpt-4o-mini}
score: {dimensions: {size: {weight: 100, value: "ramp(ask.tokens, 0, 100)"}}}
tiers:
  - {name: LOW, up_to: 50, chain: [small]}
  - {name: HIGH, chain: [large]}
otherwise: escalate
"""
LEAKY = SPEC.replace("chain: [small]}", "chain: [small, large]}")
"""The same, but with a fallback into the cloud."""
BROKEN = SPEC.replace("chain: [large]", "chain: [lagre]")
TESTS = """\
version: 1
cases:
  - name: a few words stay at home
    request: {ask: "hello there"}
    expect: {tier: LOW, target: small}
"""

_LOGGED = f"""\
known = sys.argv[1] in {tuple(name for name, _ in COMMANDS)!r}
with open(os.environ["LAB_LOG"], "a") as log:
    log.write(f"{{'real' if known else 'stand-in'}} {{' '.join(sys.argv[1:])}}\\n")
if not known:
    print("a stand-in's report")
    sys.exit()
"""

_PYTHON = f"""\
#!{sys.executable} -IS
import os, shutil, sys
with open(os.environ["LAB_LOG"], "a") as log:
    log.write("python " + " ".join(sys.argv[1:]) + "\\n")
if sys.argv[1:3] == ["-m", "venv"]:
    bin = os.path.join(sys.argv[3], "bin")
    os.makedirs(bin, exist_ok=True)
    for name in ("lynkrc", "python3"):
        shutil.copy(os.path.join(os.environ["LAB_BIN"], name), bin)
    shutil.copy(os.path.join(os.environ["LAB_BIN"], "python3"), os.path.join(bin, "python"))
"""

_GH = f"""\
#!{sys.executable} -IS
import json, os, sys
words = sys.argv[1:]
place = os.environ["LAB_COMMENTS"]
with open(place) as file:
    comments = json.load(file)
if os.environ.get("LAB_GH_FAILS") in words or not os.environ["GH_TOKEN"]:
    sys.exit("gh: Resource not accessible by integration (HTTP 403)")
assert words[0] == "api", words
if "--jq" in words:
    wanted = '.[] | select(.user.login == env.AUTHOR and (.body | startswith(env.MARKER))) | .id'
    assert words[words.index("--jq") + 1] == wanted, words
    assert words[1:3] == ["--paginate", "repos/acme/routes/issues/7/comments?per_page=100"], words
    for one in comments:
        if one["login"] == os.environ["AUTHOR"] and one["body"].startswith(os.environ["MARKER"]):
            print(one["id"])
    sys.exit()
field, _, name = words[words.index("-F") + 1].partition("=@")
assert field == "body", words
with open(name, encoding="utf-8") as file:
    body = file.read()
method, path = words[words.index("--method") + 1], words[words.index("--method") + 2]
if method == "POST":
    assert path == "repos/acme/routes/issues/7/comments", words
    comments.append({{"id": len(comments) + 1, "login": "github-actions[bot]", "body": body}})
else:
    prefix, _, number = path.rpartition("/")
    assert (method, prefix) == ("PATCH", "repos/acme/routes/issues/comments"), words
    comments[int(number) - 1]["body"] = body
with open(place, "w") as file:
    json.dump(comments, file)
"""


@dataclass
class Lab:
    """A repository with a base commit and a working tree, and the programs a runner has."""

    folder: Path
    base: str

    @property
    def repository(self) -> Path:
        return self.folder / "repository"

    @property
    def log(self) -> list[str]:
        return (self.folder / "log").read_text(encoding="utf-8").splitlines()

    @property
    def comments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.folder / "comments.json").read_text())
        return found

    def write(self, name: str, text: str) -> None:
        path = self.repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, shell: str, script: str, **values: str) -> subprocess.CompletedProcess[str]:
        """Run a script as a runner does; `values` are environment variables."""
        environ = {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "LAB_BIN": str(self.folder / "bin"),
            "LAB_LOG": str(self.folder / "log"),
            "LAB_COMMENTS": str(self.folder / "comments.json"),
            **values,
        }
        return subprocess.run(
            [*shell.split(), "-c", script],
            cwd=self.repository,
            env=environ,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )


def copy_lab(lab: Lab, folder: Path) -> Lab:
    """The same as it is now, in another folder."""
    shutil.copytree(lab.folder, folder, dirs_exist_ok=True)
    return Lab(folder=folder, base=lab.base)


def make_lab(folder: Path) -> Lab:
    """A repository whose only commit has the spec, its compiled output and its tests."""
    for name, text in (("lynkrc", program_text(first=_LOGGED)), ("python3", _PYTHON), ("gh", _GH)):
        path = folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    (folder / "comments.json").write_text("[]")
    (folder / "log").touch()
    (folder / "temp").mkdir()
    (folder / "repository").mkdir()
    lab = Lab(folder=folder, base="")
    lab.write("routing.yaml", SPEC)
    lab.write("routing.test.yaml", TESTS)
    made = lab.run(
        "bash -e",
        "lynkrc build --quiet routing.yaml\n"
        "git init --quiet --initial-branch=main\n"
        "git config user.name lab\ngit config user.email lab@example.invalid\n"
        "git add --all\ngit commit --quiet --message base\n",
    )
    assert made.returncode == 0, made.stderr
    lab.base = lab.run("bash", "git rev-parse HEAD").stdout.strip()
    (folder / "log").write_text("")
    return lab


# -- the action ----------------------------------------------------------------------------

STEPS = ("install", "check", "build", "test", "diff", "comment")
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")


def action() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    return document


def run_action(lab: Lab, *, event: str = "pull_request", **inputs: str) -> dict[str, str]:
    """Run the action's steps in order as a runner does; the outcome of each by its id.

    The conditions are read by `_applies`; a test holds them against the file.
    """
    document = action()
    given = {name: str(one["default"]) for name, one in document["inputs"].items()}
    unknown = inputs.keys() - given.keys()
    assert not unknown, unknown
    given |= {"token": "a token", **inputs}
    temp = lab.folder / "temp"
    shutil.rmtree(temp)
    temp.mkdir()
    files = {
        name: temp / name.lower()
        for name in ("GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
    }
    for path in files.values():
        path.touch()
    context = {f"inputs.{name}": value for name, value in given.items()}
    context["github.action_path"] = str(ACTION.parent)
    if event == "pull_request":
        context["github.event.pull_request.base.sha"] = lab.base
        context["github.event.pull_request.number"] = "7"
    outcomes: dict[str, str] = {}
    for step in document["runs"]["steps"]:
        if not _applies(step["id"], given, outcomes, event):
            outcomes[step["id"]] = "skipped"
            continue
        values = {
            name: _EXPRESSION.sub(lambda found: context[found[1].strip()], value)
            for name, value in step["env"].items()
        }
        path = os.pathsep.join(
            [*files["GITHUB_PATH"].read_text().split(), str(lab.folder / "bin"), os.environ["PATH"]]
        )
        assert step["shell"] == "bash"
        done = lab.run(
            "bash --noprofile --norc -eo pipefail",
            step["run"],
            **values,
            **{name: str(path) for name, path in files.items()},
            PATH=path,
            RUNNER_TEMP=str(temp),
            GITHUB_REPOSITORY="acme/routes",
            LAB_GH_FAILS=os.environ.get("LAB_GH_FAILS", ""),
        )
        outcomes[step["id"]] = "success" if done.returncode == 0 else "failure"
        outcomes[f"{step['id']}.said"] = done.stdout + done.stderr
        for line in files["GITHUB_OUTPUT"].read_text().splitlines():
            name, _, value = line.partition("=")
            context[f"steps.{step['id']}.outputs.{name}"] = value
            outcomes[f"outputs.{name}"] = value
        files["GITHUB_OUTPUT"].write_text("")
    outcomes["summary"] = files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
    return outcomes


def _applies(step: str, given: dict[str, str], outcomes: dict[str, str], event: str) -> bool:
    """What the `if` of a step comes to; without one a step runs while no step has failed."""
    checked = outcomes.get("check") == "success"
    match step:
        case "install" | "check":
            return "failure" not in outcomes.values()
        case "build":
            return checked and given["build-check"] == "true"
        case "test":
            return checked and given["test"] == "true"
        case "diff":
            return checked and event == "pull_request"
        case "comment":
            return "outputs.report" in outcomes and given["comment"] == "true"
        case _:
            raise AssertionError(f"a step nobody has read the condition of: {step}")
