"""A page of the docs, done as it says: files written, edits made, commands run, outputs compared.

A ``yaml`` block that begins with ``# NAME.yaml`` is written to that file and committed, as are an
``ini`` block that begins with ``# NAME`` and a ``json`` block, to ``request.json``. A ``diff`` one
edits ``routing.yaml`` and is not committed. The lines of an ``sh`` block are run; one that ends in
``# exit N`` ends so, others well. A ``text`` block is what the last line before it prints, ``...``
stands for lines left out. ``lynkrc serve`` runs until the next command of ``lynkrc`` that does not
look at it; curl and ``python`` blocks reach it wherever it listens. The clients that `lynkrc wrap`
runs are stand-ins, which send one request. A block whose first line begins with ``# not run here:``
is passed over, and counted in `block_register`.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from tests.warm_lynkrc import program_text

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CLIENTS, OPERATIONS = "http://127.0.0.1:8081", "http://127.0.0.1:8082"
PATIENCE = 120
NOT_RUN = "# not run here: "
LOOKERS = ("lynkrc top ", "lynkrc statusline ")
_CLIENT = """\
#!{python} -IS
import http.client, json, os, re, sys
told = os.environ.get("ANTHROPIC_BASE_URL") or " ".join(sys.argv)
body = {{"model": "auto", "max_tokens": 99}}
body["messages"] = [{{"role": "user", "content": sys.argv[-1]}}]
connection = http.client.HTTPConnection(re.search(r"127[.]0[.]0[.]1:[0-9]+", told)[0])
headers = {{"content-type": "application/json", "authorization": "Bearer local"}}
connection.request("POST", "/v1/messages", json.dumps(body), headers)
print(json.load(connection.getresponse())["content"][0]["text"])
"""
_EXIT = re.compile(r"\s+# exit (\d)$")


@dataclass(frozen=True)
class Step:
    """A command of a page and how it ended; `printed` is both of its streams."""

    command: str
    wanted: int
    code: int
    printed: str


@dataclass(frozen=True)
class Shown:
    """What a page says that a command prints, and what it printed."""

    command: str
    told: str
    printed: str

    @property
    def is_so(self) -> bool:
        return agrees(self.told, self.printed)


def agrees(told: str, printed: str) -> bool:
    """Whether the parts between ``...`` are whole lines of what was printed, in that order.

    A part at the start or end that no ``...`` precedes or follows is the start or end.
    """
    lines, at, gap = printed.splitlines(), 0, False
    parts: list[list[str]] = [[]]
    for line in told.splitlines():
        if line.strip() == "...":
            parts.append([])
        else:
            parts[-1].append(line)
    for number, part in enumerate(parts):
        if part:
            places = range(at, len(lines) - len(part) + 1)
            found = next((i for i in places if lines[i : i + len(part)] == part), None)
            if found is None or (not gap and found != at and number == 0):
                return False
            at = found + len(part)
        gap = True
    return not parts[-1] or at == len(lines)


@dataclass
class Walk:
    """A folder in which a page is done."""

    folder: Path
    steps: list[Step] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    _serving: "subprocess.Popen[str] | None" = None
    _ready: dict[str, str] = field(default_factory=dict)

    def page(self, text: str) -> None:
        """Do all of it."""
        self._tools()
        self._git("init", "-q", "-b", "main")
        try:
            for language, body in FENCE.findall(text):
                self._block(language, body)
        finally:
            self._stop()

    def _block(self, language: str, body: str) -> None:
        if body.startswith(NOT_RUN):
            return
        match language:
            case "yaml":
                if found := re.match(r"# ([\w.-]+\.yaml)\n", body):
                    self._write(found[1], body)
            case "ini":
                if found := re.match(r"# ([\w.-]+)\n", body):
                    self._write(found[1], body)
            case "json":
                self._write("request.json", body)
            case "diff":
                self._edit(body)
            case "sh":
                for line in joined(body):
                    self._run(line)
            case "python":
                self._run(shlex.join((sys.executable, "-c", body)))
            case "js":
                return  # test_guides reads them
            case "text":
                last = self.steps[-1]
                self.shown.append(Shown(command=last.command, told=body, printed=last.printed))
            case _:
                raise AssertionError(f"nobody says what a block of {language!r} is")

    def _write(self, name: str, body: str) -> None:
        (self.folder / name).write_text(body, encoding="utf-8")
        self._git("add", name)
        self._git("commit", "-q", "-m", name)

    def _edit(self, body: str) -> None:
        path = self.folder / "routing.yaml"
        old = "".join(line[1:] for line in body.splitlines(keepends=True) if line[0] in "- ")
        new = "".join(line[1:] for line in body.splitlines(keepends=True) if line[0] in "+ ")
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new), encoding="utf-8")

    def _run(self, line: str) -> None:
        wanted = _EXIT.search(line)
        command = _EXIT.sub("", line)
        if command.startswith("lynkrc serve "):
            self._serve(command)
            return
        if command.startswith("lynkrc ") and not command.startswith(LOOKERS):
            self._stop()
        for address, key in ((CLIENTS, "url"), (OPERATIONS, "admin")):
            if address in command:
                command = command.replace(address, self._ready[key])
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self._environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        code = int(wanted[1]) if wanted else 0
        self.steps.append(
            Step(command=line, wanted=code, code=done.returncode, printed=done.stdout)
        )

    def _serve(self, command: str) -> None:
        self._stop()
        self._serving = subprocess.Popen(
            [*shlex.split(command), "--port", "0", "--admin-port", "0", "--stop-delay", "0"],
            cwd=self.folder,
            env=self._environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        out: IO[str] | None = self._serving.stdout
        assert out is not None
        self._ready = json.loads(out.readline())

    def _stop(self) -> None:
        if self._serving is not None:
            self._serving.terminate()
            with suppress(ValueError):
                self._serving.communicate(timeout=PATIENCE)
            self._serving = None

    def _tools(self) -> None:
        tools = self.folder / ".git-ignored"
        tools.mkdir()
        program = tools / "lynkrc"
        program.write_text(program_text(), encoding="utf-8")
        program.chmod(0o755)
        for name in ("claude", "codex", "aider"):
            client = tools / name
            client.write_text(_CLIENT.format(python=sys.executable), encoding="utf-8")
            client.chmod(0o755)
        (self.folder / "examples").symlink_to(ROOT / "examples")

    def _environ(self) -> dict[str, str]:
        identity = {
            f"GIT_{who}_{what}": "a@b.test"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        return {
            "PATH": f"{self.folder / '.git-ignored'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}",
            "HOME": str(self.folder),
            "LYNKRC_CACHE": str(self.folder / ".git-ignored" / "cache"),
            "NO_COLOR": "1",
            # What ended today is told, and no day ends at noon.
            "TZ": f"NOON{datetime.now(UTC).hour - 12:+d}",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            **identity,
        }

    def _git(self, *words: str) -> None:
        subprocess.run(
            ["git", *words], cwd=self.folder, env=self._environ(), check=True, capture_output=True
        )


def joined(body: str) -> Iterator[str]:
    """The lines of a shell block; one that ends in a backslash goes on in the next."""
    yield from body.replace("\\\n", "").splitlines()
