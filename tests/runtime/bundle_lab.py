"""One gateway's bundle from a server that a test rules, and what such a server can do wrong."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.options import Options
from lynkrc_runtime.server.process import Process, assemble, install
from lynkrc_runtime.server.readiness import readiness
from lynkrc_runtime.server.reload import Reloader
from lynkrc_runtime.server.remote import AGAIN, RemoteBundle
from lynkrc_runtime.server.remote_server import Asked, BundleServer, bundle_server
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.signature import Trust
from lynkrc_runtime.simulator import Simulator
from lynkrc_runtime.telemetry.log import Log
from lynkrc_runtime.telemetry.metrics import Metrics
from tests.e2e import versions
from tests.runtime.bundle_host import BUNDLE, SIGNATURES, BundleHost, Papers, signed
from tests.signing_keys import signing_key

TRUST = Trust(keys=(signing_key(1).public,), is_required=True)
NOW = 1_800_000_000.0


class Enough(Exception):
    """The server has been asked as often as a test wants."""


@dataclass
class Lab:
    """A server, and one gateway's bundle from it; `waits` are what it would have waited for."""

    folder: Path
    host: BundleHost
    asked: Asked
    waits: list[float] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    draws: float = 0.5
    environ: dict[str, str] = field(default_factory=dict)
    agains: int = 0
    until: int = 10**6
    made: int = 0

    def offers(self, number: int, *seeds: int, **members: Any) -> None:
        """The server has this version from now on."""
        self.host.pair = signed(self.folder, number, *seeds, **members)

    async def _wait(self, seconds: float) -> None:
        if seconds == AGAIN:
            self.agains += 1
            return
        self.waits.append(seconds)
        if len(self.waits) > self.until:
            raise Enough

    def server(self) -> BundleServer:
        return bundle_server(self.host.url, self.asked, self.environ)

    def remote(self) -> RemoteBundle:
        """As a process begins with it."""
        self.made += 1
        own = self.folder / f"process-{self.made}"
        own.mkdir()
        return RemoteBundle(
            self.server(),
            TRUST,
            own,
            wait=self._wait,
            draw=lambda: self.draws,
            clock=lambda: NOW,
        )

    async def started(self) -> "Served":
        """A gateway that serves what it has started with."""
        remote = self.remote()
        start = await remote.first()
        options = Options(bundle=remote.path, trust=TRUST)
        log = Log(write=self.log.append)
        process = Process(
            settings=Settings(),
            environ={},
            http=Simulator(CLIENT_DIALECTS),
            log=log,
            metrics=Metrics(version="0"),
        )
        gateway = assemble(start.policy, process)
        install(gateway, process)
        site = Site(gateway=gateway, stopping=process.stopping, fetches=remote.fetches)
        reloader = Reloader(options, start.opened, process, site)
        remote.follow(log, reloader.reload, lambda: site.gateway.policy.digest)
        return Served(lab=self, remote=remote, site=site)

    def events(self, name: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.log]
        return [one for one in found if one["event"] == name]


@dataclass
class Served:
    lab: Lab
    remote: RemoteBundle
    site: Site

    @property
    def version(self) -> int:
        return versions.number_of(self.site.gateway.policy.digest)

    async def polls(self, times: int = 1) -> None:
        """The loop of questions, until the server would be asked once more than `times`."""
        self.lab.until = len(self.lab.waits) + times
        with pytest.raises(Enough):
            await self.remote.poll()

    @property
    def degraded(self) -> list[str]:
        code, told = readiness(self.site, 0.0, detailed=True)
        assert code == 200 and (told["status"] == "degraded") == bool(told["degraded"])
        assert ("reason" in told) == bool(told["degraded"])
        return list(told["degraded"])

    def counted(self, result: str) -> float:
        text = self.remote.fetches.render().decode()
        (line,) = [one for one in text.splitlines() if f'fetches_total{{result="{result}"}}' in one]
        return float(line.rpartition(" ")[2])


def status(code: int, **headers: str) -> Any:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers=headers)

    return answer


async def cut(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"content-length": "100000"})
    await answer.prepare(request)
    await answer.write(b"PK")
    assert request.transport is not None
    request.transport.close()
    return answer


async def short(request: web.Request) -> web.StreamResponse:
    """Fewer bytes than there are, and no word of how many."""
    answer = web.StreamResponse(headers={"connection": "close"})
    answer.force_close()
    await answer.prepare(request)
    await answer.write(b"PK\x03\x04")
    return answer


async def squeezed(_: web.Request) -> web.StreamResponse:
    answer = web.Response(body=b"x" * 5000)
    answer.enable_compression(web.ContentCoding.gzip)
    return answer


async def page(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>Welcome to the airport's network</html>")


async def endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    for _ in range(8):
        await answer.write(bytes(2**20))
    return answer


WRONG: list[tuple[str, Any, str, str]] = [
    (BUNDLE, status(401), "denied", "--bundle-token-env"),
    (BUNDLE, status(404), "missing", "answered 404"),
    (SIGNATURES, status(404), "missing", "its signatures: answered 404"),
    (BUNDLE, status(500), "status", "answered 500"),
    (BUNDLE, status(302, location="https://elsewhere.test"), "redirect", "not followed"),
    (BUNDLE, status(200, **{"content-length": str(2**40)}), "large", "more than 67108864"),
    (SIGNATURES, endless, "large", "its signatures: the file has more than 4194304"),
    (BUNDLE, cut, "broken", "broke off"),
    (BUNDLE, short, "untrusted", "about another file"),
    (BUNDLE, squeezed, "encoded", "compressed"),
    (BUNDLE, page, "untrusted", "about another file"),
    (SIGNATURES, page, "untrusted", "does not end with a whole line"),
]


@asynccontextmanager
async def lab_of(folder: Path, ours: Papers) -> AsyncIterator[Lab]:
    """A server with the first version, and a gateway's bundle from it."""
    host = BundleHost(pair=signed(folder, 1))
    async with host.running(ours.context):
        yield Lab(folder=folder, host=host, asked=Asked(ca=ours.ca, cache=folder / "cache"))


@asynccontextmanager
async def gone(host: BundleHost) -> AsyncIterator[None]:
    """Nobody listens where the server was."""
    host.instead = {BUNDLE: cut, SIGNATURES: cut}
    try:
        yield
    finally:
        host.instead = {}
