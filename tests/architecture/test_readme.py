"""README.md does what it says: each command is run, the spec checked, the client code executed.

Everything happens in a copy of the checkout, in the order of the page. `make` finds an environment
that is already set up (this interpreter's); ports are free ones instead of the defaults.
"""

import http.client
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lynkrc.cli.main import COMMANDS
from lynkrc.source.text import SourceFile
from lynkrc.syntax.fmt import format_spec
from lynkrc_runtime.server.options import Options, addresses
from lynkrc_runtime.settings import Settings
from tests.architecture.page_walk import agrees

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
COPIED = ("lynkrc", "runtime", "specs", "schema", "examples", "generated")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE_SPAN = re.compile(r"`([^`\n]+)`")
PATIENCE = 120

CLIENTS, OPERATIONS = "http://127.0.0.1:8081", "http://127.0.0.1:8082"

BLOCKS = [(found[1], found[2]) for found in FENCE.finditer(TEXT)]
PROSE = FENCE.sub("", TEXT)


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


SHELL = [line for text in blocks("sh") for line in text.splitlines()]
RUN = (
    "make run",
    "lynkrc check ",
    "lynkrc fmt ",
    "lynkrc build ",
    "lynkrc prove ",
    "lynkrc diff ",
    "lynkrc test ",
    "lynkrc graph ",
    "lynkrc trace ",
    "lynkrc inspect ",
)
"""Beginnings of commands that are run as they are and must end as told, well where nothing is."""
EXIT = re.compile(r"\s+# exit (\d)$")
SERVE = "lynkrc serve "
NOT_RUN = ("make test", "make test-clients")
"""This very run, and what installs clients from the network."""


@dataclass
class Walk:
    """The copy and what became of each command in it."""

    folder: Path
    environ: Mapping[str, str]
    done: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    ready: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )

    def get(
        self, address: str, path: str, body: object = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The answer of the served gateway, whose address the page gives as `address`."""
        url = urlsplit(self.ready["url" if address == CLIENTS else "admin"])
        connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=PATIENCE)
        data = None if body is None else json.dumps(body)
        headers = {"content-type": "application/json"} if body is not None else {}
        connection.request("GET" if body is None else "POST", path, data, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """The page walked from top to bottom; the gateway it starts runs until the last test."""
    top = tmp_path_factory.mktemp("readme")
    folder = top / "lynkrc"
    for name in COPIED:
        # What is compiled already comes along: the times of the sources are copied as well.
        shutil.copytree(ROOT / name, folder / name)
    (folder / "docs").mkdir()
    for name in ("Makefile", "pyproject.toml", "README.md"):
        shutil.copy2(ROOT / name, folder / name)
    walked = Walk(folder=folder, environ=prepared(top, folder))
    serving = None
    try:
        for command in SHELL:
            if command.startswith(RUN):
                walked.done[command] = walked.run(*shlex.split(command, comments=True))
            elif command.startswith(SERVE):
                serving = subprocess.Popen(
                    [*shlex.split(command), "--port=0", "--admin-port=0", "--stop-delay=0"],
                    cwd=folder,
                    env=walked.environ,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    encoding="utf-8",
                )
                assert serving.stdout is not None
                walked.ready = json.loads(serving.stdout.readline())
        yield walked
    finally:
        if serving is not None:
            serving.terminate()
            serving.communicate(timeout=PATIENCE)


def prepared(top: Path, folder: Path) -> dict[str, str]:
    """An environment in which `lynkrc` is this interpreter's, and `.venv` is ready."""
    commands = {"python": "", "lynkrc": "-m lynkrc"}
    tools = top / "venv" / "bin"
    tools.mkdir(parents=True)
    for name, words in commands.items():
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (tools / name).chmod(0o755)
    (top / "venv" / ".ready").touch()
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{folder}{os.pathsep}{folder / 'runtime'}",
        "MAKEFLAGS": f"VENV={tools.parent}",
    }


def test_every_block_is_of_a_kind_that_is_executed() -> None:
    assert {language for language, _ in BLOCKS} == {"sh", "text", "yaml", "python"}


def test_every_command_has_a_way_to_be_run() -> None:
    unknown = [line for line in SHELL if not line.startswith((*RUN, SERVE)) and line not in NOT_RUN]
    assert unknown == []
    assert sum(line.startswith(SERVE) for line in SHELL) == 1


@pytest.mark.parametrize("command", [line for line in SHELL if line.startswith(RUN)])
def test_a_command_ends_well(command: str, walk: Walk) -> None:
    done, told = walk.done[command], EXIT.search(command)
    assert done.returncode == (int(told[1]) if told else 0), done.stdout + done.stderr


SHOWN = [(one[1], other[1]) for one, other in pairwise(BLOCKS) if other[0] == "text"]


@pytest.mark.parametrize(("commands", "told"), SHOWN, ids=[command for command, _ in SHOWN])
def test_an_output_is_as_shown(commands: str, told: str, walk: Walk) -> None:
    printed = walk.done[commands.splitlines()[-1]].stdout
    assert agrees(told, printed) or told == printed


def test_the_picture_is_what_the_command_draws(walk: Walk) -> None:
    [picture] = re.findall(r"!\[.*\]\((.*\.svg)\)", TEXT)
    assert any(command.endswith(f"-o {picture}") for command in walk.done)
    assert (walk.folder / picture).read_bytes() == (ROOT / picture).read_bytes()


def test_make_run_shows_the_table_and_every_request_and_says_it_is_simulated(walk: Walk) -> None:
    shown = walk.done["make run"].stdout
    assert (walk.folder / "generated" / "quickstart" / "routes.txt").read_text() in shown
    assert "on the SIMULATOR: no provider is called, no money is spent" in shown
    for tier in ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING"):
        assert f"· {tier} · rule " in shown
    assert "[POST /v1/messages, stream]" in shown
    assert "[POST /v1/chat/completions" in shown
    assert "· fallback true" in shown
    assert "== all " in shown


def test_make_test_runs_the_tests(walk: Walk) -> None:
    planned = walk.run("make", "-n", "test")
    assert planned.returncode == 0
    assert "pytest" in planned.stdout and "mypy" in planned.stdout and "ruff" in planned.stdout
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "exec make test"
    assert "tests/clients" in walk.run("make", "-n", "test-clients").stdout


def test_the_build_writes_what_the_page_says(walk: Walk) -> None:
    named = re.search(r"`lynkrc build` writes (.*?) which you commit", PROSE, re.DOTALL)
    assert named is not None
    written = {path.name for path in (walk.folder / "build" / "quickstart").iterdir()}
    log = {"gateway.log"}
    assert written - log == {*CODE_SPAN.findall(named[1]), "quickstart.lynkr"}


def test_a_stale_file_fails_the_command_for_ci(walk: Walk) -> None:
    command = next(line for line in SHELL if line.startswith("lynkrc build") and "--check" in line)
    committed = walk.folder / "generated" / "quickstart" / "routes.txt"
    text = committed.read_text(encoding="utf-8")
    committed.write_text(text.replace("SIMPLE", "SIMPLER", 1), encoding="utf-8")
    try:
        assert walk.run(*shlex.split(command)).returncode == 1
    finally:
        committed.write_text(text, encoding="utf-8")


def test_make_serve_serves_as_written_and_names_a_missing_variable(walk: Walk) -> None:
    done = walk.run("make", "serve")
    assert done.returncode != 0
    assert re.search(r"(OPENAI|ANTHROPIC)_API_KEY", done.stderr)


@pytest.mark.parametrize("text", blocks("yaml"))
def test_the_spec_has_no_findings_but_notes(text: str, walk: Walk) -> None:
    (walk.folder / "routing.yaml").write_text(text, encoding="utf-8")
    done = walk.run("lynkrc", "check")
    (walk.folder / "routing.yaml").unlink()
    assert done.returncode == 0, done.stderr
    assert re.search(r"^(no findings|[0-9]+ notes?)$", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("text", blocks("yaml"))
def test_the_spec_is_in_its_canonical_form(text: str) -> None:
    printed, _ = format_spec(SourceFile(path="routing.yaml", text=text))
    assert printed == text


@pytest.mark.parametrize("text", blocks("python"))
def test_client_code_gets_an_answer(text: str, walk: Walk) -> None:
    assert CLIENTS in text
    done = walk.run("python", "-c", text.replace(CLIENTS, walk.ready["url"]))
    assert done.returncode == 0, done.stderr
    assert "[simulated]" in done.stdout and "Hello!" in done.stdout


def test_the_addresses_are_the_defaults() -> None:
    usual = addresses(Options(bundle=Path("x")), Settings(), {})
    assert usual.hosts[0] == usual.admin_hosts[0] == "127.0.0.1"
    assert f"http://127.0.0.1:{usual.port}" == CLIENTS
    assert f"http://127.0.0.1:{usual.admin_port}" == OPERATIONS
    assert CLIENTS in PROSE and OPERATIONS in PROSE


def test_the_addresses_of_the_clients_are_served(walk: Walk) -> None:
    rows = re.findall(r"^\| (Claude Code|\w+ SDK) \| .*?`(?:ANTHROPIC_BASE_URL=)?(http\S+?)[ `]",
                      PROSE, re.MULTILINE)  # fmt: skip
    paths = {"Claude Code": "/v1/messages", "Anthropic SDK": "/v1/messages",
             "OpenAI SDK": "/chat/completions"}  # fmt: skip
    assert {client for client, _ in rows} == set(paths)
    for client, base in rows:
        path = base.removeprefix(CLIENTS) + paths[client]
        body = {
            "model": "auto",
            "max_tokens": 9,
            "messages": [{"role": "user", "content": "Hello!"}],
        }
        assert walk.get(CLIENTS, path, body)[0] == 200, client


def test_every_header_of_the_table_is_sent(walk: Walk) -> None:
    table = re.search(r"^\| header \|.*?\n\n", PROSE, re.MULTILINE | re.DOTALL)
    assert table is not None
    first = [row.split("|")[1] for row in table[0].strip().splitlines()[2:]]
    names = [name for cell in first for name in CODE_SPAN.findall(cell)]
    named = [name if name.startswith("x-") else f"x-lynkr{name}" for name in names]
    assert len(named) > 8
    body = {
        "model": "claude-opus-4-5",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "Prove that this loop invariant holds."}],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
    }
    status, headers, _ = walk.get(CLIENTS, "/v1/messages", body)
    assert status == 200
    assert [name for name in named if name not in headers] == []
    assert headers["x-lynkr-bundle"] == walk.ready["bundle"]


def test_the_operators_paths_exist(walk: Walk) -> None:
    told = re.search(r"Operations listen on.*?\n\n", PROSE, re.DOTALL)
    assert told is not None
    paths = [span for span in CODE_SPAN.findall(told[0]) if span.startswith("/")]
    assert len(paths) == 6
    for path in paths:
        body = {"model": "auto", "messages": []} if path == "/routing/analyze" else None
        status, _, content = walk.get(OPERATIONS, path, body)
        is_asked = path.endswith("/ID") and b"there is no trace" in content
        assert status not in (404, 405) or is_asked, path


def test_commands_and_options_in_the_prose_exist(walk: Walk) -> None:
    known = {name for name, _ in COMMANDS}
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    helped: dict[str, str] = {}
    for span in CODE_SPAN.findall(PROSE):
        words = span.split()
        if words[0] == "make":
            assert words[1] in targets, span
        if words[0] == "lynkrc" and len(words) > 1:
            assert words[1] in known, span
            options = [word for word in words if word.startswith("--")]
            if options and words[1] not in helped:
                helped[words[1]] = walk.run("lynkrc", words[1], "--help").stdout
            assert [word for word in options if word not in helped[words[1]]] == []


def test_every_command_is_in_the_table() -> None:
    table = re.search(r"^## Commands\n.*?(?=^## )", TEXT, re.MULTILINE | re.DOTALL)
    assert table is not None
    told = re.findall(r"^\| `lynkrc (\w+)` \|", table[0], re.MULTILINE)
    assert sorted(told) == sorted(name for name, _ in COMMANDS)


def test_the_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert links and missing == []
