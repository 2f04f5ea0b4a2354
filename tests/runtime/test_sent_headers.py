"""Headers and heads that are kept are those that would be worked out again."""

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lynkrc_runtime.protocol.dialect import Written
from lynkrc_runtime.request_head import head
from lynkrc_runtime.sent_headers import (
    LONGEST,
    MOST_HEADS,
    MOST_SENT,
    ProviderHeaders,
    SentHeaders,
)
from lynkrc_runtime.server.headers import upstream_headers
from lynkrc_runtime.upstream import UpstreamFault
from lynkrc_runtime.upstream_http import HttpUpstream
from tests.runtime.upstream_lab import OK, request, server

DIALECTS = ("anthropic-messages", "openai-chat", "openai-responses", "gemini")
NAMES = (
    "traceparent",
    "tracestate",
    "idempotency-key",
    "anthropic-workspace-id",
    "openai-beta",
    "session-id",
    "thread-id",
    "x-codex-window",
    "x-codex-auth",
    "x-session-a",
    "x-session-token",
    "x-openai-internal-codex-a",
    "authorization",
    "x-api-key",
    "user-agent",
    "content-type",
    "not-x-session-a",
)
TRAVEL: Mapping[str, tuple[frozenset[str], tuple[str, ...]]] = {
    "anthropic-messages": (
        frozenset(("anthropic-workspace-id", "anthropic-user-profile-id")),
        ("x-session-",),
    ),
    "openai-chat": (frozenset(("openai-beta", "session-id")), ("x-codex-", "x-session-")),
    "openai-responses": (
        frozenset(("openai-beta", "session-id", "thread-id")),
        ("x-codex-", "x-session-", "x-openai-internal-codex-"),
    ),
}
VALUES = st.sampled_from(["", "a", "b c", "\u00e9", "2023-06-01"])
WRITTEN = st.dictionaries(
    st.sampled_from(["Anthropic-Version", "anthropic-beta", "authorization"]), VALUES, max_size=3
)
PROVIDER = ProviderHeaders({"x-api-key": "ours", "x-team": "t"})
"""One for all the cases: what one left is there for the next."""


def _travels(client: Mapping[str, str], dialect: str, same: bool) -> dict[str, str]:
    names, prefixes = TRAVEL.get(dialect, (frozenset(), ())) if same else (frozenset(), ())
    everywhere = ("traceparent", "tracestate", "idempotency-key")
    return {
        name: value
        for name, value in client.items()
        if value.isascii()
        and (
            name in everywhere
            or name in names
            or (name.startswith(prefixes) and "auth" not in name and "token" not in name)
        )
    }


@settings(max_examples=150)
@given(
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5),
    WRITTEN,
    st.sampled_from(DIALECTS),
    st.booleans(),
    st.sampled_from(["application/json", "text/event-stream"]),
)
def test_kept_headers_are_those_worked_out(
    client: Mapping[str, str], set_by: Mapping[str, str], dialect: str, same: bool, accept: str
) -> None:
    written = Written(body=b"", headers=set_by, transforms=())

    def sent(provider: Mapping[str, str]) -> list[tuple[str, str]]:
        return list(
            upstream_headers(
                client,
                same_dialect=same,
                dialect=dialect,
                written=written,
                provider=provider,
                accept=accept,
            ).items()
        )

    careful = sent(dict(PROVIDER))
    assert sent(PROVIDER) == sent(PROVIDER) == careful
    travels = _travels(client, dialect, same)
    left = {name: value for name, value in careful if name in travels}
    assert left == travels
    assert list(left) == list(travels), "in the client's order"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_one_header_of_a_client_travels_where_it_is_listed(name: str, dialect: str) -> None:
    for same in (True, False):
        sent = upstream_headers(
            {name: "said"},
            same_dialect=same,
            dialect=dialect,
            written=Written(body=b"", headers={}, transforms=()),
            provider=PROVIDER,
            accept="application/json",
        )
        travels = _travels({name: "said"}, dialect, same)
        assert (sent.get(name) == "said") is bool(travels)


def _sent(provider: ProviderHeaders, **more: str) -> Mapping[str, str]:
    return upstream_headers(
        {"traceparent": "t"} if "client" in more else {},
        same_dialect=True,
        dialect="anthropic-messages",
        written=Written(body=b"", headers={"anthropic-beta": more.get("beta", "")}, transforms=()),
        provider=provider,
        accept="application/json",
    )


def test_what_a_client_says_is_not_kept_and_all_of_it_is_bounded() -> None:
    provider = ProviderHeaders({"x-api-key": "ours"})
    assert not isinstance(_sent(provider, client="yes"), SentHeaders)
    assert not provider.sent
    for number in range(3 * MOST_SENT):
        kept = _sent(provider, beta=str(number))
        assert _sent(provider, beta=str(number)) is kept
    assert 0 < len(provider.sent) <= MOST_SENT
    known = len(provider.sent)
    for text in ("x", "\u00e9"):  # the second is not sent at all
        _sent(provider, beta=text * LONGEST)
    assert len(provider.sent) == known
    kept = SentHeaders({"a": "b"})
    for number in range(3 * MOST_HEADS):
        kept.keep(number, b"x")
    assert 0 < len(kept.heads) <= MOST_HEADS
    kept.keep("long", b"x" * (LONGEST + 1))
    assert "long" not in kept.heads


@pytest.mark.parametrize(
    "configured", [{}, {"content-length": "9"}, {"accept": "x", "host": "other"}]
)
async def test_a_kept_head_is_the_one_that_would_be_made(configured: dict[str, str]) -> None:
    """To several places, with bodies of several lengths, with a new connection or a kept one."""
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            said = await reader.readuntil(b"\r\n\r\n")
            seen.append(said)
            size = int(said.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            await reader.readexactly(size)
            writer.write(OK)

    async def heads(headers: Mapping[str, str], url: str, upstream: HttpUpstream) -> list[bytes]:
        seen.clear()
        for path, size, fresh in ((1, 2, 0), (2, 2, 0), (1, 30, 0), (1, 2, 1), (2, 0, 0)):
            call = replace(
                request(f"{url}/{path}", fresh=bool(fresh)), headers=headers, body=b"x" * size
            )
            (await upstream.send(call)).close()
        return list(seen)

    headers = {"user-agent": "u", **configured, "x-api-key": "k", "accept-encoding": "identity"}
    kept = SentHeaders(headers)
    async with server(talk) as url, HttpUpstream() as upstream:
        careful = await heads(headers, url, upstream)
        assert await heads(kept, url, upstream) == careful
        assert await heads(kept, url, upstream) == careful
    assert len(kept.heads) == (0 if "content-length" in configured else 2)


@pytest.mark.parametrize("text", ["a\r\nx: 1", "a\nb", "\x7f", "\0", "a\rb"])
async def test_no_head_is_kept_that_brings_another_header(text: str) -> None:
    async def talk(*_: object) -> None:
        raise AssertionError("nothing is connected to for it")

    kept = SentHeaders({"x-thing": text})
    async with server(talk) as url, HttpUpstream() as upstream:
        for _ in range(2):
            with pytest.raises(UpstreamFault):
                await upstream.send(replace(request(url), headers=kept))
    assert not kept.heads


@settings(max_examples=200)
@given(
    st.dictionaries(
        st.text("ab-:\r\n\t \x00\x7f\u00e9\u2028", max_size=3),
        st.text("ab-:\r\n\t \x00\x1f\x7f\x85\u00e9\u2028", max_size=4),
        min_size=1,
        max_size=4,
    )
)
def test_a_head_holds_a_line_for_each_header_and_no_other(fields: Mapping[str, str]) -> None:
    controls = {*map(chr, range(32)), "\x7f"} - {"\t"}
    names = set("".join(fields)) <= set("ab-") and "" not in fields
    is_plain = names and not controls & set("".join(fields.values()))
    if not is_plain:
        with pytest.raises(ValueError, match=r"control character|is no name"):
            head("POST / HTTP/1.1", fields)
        return
    lines = [b"POST / HTTP/1.1", *(f"{name}: {fields[name]}".encode() for name in fields)]
    assert head("POST / HTTP/1.1", fields).split(b"\r\n") == [*lines, b"", b""]


def test_a_line_of_a_request_that_is_two_is_refused() -> None:
    for control in "\r\n\0\x0b\x7f":
        with pytest.raises(ValueError, match="control"):
            head(f"POST /{control} HTTP/1.1", {"a": "1"})
