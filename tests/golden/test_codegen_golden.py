"""Everything generated for the sample table, as files to be read; `--update-golden` rewrites them.

The expected file of ``scorer.py`` is ``scorer.py.txt``: it is data here, no module.
"""

from pathlib import Path

import pytest

from lynkrc.codegen.artifacts import SpecSource, generate
from lynkrc.passes import run_passes
from tests.unit.sample_table import SPEC, TABLE

FOLDER = Path(__file__).parent / "codegen" / "acme-coding"
ARTIFACTS = generate(
    run_passes(TABLE),
    sources=(SpecSource(path="routing.yaml", name="routing.yaml", data=SPEC),),
    source_digest="0" * 64,
    meaning_digest="0" * 64,
)
FILES = dict(ARTIFACTS.bundled())
NAMES = [name for name in FILES if name not in ("lexicons.dfa", "source/routing.yaml")]


@pytest.mark.parametrize("name", NAMES)
def test_a_generated_file(name: str, update_golden: bool) -> None:
    expected = FOLDER / f"{name}.txt"
    if update_golden:
        expected.parent.mkdir(parents=True, exist_ok=True)
        expected.write_bytes(FILES[name])
    assert FILES[name] == expected.read_bytes()


def test_every_expected_file_is_generated() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(f"{n}.txt" for n in NAMES)
