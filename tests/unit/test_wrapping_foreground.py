"""A command in the foreground of a real terminal: whose its keys, its stops and its end are."""

import os
import sys
from pathlib import Path

import pytest

from lynkrc.wrapping.foreground import run_foreground
from tests.pseudo_terminal import Terminal, terminal

ROOT = Path(__file__).parents[2]
RUNS = """\
import sys; from lynkrc.wrapping.foreground import run_foreground
code = run_foreground([sys.executable, "-ISc", sys.argv[1]], {"TERM": "linux"})
print("RAN", code, flush=True); sys.exit(code)
"""
RAW = """\
import os, signal, sys, termios, tty
def heard(number, _): os.write(1, b"HEARD " + signal.Signals(number).name.encode())
for one in (signal.SIGINT, signal.SIGWINCH): signal.signal(one, heard)
before = termios.tcgetattr(0)
tty.setraw(0, termios.TCSANOW)
print("RAW", os.getppid(), end="\\r\\n", flush=True)
while (key := os.read(0, 1)) != b"q":
    if key == b"\\x1a":
        termios.tcsetattr(0, termios.TCSANOW, before)
        os.kill(os.getpid(), {stop})
        tty.setraw(0, termios.TCSANOW)
        print("BACK", end="\\r\\n", flush=True)
    else:
        print("KEY", key, end="\\r\\n", flush=True)
termios.tcsetattr(0, termios.TCSANOW, before)
sys.exit(4)
"""
WAITING = """\
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
print("WAITING", flush=True)
for _ in range(2):
    signal.sigwait([signal.SIGINT])
    print("HEARD", flush=True)
raise SystemExit(5)
"""


def until(seen: Terminal, text: str, times: int = 1) -> None:
    seen.until(lambda one: one.text.count(text) >= times)


@pytest.fixture
def environ() -> dict[str, str]:
    return {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}",
        "PATH": os.environ["PATH"],
        "PS1": "SHELL> ",
    }


@pytest.mark.parametrize("stop", ["signal.SIGTSTP", "signal.SIGSTOP"])
def test_a_client_that_suspends_itself_gives_the_shell_back(
    environ: dict[str, str], stop: str, tmp_path: Path
) -> None:
    """It reads keys as they are typed, so Ctrl+Z suspends nobody but whom it suspends itself."""
    (tmp_path / "runs").write_text(RUNS, encoding="utf-8")
    (tmp_path / "raw").write_text(RAW.replace("{stop}", stop), encoding="utf-8")
    words = ["bash", "--norc", "--noprofile", "-i"]
    line = f'{sys.executable} {tmp_path / "runs"} "$(<{tmp_path / "raw"})"\n'
    with terminal(words, environ, columns=500) as seen:
        until(seen, "SHELL> ")
        seen.type(line.encode())
        until(seen, "RAW")
        seen.type(b"\x03")
        until(seen, "KEY b'\\x03'")
        for times in (1, 2):
            seen.type(b"\x1a")
            until(seen, "Stopped", times)
            seen.type(b"echo $((6 * 7)); fg\n")
            until(seen, "BACK", times)
            assert seen.text.count("42") >= times
        seen.resize(50, 9)
        until(seen, "HEARD SIGWINCH")
        seen.type(b"q")
        until(seen, "RAN 4")
        seen.type(b"exit\n")
        assert seen.end() == 4


def test_ctrl_c_is_the_commands(environ: dict[str, str]) -> None:
    with terminal([sys.executable, "-c", RUNS, WAITING], environ) as seen:
        until(seen, "WAITING")
        for times in (1, 2):
            seen.type(b"\x03")
            until(seen, "HEARD", times)
        assert seen.end() == 5
        assert "RAN 5" in seen.text and "Traceback" not in seen.text


def test_the_exit_code_tells_of_a_signal() -> None:
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run_foreground([sys.executable, "-ISc", program], {}) == 128 + 9
