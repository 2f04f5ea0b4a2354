"""docs/reference.md is what the schema and the tables say, whole, and its links lead somewhere."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lynkrc.diagnostics.codes import CODES
from lynkrc.diagnostics.model import Severity
from lynkrc.docs.keys import example, example_of, section_names
from lynkrc.docs.markdown import slug
from lynkrc.docs.reference import reference_page
from lynkrc.docs.schema_words import routing
from lynkrc.docs.words import CAPABILITY_MEANINGS, OPERATORS
from lynkrc.lsp.words import FUNCTION_MEANINGS, PROVENANCES
from lynkrc.sema.scope import FUNCTIONS
from lynkrc_runtime.feature_table import CAPABILITIES, FEATURES, Provenance
from lynkrc_runtime.providers.table import KINDS
from lynkrc_runtime.served import NOT_SERVED
from tests.unit.sema_sample import Files, resolved

ROOT = Path(__file__).resolve().parents[2]
PAGE = reference_page()
HEADINGS = [found[1] for found in re.finditer(r"^#+ (.*)$", PAGE, re.MULTILINE)]
FIRST_CELLS = {found[1] for found in re.finditer(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)}


def keys(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every key of ours in a part of the schema, with its description or what it refers to."""
    for name, inner in schema.get("properties", {}).items():
        yield name, inner.get("description", "")
    for keyword in ("properties", "$defs"):
        for inner in schema.get(keyword, {}).values():
            yield from keys(inner)
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from keys(schema[keyword])


def test_the_committed_page_is_fresh() -> None:
    committed = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert committed == PAGE, "stale: run `make generate`"


def test_every_key_is_told_of() -> None:
    names = {name for name, _ in keys(dict(routing()))}
    linked = {found[1] for found in re.finditer(r"^\| \[`(\w+)`\]", PAGE, re.MULTILINE)}
    assert names - FIRST_CELLS - linked == set()
    assert linked == set(section_names())


def test_every_description_is_on_the_page() -> None:
    told = re.sub(r"\s+", " ", PAGE)
    missing = []
    for name, description in keys(dict(routing())):
        first, _, _ = description.partition(";")
        if first.rstrip(".") not in told:
            missing.append((name, first))
    assert missing == []


def test_every_feature_function_and_capability_has_its_line() -> None:
    heads = {re.split(r"[(\s]", cell)[0] for cell in FIRST_CELLS}
    assert set(FEATURES) | set(FUNCTIONS) | set(CAPABILITIES) | set(KINDS) <= heads
    assert set(FUNCTION_MEANINGS) == set(FUNCTIONS)
    assert list(CAPABILITY_MEANINGS) == list(CAPABILITIES)
    assert set(PROVENANCES) == set(Provenance)


def test_every_operator_of_the_grammar_is_told_of() -> None:
    grammar = (ROOT / "lynkrc" / "syntax" / "grammar.lark").read_text(encoding="utf-8")
    written = re.sub(r"^(?://|STRING:).*$", "", grammar, flags=re.MULTILINE)
    tokens = {found[1] for found in re.finditer(r'"([^"\\]+)"', written)}
    told = {operator for operators, _ in OPERATORS for operator in operators}
    assert tokens - set("()[],") - {"true", "false"} == told


def test_every_code_links_to_its_page_and_every_unserved_part_is_listed() -> None:
    for code in CODES.values():
        assert f"[{code.id}](../lynkrc/diagnostics/pages/{code.id}.md) | {code.name} |" in PAGE
    assert [instead for instead in NOT_SERVED.values() if f"| {instead} |" not in PAGE] == []


def test_links_lead_to_a_heading_and_no_two_headings_have_one_anchor() -> None:
    anchors = Counter(map(slug, HEADINGS))
    assert [anchor for anchor, times in anchors.items() if times > 1] == []
    linked = {found[1] for found in re.finditer(r"\]\(#([^)]+)\)", PAGE)}
    assert linked and linked - set(anchors) == set()
    files = {found[1] for found in re.finditer(r"\]\(([^#)]+)\)", PAGE)}
    assert [name for name in files if not (ROOT / "docs" / name).exists()] == []


def test_every_row_of_a_table_has_the_cells_of_its_head() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(cells) == 1, table


def test_the_example_is_a_sound_spec() -> None:
    files = Files({"terms.tsv": "prove*\t3.5\n"})
    typed, findings = resolved(example(), files, whole=True)
    assert typed is not None
    assert [one.message for one in findings if one.severity is not Severity.NOTE] == []


@pytest.mark.parametrize("section", section_names())
def test_every_section_has_its_part_of_the_example(section: str) -> None:
    assert example_of(section).startswith(f"{section}:")
    assert f"```yaml\n{example_of(section)}\n```" in PAGE
