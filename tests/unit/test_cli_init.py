"""``lynkrc init``: what it writes from the machine it runs on, and when it writes nothing."""

import json
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import combinations
from pathlib import Path

import pytest

from lynkrc.cli.detect import detect
from lynkrc.cli.init import known_models
from lynkrc.cli.main import main
from lynkrc.migrate.detected import Environment, Ollama, OllamaModel, draft_detected
from lynkrc.migrate.vendors import VENDORS
from lynkrc.source.resources import read_schema
from tests.unit.migrate_check import findings_of, sound_text

NOWHERE = "http://127.0.0.1:9"
KEYS = sorted(vendor.key for vendor in VENDORS.values() if vendor.key)
OTHERS = sorted({*KEYS} - {"ANTHROPIC_API_KEY", "OPENAI_API_KEY"})
COMBINATIONS = [
    (*clouds, *others)
    for count in range(3)
    for clouds in combinations(("ANTHROPIC_API_KEY", "OPENAI_API_KEY"), count)
    for others in ((), tuple(OTHERS))
]
LOCAL = Ollama(
    base_url="${OLLAMA_ENDPOINT:-http://localhost:11434}",
    trust="local",
    models=(
        OllamaModel(name="nomic:latest", context=2048, capabilities=("embedding",)),
        OllamaModel(name="llama2", context=4096, capabilities=("completion",)),
        OllamaModel(name="qwen3:8b", context=40_960, capabilities=("completion", "tools")),
    ),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OLLAMA_ENDPOINT", NOWHERE)
    for name in [one for one in os.environ if one.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    return tmp_path


class FakeOllama(BaseHTTPRequestHandler):
    """Two models; one of them does not say what it can."""

    def do_GET(self) -> None:
        self.answer({"models": [{"name": "nomic"}, {"name": "qwen3:8b", "size": 5}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        facts = {"capabilities": ["completion", "tools"], "model_info": {"q.context_length": 40960}}
        self.answer(facts if asked["model"] == "qwen3:8b" else {"error": "no"})

    def answer(self, document: object) -> None:
        data = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class BrokenOllama(FakeOllama):
    """Answers, but no JSON."""

    def answer(self, document: object) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")


@pytest.fixture(params=[FakeOllama])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("lynkrc.cli.detect._SECONDS", 60.0)  # it answers, on any machine
    with ThreadingHTTPServer(("127.0.0.1", 0), request.param) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_it_never_writes_over_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "routing.yaml").write_text("mine")
    assert main(["init"]) == 2
    assert (folder / "routing.yaml").read_text() == "mine"
    assert "routing.yaml is there already" in capsys.readouterr().err
    assert main(["init", "--force"]) == 0
    assert (folder / "routing.yaml").read_text() != "mine"


def test_the_schema_lies_beside_the_spec(folder: Path) -> None:
    (folder / "policy").mkdir()
    assert main(["init", "policy/team.yaml"]) == 0
    first = (folder / "policy" / "team.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=.routing.schema.json"
    assert (folder / "policy" / ".routing.schema.json").read_text() == read_schema("routing")


def test_no_schema_is_no_schema(folder: Path) -> None:
    assert main(["init", "--no-schema"]) == 0
    assert [path.name for path in folder.iterdir()] == ["routing.yaml"]
    assert "$schema" not in (folder / "routing.yaml").read_text()


def test_to_standard_output_no_file_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "routing.yaml").write_text("mine")
    assert main(["init", "--stdout"]) == 0
    out, err = capsys.readouterr()
    assert findings_of(out) == []
    assert err == ""
    assert [path.name for path in folder.iterdir()] == ["routing.yaml"]


@pytest.mark.parametrize("flag", ["--from-env", "--from-litellm"])
def test_a_missing_file_is_said(
    flag: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", flag, "gone"]) == 2
    assert "cannot read gone" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_not_there_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "nowhere/routing.yaml"]) == 2
    assert "cannot write nowhere/routing.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("names", COMBINATIONS, ids="+".join)
@pytest.mark.parametrize("ollama", [None, LOCAL], ids=["cloud", "local"])
def test_every_environment_gives_a_spec_without_findings(
    names: tuple[str, ...], ollama: Ollama | None
) -> None:
    environment = Environment(variables=frozenset(names), ollama=ollama)
    text = sound_text(draft_detected(environment, known_models()))
    assert all(f"{name}" in text for name in names)


def test_the_hints_are_sound_when_the_comment_signs_go() -> None:
    environment = Environment(variables=frozenset({"ANTHROPIC_API_KEY"}), ollama=LOCAL)
    text = sound_text(draft_detected(environment, known_models()))
    before, hints = text.split("# rules:\n")
    shown = re.sub(r"^# ?", "", "# rules:\n" + hints.split("\n\n")[0], flags=re.MULTILINE)
    assert findings_of(f"{before}\n{shown}\n") == []
    assert shown.startswith("rules:\n")


def test_a_local_model_comes_first_where_work_is_simple() -> None:
    environment = Environment(variables=frozenset({"ANTHROPIC_API_KEY"}), ollama=LOCAL)
    draft = draft_detected(environment, known_models())
    assert [tier.chain for tier in draft.tiers] == [
        ("local", "haiku", "sonnet"),
        ("sonnet", "haiku"),
        ("sonnet", "opus"),
        ("opus", "sonnet"),
    ]
    local = draft.targets[0]
    assert (local.model, local.context, local.capabilities) == ("qwen3:8b", 32_000, ("tools",))


def test_an_ollama_without_models_is_no_provider() -> None:
    empty = Ollama(base_url="http://localhost:11434", trust="local", models=())
    draft = draft_detected(Environment(variables=frozenset(), ollama=empty), known_models())
    assert "ollama pull" in sound_text(draft)
    assert [one.kind for one in draft.providers] == ["simulator"]


def test_ollama_is_asked_over_http(server: str) -> None:
    found = detect({"OLLAMA_HOST": server, "EMPTY": "", "SET": "x"})
    assert found.variables == {"OLLAMA_HOST", "SET"}
    assert found.ollama == Ollama(
        base_url=f"http://{server}",
        trust="local",
        models=(
            OllamaModel(name="nomic", context=None, capabilities=None),
            OllamaModel(name="qwen3:8b", context=40_960, capabilities=("completion", "tools")),
        ),
    )
    assert detect({"OLLAMA_ENDPOINT": f"http://{server}"}).ollama == Ollama(
        base_url="${OLLAMA_ENDPOINT:-http://localhost:11434}",
        trust="local",
        models=found.ollama.models,
    )


@pytest.mark.parametrize("server", [BrokenOllama], indirect=True)
def test_what_answers_no_json_is_no_ollama(server: str) -> None:
    assert detect({"OLLAMA_HOST": server}).ollama is None


@pytest.mark.parametrize("address", [NOWHERE, "ftp://x", "http://[", "http://u:p@h", "http://h:x"])
def test_an_address_where_nothing_is_finds_nothing(address: str) -> None:
    assert detect({"OLLAMA_ENDPOINT": address}).ollama is None
