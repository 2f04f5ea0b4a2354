"""The pictures of the sample tables, as files to be looked at; `--update-golden` rewrites them."""

from pathlib import Path

import pytest

from lynkrc.graph.build import graph_of
from lynkrc.graph.layout import lay_out
from lynkrc.graph.mermaid import write_mermaid
from lynkrc.graph.svg import write_svg
from tests.unit.full_table import FULL
from tests.unit.sample_table import TABLE

FOLDER = Path(__file__).parent / "graph"
FILES = {
    f"{table.name}{suffix}": text
    for table in (TABLE, FULL)
    for suffix, text in (
        (".svg", write_svg(lay_out(graph_of(table)))),
        (".mmd", write_mermaid(graph_of(table))),
    )
}


@pytest.mark.parametrize("name", FILES)
def test_a_picture(name: str, update_golden: bool) -> None:
    expected = FOLDER / name
    if update_golden:
        expected.write_text(FILES[name], encoding="utf-8", newline="\n")
    assert FILES[name] == expected.read_text(encoding="utf-8")


def test_every_expected_picture_is_drawn() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(FILES)
