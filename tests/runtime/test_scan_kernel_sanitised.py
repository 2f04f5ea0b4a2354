"""The scan kernel's C on broken tables and texts, under sanitisers, and without memory.

`make fuzz` takes longer.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lynkrc_runtime.scan.engines import kernel_name
from lynkrc_runtime.scan.kernel_sources import c_files
from tests.fuzz.kernel_sanitised import ROOT, SOURCES, compile_driver, run_driver


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_no_compiler_warns_of_the_sources(compiler: str) -> None:
    # The fuzzers compile with -Werror: where a compiler warns, they fall back to less.
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler}")
    command = [compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    sources = [str(SOURCES / name) for name in c_files()]
    done = subprocess.run([*command, *sources], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_table_and_no_text_leads_outside(tmp_path: Path) -> None:
    program = compile_driver(tmp_path, "gcc")
    if isinstance(program, str):
        pytest.skip(program)
    said = run_driver(program, tmp_path, seconds=60, rounds=4_000, seed=1)
    numbers = re.fullmatch("4000 inputs, ([0-9]+) tables taken, ([0-9]+) refused", said)
    assert numbers is not None, said
    # Both kinds of input are worth something.
    assert int(numbers[1]) > 500
    assert int(numbers[2]) > 500


@pytest.mark.skipif(kernel_name() == "portable", reason="the kernel is not built")
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory is refused in glibc's place")
def test_memory_that_is_refused_is_told_as_such(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("there is no gcc")
    source, library = ROOT / "tests" / "fuzz" / "no_memory.c", tmp_path / "no_memory.so"
    command = ["gcc", "-std=c11", "-O1", "-shared", "-fPIC", str(source), "-o", str(library)]
    subprocess.run(command, check=True)
    # In a process of its own, whose memory is this library's from the beginning, but for the small
    # objects of Python: else a call of the library itself might be refused.
    of_its_own = {
        "LD_PRELOAD": str(library),
        "PYTHONMALLOC": "pymalloc",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.refused_memory"],
        cwd=ROOT,
        env=os.environ | of_its_own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
