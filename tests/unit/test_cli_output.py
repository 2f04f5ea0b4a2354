"""What a command says where what it writes cannot be written."""

import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [("schema", "routing"), ("explain",)])
def test_a_full_disk_is_told_and_the_command_fails(words: tuple[str, ...]) -> None:
    with FULL.open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "lynkrc", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == (
        f"lynkrc {words[0]}: error: cannot write: No space left on device; "
        "what was written is not whole\n"
    )
