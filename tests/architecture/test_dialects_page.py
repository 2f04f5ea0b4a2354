"""docs/dialects.md is what the tables say, whole."""

import re
from pathlib import Path

import pytest

from lynkrc.docs.dialects import dialects_page
from lynkrc_runtime.protocol.losses import CLIENTS, FEATURES, TARGETS, TRANSFORMS
from lynkrc_runtime.providers.table import KINDS

ROOT = Path(__file__).resolve().parents[2]
PAGE = dialects_page()
ROWS = [re.split(r"(?<!\\) \| ", line[2:-2]) for line in PAGE.splitlines() if line.startswith("| ")]


def test_the_committed_page_is_fresh() -> None:
    committed = (ROOT / "docs" / "dialects.md").read_text(encoding="utf-8")
    assert committed == PAGE, "stale: run `make generate`"


@pytest.mark.parametrize("client", CLIENTS)
def test_every_pair_has_its_cell(client: str) -> None:
    (row,) = [row for row in ROWS if row[0] == f"`{client}`" and len(row) == 1 + len(TARGETS)]
    passed = [cell == "passed through" for cell in row[1:]]
    assert passed == [target == client for target in TARGETS]
    assert all(re.search(r"\d lost, \d+ misfits", cell) for cell in row[1:] if " of " in cell)


def test_every_feature_kind_and_name_has_its_row() -> None:
    heads = [row[0] for row in ROWS]
    assert set(FEATURES) <= set(heads)
    assert {f"`{kind}`" for kind in KINDS} <= set(heads)
    assert {f"`{one.pattern}`" for one in TRANSFORMS} <= set(heads)


def test_every_row_of_a_table_has_the_cells_of_its_head() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1
