"""Providers behind proxies and behind authorities of their own, over real sockets."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.upstream import Link, UpstreamFault, UpstreamRequest
from lynkrc_runtime.upstream_http import HttpUpstream
from tests.clients.said import SPEAK
from tests.clients.script import Plan
from tests.e2e.doors_lab import written
from tests.e2e.gateway import serving
from tests.e2e.hostile_server import Hostile, hostile, reply
from tests.e2e.proxy_server import proxy_before
from tests.e2e.socket_lab import exchange
from tests.runtime.by_hand import CHAT, provider
from tests.runtime.upstream_lab import server

ANSWER = json.dumps(SPEAK[CHAT].whole(Plan(text="Yes."), "m")).encode()
LOGIN = b"Proxy-Authorization: Basic " + base64.b64encode(b"me:pa55")


def request(url: str, link: Link) -> UpstreamRequest:
    return UpstreamRequest(
        url=url,
        headers={"authorization": "Bearer of-the-provider", "content-type": "application/json"},
        body=b"{}",
        connect=5.0,
        fresh=False,
        target="t",
        dialect=CHAT,
        link=link,
    )


async def sent(url: str, link: Link) -> bytes:
    async with HttpUpstream() as http:
        response = await http.send(request(url, link))
        try:
            assert response.status == 200
            return await response.read()
        finally:
            response.close()


@asynccontextmanager
async def secured(authority: trustme.CA, *names: str) -> AsyncIterator[Hostile]:
    """An upstream that speaks TLS under these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    made = Hostile(says=reply("application/json", [ANSWER]))
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
    made.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    return context


async def test_plain_requests_go_whole_to_the_proxy() -> None:
    async with hostile() as upstream, proxy_before(upstream) as proxy:
        upstream.says = reply("application/json", [ANSWER])
        link = Link(proxy=f"http://me:pa55@{proxy.address}")
        # No such name is known to anybody but the proxy.
        assert await sent("http://provider.test/v1/chat", link) == ANSWER
        (head,) = proxy.heads
        assert head.startswith(b"POST http://provider.test/v1/chat HTTP/1.1\r\n")
        assert LOGIN in head


async def test_secret_requests_go_through_a_tunnel() -> None:
    authority = trustme.CA()
    async with secured(authority, "provider.test") as upstream, proxy_before(upstream) as proxy:
        link = Link(proxy=f"http://me:pa55@{proxy.address}", tls=trusting(authority))
        assert await sent("https://provider.test/v1/chat", link) == ANSWER
        (head,) = proxy.heads
        assert head.startswith(b"CONNECT provider.test:443 HTTP/1.1\r\n")
        assert LOGIN in head
        # The proxy gets nothing of the request, the provider nothing of the login.
        assert b"of-the-provider" not in head
        (asked,) = upstream.asked
        assert b"Bearer of-the-provider" in asked and b"roxy-" not in asked


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_not_there(scheme: str) -> None:
    async with hostile() as upstream, proxy_before(upstream) as proxy:
        address = proxy.address
    with pytest.raises(UpstreamFault) as fault:
        await sent(f"{scheme}://provider.test/v1", Link(proxy=f"http://me:pa55@{address}"))
    assert fault.value.fault is Fault.CONNECT
    assert "pa55" not in str(fault.value) and "127.0.0.1" not in str(fault.value)


async def test_a_proxy_that_refuses_the_tunnel() -> None:
    async with hostile() as upstream, proxy_before(upstream) as proxy:
        proxy.refuses = b"407 Proxy Authentication Required"
        with pytest.raises(UpstreamFault) as fault:
            await sent("https://provider.test/v1", Link(proxy=f"http://{proxy.address}"))
    assert fault.value.fault is Fault.CONNECT
    assert str(fault.value) == "the proxy refused the connection (407)"


async def test_an_authority_counts_for_its_provider_alone() -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    async with secured(ours, "127.0.0.1") as upstream:
        assert await sent(upstream.url, Link(tls=trusting(ours))) == ANSWER
        for link in (Link(), Link(tls=trusting(theirs))):
            with pytest.raises(UpstreamFault) as fault:
                await sent(upstream.url, link)
            assert fault.value.fault is Fault.CONNECT
            told = str(fault.value)
            assert told.startswith("cannot connect: its certificate is not trusted: ")
            assert "issuer" in told or "self-signed" in told
        upstream.says = reply("application/json", [ANSWER])
        async with HttpUpstream() as http:
            good = await http.send(request(upstream.url, Link(tls=trusting(ours))))
            assert await good.read() == ANSWER
            good.close()
            # A connection kept for one provider serves no other that trusts somebody else.
            with pytest.raises(UpstreamFault):
                await http.send(request(upstream.url, Link(tls=trusting(theirs))))


async def test_a_certificate_of_another_name_is_refused() -> None:
    authority = trustme.CA()
    async with secured(authority, "other.test") as upstream:
        with pytest.raises(UpstreamFault) as fault:
            await sent(upstream.url, Link(tls=trusting(authority)))
    assert fault.value.fault is Fault.CONNECT
    assert "IP address mismatch" in str(fault.value) and "127.0.0.1" not in str(fault.value)


async def test_what_speaks_no_tls_is_said() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with server(talk) as url:
        with pytest.raises(UpstreamFault) as fault:
            await sent(url.replace("http:", "https:"), Link())
    assert str(fault.value) == "cannot connect: no TLS connection can be made"
    assert fault.value.fault is Fault.CONNECT


CHATS = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'


@pytest.mark.parametrize("written_in", ["environment", "spec"])
async def test_a_gateway_tells_its_proxies_at_start(tmp_path: Path, written_in: str) -> None:
    async with hostile() as upstream, proxy_before(upstream) as proxy:
        upstream.says = reply("application/json", [ANSWER])
        here = written_in == "spec"
        rest = ProviderSettings(proxy="http://${LOGIN}@" + proxy.address if here else None)
        row = provider("far", "openai-compatible", base_url="http://provider.test/v1", rest=rest)
        near = provider("near", "openai-compatible", base_url="http://127.0.0.1:1/v1")
        # The home has a .netrc for both: it is nobody's business.
        (tmp_path / ".netrc").write_text("default login netrc-user password netrc-word\n")
        environ = {"LOGIN": "me:pa55", "HOME": str(tmp_path), "no_proxy": "unrelated.test"}
        if not here:
            environ["HTTP_PROXY"] = f"http://me:pa55@{proxy.address}"
        bundle, log = written(tmp_path, providers=[row, near]), tmp_path / "log"
        with serving(bundle, log, environ=environ) as gateway:
            heard = await asyncio.to_thread(
                exchange,
                gateway.url,
                "POST",
                "/v1/chat/completions",
                CHATS,
                {"content-type": "application/json"},
            )
            assert heard.status == 200, heard
            assert gateway.stop() == 0
            (line,) = [line for line in gateway.lines if line["event"] == "proxy"]
        assert line["provider"] == "far"
        assert line["proxy"] == f"http://{proxy.address}"
        assert line["source"] == ("providers.proxy" if here else "HTTP_PROXY")
        assert "pa55" not in log.read_text()
        (head,) = proxy.heads
        assert LOGIN in head
        assert b"\r\nAuthorization" not in head and b"netrc" not in head
