"""`lynkrc` from a process that has imported everything: real exit codes and output, no start.

Most of what a short command costs is the start of Python, the imports, and reading what we ship.
Here a server, one for each process of tests and ended with it, has done that; for each command it
forks, and the fork becomes the command: the caller's folder, environment and streams, `main`, and
an end. Commands share nothing with each other, as programs of their own do not. What a start may
change (lazy imports, `python -m`, signals, locales) is tested on real programs, and `lynkrc serve`
always is.

`run` asks for a command. `program_text` is a small program that does the same, for shells.
"""

import atexit
import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120
"""Seconds a command may take."""

ENDED_WITHOUT_A_CODE = 134
"""The exit code of a command that a signal ended."""

_PROGRAM = """\
#!{python} -IS
import json, os, socket, sys
{first}
if sys.argv[1:2] == ["serve"]:
    os.environ["PYTHONPATH"] = {path!r}
    os.execv({python!r}, [{python!r}, "-m", "lynkrc", *sys.argv[1:]])
asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode() + b"\\n"
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"\\n"], [0, 1, 2])
    server.sendall(asked)
    told = server.recv(1)
sys.exit(told[0] if told else {lost})
"""


def run(
    words: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run one command; what it printed is kept, and nothing is read from us."""
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        Path(os.devnull).open("rb") as nothing,
        socket.socket(socket.AF_UNIX) as server,
    ):
        server.settimeout(PATIENCE)
        server.connect(address())
        socket.send_fds(server, [b"\n"], [one.fileno() for one in (nothing, out, err)])
        server.sendall(json.dumps([list(words), str(cwd), dict(env)]).encode() + b"\n")
        told = server.recv(1)
        printed = []
        for one in (out, err):
            one.seek(0)
            printed.append(one.read().decode("utf-8"))
    code = told[0] if told else ENDED_WITHOUT_A_CODE
    return subprocess.CompletedProcess(["lynkrc", *words], code, *printed)


def program_text(*, first: str = "") -> str:
    """An executable file's text that runs `lynkrc` with its arguments; `first` is done before."""
    return _PROGRAM.format(
        python=sys.executable,
        first=first,
        path=os.pathsep.join((str(ROOT), str(ROOT / "runtime"))),
        address=address(),
        lost=ENDED_WITHOUT_A_CODE,
    )


@functools.cache
def address() -> str:
    """Where the server of this process listens; it is started by the first who asks."""
    folder = tempfile.mkdtemp(prefix="lynkrc-")
    place = str(Path(folder) / "socket")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(place)
        listening.listen(16)
        server = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), str(listening.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[listening.fileno()],
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
            | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "runtime")))},
        )

    def end() -> None:
        server.communicate()
        shutil.rmtree(folder)

    atexit.register(end)
    return place


# -- the server ----------------------------------------------------------------------------


def serve(listening: socket.socket) -> None:
    """Answer until the one who started us has gone."""
    cli: Any = import_module("lynkrc.cli.main")
    for name, _ in cli.COMMANDS:
        if name != "serve":
            cli.load(name)
    for name in ("z3", "lark", "jinja2", "jsonschema"):
        import_module(name)
    # What we ship is read once: the catalog, the base specs, their automaton.
    specs: Any = import_module("lynkrc.cli.specs")
    specs.compile_file(ROOT / "examples/quickstart/routing.yaml")
    signal.signal(signal.SIGCHLD, lambda *_: _bury())  # waited for, so that what they cost counts
    while True:
        ready, _, _ = select.select([listening, 0], [], [])
        if 0 in ready:
            return
        caller, _ = listening.accept()
        with caller:
            if os.fork() == 0:
                listening.close()
                os._exit(_become(caller, cli))


def _bury() -> None:
    """Wait for every fork that has ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _become(caller: socket.socket, cli: Any) -> int:
    """In the fork: read what is asked and be it; tells the exit code, and returns it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(caller, 1, 3)
    with caller.makefile("rb") as asked:
        words, folder, environ = json.loads(asked.readline())
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - a stream, not a path
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    sys.argv = ["lynkrc", *words]
    try:
        code = int(cli.main())
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:  # as the interpreter does at the top of a program
        traceback.print_exc()
        code = 1
    for one in (sys.stdout, sys.stderr):
        if not one.closed:
            one.flush()
    caller.sendall(bytes([code]))
    return code


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as listening_socket:
        serve(listening_socket)
