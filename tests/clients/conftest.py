"""The gateway with a target of every dialect, before one scripted model; and the installed clients.

`make test-clients` installs the clients below `.clients/` (or where CLIENTS says) and runs these.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.model_server import ModelServer, model_server
from tests.e2e.gateway import ROOT, GatewayProcess, built, serving

SPEC = Path(__file__).parent / "clients.yaml"
CLIENTS = Path(os.environ.get("CLIENTS", ROOT / ".clients"))
PATIENCE = 120
"""Seconds a client has for one task."""


@dataclass(frozen=True)
class ClientLab:
    """The running gateway and the model behind it."""

    gateway: GatewayProcess
    model: ModelServer


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientLab]:
    folder = tmp_path_factory.mktemp("bundle")
    bundle = built(SPEC, folder, "clients")
    with model_server() as model:
        environ = {"MODEL_URL": model.url, "KEY": "key-of-the-provider"}
        log = folder / "log"
        with serving(bundle, log, environ=environ, is_forked=False) as gateway:
            yield ClientLab(gateway=gateway, model=model)
            assert gateway.stop() == 0
            assert not [line for line in gateway.lines if line["event"] == "mistake"]
