"""The guides in docs/: each kind has a sound example, each client its version, figures are true."""

import ast
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
import yaml

from lynkrc.diagnostics.model import Severity
from lynkrc.diagnostics.sema_codes import NOT_SERVED
from lynkrc.sema.lossy import SPOKEN, _lost
from lynkrc.source.text import SourceFile
from lynkrc.syntax.fmt import format_spec
from lynkrc_runtime.protocol.estimate import close_text, estimate_text
from lynkrc_runtime.providers.table import KINDS
from tests.architecture.page_walk import NOT_RUN
from tests.unit.sema_sample import HEAD, resolved

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "tests" / "clients"
PROVIDERS_PAGE = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
GUIDES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "docs" / "clients").glob("*.md"))
}
CLIENTS_PAGE = "\n".join(GUIDES.values())
LANGUAGE_PAGE = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
TOKENS = ROOT / "tests" / "bench" / "tokens"
SIMULATOR = "simulator"
KIND_PARTS = {
    part.split("\n", 1)[0]: part
    for part in re.split(r"^### ", PROVIDERS_PAGE, flags=re.MULTILINE)[1:]
}
MADE = "context: 32k, max_output: 4k, capabilities: [tools], price: free"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


CONTINUE = "# ~/.continue/config.yaml\n"
EXAMPLES = [
    text
    for text in blocks(PROVIDERS_PAGE, "yaml") + blocks(CLIENTS_PAGE, "yaml")
    if not text.startswith(CONTINUE)
]


def whole(example: str) -> str:
    """The example with a target for each provider, tiers that try all of them, and a score."""
    written: dict[str, Any] = yaml.safe_load(example)
    parts, targets = [example], written.get("targets", {})
    if "providers" in written and not targets:
        targets = {f"of-{name}": name for name in written["providers"]}
        rows = (f"  {name}: {{provider: {one}, model: m, {MADE}}}" for name, one in targets.items())
        parts.append("\n".join(("targets:", *rows, "")))
    if targets:
        chain = ", ".join(targets)
        parts.append(
            f"tiers:\n  - {{name: LOW, up_to: 50, chain: [{chain}]}}\n"
            f"  - {{name: HIGH, chain: [{chain}]}}\notherwise: escalate\n"
        )
    return "".join(parts)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split(":")[1].strip())
def test_an_example_compiles_without_findings(example: str) -> None:
    _, findings = resolved(whole(example))
    told = [one for one in findings if one.severity is not Severity.NOTE and one.code != NOT_SERVED]
    assert [finding.message for finding in told] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split(":")[1].strip())
def test_an_example_is_written_as_fmt_writes_it(example: str) -> None:
    printed, _ = format_spec(SourceFile(path="routing.yaml", text=HEAD + example))
    assert printed is not None
    assert printed.removeprefix(HEAD).lstrip("\n") == example


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {SIMULATOR}))
def test_every_kind_has_its_part_and_an_example(kind: str) -> None:
    [example] = blocks(KIND_PARTS[kind], "yaml")
    kinds = {one["kind"] for one in yaml.safe_load(example)["providers"].values()}
    assert kinds == {kind}


def test_the_number_of_kinds_is_told_right() -> None:
    for name in ("README.md", "CHANGELOG.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        words = " ".join(re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S).split())
        assert re.findall(r"\b(\d+) kinds", words) == [str(len(KINDS) - 1)], name


def test_every_part_is_about_a_kind() -> None:
    assert set(KIND_PARTS) == set(KINDS) - {SIMULATOR}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {SIMULATOR}))
def test_a_part_says_whether_its_kind_makes_embeddings_and_counts(kind: str) -> None:
    row, words = KINDS[kind], " ".join(KIND_PARTS[kind].split())
    assert ("akes embeddings" in words) == (row.embedding is not None)
    counts = any(endpoint.count_path for endpoint in row.endpoints)
    assert bool(re.search(r"[Ii]t counts tokens|[Cc]ounts tokens|are counted", words)) == counts


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {SIMULATOR}))
def test_a_part_names_every_dialect_of_its_kind(kind: str) -> None:
    words = {
        "anthropic-messages": "Messages",
        "openai-chat": "Chat|openai-chat",
        "openai-responses": "Responses",
        "gemini": "generateContent",
        "bedrock-converse": "Converse",
        "ollama-chat": "its own dialect",
    }
    spoken = {endpoint.dialect for endpoint in KINDS[kind].endpoints}
    assert spoken == {name for name, word in words.items() if re.search(word, KIND_PARTS[kind])}


def test_the_versions_of_clients_are_those_of_the_tests() -> None:
    node = json.loads((CLIENTS / "node" / "package.json").read_text())["dependencies"]
    lines = [
        line
        for name in ("requirements.txt", "requirements-aider.txt")
        for line in (CLIENTS / "python" / name).read_text().splitlines()
    ]
    pinned = node | dict(line.split("==") for line in lines)
    told = dict(re.findall(r"^\|[^|]*\| `([^`]+)` (?:[^|]*)?\| ([\d.]+) \|", CLIENTS_PAGE, re.M))
    python = {"openai", "anthropic"}
    both = {name: version for name, version in pinned.items() if name not in python}
    assert {name: version for name, version in told.items() if name not in python} == both
    for version in (node["openai"], *(line.split("==")[1] for line in lines)):
        assert f"| {version} |" in CLIENTS_PAGE


def test_the_estimates_on_the_page_are_what_is_measured() -> None:
    told = re.findall(
        r"^\| `([\w.]+)` \| (\S+)% \| (\S+)% \| (\S+)% to (\S+)% \|$", LANGUAGE_PAGE, re.M
    )
    counts = json.loads((TOKENS / "counts.json").read_text(encoding="utf-8"))
    assert [name for name, *_ in told] == list(counts)
    for name, *figures in told:
        text, found = (TOKENS / name).read_text(encoding="utf-8"), counts[name].values()
        close = [100 * (close_text(text) / count - 1) for count in found]
        usual = mean(found)
        measured = [100 * (count(text) / usual - 1) for count in (estimate_text, close_text)]
        assert figures == [f"{one:+.0f}" for one in (*measured, min(close), max(close))], name


def test_the_notes_on_the_page_of_the_language_are_printed_so() -> None:
    dialects = {spoken: name for name, spoken in SPOKEN.items()}
    notes = re.findall(
        r"^note\[LK602\]: (\w+) to (\w+) on `\w+`: (.*) do not arrive$", LANGUAGE_PAGE, re.M
    )
    assert len(notes) > 1
    for client, way, lost in notes:
        assert lost == _lost(dialects[client], dialects[way])


def test_the_code_on_the_page_of_clients_can_be_read() -> None:
    assert [tomllib.loads(text) for text in blocks(CLIENTS_PAGE, "toml")]
    assert [ast.parse(text) for text in blocks(CLIENTS_PAGE, "python")]


def test_the_code_for_node_can_be_read() -> None:
    found = blocks(CLIENTS_PAGE, "js")
    assert len(found) == 3
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here")
    for text in found:
        words = [node, "--input-type=module", "--check", "-"]
        subprocess.run(words, input=text, text=True, check=True, timeout=60)


def test_the_settings_of_claude_code_are_the_variables_of_the_command() -> None:
    [settings] = map(json.loads, blocks(GUIDES["claude-code"], "json"))
    [command] = blocks(GUIDES["claude-code"], "sh")
    assert all(f"{name}={value} " in command for name, value in settings["env"].items())


def test_the_models_of_continue_are_at_the_gateway() -> None:
    [text] = blocks(GUIDES["continue"], "yaml")
    assert text.startswith(CONTINUE)
    written = yaml.safe_load(text)
    assert {"name", "version", "schema", "models"} == set(written)
    for model in written["models"]:
        assert model["provider"] == "openai"
        assert model["apiBase"] == "http://127.0.0.1:8081/v1"
        assert model["model"] == "auto" or model["model"].startswith("lynkr/")


@pytest.mark.parametrize("guide", sorted(set(GUIDES) - {"README"}))
def test_a_guide_says_whether_its_client_was_tried(guide: str) -> None:
    """And with which versions, which are those of the table."""
    text = GUIDES[guide]
    assert ("**Not tried.**" in text) != ("## What was tried" in text)
    if "## What was tried" in text:
        tried = text[text.index("## What was tried") :]
        versions = re.findall(r"\b\d+\.\d+\.\d+\b", tried)
        table = GUIDES["README"]
        assert versions and [one for one in versions if f"| {one} |" not in table] == []
    [day] = set(re.findall(r"\b20\d\d-\d\d-\d\d\b", text))
    assert day in GUIDES["README"]
    assert f"({guide}.md)" in GUIDES["README"]


def test_codex_is_set_up_as_the_tests_do() -> None:
    [settings] = (tomllib.loads(text) for text in blocks(CLIENTS_PAGE, "toml"))
    [provider] = settings["model_providers"].values()
    tested = (CLIENTS / "programs.py").read_text(encoding="utf-8")
    assert settings["model_provider"] in settings["model_providers"]
    for key in (*settings.keys() - {"model_providers"}, *provider):
        assert f"{key} = " in tested, key


def test_variables_of_programs_are_those_the_tests_set() -> None:
    tested = (CLIENTS / "programs.py").read_text(encoding="utf-8")
    for text in blocks(CLIENTS_PAGE, "sh"):
        assert text.startswith(NOT_RUN)
        for name in re.findall(r"\b([A-Z_]{6,})=", text):
            assert f'"{name}"' in tested, name
