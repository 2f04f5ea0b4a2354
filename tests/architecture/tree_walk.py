"""A page that changes the tree, done as it says in a copy: diffs applied, tests run, answers seen.

A ``diff`` block is given to `git apply`; a ``yaml`` or ``python`` block that begins with ``# FILE``
is written there. The lines of an ``sh`` block are run; one that ends in ``# exit N`` ends so, and
one that ends in ``&`` runs until the page's end. A ``text`` block is what the last line prints.
What `.venv/bin` of the copy runs is forked from one process that has imported what others wrote,
and of ours nothing; `make generate` there makes what the page is about, `docs/reference.md`.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, final

from tests.architecture.page_walk import CLIENTS, FENCE, NOT_RUN, PATIENCE, ROOT, agrees, joined

STAND_IN = "127.0.0.1:9009"
"""Where a page's stand-in server listens; here it gets whatever port is free."""

_EXIT = re.compile(r"\s+# exit (\d)$")
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".clients", "build", "dist", ".*_cache", ".hypothesis", ".benchmarks"
)
_SERVER = """\
import json, os, sys, traceback
import aiohttp, hypothesis, jinja2, jsonschema, lark, msgspec, pytest, referencing, yaml
OPTIONS = ["-p", "no:xdist", "-p", "no:cacheprovider", "-W", "ignore:Module already imported"]
def become(words, environ, out):
    for stream in (1, 2):
        os.dup2(out, stream)
    os.environ.update(environ)
    sys.argv = words
    try:
        if words[0] == "pytest":
            return int(pytest.main([*words[1:], *OPTIONS]))
        if words[0] == "make":
            sys.path.insert(0, "generated")
            import regenerate
            regenerate.PAGES = regenerate.PAGES[:1]
            regenerate.pages(check=False)
            return 0
        from lynkrc.cli.main import main
        return main()
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        return 134
told = os.fdopen(os.dup(1), "w")
for line in sys.stdin:
    words, environ, path = json.loads(line)
    child = os.fork()
    if child == 0:
        code = become(words, environ, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=told, flush=True)
"""


@final
@dataclass(frozen=True)
class Ran:
    """A line of a page, how it was to end, how it ended, and both of its streams."""

    line: str
    wanted: int
    code: int
    printed: str


@final
@dataclass
class TreeWalk:
    """A copy of the tree in `folder`, in which pages are done."""

    folder: Path
    ran: list[Ran] = field(default_factory=list)
    _running: "list[subprocess.Popen[str]]" = field(default_factory=list)
    _places: dict[str, str] = field(default_factory=dict)
    _forks: "subprocess.Popen[str] | None" = None

    def __enter__(self) -> "TreeWalk":
        # Dates are kept, so that what Python has compiled counts in the copy as well.
        shutil.copytree(ROOT, self.folder, symlinks=True, ignore=_LEFT_OUT)
        (self.folder / "build").mkdir()
        self._forks = subprocess.Popen(
            [sys.executable, "-c", _SERVER],
            cwd=self.folder,
            env=self._environ(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()
        if self._forks is not None:
            self._forks.communicate(timeout=PATIENCE)

    def page(self, text: str) -> None:
        """Do all of it; each line must end as it says, and print what stands below it."""
        for language, body in FENCE.findall(text):
            if body.startswith(NOT_RUN):
                continue
            match language:
                case "diff":
                    self.apply(body)
                case "yaml" | "python":
                    self._write(body)
                case "sh":
                    for line in joined(body):
                        ran = self.run(line)
                        assert ran.code == ran.wanted, f"{ran.line}\n{ran.printed}"
                case "text":
                    assert agrees(body, self.ran[-1].printed), self.ran[-1].printed
                case _:
                    raise AssertionError(f"nobody says what a block of {language!r} is")

    def apply(self, diff: str, *, back: bool = False) -> None:
        """Apply a diff as it is written, or take it back."""
        words = ["git", "apply", "--whitespace=nowarn", *(["-R"] if back else []), "-"]
        # A copy inside somebody's checkout is no part of it.
        environ = os.environ | {"GIT_CEILING_DIRECTORIES": str(self.folder.parent)}
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=environ,
            input=diff,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, f"{done.stderr}\n{diff}"

    def run(self, line: str) -> Ran:
        """Run one line of shell in the copy."""
        wanted = _EXIT.search(line)
        command = _EXIT.sub("", line)
        for there, here in self._places.items():
            command = command.replace(there, here)
        if command.endswith("&"):
            ran = self._start(line, shlex.split(command.removesuffix("&")))
        elif (words := _ours(command)) is not None:
            ran = self._forked(line, words)
        else:
            done = subprocess.run(
                ["sh", "-ec", command],
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                timeout=PATIENCE,
                check=False,
            )
            ran = Ran(line=line, wanted=0, code=done.returncode, printed=done.stdout)
        self.ran.append(Ran(ran.line, int(wanted[1]) if wanted else 0, ran.code, ran.printed))
        return self.ran[-1]

    def stop(self) -> None:
        """End what was started with ``&``."""
        while self._running:
            one = self._running.pop()
            one.terminate()
            with suppress(ValueError):
                one.communicate(timeout=PATIENCE)

    def _forked(self, line: str, words: list[str]) -> Ran:
        assert self._forks is not None
        asks, tells = self._forks.stdin, self._forks.stdout
        assert asks is not None
        assert tells is not None
        out = self.folder / "build" / "printed"
        asks.write(json.dumps([words, {"NO_COLOR": "1"}, str(out)]) + "\n")
        asks.flush()
        code = int(tells.readline())
        return Ran(line, 0, code, out.read_text(encoding="utf-8"))

    def _start(self, line: str, words: list[str]) -> Ran:
        """What runs beside the rest says at its first line where it listens."""
        environ = self._environ()
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            environ[name] = value
        if words[0] == ".venv/bin/lynkrc":
            words = ["-m", "lynkrc", *words[1:], "--port", "0", "--admin-port", "0"]
            words += ["--stop-delay", "0"]
        else:
            assert words[0] == ".venv/bin/python", words
            words = words[1:]
        one = subprocess.Popen(
            [sys.executable, *words],
            cwd=self.folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        self._running.append(one)
        out: IO[str] | None = one.stdout
        assert out is not None
        told = out.readline()
        if told.startswith("{"):
            ready: dict[str, Any] = json.loads(told)
            self._places[CLIENTS] = ready["url"]
        else:
            self._places[STAND_IN] = told.strip().removeprefix("http://")
        return Ran(line, 0, 0, told)

    def _write(self, body: str) -> None:
        name = re.match(r"# (\S+)\n", body)
        assert name is not None, body
        for there, here in self._places.items():
            body = body.replace(there, here)
        # The stand-in takes any port that is free, and says which.
        body = body.replace('"127.0.0.1", 9009', '"127.0.0.1", 0')
        (self.folder / name[1]).write_text(body, encoding="utf-8")

    def _environ(self) -> dict[str, str]:
        paths = os.pathsep.join((str(self.folder), str(self.folder / "runtime")))
        cache = str(self.folder / "build" / "cache")
        return {**os.environ, "PYTHONPATH": paths, "LYNKRC_CACHE": cache, "NO_COLOR": "1"}


def _ours(command: str) -> list[str] | None:
    """The words of a command of the copy's environment, or None for another one."""
    words = shlex.split(command)
    if words[:1] == ["make"]:
        assert words == ["make", "generate"], command
        return words
    if words[0].startswith(".venv/bin/"):
        return [words[0].removeprefix(".venv/bin/"), *words[1:]]
    return None
