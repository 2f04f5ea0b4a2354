"""What proving costs: large specs, a check that proves, a build that has nothing to prove again.

CPU time of the program with the interpreter's start: on a machine with nothing else to do, what
people wait.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.bench.large_spec import large_text

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = ROOT / "examples" / "quickstart" / "routing.yaml"
PRIVACY = ROOT / "examples" / "privacy"


def cpu_of_children() -> float:
    """Seconds of CPU that programs which have ended took up to now."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


pytestmark = pytest.mark.benchmark(timer=cpu_of_children)


def lynkrc(*words: str, environ: Mapping[str, str] | None = None) -> int:
    """Run the command; its exit code."""
    return subprocess.run(
        (sys.executable, "-m", "lynkrc", *words),
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}",
            "LYNKRC_CACHE": "",
            **(environ or {}),
        },
        capture_output=True,
        check=False,
    ).returncode


@pytest.mark.parametrize("rules", [200, 1_000])
def test_prove_a_large_spec(rules: int, benchmark: Any, tmp_path: Path) -> None:
    """Eleven assertions, 13 dimensions, 17 lexicons, 8 targets."""
    spec = tmp_path / "routing.yaml"
    spec.write_text(large_text(rules, 0), encoding="utf-8")
    words = ("prove", "--spec", str(spec))
    assert benchmark.pedantic(lynkrc, words, rounds=2) in (0, 1)


@pytest.mark.parametrize("rules", [200, 1_000])
def test_check_a_large_spec_with_its_proofs(rules: int, benchmark: Any, tmp_path: Path) -> None:
    """The eleven assertions, and every finding that takes the solver."""
    spec = tmp_path / "routing.yaml"
    spec.write_text(large_text(rules, 0), encoding="utf-8")
    assert benchmark.pedantic(lynkrc, ("check", str(spec)), rounds=2) in (0, 1)


def test_check_the_quickstart(benchmark: Any) -> None:
    assert benchmark.pedantic(lynkrc, ("check", str(QUICKSTART)), rounds=5) == 0


def test_prove_the_privacy_example(benchmark: Any) -> None:
    words = ("prove", "--spec", str(PRIVACY / "routing.yaml"))
    assert benchmark.pedantic(lynkrc, words, rounds=5) == 0


def test_diff_the_privacy_example(benchmark: Any) -> None:
    words = ("diff", str(PRIVACY / "routing.yaml"), str(PRIVACY / "careless.yaml"))
    assert benchmark.pedantic(lynkrc, words, rounds=5) == 1


@pytest.mark.parametrize("cached", [False, True], ids=["anew", "cached"])
def test_build_the_privacy_example(cached: bool, benchmark: Any, tmp_path: Path) -> None:
    environ = {"LYNKRC_CACHE": str(tmp_path / "cache") if cached else ""}
    words = ("build", str(PRIVACY / "routing.yaml"), "-o", str(tmp_path / "out"))

    def build() -> int:
        return lynkrc(*words, environ=environ)

    assert benchmark.pedantic(build, rounds=5, warmup_rounds=1) == 0
