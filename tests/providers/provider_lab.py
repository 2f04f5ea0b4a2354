"""A compiled spec served over sockets, in the test's own event loop, with the official clients."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from lynkrc.cli.specs import compile_file
from lynkrc.pipeline import pack_bundle
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.gateway import Gateway, Policy, read_policy
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.upstream_http import HttpUpstream
from tests.runtime.by_hand import Said, gateway

URL = "http://upstream.test"
"""What stands in a spec for the address of its upstreams' server."""


@dataclass(frozen=True)
class Lab:
    """The running gateway, its log, and both clients."""

    gateway: Gateway
    said: Said
    url: str
    openai: AsyncOpenAI
    anthropic: AsyncAnthropic


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """An application's address while it is served."""
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


@cache
def compiled(spec: str) -> Policy:
    """The spec's policy, built as a user builds it."""
    with TemporaryDirectory() as folder:
        path, bundle = Path(folder) / "routing.yaml", Path(folder) / "it.lynkr"
        path.write_text(spec, encoding="utf-8")
        compilation = compile_file(path)
        assert compilation.table is not None, compilation.diagnostics
        packed, _ = pack_bundle(compilation, native=False)
        bundle.write_bytes(packed)
        return read_policy(bundle)


def at(policy: Policy, upstream: str) -> Policy:
    """The policy with its providers at an address."""
    providers = [
        msgspec.structs.replace(one, base_url=(one.base_url or "").replace(URL, upstream))
        for one in policy.dispatch.providers
    ]
    return replace(policy, dispatch=msgspec.structs.replace(policy.dispatch, providers=providers))


@asynccontextmanager
async def lab(spec: str, upstream: str) -> AsyncIterator[Lab]:
    """Compile and serve."""
    said = Said()
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(HttpUpstream())
        made = gateway(at(compiled(spec), upstream), said, http=http)
        url = await stack.enter_async_context(serving(client_app(Site(gateway=made))))
        openai = await stack.enter_async_context(
            AsyncOpenAI(base_url=f"{url}/v1", api_key="client-key", max_retries=0)
        )
        anthropic = await stack.enter_async_context(
            AsyncAnthropic(base_url=url, api_key="client-key", max_retries=0)
        )
        yield Lab(gateway=made, said=said, url=url, openai=openai, anthropic=anthropic)
