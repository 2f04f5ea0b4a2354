"""The pages of the tools are done as they say: commands run, outputs as shown."""

from pathlib import Path

import pytest

from tests.architecture.block_register import ALSO, PAGES
from tests.architecture.page_walk import ROOT, Shown, Walk, agrees


@pytest.fixture(scope="module", params=PAGES)
def walked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """A page, done in a folder of its own."""
    walk = Walk(folder=tmp_path_factory.mktemp("page"))
    names = (request.param, *ALSO.get(request.param, ()))
    walk.page("".join(page_of(name).read_text(encoding="utf-8") for name in names))
    return walk


def page_of(name: str) -> Path:
    return ROOT / "docs" / f"{name}.md"


def test_every_command_ends_as_told(walked: Walk) -> None:
    assert walked.steps
    wrong = [(one.command, one.printed) for one in walked.steps if one.code != one.wanted]
    assert wrong == []
    assert [one.command for one in walked.steps if "Traceback" in one.printed] == []


def test_every_output_is_as_shown(walked: Walk, update_golden: bool) -> None:
    """Or is written as it is, with --update-golden; one with gaps is mended by hand."""
    assert walked.shown
    for one in walked.shown:
        if update_golden and is_whole(one):
            write(one)
        elif not one.is_so:
            assert one.told == one.printed, one.command


def is_whole(one: Shown) -> bool:
    return "..." not in (line.strip() for line in one.told.splitlines())


def write(one: Shown) -> None:
    for page in map(page_of, PAGES):
        text = page.read_text(encoding="utf-8")
        told, printed = (f"```text\n{body}```" for body in (one.told, one.printed))
        page.write_text(text.replace(told, printed), encoding="utf-8")


def test_outputs_may_have_gaps() -> None:
    assert agrees("a\nb\n", "a\nb\n")
    assert agrees("a\n...\n", "a\nb\nc\n")
    assert agrees("...\nb\n...\nd\n", "a\nb\nc\nd\n")
    assert not agrees("a\n", "a\nb\n")
    assert not agrees("b\n...\n", "a\nb\n")
    assert not agrees("...\nd\n...\nb\n", "a\nb\nc\nd\n")
    assert not agrees("a\nc\n...\n", "a\nb\nc\n")
