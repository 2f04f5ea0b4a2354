"""A gateway of two workers whose bundle comes from a server, started as the page says."""

import re
import signal
from pathlib import Path

from tests.e2e import versions
from tests.e2e.gateway import ROOT, GatewayProcess, serving
from tests.e2e.test_reload_process import logged, metrics, readiness, reload, serves
from tests.runtime.bundle_host import (
    BUNDLE,
    SIGNATURES,
    BundleHost,
    in_background,
    papers,
    signed,
)
from tests.signing_keys import write_pair

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TOKEN = "token-of-the-bundle-server"


def counted(gateway: GatewayProcess, result: str) -> float:
    name = f'lynkr_bundle_fetches_total{{result="{result}"}} '
    (line,) = [one for one in metrics(gateway) if one.startswith(name)]
    return float(line.removeprefix(name))


async def test_a_bundle_from_a_server(tmp_path: Path) -> None:
    ours = papers(tmp_path)
    _, public = write_pair(tmp_path, "one", 1)
    environ = {"BUNDLE_TOKEN": TOKEN}
    host = BundleHost(pair=signed(tmp_path, 1), token=TOKEN)
    with in_background(host, ours.context):
        (command,) = re.findall(r"`lynkrc-runtime serve (--bundle https[^`]+)`", PAGE)
        here = {
            "https://bundles.example.com/house.lynkr": host.url,
            "signing.pub.pem": str(public),
            "bundles": str(tmp_path / "cache"),
        }
        option, url, *more = (here.get(word, word) for word in command.split())
        two = [*more, "--bundle-ca", str(ours.ca), "--workers", "2"]
        with serving(f"{option}={url}", tmp_path / "log", two, environ) as gateway:
            assert serves(gateway) == 1
            # One process asks, whatever the number of workers.
            assert host.answers == {(BUNDLE, 200): 1, (SIGNATURES, 200): 1}
            assert reload(gateway)["result"] == "unchanged"
            assert host.answers[BUNDLE, 304] == host.answers[SIGNATURES, 304] == 1

            host.pair = signed(tmp_path, 2)
            told = reload(gateway)
            assert (told["result"], told["new"]) == ("reloaded", versions.digest(2))
            assert {serves(gateway) for _ in range(6)} == {2}

            bundle, signatures = signed(tmp_path, 3)
            host.pair = bundle[:-9] + b"tampered!", signatures
            assert "about another file" in reload(gateway, 409)["reason"]
            host.pair = bundle, signatures
            host.token = "another"
            gateway.process.send_signal(signal.SIGHUP)
            (_, failed) = await logged(gateway, "bundle-fetch-failed", 2)
            assert failed["result"] == "denied"
            assert {serves(gateway) for _ in range(6)} == {2}
            ready = readiness(gateway)
            assert (ready["status"], ready["degraded"]) == ("degraded", ["bundle-server"])
            assert "answered 401" in ready["reason"]
            assert [counted(gateway, one) for one in ("fetched", "untrusted", "denied")] == [
                2,
                1,
                1,
            ]
            assert gateway.stop() == 0
    assert list(tmp_path.glob("lynkrc-*")) == []
