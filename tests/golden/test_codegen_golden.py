"""Everything generated for the sample tables, as files to be read; `--update-golden` rewrites them.

The expected file of ``scorer.py`` is ``scorer.py.txt``: it is data here, no module.
"""

from pathlib import Path

import pytest

from lynkrc.codegen.artifacts import SpecSource, generate
from lynkrc.ir.table import RouteTable
from lynkrc.passes import run_passes
from tests.unit.full_table import FULL
from tests.unit.sample_table import SPEC, TABLE

FOLDER = Path(__file__).parent / "codegen"


def generated(table: RouteTable) -> dict[str, bytes]:
    artifacts = generate(
        run_passes(table),
        sources=(SpecSource(path="routing.yaml", name="routing.yaml", data=SPEC),),
        source_digest="0" * 64,
        meaning_digest="0" * 64,
    )
    left_out = ("lexicons.dfa", "source/routing.yaml")
    return {name: data for name, data in artifacts.bundled() if name not in left_out}


FILES = {table.name: generated(table) for table in (TABLE, FULL)}
NAMES = [(case, name) for case, files in FILES.items() for name in files]


@pytest.mark.parametrize(("case", "name"), NAMES)
def test_a_generated_file(case: str, name: str, update_golden: bool) -> None:
    expected = FOLDER / case / f"{name}.txt"
    if update_golden:
        expected.parent.mkdir(parents=True, exist_ok=True)
        expected.write_bytes(FILES[case][name])
    assert FILES[case][name] == expected.read_bytes()


@pytest.mark.parametrize("case", FILES)
def test_every_expected_file_is_generated(case: str) -> None:
    found = sorted(path.name for path in (FOLDER / case).iterdir())
    assert found == sorted(f"{name}.txt" for name in FILES[case])
