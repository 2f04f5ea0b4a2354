"""A compiled spec to test: its table, its engines, and ways to read and run cases of it."""

from functools import cache
from pathlib import Path

from lynkrc.cli.built import load_built
from lynkrc.cli.specs import compile_file
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.ir.table import RouteTable
from lynkrc.testing.case import Case
from lynkrc.testing.cases import read_cases
from lynkrc.testing.runner import Engines, engines_of

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "golden" / "testing"
SPEC = FOLDER / "routing.yaml"
PASSING = FOLDER / "passing" / "routing.test.yaml"


@cache
def sample_engines() -> Engines:
    """The engines of `SPEC`."""
    compilation = compile_file(SPEC)
    assert compilation.table is not None
    bundle, _ = load_built(compilation)
    return engines_of(compilation.table, bundle)


def sample_table() -> RouteTable:
    """The table of `SPEC`."""
    return sample_engines().table


def body_file(name: str) -> bytes | None:
    """The one file there is."""
    return b'{"model": "auto", "messages": []}' if name == "body.json" else None


def read(text: str) -> tuple[tuple[Case, ...], list[Diagnostic]]:
    """The cases in a text, and what is wrong with it."""
    file, findings = read_cases(
        "routing.test.yaml", text.encode(), sample_table(), bodies=body_file
    )
    return file.cases, findings


def sound(text: str) -> tuple[Case, ...]:
    """The cases in a text without a mistake."""
    cases, findings = read(text)
    assert [(one.code.id, one.message) for one in findings] == []
    return cases


def one_case(given: str, expect: str = "{outcome: route}") -> str:
    """A file with one case."""
    return f"version: 1\ncases:\n  - name: a case\n    {given}\n    expect: {expect}\n"
