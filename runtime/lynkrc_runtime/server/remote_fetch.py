"""One question to a bundle server to a file with what it answered, or to why there is none.

What comes is bounded in bytes and in time, and is written as it comes. Redirects, compressed
answers and cookies are not wanted: the address is the address, the bytes are the bytes.
"""

import os
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, final

import aiohttp
from yarl import URL

from lynkrc_runtime import __version__
from lynkrc_runtime.server.remote_server import BundleServer, UnusableToken
from lynkrc_runtime.telemetry.fetches import Fetch

CONNECT: Final = 10.0
"""Seconds to a connection, TLS included."""
ANSWER: Final = 60.0
"""Seconds from a question to the last byte of its answer."""
PIECE: Final = 64 * 1024
_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,1000}"')


@final
class FetchFault(Exception):
    """Why nothing new has come; fit to print after the server's address."""

    def __init__(self, result: Fetch, reason: str) -> None:
        super().__init__(reason)
        self.result = result


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that has come whole; `tag` is the server's ETag, None without a usable one."""

    sha256: str
    tag: str | None


@asynccontextmanager
async def asking(server: BundleServer) -> AsyncIterator[aiohttp.ClientSession]:
    """A session for the questions of one moment; no connection outlives it."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=server.tls or True, limit=1),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=ANSWER, connect=CONNECT),
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield session


async def fetch(
    session: aiohttp.ClientSession,
    server: BundleServer,
    url: str,
    into: Path,
    *,
    largest: int,
    tag: str | None,
) -> Fetched | None:
    """Fetch a file of at most `largest` bytes; None where it is the one with this ETag still.

    Raises FetchFault; what lies at `into` is nothing then.
    """
    headers = {
        "accept": "application/octet-stream, */*",
        "accept-encoding": "identity",
        "user-agent": f"lynkrc/{__version__}",
    }
    try:
        token = server.bearer()
    except UnusableToken as fault:
        raise FetchFault(Fetch.TOKEN, str(fault)) from fault
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    if tag is not None:
        headers["if-none-match"] = tag
    try:
        async with session.get(
            # As it was written: what was signed is the text, `%2F` and all.
            URL(url, encoded=True),
            headers=headers,
            proxy=server.proxy,
            allow_redirects=False,
        ) as answer:
            if answer.status == 304 and tag is not None:
                return None
            try:
                _check(answer, largest)
                return await _written(answer, into, largest)
            except BaseException:
                _hang_up(answer)
                raise
    except aiohttp.ConnectionTimeoutError as error:
        raise FetchFault(Fetch.TIMEOUT, f"no connection within {CONNECT:g} s") from error
    except TimeoutError as error:
        raise FetchFault(Fetch.TIMEOUT, f"no whole answer within {ANSWER:g} s") from error
    except aiohttp.ClientHttpProxyError as error:
        raise FetchFault(
            Fetch.UNREACHABLE, f"the proxy refused the connection ({error.status})"
        ) from error
    except aiohttp.ClientSSLError as error:
        raise FetchFault(Fetch.TLS, _tls_reason(error)) from error
    except aiohttp.ClientConnectorError as error:
        raise FetchFault(Fetch.UNREACHABLE, f"cannot connect: {_reason(error)}") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise FetchFault(
            Fetch.BROKEN, f"the answer broke off, or is no HTTP ({type(error).__name__})"
        ) from error


def _hang_up(answer: aiohttp.ClientResponse) -> None:
    """End the connection at once: a TLS farewell would go on reading what comes, without bound."""
    connection = answer.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()


def _check(answer: aiohttp.ClientResponse, largest: int) -> None:
    """FetchFault for an answer that brings no file, or too much of one."""
    status = answer.status
    if status in (401, 403):
        raise FetchFault(
            Fetch.DENIED,
            f"answered {status}; --bundle-token-env NAME or --bundle-token-file FILE shows a token",
        )
    if status in (404, 410):
        raise FetchFault(Fetch.MISSING, f"answered {status}: there is no such file")
    if status != 304 and 300 <= status < 400:
        raise FetchFault(
            Fetch.REDIRECT,
            f"answered {status}, a redirect, which is not followed: name the address it leads to",
        )
    if status != 200:
        raise FetchFault(Fetch.STATUS, f"answered {status}")
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise FetchFault(
            Fetch.ENCODED, "answered with a compressed body, though none was asked for"
        )
    if answer.content_length is not None and answer.content_length > largest:
        raise _too_large(largest)


async def _written(answer: aiohttp.ClientResponse, into: Path, largest: int) -> Fetched:
    digest, size = sha256(), 0
    try:
        file = into.open("wb")
    except OSError as error:
        raise no_room(error) from error
    try:
        async for piece in answer.content.iter_chunked(PIECE):
            size += len(piece)
            if size > largest:
                raise _too_large(largest)
            digest.update(piece)
            try:
                file.write(piece)
                file.flush()
            except OSError as error:
                raise no_room(error) from error
    finally:
        # It tries again to write what it could not, which has been told.
        with suppress(OSError):
            file.close()
    tag = answer.headers.get("etag", "").strip()
    return Fetched(sha256=digest.hexdigest(), tag=tag if _TAG.fullmatch(tag) else None)


def _too_large(largest: int) -> FetchFault:
    return FetchFault(Fetch.LARGE, f"the file has more than {largest} bytes")


def no_room(error: OSError) -> FetchFault:
    """What was fetched cannot be written among the temporary files."""
    return FetchFault(Fetch.DISK, f"cannot be written to disk: {error.strerror or error}")


def _reason(error: aiohttp.ClientConnectorError) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the host's name is not known"
    number = error.os_error.errno
    return os.strerror(number) if number is not None and number > 0 else "no connection"


def _tls_reason(error: aiohttp.ClientSSLError) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        found = error.certificate_error
        said = found.verify_message if isinstance(found, ssl.SSLCertVerificationError) else ""
        return f"its certificate is not trusted: {said or 'it does not verify'}"
    return "no TLS connection can be made"
