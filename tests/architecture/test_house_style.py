"""Rules of the house that a linter does not know."""

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 500
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "misc"}


def tracked(*patterns: str) -> list[Path]:
    """Files of the working tree git tracks or would track; in an unpacked archive, all of them."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode != 0:
        return [path for pattern in patterns for path in ROOT.rglob(pattern) if path.is_file()]
    return [ROOT / line for line in listing.stdout.splitlines() if (ROOT / line).is_file()]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


ROOMS = {"deploy", "examples", "generated", "lynkrc", "runtime", "tests"}
SOURCES = [path for path in tracked("*.py") if path.relative_to(ROOT).parts[0] in ROOMS]


# A scorer is as long as its spec has dimensions and steps.
WRITTEN = [path for path in SOURCES if path.name != "scorer.py" or "generated" not in path.parts]


def test_a_module_is_at_most_500_lines() -> None:
    kernel = [path for kind in ("*.[ch]", "*.pxi", "*.pyx") for path in tracked(kind)]
    written = [*WRITTEN, *kernel]
    lengths = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in written}
    assert {name: length for name, length in lengths.items() if length > LIMIT} == {}


def test_a_module_says_what_it_is_for() -> None:
    silent = [
        named(path)
        for path in SOURCES
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_module_is_a_drawer() -> None:
    assert [path for path in SOURCES if path.stem in FORBIDDEN_NAMES] == []


def test_no_stub_is_left() -> None:
    # Spelled in two halves, so that this file does not find itself.
    marks = ("NotImplemented" + "Error", "TO" + "DO", "FIX" + "ME")
    found = [
        f"{path.relative_to(ROOT)}: {mark}"
        for path in SOURCES
        for mark in marks
        if mark in path.read_text(encoding="utf-8")
    ]
    assert found == []


def test_the_tree_names_no_machine() -> None:
    marks = ("/ho" + "me/", "/ro" + "ot/", "/wo" + "rk/")
    found = [
        f"{path.relative_to(ROOT)}: {mark}"
        for path in tracked()
        for mark in marks
        if mark.encode() in path.read_bytes()
    ]
    assert found == []
