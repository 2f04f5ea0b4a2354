"""The privacy example on a running gateway: what is refuted leaks, what is proved does not.

Every target is simulated (`--dry-run`), and those at home fail as the request wishes, so whatever
may be attempted at all is.
"""

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lynkrc.analysis.verdicts import Status
from lynkrc.cli.specs import check_file
from lynkrc.pipeline import claims_of
from lynkrc.proofs.run import run
from lynkrc.testing.synthesize import Synthesized
from tests.e2e.gateway import PATIENCE, ROOT, GatewayProcess, built, serving
from tests.e2e.upstream_server import UpstreamServer, in_background

PRIVACY = ROOT / "examples" / "privacy"
AT_HOME = ("small", "large", "vectors")
CLOUD = {"mid", "strong", "cloud_vectors"}
ENVIRON = {
    "OPENAI_API_KEY": "none",
    "ANTHROPIC_API_KEY": "none",
    "RACK_URL": "http://127.0.0.1:9",
    "LEGAL_KEY": "the-key-of-the-lawyers",
    "TEAM_KEY": "the-key-of-everyone-else",
}
LEGAL, TEAM = ({"x-lynkr-key": ENVIRON[name]} for name in ("LEGAL_KEY", "TEAM_KEY"))
PATIENT = """
resilience:
  breaker: {failures: 10000}
  retry: {backoff: 1ms, max_backoff: 1ms}
"""
"""No breaker opens: what fails in one test is not skipped in the next. No retry waits long."""
FAILURES = ("fail:503", "fail:429:1", "error", "fail:401", "empty")
MARKED = {"x-data-class": "confidential"}
HELLO = {"role": "user", "content": "Hello"}


@dataclass(frozen=True)
class Answer:
    """Status, headers by lower-case name, and the gateway's own log line of the request."""

    status: int
    headers: Mapping[str, str]
    line: Mapping[str, Any]

    @property
    def attempted(self) -> list[str]:
        """The targets that were called, in order."""
        return [attempt["target"] for attempt in self.line["attempts"]]


@dataclass(frozen=True)
class Told:
    """Status and headers by lower-case name."""

    status: int
    headers: Mapping[str, str]


def post(
    gateway: GatewayProcess, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
) -> Told:
    """The answer to a request with the key of everyone, where `headers` have no other."""
    address = gateway.url.removeprefix("http://").split("/")[0]
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    data = json.dumps(body, ensure_ascii=False).encode()
    sent = {"content-type": "application/json", **TEAM, **headers}
    connection.request("POST", path, data, sent)
    response = connection.getresponse()
    response.read()
    told = {name.lower(): value for name, value in response.getheaders()}
    connection.close()
    return Told(response.status, told)


def send(
    gateway: GatewayProcess, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
) -> Answer:
    answer = post(gateway, path, body, headers)
    line = gateway.request(answer.headers["x-lynkr-request-id"])
    return Answer(answer.status, answer.headers, line)


def failing(behaviour: str) -> dict[str, str]:
    return {"x-lynkr-simulate": ", ".join(f"{one}={behaviour}" for one in AT_HOME)}


def shown(request: Synthesized) -> dict[str, str]:
    """The header with the key that a witness is to be sent with."""
    assert request.key is not None
    assert request.key.variable is not None
    return {"x-lynkr-key": ENVIRON[request.key.variable]}


def witnesses(name: str) -> dict[str, Synthesized]:
    """The requests that refute assertions of a spec, by the assertion's name."""
    checked = check_file(PRIVACY / name)
    assert checked.typed is not None
    claimed = claims_of(checked.typed)
    assert claimed is not None
    return {
        proof.assertion.name or "": witness.request
        for proof in run(*claimed).proofs
        if proof.status is Status.REFUTED
        for witness in proof.witnesses
        if not witness.given
    }


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """The careless policy as it is built where nobody claims anything."""
    folder = tmp_path_factory.mktemp("careless")
    text = (PRIVACY / "careless.yaml").read_text(encoding="utf-8")
    head, _ = text.split("\nassert:\n")
    spec = folder / "routing.yaml"
    spec.write_text(head + PATIENT, encoding="utf-8")
    with _serving(built(spec, folder, "privacy"), folder) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, in which no breaker opens."""
    folder = tmp_path_factory.mktemp("privacy")
    spec = folder / "routing.yaml"
    text = (PRIVACY / "routing.yaml").read_text(encoding="utf-8")
    spec.write_text(text + PATIENT, encoding="utf-8")
    return built(spec, folder, "privacy")


@pytest.fixture(scope="module")
def proved(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with _serving(bundle, tmp_path_factory.mktemp("proved")) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def unharmed(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """One that no failure of another test has taught anything: a 401 marks a target for long."""
    with _serving(bundle, tmp_path_factory.mktemp("unharmed")) as gateway:
        yield gateway


def _serving(bundle: Path, folder: Path) -> AbstractContextManager[GatewayProcess]:
    return serving(bundle, folder / "log", ["--dry-run"], ENVIRON)


@pytest.fixture(scope="module")
def leaks() -> dict[str, Synthesized]:
    return witnesses("careless.yaml")


def test_witnesses_are_requests(leaks: Mapping[str, Synthesized]) -> None:
    assert set(leaks) == {"stays-home", "marked-stays", "worded-stays", "legal-stays"}
    assert witnesses("routing.yaml") == {}


@pytest.mark.parametrize("name", ["stays-home", "marked-stays", "worded-stays", "legal-stays"])
def test_what_is_refuted_leaks(
    careless: GatewayProcess, leaks: Mapping[str, Synthesized], name: str
) -> None:
    request = leaks[name]
    headers = request.headers | shown(request)
    at_rest = send(careless, request.path, request.body, headers)
    assert (at_rest.status, at_rest.attempted) == (200, ["small"]), "nothing is to be seen of it"
    answer = send(careless, request.path, request.body, {**headers, **failing("fail:503")})
    assert answer.status == 200
    assert list(dict.fromkeys(answer.attempted)) == ["small", "large", "mid"]
    assert answer.headers["x-lynkr-provider"] == "openai"


@pytest.mark.parametrize(
    ("name", "behaviour"),
    [
        ("stays-home", "fail:503"),
        ("legal-stays", "fail:503"),
        *(("marked-stays", behaviour) for behaviour in FAILURES),
    ],
)
def test_what_is_proved_does_not(
    proved: GatewayProcess, leaks: Mapping[str, Synthesized], name: str, behaviour: str
) -> None:
    request = leaks[name]
    headers = {**request.headers, **shown(request), **failing(behaviour)}
    answer = send(proved, request.path, request.body, headers)
    assert set(answer.attempted) == {"small", "large"} or behaviour == "empty"
    assert not CLOUD.intersection(answer.attempted)
    assert answer.status != 200 or behaviour == "empty"


MODELS = ("auto", "lynkr/strong", "lynkr/MEDIUM", "claude-lynkr-strong")
PATHS = ("/v1/messages", "/v1/chat/completions", "/v1/responses")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("path", PATHS)
def test_no_way_of_asking_leaks(proved: GatewayProcess, path: str, model: str) -> None:
    said = {"input": [HELLO]} if path == "/v1/responses" else {"messages": [HELLO]}
    body = {"model": model, **said} | ({"max_tokens": 64} if path == "/v1/messages" else {})
    answer = send(proved, path, body, MARKED | failing("fail:503"))
    assert not CLOUD.intersection(answer.attempted)
    assert answer.headers.get("x-lynkr-provider") not in ("openai", "anthropic")


def test_embeddings_stay(proved: GatewayProcess) -> None:
    body = {"model": "text-embedding-3-small", "input": ["Hello"]}
    open_ = send(proved, "/v1/embeddings", body, {})
    assert open_.attempted == ["cloud_vectors"]
    answer = send(proved, "/v1/embeddings", body, MARKED)
    assert (answer.status >= 400, answer.attempted) == (True, [])
    home = send(proved, "/v1/embeddings", body | {"model": "house-large"}, MARKED)
    assert (home.status, home.attempted) == (200, ["vectors"])


def test_nobody_in_the_cloud_counts_tokens_or_serves(tmp_path: Path) -> None:
    """Over real sockets: those at home do not listen, those in the cloud note who calls."""
    server = UpstreamServer()
    faces = [server.face(name) for name in ("openai", "anthropic")]
    text = (PRIVACY / "routing.yaml").read_text(encoding="utf-8")
    for face in faces:
        kind = f"kind: {face.name}, "
        assert kind in text
        text = text.replace(kind, f'{kind}base_url: "${{{face.name.upper()}_URL}}", ')
    spec = tmp_path / "routing.yaml"
    spec.write_text(text, encoding="utf-8")
    bundle = built(spec, tmp_path, "privacy")
    with in_background(server), socket.socket() as nobody:
        # Bound and never listening: every connection is refused, and nobody else takes the port.
        nobody.bind(("127.0.0.1", 0))
        home = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        urls = {"OPENAI_URL": f"{faces[0].url}/v1", "ANTHROPIC_URL": faces[1].url}
        environ = ENVIRON | urls | {"RACK_URL": home, "OLLAMA_ENDPOINT": home}
        with serving(bundle, tmp_path / "log", environ=environ) as gateway:
            for headers, calls in ((MARKED, 0), ({}, 2)):
                for model in MODELS:
                    body = {"model": model, "messages": [HELLO]}
                    counted = post(gateway, "/v1/messages/count_tokens", body, headers)
                    assert counted.status == 200
                    served = post(gateway, "/v1/messages", body | {"max_tokens": 64}, headers)
                    assert (served.status == 200) == bool(calls)
                    assert bool(sum(len(face.seen) for face in faces)) == bool(calls)
                assert len(server.face("anthropic").counted) == calls


def test_others_may_leave(proved: GatewayProcess) -> None:
    body = {"model": "lynkr/strong", "max_tokens": 64, "messages": [HELLO]}
    assert send(proved, "/v1/messages", body, {}).attempted == ["strong"]


@pytest.mark.parametrize(("key", "served"), [(LEGAL, "large"), (TEAM, "strong")])
def test_the_key_alone_tells_who_is_confidential(
    unharmed: GatewayProcess, key: Mapping[str, str], served: str
) -> None:
    body = {"model": "lynkr/REASONING", "max_tokens": 64, "messages": [HELLO]}
    answer = send(unharmed, "/v1/messages", body, key)
    assert (answer.status, answer.attempted) == (200, [served])


@pytest.mark.parametrize("key", ["", "nobody-gave-this-out"])
def test_nobody_without_a_key_is_served(proved: GatewayProcess, key: str) -> None:
    body = {"model": "auto", "max_tokens": 64, "messages": [HELLO]}
    assert post(proved, "/v1/messages", body, {"x-lynkr-key": key}).status == 401
