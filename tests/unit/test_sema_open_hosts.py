"""Hosts a spec listens on: what the gateway takes for this machine, a finding does too."""

from pathlib import Path

import pytest

from lynkrc.cli.specs import check_bytes
from lynkrc_runtime.server.security import is_loopback
from tests.unit.cli_sample import SPEC


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "127.0.0.1", "::1", "[::1]", "::1:2", "LocalHost", "a.localhost",
     "localhost.example", "127.0.0.1.example", "127.8.0.1", "gateway"],
)  # fmt: skip
def test_an_open_host_is_what_the_gateway_takes_for_one(host: str) -> None:
    text = f'{SPEC}\nserver: {{host: "{host}", admin: {{host: "{host}"}}}}\n'
    found = check_bytes(Path("routing.yaml"), text.encode()).diagnostics
    told = {one.code.id for one in found} & {"LK606", "LK607"}
    assert told == (set() if is_loopback(host) else {"LK606", "LK607"})
