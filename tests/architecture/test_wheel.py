"""The wheel holds both packages and their data, nothing else, and works without the checkout."""

import os
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.made_packages import one, packages
from tests.native_tools import needs_compiler

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return one(packages(tmp_path_factory), "lynkrc-*.whl")


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked, as an installer puts it into site-packages."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(site: Path, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`lynkrc` of the unpacked wheel; the checkout is nowhere on the path."""
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(site)!r})\n"
        "import lynkrc, lynkrc_runtime\n"
        f"assert lynkrc.__file__.startswith({str(site)!r}), lynkrc.__file__\n"
        f"assert lynkrc_runtime.__file__.startswith({str(site)!r}), lynkrc_runtime.__file__\n"
        "from lynkrc.cli.main import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=cwd,
        env=environ,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


ENGINES = "from lynkrc_runtime.scan.engines import kernel_name, kernel_notice;"


def run_python(site: Path, cwd: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Python with the unpacked wheel on its path."""
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r}); {code}"],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_nothing_else_stands_at_the_top(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"lynkrc", "lynkrc_runtime"}
    assert len(tops) == 3


def test_every_module_and_data_file_is_in_it(names: set[str]) -> None:
    expected = set()
    for folder in (ROOT / "lynkrc", ROOT / "runtime" / "lynkrc_runtime"):
        for path in folder.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                expected.add(path.relative_to(folder.parent).as_posix())
    for name in ("schema", "specs"):
        for path in (ROOT / name).rglob("*"):
            if path.is_file():
                expected.add(f"lynkrc/_data/{path.relative_to(ROOT).as_posix()}")
    inside = {name for name in names if ".dist-info/" not in name}
    # The kernel is built while the wheel is, where that can be done.
    made = {f"lynkrc_runtime/scan/{name}" for name in ("_kernel.abi3.so", "_kernel.c")}
    assert inside - made == expected - made
    for name in (
        "lynkrc/py.typed",
        "lynkrc_runtime/py.typed",
        "lynkrc/syntax/grammar.lark",
        "lynkrc/syntax/pattern.lark",
        "lynkrc/codegen/templates/scorer.py.j2",
        "lynkrc/diagnostics/pages/LK101.md",
        "lynkrc/_data/schema/routing.schema.json",
        "lynkrc/_data/specs/builtin/lynkr-13.yaml",
        "lynkrc/_data/specs/catalog/anthropic.yaml",
    ):
        assert name in names


@needs_compiler
def test_the_wheel_of_a_machine_with_a_compiler_holds_the_kernel(
    wheel: Path, names: set[str], site: Path, tmp_path: Path
) -> None:
    assert "lynkrc_runtime/scan/_kernel.abi3.so" in names
    assert re.fullmatch(r"lynkrc-[0-9.]+-cp311-abi3-[a-z0-9_]+\.whl", wheel.name)
    done = run_python(site, tmp_path, f"{ENGINES} print(kernel_name(), kernel_notice())")
    assert (done.stdout, done.stderr) == ("native None\n", "")


def test_the_metadata_names_licence_commands_and_python(wheel: Path, names: set[str]) -> None:
    info = next(name.split("/")[0] for name in names if name.endswith(".dist-info/METADATA"))
    with zipfile.ZipFile(wheel) as archive:
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
        commands = archive.read(f"{info}/entry_points.txt").decode()
    assert metadata["License-Expression"] == "Apache-2.0 AND Unicode-DFS-2016"
    assert metadata["Requires-Python"] == ">=3.11"
    assert {f"{info}/licenses/LICENSE", f"{info}/licenses/LICENSE-unicode.txt"} <= set(names)
    assert "lynkrc = lynkrc.__main__:main" in commands
    assert "lynkrc-runtime = lynkrc_runtime.__main__:main" in commands


@pytest.fixture(scope="module")
def quickstart(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the unpacked wheel has built the quickstart."""
    folder = tmp_path_factory.mktemp("quickstart")
    spec = ROOT / "examples" / "quickstart" / "routing.yaml"
    (folder / spec.name).write_bytes(spec.read_bytes())
    built = run(site, folder, "build", "-o", "out")
    assert built.returncode == 0, built.stderr
    return folder


def test_the_unpacked_wheel_compiles_the_quickstart_to_the_committed_files(
    quickstart: Path,
) -> None:
    # A bundle beside them is somebody's own build: it is not committed.
    for name in ("dispatch.json", "ir.txt", "routes.txt", "scorer.pxd", "scorer.py"):
        committed = ROOT / "generated" / "quickstart" / name
        assert (quickstart / "out" / name).read_bytes() == committed.read_bytes()


@pytest.mark.parametrize("words", [["schema", "routing"], ["explain", "LK101"], ["inspect", "out"]])
def test_the_unpacked_wheel_finds_its_data(words: list[str], site: Path, quickstart: Path) -> None:
    done = run(site, quickstart, *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout
