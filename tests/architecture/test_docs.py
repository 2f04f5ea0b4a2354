"""docs/language.md is the language: its examples compile, and it names everything there is."""

import json
import re
from pathlib import Path

import pytest

from lynkrc.diagnostics.model import Severity
from lynkrc.sema.scope import FUNCTIONS
from lynkrc.source.resources import read_schema
from lynkrc_runtime.feature_table import FEATURES
from lynkrc_runtime.providers.table import KINDS
from tests.unit.sema_sample import resolved

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
NAMED = set(re.findall(r"`([^`\n]+)`", PAGE))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split(":")[0])
def test_an_example_compiles_without_findings(example: str) -> None:
    _, findings = resolved(example)
    assert [finding.message for finding in findings if finding.severity is not Severity.NOTE] == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


def test_every_feature_is_named() -> None:
    heads = {re.split(r"[(\s]", name)[0] for name in NAMED}
    assert sorted(set(FEATURES) - heads) == []


def test_every_function_kind_and_section_is_named() -> None:
    heads = {re.split(r"[(\s]", name)[0] for name in NAMED}
    sections = set(json.loads(read_schema("routing"))["properties"])
    assert sorted((set(FUNCTIONS) | set(KINDS) | sections) - heads) == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_paths_in_the_docs_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    spans = re.findall(r"`((?:lynkrc|lynkrc_runtime|runtime|tests|schema|specs)/[\w./-]*)`", text)
    for span in spans:
        path = span.removeprefix("runtime/")
        places = [ROOT / span, ROOT / "runtime" / path]
        assert any(place.exists() for place in places), span
