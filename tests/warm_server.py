"""Programs forked from a process that has imported them: own pids, exit codes, no start of Python.

Most of what a short program costs is the start of Python and its imports. A server, one for each
kind of program and process of tests and ended with it, has done that. For each program asked for
it forks, and the fork becomes the program: the caller's folder, environment and streams, signals
as Python sets them, `main`, and an end. The forks share nothing with each other, as programs of
their own do not, and they are the server's children: it tells how each ended.

`start` asks for a program, `run` for one that ends by itself. A caller elsewhere connects to
`address`, sends the three streams with `send_fds` and a line of JSON (words, folder, environment),
and is told the pid and, in the end, the exit code, as `NUMBER`s.
"""

import functools
import gc
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from atexit import register
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Literal, NoReturn, assert_never

ROOT = Path(__file__).resolve().parents[1]
PATH = os.pathsep.join((str(ROOT), str(ROOT / "runtime")))

PATIENCE = 120
"""Seconds a program may take that is to end by itself."""

Kind = Literal["command", "gateway"]
NUMBER = struct.Struct("!i")
"""How a pid and an exit code are told; one below zero is the signal that ended the program."""


@dataclass(eq=False)
class WarmProcess:
    """A running fork, used as a `Popen` is; `stdout` is what it was started with, if it is ours."""

    pid: int
    server: socket.socket
    stdout: IO[str] | None
    returncode: int | None = None
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def poll(self) -> int | None:
        """Its exit code, where it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended; raises TimeoutExpired after so many seconds."""
        if self.returncode is None:
            told = select.poll()
            told.register(self.server, select.POLLIN)
            if not told.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        with self._asking:
            if self.returncode is None:
                self.returncode = _received(self.server)
            return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal; none is sent to a process that has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> "WarmProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self.stdout is not None:
            self.stdout.close()
        self.wait()
        self.server.close()


def start(
    kind: Kind,
    words: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    streams: Sequence[IO[Any] | int],
    stdout: IO[str] | None = None,
) -> WarmProcess:
    """Start a program with these three streams; `stdout` is where we read what it writes."""
    server = socket.socket(socket.AF_UNIX)
    server.connect(address(kind))
    numbers = [one if isinstance(one, int) else one.fileno() for one in streams]
    socket.send_fds(server, [b"\n"], numbers)
    server.sendall(json.dumps([list(words), str(cwd), dict(env)]).encode() + b"\n")
    return WarmProcess(pid=_received(server), server=server, stdout=stdout)


def run(
    kind: Kind, words: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a program that ends by itself; what it printed is kept, and nothing is read from us."""
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        Path(os.devnull).open("rb") as nothing,
    ):
        with start(kind, words, cwd=cwd, env=env, streams=(nothing, out, err)) as program:
            try:
                code = program.wait(PATIENCE)
            finally:
                program.kill()
        printed = []
        for one in (out, err):
            one.seek(0)
            printed.append(one.read().decode("utf-8"))
    return subprocess.CompletedProcess(list(words), code, *printed)


def _received(server: socket.socket) -> int:
    told = server.recv(NUMBER.size, socket.MSG_WAITALL)
    if len(told) < NUMBER.size:
        raise ConnectionError("the server of warm programs has gone")
    (number,) = NUMBER.unpack(told)
    return int(number)


@functools.cache
def address(kind: Kind) -> str:
    """Where the server of this process listens; it is started by the first who asks."""
    folder = tempfile.mkdtemp(prefix="lynkrc-")
    place = str(Path(folder) / "socket")
    kept = os.environ if kind == "command" else {"PATH": os.environ.get("PATH", "")}
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(place)
        listening.listen(16)
        server = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), kind, str(listening.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[listening.fileno()],
            env={**kept, "PYTHONPATH": PATH},
        )

    def end() -> None:
        server.communicate()
        shutil.rmtree(folder)

    register(end)
    return place


# -- the server ----------------------------------------------------------------------------


def loaded(kind: Kind) -> Callable[[], int]:
    """Import what programs of a kind use; their `main`."""
    match kind:
        case "command":
            cli: Any = import_module("lynkrc.cli.main")
            for name, _ in cli.COMMANDS:
                if name != "serve":
                    cli.load(name)
            for name in ("z3", "lark", "jinja2", "jsonschema"):
                import_module(name)
            # What we ship is read once: the catalog, the base specs, their automaton.
            specs: Any = import_module("lynkrc.cli.specs")
            specs.compile_file(ROOT / "examples/quickstart/routing.yaml")
            return lambda: int(cli.main())
        case "gateway":
            program: Any = import_module("lynkrc_runtime.__main__")
            for name in (
                "uvloop",
                "lynkrc_runtime.server.begin",
                "lynkrc_runtime.server.remote_server",
                "lynkrc_runtime.state.redis",
                "lynkrc_runtime.state.sqlite",
                "lynkrc_runtime.telemetry.usage_sinks",
            ):
                import_module(name)
            return lambda: int(program.main())
        case _:
            assert_never(kind)


def became(listening: socket.socket) -> bool:
    """Answer until the one who started us has gone; true in a fork, which is to be the program."""
    running: dict[int, socket.socket] = {}
    woken, waker = socket.socketpair()
    watched: list[Any] = [listening, woken, 0]
    waker.setblocking(False)
    # A fork that ends wakes us, so that it is waited for: what it cost counts.
    signal.set_wakeup_fd(waker.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's is for the tests and the forks
    while True:
        ready, _, _ = select.select(watched, [], [])
        if 0 in ready:
            for pid in running:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            return False
        if woken in ready:
            woken.recv(4096)
            _tell_who_ended(running)
        if listening in ready:
            caller, _ = listening.accept()
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.default_int_handler)
                for one in (listening, woken, waker, *running.values()):
                    one.close()
                with caller:
                    _put_on(caller)
                return True
            running[pid] = caller
            _tell(caller, pid)


def _tell_who_ended(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with running.pop(pid) as caller:
            _tell(caller, os.waitstatus_to_exitcode(status))


def _tell(caller: socket.socket, number: int) -> None:
    # Who asked may have gone since.
    with suppress(ConnectionError):
        caller.sendall(NUMBER.pack(number))


def _put_on(caller: socket.socket) -> None:
    """The streams, the folder, the environment and the arguments of who asked."""
    _, streams, _, _ = socket.recv_fds(caller, 1, 3)
    with caller.makefile("rb") as asked:
        words, folder, environ = json.loads(asked.readline())
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    # As Python opens them.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - a stream, not a path
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    sys.stderr = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115 - same
    sys.argv = ["lynkrc", *words]


def _end_at_once(main: Callable[[], int]) -> NoReturn:
    """Be a program whose interpreter is not taken apart: that costs as much as a short command."""
    try:
        code = main()
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
    os._exit(code)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[2])) as listening_socket:
        is_gateway = sys.argv[1] == "gateway"
        the_main = loaded("gateway" if is_gateway else "command")
        gc.collect()
        gc.freeze()  # what a fork's collector does not walk stays shared
        if became(listening_socket):
            if is_gateway:
                sys.exit(the_main())
            _end_at_once(the_main)
