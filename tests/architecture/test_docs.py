"""docs/language.md is the language: its examples compile, and it names everything there is."""

import json
import re
from pathlib import Path

import pytest

from lynkrc.cli.main import COMMANDS
from lynkrc.diagnostics.formats import FORMATS
from lynkrc.diagnostics.model import Severity
from lynkrc.diagnostics.sema_codes import NOT_SERVED
from lynkrc.docs.markdown import slug
from lynkrc.sema.scope import FUNCTIONS
from lynkrc.source.resources import read_schema, read_spec
from lynkrc.source.text import SourceFile
from lynkrc.syntax.fmt import format_spec
from lynkrc.syntax.read import read_config
from lynkrc_runtime.feature_table import FEATURES
from lynkrc_runtime.providers.table import KINDS
from tests.unit.sema_sample import HEAD, Files, resolved

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TERMS = re.search(r"file of terms.*?^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FILES = Files(
    {
        "team.yaml": "version: 1\nname: team\nlexicons:\n  urgent: [urgent]\n",
        "terms.tsv": TERMS[1] if TERMS else "",
    }
)
"""What the examples refer to."""
SECTIONS = set(json.loads(read_schema("routing"))["properties"])
NAMED = set(re.findall(r"`([^`\n]+)`", PAGE))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split(":")[0])
def test_an_example_compiles_without_findings(example: str) -> None:
    _, findings = resolved(example, FILES)
    told = [one for one in findings if one.severity is not Severity.NOTE and one.code != NOT_SERVED]
    assert [finding.message for finding in told] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split(":")[0])
def test_an_example_is_written_as_fmt_writes_it(example: str) -> None:
    """But for the order of its sections: an example begins with what it is about."""
    start = "" if example.startswith("version:") else HEAD
    printed, _ = format_spec(SourceFile(path="routing.yaml", text=start + example))
    assert printed is not None
    canonical = sections_of(printed)
    assert {key: canonical[key] for key in sections_of(example)} == sections_of(example)


def sections_of(text: str) -> dict[str, str]:
    parts = re.split(r"^(?=[a-z_]+:)", text, flags=re.MULTILINE)
    return {part.split(":")[0]: part.rstrip() for part in parts if part}


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 20
    assert TERMS is not None


def test_every_section_has_an_example() -> None:
    written = {key for text in EXAMPLES for key in re.findall(r"^([a-z_]+):", text, re.MULTILINE)}
    # A reason for a whole document is shown on one item.
    assert SECTIONS - written == {"allow"}
    assert any(" allow: {" in text for text in EXAMPLES)


def test_every_feature_is_named() -> None:
    heads = {re.split(r"[(\s]", name)[0] for name in NAMED}
    assert sorted(set(FEATURES) - heads) == []


def test_every_function_kind_and_section_is_named() -> None:
    heads = {re.split(r"[(\s]", name)[0] for name in NAMED}
    assert sorted((set(FUNCTIONS) | set(KINDS) | SECTIONS) - heads) == []


def test_every_effect_pick_and_format_is_named() -> None:
    definitions = json.loads(read_schema("routing"))["$defs"]
    effects = {name for one in definitions["rule"]["anyOf"] for name in one["required"]}
    assert sorted((effects | set(definitions["pick"]["enum"]) | set(FORMATS)) - NAMED) == []


def test_every_profile_that_ships_is_named() -> None:
    file = SourceFile(path="lynkr.yaml", text=read_spec("builtin/lynkr"))
    config, _ = read_config(file)
    assert config is not None
    assert sorted({client.name.value for client in config.clients} - NAMED) == []


def test_every_command_is_told_of() -> None:
    told = {words[1] for words in map(str.split, NAMED) if words[:1] == ["lynkrc"] and words[1:]}
    assert {name for name, _ in COMMANDS} - told == set()


def test_every_part_is_in_the_table_of_contents() -> None:
    prose = re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    anchors = [slug(found[1]) for found in re.finditer(r"^## (.*)$", prose, re.MULTILINE)]
    linked = re.findall(r"\]\(#([^)]+)\)", prose)
    assert set(linked) == set(anchors)
    assert linked[: len(anchors)] == anchors


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_links_in_the_docs_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([\w./-]*)#?([\w-]*)\)", page.read_text("utf-8")):
        linked = page if not target else page.parent / target
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text("utf-8"), re.MULTILINE)
            assert anchor in map(slug, headings), anchor


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_paths_in_the_docs_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    spans = re.findall(r"`((?:lynkrc|lynkrc_runtime|runtime|tests|schema|specs)/[\w./-]*)`", text)
    for span in spans:
        path = span.removeprefix("runtime/")
        places = [ROOT / span, ROOT / "runtime" / path]
        assert any(place.exists() for place in places), span
