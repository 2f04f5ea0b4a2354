"""One gateway for all tests of a session: a spec compiled by the CLI, upstreams in a thread."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.gateway import built, serving
from tests.e2e.socket_lab import (
    CLIENT_KEY,
    SPEC,
    Lab,
    clients,
    environ_of,
    forget_targets,
    key_of,
    new_server,
)
from tests.e2e.upstream_server import in_background


@pytest.fixture(scope="session")
def sockets_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests' spec, built as a user builds it."""
    return built(SPEC, tmp_path_factory.mktemp("bundle"), "sockets")


@pytest.fixture(scope="session")
def _lab(sockets_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    log = tmp_path_factory.mktemp("gateway") / "log"
    with socket.socket() as nobody, in_background(new_server()) as background:
        # Bound and never listening: every connection is refused, and nobody else takes the port.
        nobody.bind(("127.0.0.1", 0))
        environ = environ_of(background.server, nobody.getsockname()[1])
        with serving(sockets_bundle, log, environ=environ, is_forked=False) as gateway:
            with clients(gateway) as (anthropic, openai):
                yield Lab(
                    gateway=gateway, background=background, anthropic=anthropic, openai=openai
                )
            assert gateway.stop() == 0
            assert not [line for line in gateway.lines if line["event"] == "mistake"]


@pytest.fixture
def lab(_lab: Lab) -> Iterator[Lab]:
    """The gateway with clean upstreams; afterwards, what no request of any test may do."""
    _lab.allowed.clear()
    for face in _lab.faces:
        face.reset()
    forget_targets(_lab.gateway)
    yield _lab
    for face in _lab.faces:
        assert [text for text in face.refused if text not in _lab.allowed] == [], face.name
        for seen in (*face.seen, *face.counted):
            assert CLIENT_KEY not in str(seen.headers)
            assert CLIENT_KEY.encode() not in seen.body
            others = {key_of(other.name) for other in _lab.faces if other.name != face.name}
            assert not [key for key in others if key in str(seen.headers)]
            assert not [name for name in seen.headers if name.startswith("x-lynkr")]
