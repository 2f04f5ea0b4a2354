"""`credentials: caller`: the client's own credential, to one provider and to nobody else."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from lynkrc_runtime.dispatch import ProviderSettings
from tests.e2e.doors_lab import KEY, written
from tests.e2e.gateway import GatewayProcess, serving
from tests.e2e.socket_lab import Answer, exchange
from tests.e2e.upstream_server import Background, Face, UpstreamServer, in_background
from tests.runtime.by_hand import provider

OWN = "sk-own-credential-of-the-client"
OURS = "secret-of-the-gateway"
LENT = ProviderSettings(forwards_credentials=True)
BODY = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
PATHS = {"messages": "/v1/messages", "chat": "/v1/chat/completions"}
KINDS = {"messages": "anthropic-compatible", "chat": "openai-compatible"}


@dataclass(frozen=True)
class Lent:
    """A gateway whose first target is called with the client's credential."""

    gateway: GatewayProcess
    faces: Mapping[str, Face]
    keyed: bool

    def ask(self, path: str, headers: Mapping[str, str], *, stream: bool = False) -> Answer:
        body = json.dumps(BODY | {"stream": stream}).encode()
        sent = {"content-type": "application/json"} | dict(headers)
        return exchange(self.gateway.url, "POST", path, body, sent)

    @property
    def known(self) -> dict[str, str]:
        """How a client shows its virtual key, where it needs one."""
        return {"x-lynkr-key": KEY} if self.keyed else {}

    def seen(self, name: str) -> list[dict[str, str]]:
        """The credentials that reached a provider, request by request."""
        names = ("authorization", "x-api-key", "api-key", "x-lynkr-key", "x-goog-api-key")
        return [
            {name: one.headers[name] for name in names if name in one.headers}
            for one in self.faces[name].seen
        ]


@pytest.fixture(scope="module", params=["open", "keys"])
def keyed(request: pytest.FixtureRequest) -> bool:
    return str(request.param) == "keys"


@pytest.fixture(scope="module")
def upstreams() -> Iterator[Background]:
    server = UpstreamServer()
    for name in ("first", "second", "house"):
        server.face(name)
    with in_background(server) as background:
        yield background


@pytest.fixture(scope="module", params=["messages", "chat"])
def _lent(
    request: pytest.FixtureRequest,
    upstreams: Background,
    keyed: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Lent]:
    folder = tmp_path_factory.mktemp("lent")
    faces = upstreams.server.faces
    end = "/v1" if request.param == "chat" else ""
    kind = KINDS[request.param]
    rows = [
        provider(
            name,
            kind,
            base_url=faces[name].url + end,
            api_key="${OURS}" if name == "house" else None,
            rest=ProviderSettings() if name == "house" else LENT,
            retries=0,
        )
        for name in ("first", "second", "house")
    ]
    bundle = written(folder, providers=rows, keys=keyed)
    log = folder / "log"
    with serving(bundle, log, environ={"OURS": OURS}) as gateway:
        yield Lent(gateway=gateway, faces=faces, keyed=keyed)
        assert gateway.stop() == 0
    said = log.read_text()
    assert OWN not in said and OURS not in said and KEY not in said


@pytest.fixture
def lent(_lent: Lent) -> Lent:
    for face in _lent.faces.values():
        face.reset()
    return _lent


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", PATHS.values())
def test_it_reaches_the_first_provider_that_is_called_so(
    lent: Lent, path: str, stream: bool
) -> None:
    for shown in ({"x-api-key": OWN}, {"authorization": f"Bearer {OWN}"}):
        assert lent.ask(path, lent.known | shown, stream=stream).status == 200
    for seen in lent.seen("first"):
        (value,) = seen.values()
        assert value in (OWN, f"Bearer {OWN}")
    assert len(lent.seen("first")) == 2 and not lent.seen("second") and not lent.seen("house")


@pytest.mark.parametrize("path", PATHS.values())
def test_without_one_the_client_is_told(lent: Lent, path: str) -> None:
    heard = lent.ask(path, lent.known)
    assert heard.status == 401
    message = heard.json["error"]["message"]
    assert "send it in the header" in message and "at-first" in message
    assert ("x-lynkr-key" in message) is lent.keyed
    assert [lent.seen(name) for name in lent.faces] == [[], [], []]


@pytest.mark.parametrize("path", PATHS.values())
def test_a_failover_never_takes_it_along(lent: Lent, path: str) -> None:
    lent.faces["first"].behaviours[:] = ["fail:503"]
    heard = lent.ask(path, lent.known | {"x-api-key": OWN})
    assert heard.status == 200
    # The second is called so, too: it sees nothing of a credential another has seen.
    assert lent.seen("second") == []
    (house,) = lent.seen("house")
    (value,) = house.values()
    assert value in (OURS, f"Bearer {OURS}")


@pytest.mark.parametrize("stream", [False, True])
def test_its_refusal_is_the_client_s_mistake(lent: Lent, stream: bool) -> None:
    for status in (401, 403):
        lent.faces["first"].behaviours[:] = [f"fail:{status}"]
        heard = lent.ask("/v1/messages", lent.known | {"x-api-key": OWN}, stream=stream)
        assert heard.status == status
        assert lent.seen("second") == lent.seen("house") == []


def test_a_virtual_key_goes_to_nobody(lent: Lent) -> None:
    is_ours = lent.keyed  # without keys nothing is one, and all is the client's own
    for shown in (
        {"x-api-key": KEY},
        {"authorization": f"Bearer {KEY}"},
        {"x-api-key": KEY, "authorization": f"Bearer {KEY}"},
        {"x-lynkr-key": KEY, "api-key": KEY, "x-api-key": KEY},
    ):
        assert lent.ask("/v1/messages", shown).status == (401 if is_ours else 200)
    assert len(lent.seen("first")) == (0 if is_ours else 4)
    assert not lent.seen("second") and not lent.seen("house")
    if not is_ours:
        return
    # Shown in one header, it leaves another free.
    both = {"x-api-key": KEY, "authorization": f"Bearer {OWN}"}
    assert lent.ask("/v1/messages", both).status == 200
    (seen,) = lent.seen("first")
    assert KEY not in str(seen) and OWN in str(seen)


@pytest.mark.parametrize("shown", ["Basic abc", "Bearer", "Bearer ", OWN])
def test_what_is_no_credential_is_none(lent: Lent, shown: str) -> None:
    assert lent.ask("/v1/messages", lent.known | {"authorization": shown}).status == 401
    assert lent.seen("first") == []


def test_tokens_are_counted_with_it_and_else_estimated(lent: Lent) -> None:
    path = "/v1/messages/count_tokens"
    assert lent.ask(path, lent.known | {"x-api-key": OWN}).status == 200
    told = lent.ask(path, lent.known)
    assert told.headers["x-lynkr-transforms"] == "tokens-estimated"
