"""The Makefile, as far as it can be read without running what it installs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def plan(*arguments: str, **environ: str) -> str:
    """What make would run."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("there is no make here")
    return subprocess.run(
        [make, "--dry-run", "--always-make", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_an_empty_interpreter_is_the_usual_one() -> None:
    assert "python3 -m venv" in plan("run", PYTHON="")
    assert "python3 -m venv" in plan("run")
    assert "python3.12 -m venv" in plan("run", PYTHON="python3.12")


def test_serving_leaves_no_bundle_of_another_name_and_takes_any_path() -> None:
    planned = plan("serve", "SPEC=my spec.yaml")
    assert '"my spec.yaml"' in planned
    assert planned.index("rm -rf build/serve") < planned.index("lynkrc build")


def test_the_site_is_built_by_the_config_that_the_tests_read() -> None:
    assert "-m mkdocs build" in plan("docs")
    assert "-m mkdocs serve" in plan("docs-serve")
    assert (ROOT / "mkdocs.yml").is_file()


def test_a_soak_runs_the_long_forms_of_what_the_tests_run_in_short() -> None:
    planned = plan("soak")
    for number in ("KILLED_LIVES=40", "LYNKRC_IN_FLIGHT=1000", "LYNKRC_RELOADS=20"):
        assert number in planned
    assert "LYNKRC_RESTARTS=20" in planned
    for path in ("killed_gateways", "reload_in_flight", "workers_storms"):
        assert f"tests/e2e/test_{path}.py" in planned
        assert (ROOT / f"tests/e2e/test_{path}.py").is_file()


def test_a_change_of_the_kernel_is_a_reason_to_install_anew() -> None:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    assert "$(READY): pyproject.toml $(KERNEL)" in lines
    assert "hatch_build.py" in plan("kernel")


def checkout(folder: Path, **programs: str) -> Path:
    """The Makefile beside an environment that is ready, whose programs are these shell scripts."""
    shutil.copy2(ROOT / "Makefile", folder / "Makefile")
    shutil.copy2(ROOT / "pyproject.toml", folder / "pyproject.toml")
    (folder / "runtime").mkdir()
    shutil.copy2(ROOT / "runtime" / "hatch_build.py", folder / "runtime" / "hatch_build.py")
    for name, script in programs.items():
        path = folder / ".venv" / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    (folder / ".venv" / ".ready").touch()
    return folder


@pytest.mark.parametrize(
    ("types", "tests", "said"),
    [
        (0, 0, ""),
        (1, 0, "types failed"),
        (0, 1, "tests failed"),
        (2, 3, "tests failed, see above\nmake test: types failed"),
    ],
)
def test_types_are_checked_beside_the_tests(
    types: int, tests: int, said: str, tmp_path: Path
) -> None:
    """Tests that wait for the other's beginning end; both are heard whole, either fails it all."""
    folder = checkout(
        tmp_path,
        ruff="exit 0",
        mypy=f"echo begun >types-begun\necho types, first\necho types, last >&2\nexit {types}",
        pytest=f"read -r line <types-begun\necho tests after types have $line\nexit {tests}",
    )
    os.mkfifo(folder / "types-begun")
    done = made(folder)
    assert (done.returncode == 0) == (types == tests == 0)
    assert done.stdout == "tests after types have begun\ntypes, first\ntypes, last\n"
    assert said in done.stderr


def test_lint_comes_first_and_ends_it(tmp_path: Path) -> None:
    done = made(checkout(tmp_path, ruff="echo untidy; exit 1", mypy="exit 0", pytest="exit 0"))
    assert done.returncode != 0
    assert done.stdout == "untidy\n"


def made(folder: Path) -> subprocess.CompletedProcess[str]:
    """What becomes of `make test` in a folder."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("there is no make here")
    return subprocess.run(
        [make, "test"],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
