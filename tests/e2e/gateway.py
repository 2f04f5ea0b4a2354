"""The gateway as a process of its own: started from a bundle on free ports, stopped by itself."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests import warm_server
from tests.e2e.planted import require_unspoken
from tests.warm_lynkrc import run
from tests.warm_server import WarmProcess, start

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-m", "lynkrc_runtime")
PATIENCE = 120
"""Seconds a process has to do what is waited for before a test fails; a busy machine is slow."""


def words(bundle: Path | str, *arguments: str) -> list[str]:
    """The arguments that serve a bundle on free ports."""
    return [
        *("serve", str(bundle)),
        *("--port", "0", "--admin-port", "0", "--stop-delay", "0", *arguments),
    ]


def command(bundle: Path | str, *arguments: str) -> list[str]:
    """The command line that does."""
    return [*PROGRAM, *words(bundle, *arguments)]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a gateway: this checkout's code and nothing of the caller's secrets."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "runtime")))
    return {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": path} | dict(more or {})


def built(spec: Path, folder: Path, name: str) -> Path:
    """The bundle of a spec called `name`, built into a folder as a user builds it."""
    # The suite's, where it is the suite that builds; a soak keeps nothing.
    proofs = {"LYNKRC_CACHE": os.environ.get("LYNKRC_CACHE", "")}
    done = run(["build", str(spec), "-o", str(folder)], cwd=ROOT, env=environment(proofs))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / f"{name}.lynkr"


@dataclass
class GatewayProcess:
    """A running gateway; `url` for clients, `admin` for operators, `ready` its first line."""

    process: subprocess.Popen[str] | WarmProcess
    ready: Mapping[str, Any]
    log: Path

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def admin(self) -> str:
        return str(self.ready["admin"])

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log so far; what is being written now is not a line yet."""
        whole, _, _ = self.log.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def request(self, identity: str) -> dict[str, Any]:
        """The line of one settled request, once it is there."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = [line for line in self.requests if line["request_id"] == identity]
            if found or time.monotonic() > deadline:
                (line,) = found
                return line
            time.sleep(0.01)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The settled requests of its log."""
        return [line for line in self.lines if line["event"] == "request"]

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(
    bundle: Path | str,
    log: Path,
    arguments: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    *,
    is_forked: bool = True,
) -> Iterator[GatewayProcess]:
    """A gateway that serves `bundle`; its log goes to the file `log`.

    It is forked from a process that has imported it, or else a start of Python.
    """
    began = _forked if is_forked else _started
    with (
        log.open("w", encoding="utf-8") as errors,
        began(words(bundle, *arguments), environment(environ), errors) as process,
    ):
        assert process.stdout is not None
        first = process.stdout.readline()
        if not first:
            process.wait(PATIENCE)
            raise AssertionError(f"the gateway did not start: {log.read_text(encoding='utf-8')}")
        gateway = GatewayProcess(process=process, ready=json.loads(first), log=log)
        try:
            yield gateway
        finally:
            if process.poll() is None:
                process.kill()
    require_unspoken(log, arguments, environ or {})


def refused(
    bundle: Path | str,
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    is_forked: bool = True,
) -> str:
    """What a gateway that does not start says, forked or as above."""
    told, its = words(bundle, *arguments), environment(environ)
    if is_forked:
        done = warm_server.run("gateway", told, cwd=Path.cwd(), env=its)
    else:
        done = subprocess.run(
            [*PROGRAM, *told],
            env=its,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def _started(
    told: Sequence[str], environ: Mapping[str, str], errors: IO[str]
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, *told],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )


def _forked(told: Sequence[str], environ: Mapping[str, str], errors: IO[str]) -> WarmProcess:
    ours, theirs = os.pipe()
    with open(theirs, "wb") as out, Path(os.devnull).open("rb") as nothing:  # noqa: PTH123 - no path
        return start(
            "gateway",
            told,
            cwd=Path.cwd(),
            env=environ,
            streams=(nothing, out, errors),
            stdout=open(ours, encoding="utf-8"),  # noqa: PTH123 - the process closes it
        )
