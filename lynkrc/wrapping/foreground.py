"""A command to its exit code, with the terminal in its hands and the signals that are meant for it.

The command stays in our process group, so it has the terminal as we had it, and Ctrl+C and Ctrl+Z
reach it from there. Meanwhile we neither stop at Ctrl+C nor at a quit; what ends us (SIGTERM,
SIGHUP) is passed on, and the command is killed where it does not end within a while. A command that
reads keys as they are typed suspends itself: then we are suspended too, and the shell is back.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

PATIENCE = 10
"""Seconds a command has to end once it was told to."""


def _signals(*names: str) -> tuple[signal.Signals, ...]:
    """Those of the names that there are: Windows has few."""
    return tuple(one for one in signal.Signals if one.name in names)


_THEIRS = _signals("SIGINT", "SIGQUIT")
_PASSED_ON = _signals("SIGTERM", "SIGHUP")
_HAS_JOBS = os.name == "posix"
"""Whether there are alarms, and programs that are suspended."""


class Ended(Exception):
    """A signal has ended us before anything ran; `code` is the exit code that says so."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number


def run_foreground(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command to its end; its exit code, or 128 and the signal that ended it.

    Raises OSError where it cannot be started.
    """
    process: subprocess.Popen[bytes] | None = None
    told: int | None = None

    def pass_on(number: int, _: FrameType | None) -> None:
        nonlocal told
        told = number
        if process is not None:
            process.send_signal(number)
            if _HAS_JOBS:
                process.send_signal(signal.SIGCONT)  # one that is suspended would not hear of it
                signal.alarm(PATIENCE)

    def give_up(_: int, __: FrameType | None) -> None:
        if process is not None:
            process.kill()

    # A handler, since what is ignored would be ignored by the command too.
    handlers = {number: _leave for number in _THEIRS} | {number: pass_on for number in _PASSED_ON}
    before = {number: signal.signal(number, one) for number, one in handlers.items()}
    if _HAS_JOBS:
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, give_up)
    try:
        process = subprocess.Popen(command, env=dict(environ))
        if told is not None:
            pass_on(told, None)
        code = _ended(process) if _HAS_JOBS else process.wait()
    finally:
        if _HAS_JOBS:
            signal.alarm(0)
        for number, one in before.items():
            signal.signal(number, one)
    return code if code >= 0 else 128 - code


def _ended(process: "subprocess.Popen[bytes]") -> int:
    """Wait for its end; its exit code. We are suspended as often as it is, and wake it with us."""
    news = os.WUNTRACED | os.WCONTINUED | os.WNOHANG
    while True:
        found, status = os.waitpid(process.pid, os.WUNTRACED)
        while found and os.WIFSTOPPED(status):
            # Ctrl+Z may have suspended us as well, and by now we may both be awake: look again.
            found, status = os.waitpid(process.pid, news)
            if not found:
                # Not SIGSTOP: where no shell could wake us, this one does nothing.
                os.kill(os.getpid(), signal.SIGTSTP)
                found, status = os.waitpid(process.pid, news)
            if not found:
                process.send_signal(signal.SIGCONT)
        if found and not os.WIFCONTINUED(status):
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise Ended, so that what was begun is cleaned up."""

    def end(number: int, _: FrameType | None) -> None:
        raise Ended(number)

    before = {number: signal.signal(number, end) for number in _PASSED_ON}
    try:
        yield
    finally:
        for number, one in before.items():
            signal.signal(number, one)


def _leave(_: int, __: FrameType | None) -> None:
    """It is for the command, which has got it too."""
