"""A newcomer's first changes are done as the pages say, in a copy of the tree."""

import re
from collections.abc import Iterator

import pytest

from lynkrc.diagnostics.codes import found
from lynkrc_runtime.providers.table import KINDS
from tests.architecture.page_walk import FENCE, ROOT
from tests.architecture.tree_walk import TreeWalk

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PROVIDER = (ROOT / "docs" / "adding-a-provider.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TreeWalk]:
    with TreeWalk(tmp_path_factory.mktemp("first-change") / "tree") as walk:
        yield walk


def diff_of(page: str, path: str) -> str:
    [one] = [
        body for kind, body in FENCE.findall(page) if kind == "diff" and f"\n+++ b/{path}\n" in body
    ]
    return str(one)


def failed(printed: str) -> set[str]:
    """The files with tests that failed."""
    return set(re.findall(r"^(?:FAILED|ERROR) ([\w/.]+)", printed, re.MULTILINE))


def test_what_the_pages_add_is_not_in_the_product() -> None:
    assert found("LK609") is None
    assert "acme" not in KINDS


def test_contributing_is_short_enough_to_be_read() -> None:
    assert len(CONTRIBUTING.splitlines()) <= 300


def test_a_check_is_added(walk: TreeWalk) -> None:
    walk.ran.clear()
    walk.page(CONTRIBUTING)
    first, *_, checked, explained = walk.ran
    assert "FAILED" in first.printed
    assert re.search(r"LK609.*the key of `house` travels unencrypted", checked.printed)
    assert explained.printed == (walk.folder / "lynkrc/diagnostics/pages/LK609.md").read_text(
        encoding="utf-8"
    )
    # Without its place among the checks nothing of it is told, and the tests named say so.
    [tests] = [one.line for one in walk.ran if "test_diagnostics_pages" in one.line]
    place = diff_of(CONTRIBUTING, "lynkrc/sema/resolve.py")
    walk.apply(place, back=True)
    without = walk.run(tests)
    walk.apply(place)
    assert without.code == 1
    assert failed(without.printed) == {
        "tests/unit/test_sema_clear_keys.py",
        "tests/golden/test_sema_golden.py",
    }


def test_a_provider_kind_is_added(walk: TreeWalk) -> None:
    walk.ran.clear()
    walk.page(PROVIDER)
    first, *_ = runs = [one for one in walk.ran if "pytest" in one.line]
    named = set(re.findall(r"tests/[\w/]+\.py", first.line))
    assert failed(first.printed) == named
    assert re.findall(r"tests/[\w/]+\.py", runs[-1].line) == re.findall(
        r"tests/[\w/]+\.py", first.line
    )
