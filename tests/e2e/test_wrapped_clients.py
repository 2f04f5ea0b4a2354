"""`lynkrc wrap` with small clients: what they get, whose the terminal is, how it all ends."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lynkrc.cli.main import main
from lynkrc.live.asking import Unreachable, ask
from tests.e2e import doors_lab
from tests.e2e.gateway import environment
from tests.pseudo_terminal import terminal
from tests.runtime.by_hand import provider
from tests.warm_lynkrc import run

SPEC = """\
version: 1
name: shop
providers:
  house: {kind: simulator, trust: local}
targets:
  small: {provider: house, model: tiny, context: 64k, max_output: 4k, price: free}
  large: {provider: house, model: huge, context: 64k, max_output: 4k, price: {input: 3, output: 15}}
score: {dimensions: {size: {weight: 100, value: "ramp(ask.words, 0, 20)"}}}
tiers:
  - {name: LOW, up_to: 50, chain: [small]}
  - {name: HIGH, chain: [large]}
otherwise: escalate
"""
CLIENT = """\
#!{python} -IS
import http.client, json, os, signal, sys
told = {{
    "words": sys.argv[1:],
    "terminal": [os.isatty(number) for number in (0, 1, 2)],
    "environ": dict(os.environ),
}}
if "ask" in sys.argv:
    host = os.environ["ANTHROPIC_BASE_URL"].removeprefix("http://")
    body = {{"model": "auto", "max_tokens": 9, "messages": [{{"role": "user", "content": "Hi"}}]}}
    headers = {{"content-type": "application/json"}}
    headers["authorization"] = "Bearer " + os.environ["ANTHROPIC_AUTH_TOKEN"]
    connection = http.client.HTTPConnection(host)
    connection.request("POST", "/v1/messages", json.dumps(body), headers)
    told["answer"] = json.load(connection.getresponse())
print("TOLD " + json.dumps(told), flush=True)
if "wait" in sys.argv:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    print("WAITING", flush=True)
    signal.sigwait([signal.SIGINT])
    print("it heard Ctrl+C", flush=True)
sys.exit(7)
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its one provider needs a key, which a simulated one does not."""
    far = provider("far", "anthropic", base_url=None, api_key="${FAR_KEY}")
    return doors_lab.written(tmp_path_factory.mktemp("wrapped"), providers=[far])


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small programs that are called as the clients are."""
    folder = tmp_path_factory.mktemp("clients")
    for name in ("claude", "codex", "aider"):
        (folder / name).write_text(CLIENT.format(python=sys.executable), encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def around(clients: Path, folder: Path, **more: str) -> dict[str, str]:
    found = environment({"LYNKRC_CACHE": os.environ["LYNKRC_CACHE"], "TMPDIR": str(folder), **more})
    return found | {"PATH": f"{clients}{os.pathsep}{os.environ['PATH']}"}


def told(out: str) -> dict[str, object]:
    """What the client said of itself."""
    (line,) = (line for line in out.splitlines() if line.startswith("TOLD "))
    found: dict[str, object] = json.loads(line.removeprefix("TOLD "))
    return found


def wrap(
    words: Sequence[str], clients: Path, folder: Path, **more: str
) -> "subprocess.CompletedProcess[str]":
    return run(["wrap", *words], cwd=folder, env=around(clients, folder, **more))


def test_a_client_is_served_and_its_end_is_ours(clients: Path, tmp_path: Path) -> None:
    (tmp_path / "routing.yaml").write_text(SPEC, encoding="utf-8")
    words = ["claude", "--usage-log", "kept.jsonl"]
    secrets = {"ANTHROPIC_API_KEY": "sk-mine", "OPENAI_API_KEY": "sk-other"}
    done = wrap([*words, "--", "ask", "--model", "x", "--", "y"], clients, tmp_path, **secrets)
    assert done.returncode == 7, done.stderr
    client = told(done.stdout)
    assert client["words"] == ["ask", "--model", "x", "--", "y"]
    assert "[simulated]" in str(client["answer"])
    environ = client["environ"]
    assert isinstance(environ, dict)
    assert environ["ANTHROPIC_AUTH_TOKEN"] == "local"
    assert environ["OPENAI_API_KEY"] == "sk-other"
    assert "sk-mine" not in str(client)
    assert "not passed to claude: ANTHROPIC_API_KEY\n" in done.stderr
    assert re.search(
        r"lynkrc: in kept\.jsonl since then: 1 request \(LOW 1\), \$0\.0000 spent, "
        r"\$0\.\d{3}[1-9] saved \(100 %\) beside all on large\n\Z",
        done.stderr,
    )
    lines = (tmp_path / "kept.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["bundle", "request"]
    assert {path.name for path in tmp_path.iterdir()} == {"kept.jsonl", "routing.yaml"}
    with pytest.raises(Unreachable):
        ask(environ["ANTHROPIC_BASE_URL"], "/health/live")


def test_a_stop_ends_the_client_and_the_gateway_that_others_use_as_well(
    bundle: Path,
    clients: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lynkrc.cli.statusline._PATIENCE", 60.0)  # a prompt waits less
    words = [sys.executable, "-m", "lynkrc", "wrap", "codex", "--bundle", str(bundle), "--dry-run"]
    with terminal([*words, "--", "wait"], around(clients, tmp_path), columns=4000) as seen:
        seen.until(lambda one: "WAITING" in one.text)
        client = told(seen.text)
        assert client["terminal"] == [True, True, True]
        environ = client["environ"]
        assert isinstance(environ, dict)
        admin = environ["LYNKRC_ADMIN"]
        address = re.search(r"codex by way of (http://[\w.:]+) \(by-hand, simulated\)", seen.text)
        assert address is not None

        other = ["claude", "--gateway", f"{address[1]}/v1", "--", "ask"]
        done = wrap(other, clients, tmp_path, LYNKRC_KEY="lk_mine")
        assert (done.returncode, done.stderr) == (7, "")
        client = told(done.stdout)
        assert "[simulated]" in str(client["answer"])
        assert isinstance(client["environ"], dict)
        assert client["environ"]["ANTHROPIC_AUTH_TOKEN"] == "lk_mine"

        assert main(["top", "--once", "--admin", admin]) == 0
        rows = capsys.readouterr().out.splitlines()
        assert [row.split()[:3] for row in rows[4:5]] == [["at-far", "closed", "1"]], rows
        assert main(["statusline", "--admin", admin, "--format", "{requests} {failed}"]) == 0
        assert capsys.readouterr().out == "1 0\n"

        seen.process.terminate()
        assert seen.end() == 128 + 15
        assert "it heard Ctrl+C" not in seen.text and "Traceback" not in seen.text
        assert "lynkrc: 1 request (ONLY 1)" in seen.text
    with pytest.raises(Unreachable):
        ask(admin, "/health/live")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_run_says_why(bundle: Path, clients: Path, tmp_path: Path) -> None:
    named = ["--bundle", str(bundle)]
    done = wrap(["claude", *named], clients, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lynkrc: error: provider far: environment variable")
    done = wrap(["claude", "--gateway", "http://127.0.0.1:1"], clients, tmp_path)
    assert (done.returncode, "no gateway answers" in done.stderr) == (2, True)
    done = wrap(["claude", "--gateway", "http://127.0.0.1:1", "--dry-run"], clients, tmp_path)
    assert (done.returncode, "--dry-run is of a gateway" in done.stderr) == (2, True)
    (tmp_path / "routing.yaml").write_text("version: 1\nname: x\n", encoding="utf-8")
    done = wrap(["claude"], clients, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[LK" in done.stderr
    (tmp_path / "routing.yaml").unlink()
    done = wrap(["claude"], clients, tmp_path)
    assert (done.returncode, "lynkrc init" in done.stderr) == (2, True)
    done = wrap(["claude", "-p", "Hi"], clients, tmp_path)
    assert (done.returncode, "-p Hi; put the program's own after `--`" in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_client_that_is_not_installed_says_how_it_is(tmp_path: Path) -> None:
    environ = environment() | {"PATH": str(tmp_path)}
    for name, how in (("claude", "npm"), ("codex", "npm"), ("aider", "pip")):
        done = run(["wrap", name], cwd=tmp_path, env=environ)
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: {name} is not installed; ")
        assert f"{how} " in done.stderr
