"""The tests of every example and every starter spec pass, and every one of them has some."""

from pathlib import Path

import pytest

from lynkrc.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = {
    path: path.with_name("routing.test.yaml") for path in ROOT.glob("examples/*/routing.yaml")
} | {
    path: path.parent / "tests" / f"{path.stem}.test.yaml"
    for path in ROOT.glob("specs/starter/*.yaml")
}


@pytest.mark.parametrize(
    "spec", sorted(EXAMPLES), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_the_tests_of_an_example_pass(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["test", str(spec), "--tests", str(EXAMPLES[spec]), "--quiet"])
    assert (code, capsys.readouterr().out.count("\n")) == (0, 1)


@pytest.mark.parametrize("name", ["quickstart", "privacy"])
def test_the_tests_of_an_example_show_all_that_can_be_shown(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = ROOT / "examples" / name / "routing.yaml"
    assert main(["test", str(spec), "--quiet", "--fail-under", "100"]) == 0
    assert "proved unreachable" in capsys.readouterr().out


def test_there_are_examples_and_starters() -> None:
    folders = {path.parent.name for path in EXAMPLES}
    assert {"quickstart", "starter"} <= folders
