"""`lynkrc` as a program of its own: what it leaves of the command line, and what it spares."""

import subprocess
import sys

CODE = """\
import gc, sys
from lynkrc.__main__ import main
sys.argv = ["lynkrc", "explain", sys.argv[1]]
code = main()
assert gc.get_freeze_count() > 10_000, gc.get_freeze_count()
assert gc.isenabled()
sys.exit(code)
"""


def exit_code(word: str) -> int:
    done = subprocess.run([sys.executable, "-c", CODE, word], capture_output=True, check=False)
    assert b"AssertionError" not in done.stderr, done.stderr
    return done.returncode


def test_the_exit_code_is_the_commands_own_and_nothing_is_collected_at_the_end() -> None:
    assert exit_code("LK602") == 0
    assert exit_code("LK000") == 2
