"""Planted keys and planted words of prompts, against everything a gateway writes and tells.

The upstream repeats what it was sent, keys included, in answers, in errors and in what it breaks
off. Clients hear what models say; a provider's key they never hear.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.gateway import GatewayProcess, built, serving
from tests.e2e.planted import found_in, secrets_of
from tests.e2e.socket_lab import Answer, exchange

PROMPT = "marzipan-words-of-a-prompt"
ENVIRON = {
    "CLAUDE_KEY": "sk-ant-planted-0123456789abcdef",
    "GPT_KEY": "sk-proj-planted-0123456789abcdef",
    "CI_KEY": "lynkr-planted-0123456789abcdef",
    "ADMIN_TOKEN": "operators-planted-0123456789abcdef",
}
GUESSED = "sk-guessed-by-a-stranger"
MODES = ("ok", "500", "429", "400", "401", "cut", "garbage")
SURFACES = ("messages", "chat/completions", "responses")


def spec(folder: Path) -> str:
    facts = "context: 100k, max_output: 4k, capabilities: [tools], price: {input: 1, output: 2}"
    targets = "".join(
        f"  {provider}-{mode}: {{provider: {provider}, model: m-{mode}, {facts}}}\n"
        for provider in ("claude", "gpt")
        for mode in MODES
    )
    mapped = "".join(
        f"  ask-{provider}-{mode}: {{target: {provider}-{mode}}}\n"
        for provider in ("claude", "gpt")
        for mode in MODES
    )
    return (
        "version: 1\n"
        "name: planted\n"
        "providers:\n"
        '  claude: {kind: anthropic, base_url: "${UP}", api_key: "${CLAUDE_KEY}", trust: cloud,'
        " retry: {times: 0}}\n"
        '  gpt: {kind: openai, base_url: "${UP}/v1", api_key: "${GPT_KEY}", trust: cloud,'
        " retry: {times: 0}}\n"
        f"targets:\n{targets}"
        f"models:\n{mapped}"
        "tiers:\n"
        "  - {name: ONLY, chain: [claude-500, gpt-cut, claude-ok]}\n"
        "otherwise: escalate\n"
        "keys:\n"
        '  ci: {secret: "${CI_KEY}", team: red, tenant: acme, debug: true}\n'
        "server: {admin: {token: '${ADMIN_TOKEN}'}}\n"
        f"state: {{store: sqlite, path: '{folder}/state.db'}}\n"
        "sessions: {within: session}\n"
        "limits:\n"
        "  - {name: often, per: key, requests: 10000}\n"
        "budgets:\n"
        "  - {name: month, per: team, period: month, usd: 100}\n"
        "observability:\n"
        "  log: {level: debug}\n"
        "  metrics: {labels: [client, provider, team, tenant, tier]}\n"
    )


class Parrot(BaseHTTPRequestHandler):
    """Repeats its request, headers and body, as the mode in the model's name says."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        said = f"you sent {dict(self.headers)} and {body}"
        mode = json.loads(body)["model"].removeprefix("m-")
        if mode.isdecimal():
            error = {"type": "invalid_request_error", "message": said, "code": "x"}
            self._send(int(mode), {"type": "error", "error": error})
        elif mode == "garbage":
            self._whole(200, said.encode(), "text/plain")
        elif mode == "cut":
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", "1000000")
            self.end_headers()
            self.wfile.write(f"event: {said[:40]}\ndata: {json.dumps(said)}\n\n".encode())
            self.close_connection = True
        else:
            self._send(200, _answer(self.path, said))

    def _send(self, status: int, document: Any) -> None:
        self._whole(status, json.dumps(document).encode(), "application/json")

    def _whole(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Silent."""


def _answer(path: str, said: str) -> Any:
    text = said.replace(ENVIRON["CLAUDE_KEY"], "").replace(ENVIRON["GPT_KEY"], "")
    if path.endswith("/messages"):
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [
                {"type": "text", "text": text},
                {"type": "tool_use", "id": "t1", "name": "look", "input": {"q": PROMPT}},
            ],
            "stop_reason": "tool_use",
            "stop_sequence": None,
            "usage": {"input_tokens": 3, "output_tokens": 4},
        }
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": text},
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    }


@contextmanager
def parrot() -> Iterator[str]:
    """A parrot's URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def body(surface: str, model: str, *, stream: bool) -> bytes:
    members: dict[str, Any] = {"model": model, "stream": stream, "user": PROMPT}
    tool = {"name": "look", "description": PROMPT}
    schema = {"type": "object", "properties": {"q": {"type": "string", "description": PROMPT}}}
    said = [{"role": "user", "content": f"tell me of {PROMPT}"}]
    match surface:
        case "messages":
            members |= {
                "max_tokens": 50,
                "system": PROMPT,
                "messages": said,
                "metadata": {"user_id": PROMPT},
                "tools": [tool | {"input_schema": schema}],
            }
            del members["user"]
        case "responses":
            members |= {"input": said, "instructions": PROMPT}
            members["tools"] = [{"type": "function", "parameters": schema, **tool}]
        case _:
            members |= {"messages": [{"role": "system", "content": PROMPT}, *said]}
            members["tools"] = [{"type": "function", "function": tool | {"parameters": schema}}]
    return json.dumps(members).encode()


def asked(gateway: GatewayProcess) -> list[tuple[str, Answer]]:
    """Every surface at every target, streamed and not; and what goes wrong before that."""
    key = {"x-api-key": ENVIRON["CI_KEY"], "content-type": "application/json"}
    explained = key | {"x-lynkr-explain": "1", "user-agent": f"{PROMPT}/1.0"}
    models = ["auto", *(f"ask-{who}-{mode}" for who in ("claude", "gpt") for mode in MODES)]
    answers = []

    def send(path: str, data: bytes, headers: dict[str, str]) -> None:
        answers.append((path, exchange(gateway.url, "POST", path, data, headers)))

    for surface in SURFACES:
        path = f"/v1/{surface}"
        for model in models:
            for stream in (False, True):
                send(path, body(surface, model, stream=stream), explained)
        send(path, body(surface, PROMPT, stream=False), key | {"x-api-key": GUESSED})
        send(path, body(surface, PROMPT, stream=False), key | {"content-type": PROMPT})
        send(path, PROMPT.encode(), key)
        send(path, json.dumps({"model": "m", PROMPT: PROMPT}).encode(), key)
    counted = json.loads(body("messages", "ask-claude-500", stream=False))
    del counted["max_tokens"], counted["stream"]
    send("/v1/messages/count_tokens", json.dumps(counted).encode(), key)
    embedded = json.dumps({"model": "m", "input": PROMPT}).encode()
    send("/v1/embeddings", embedded, key)
    return answers


def told(gateway: GatewayProcess, answers: list[tuple[str, Answer]]) -> dict[str, bytes | str]:
    """What the gateway says about requests, to operators and to their callers."""
    texts: dict[str, bytes | str] = {"the first line": json.dumps(dict(gateway.ready))}
    own = {"x-api-key": ENVIRON["CI_KEY"]}
    operator = {"authorization": f"Bearer {ENVIRON['ADMIN_TOKEN']}"}
    for path in (
        "/metrics",
        "/metrics/observability",
        "/routing/table",
        "/health/ready?deep=true",
        "/metrics/circuit-breakers",
    ):
        texts[path] = exchange(gateway.admin, "GET", path, None, operator).body
    assert exchange(gateway.admin, "GET", "/metrics", None, {}).status == 401
    refused = exchange(gateway.admin, "POST", "/v1/admin/reload", b"", operator)
    texts["a reload"] = refused.body
    texts["readiness"] = exchange(gateway.url, "GET", "/health/ready", None, {}).body
    for number, (path, answer) in enumerate(answers):
        texts[f"headers of {number} {path}"] = str(answer.headers)
        trace = answer.headers.get("x-lynkr-trace-id")
        if trace is not None:
            found = exchange(gateway.admin, "GET", f"/routing/trace/{trace}", None, operator)
            assert found.status == 200
            texts[f"trace of {number} {path}"] = found.body
            used = exchange(gateway.url, "GET", f"/v1/usage/{answer.request_id}", None, own)
            assert used.status == 200, (path, used.body)
            texts[f"usage of {number} {path}"] = used.body
    return texts


@pytest.mark.parametrize("name", ["usage.jsonl", "usage.db"])
def test_nothing_planted_stands_in_anything_that_is_written(tmp_path: Path, name: str) -> None:
    source = tmp_path / "routing.yaml"
    folder = tmp_path / "written"
    folder.mkdir()
    source.write_text(spec(folder))
    bundle = built(source, tmp_path / "out", "planted")
    arguments = ["--usage-log", str(folder / name), "--log-file", str(folder / "log")]
    with parrot() as url:
        environ = ENVIRON | {"UP": url}
        with serving(bundle, folder / "stderr", arguments, environ) as gateway:
            answers = asked(gateway)
            texts = told(gateway, answers)
            assert gateway.stop() == 0
            assert gateway.process.stdout is not None
            texts["standard output"] = gateway.process.stdout.read()
            assert (folder / "state.db").stat().st_size > 0
    texts |= {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    planted = [PROMPT, GUESSED, *secrets_of(ENVIRON)]
    assert found_in(texts, planted) == []
    # Clients hear what a model says, and never a provider's key.
    bodies: dict[str, bytes | str] = {
        f"{number} {path}": one.body for number, (path, one) in enumerate(answers)
    }
    assert found_in(bodies, secrets_of(ENVIRON)) == []
    # The test has teeth: the words were said, and everything was written down.
    assert found_in(bodies, [PROMPT])
    lines = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
    classes = {line["class"] for line in lines if line["event"] == "request"}
    assert {"served", "transient", "throttled", "callers", "ours", "malformed"} <= classes
    assert "refused" in {line["event"] for line in lines}
    assert "mistake" not in {line["event"] for line in lines}
