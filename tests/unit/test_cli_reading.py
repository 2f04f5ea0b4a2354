"""``lynkrc inspect``, ``schema`` and ``explain``: commands that only print what is there."""

import json
from pathlib import Path

import pytest

from lynkrc.cli.main import main
from lynkrc.diagnostics.codes import CODES
from lynkrc.source.resources import read_schema, schema_names
from lynkrc_runtime.protocol.losses import lossy
from tests.unit.cli_sample import SPEC


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    spec = tmp_path / "routing.yaml"
    spec.write_text(SPEC + "  - {name: idle, when: wants.stream, add: 0}\n")
    assert main(["build", str(spec), "-o", str(tmp_path), "--quiet"]) == 0
    return tmp_path / "sample.lynkr"


def test_inspect_prints_what_the_manifest_says(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["inspect", str(bundle), "--format", "json"]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert main(["inspect", str(bundle.parent)]) == 0
    out = capsys.readouterr().out
    assert f"meaning  {manifest['meaning_digest']}\n" in out
    assert "native   none (the interpreted scorer serves)\n" in out
    assert "warnings 1\n" in out
    for name, entry in manifest["files"].items():
        assert f"  {entry['sha256'][:16]}  {entry['size']:>9,}  {name}\n" in out


def test_inspect_prints_one_file_byte_for_byte(
    bundle: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    capfdbinary.readouterr()
    assert main(["inspect", str(bundle), "--file", "routes.txt"]) == 0
    assert capfdbinary.readouterr().out == (bundle.parent / "routes.txt").read_bytes()


def test_inspect_names_the_files_there_are(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(bundle), "--file", "rules.txt"]) == 2
    assert "no file rules.txt; it has dispatch.json, " in capsys.readouterr().err


def test_inspect_of_a_changed_bundle_says_what_is_wrong(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bundle.read_bytes()
    place = data.index(b"up_to: 50")
    bundle.write_bytes(data[:place] + b"up_to: 51" + data[place + 9 :])
    assert main(["inspect", str(bundle)]) == 2
    assert "source/routing.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("name", schema_names())
def test_schema_prints_each_schema(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", name]) == 0
    assert capsys.readouterr().out == read_schema(name)


def test_schema_lists_the_names_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(schema_names())
    assert {"diagnostics", "routing"} < set(schema_names())


@pytest.mark.parametrize("name", ["rooting", "../routing", ""])
def test_schema_knows_its_names(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", name]) == 2
    assert f"there is no schema `{name}`; " in capsys.readouterr().err


@pytest.mark.parametrize("code", ["LK101", "lk101", "unknown-key", "Unknown-Key"])
def test_explain_prints_the_page(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", code]) == 0
    assert capsys.readouterr().out.startswith("# LK101: unknown-key\n")


def test_explain_prints_the_pages_of_several(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "LK602", "unknown-key", "LK211"]) == 0
    out = capsys.readouterr().out
    heads = [line for line in out.splitlines() if line.startswith("# LK")]
    assert [head.split(":")[0] for head in heads] == ["# LK602", "# LK101", "# LK211"]
    assert main(["explain", "LK101", "chat"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: there is no finding `chat`; ")


@pytest.mark.parametrize("code", ["LK999", "101", "../pages/LK101", "", "LK101.md"])
def test_explain_knows_its_codes(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", code]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: there is no finding ")


@pytest.mark.parametrize("word", ["unknwon-key", "101", "LK1O1"])
def test_explain_guesses_what_was_meant(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", word]) == 2
    assert capsys.readouterr().err.endswith("; did you mean LK101 (unknown-key)?\n")


def test_explain_lists_every_code_by_phase(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [tuple(line.split()) for line in lines if line.startswith("  LK")]
    assert rows == [(code.id, code.severity.value, code.name) for code in CODES.values()]
    heads = [line for line in lines if line.startswith("LK")]
    assert heads[0] == "LK0xx  the file and its YAML"
    assert len(heads) >= 6


def test_explain_lists_what_a_pair_loses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "LK602", "Messages", "Ollama"]) == 0
    out = capsys.readouterr().out
    lost, rest = out.split("## A misfit")
    assert out.startswith("# Messages to Ollama\n")
    named = {line[2:].split(". ")[0] for line in lost.splitlines() if line.startswith("- ")}
    assert named == set(lossy("anthropic-messages", "ollama-chat"))
    assert "- document urls. " in rest


def test_explain_says_what_is_passed_through(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "lossy-pair", "chat", "openai-chat"]) == 0
    assert "Passed through" in capsys.readouterr().out


@pytest.mark.parametrize("words", ["LK602 chat", "LK602 gemini chat", "LK602 chat x", "LK101 x x"])
def test_explain_wants_a_pair_that_is_there(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *words.split()]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "LK602" in said.err
