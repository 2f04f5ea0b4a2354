"""Requests two servers could read in two ways are refused, and the connection ends with them."""

import pytest

from tests.e2e.raw_client import BODY, CHUNKED, CHUNKS, HEAD, LENGTH, NEXT, speak
from tests.e2e.socket_lab import Lab

PLAIN = HEAD + LENGTH + b"\r\n" + BODY


def with_header(line: bytes) -> bytes:
    return HEAD + line + b"\r\n" + LENGTH + b"\r\n" + BODY


def chunked(first: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return HEAD + CHUNKED + b"\r\n" + first + b"\r\n" + BODY + b"\r\n" + end


def coded(value: bytes) -> bytes:
    return HEAD + b"Transfer-Encoding: " + value + b"\r\n\r\n" + CHUNKS


SIZE = b"%x" % len(BODY)

REFUSED: dict[str, bytes] = {
    "length and chunked": HEAD + LENGTH + CHUNKED + b"\r\n" + CHUNKS,
    "chunked and length": HEAD + CHUNKED + LENGTH + b"\r\n" + CHUNKS,
    "two lengths": HEAD + LENGTH + b"Content-Length: 1\r\n\r\n" + BODY,
    "one length twice": HEAD + LENGTH + LENGTH + b"\r\n" + BODY,
    "a list of lengths": HEAD + LENGTH[:-2] + b", 72\r\n\r\n" + BODY,
    "a length with a sign": HEAD + b"Content-Length: +83\r\n\r\n" + BODY,
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n" + BODY,
    "a hexadecimal length": HEAD + b"Content-Length: 0x53\r\n\r\n" + BODY,
    "an unknown coding": coded(b"xchunked"),
    "a coding in quotes": coded(b'"chunked"'),
    "a coding after a vertical tab": coded(b"\x0bchunked"),
    "chunked is not the last coding": coded(b"chunked, identity"),
    "chunked twice": HEAD + CHUNKED + CHUNKED + b"\r\n" + CHUNKS,
    "chunked, then identity": HEAD + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n" + CHUNKS,
    "identity, then chunked": coded(b"identity, chunked"),
    "compressed, then chunked": coded(b"gzip, chunked"),
    "space before the colon of the coding": HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKS,
    "space before a colon": with_header(b"X-A : b"),
    "space before the first name": PLAIN.replace(b"Host", b" Host", 1),
    "line feeds alone": (HEAD + LENGTH + b"\r\n").replace(b"\r\n", b"\n") + BODY,
    "one line feed alone": with_header(b"X-A: b\nX-B: c"),
    "one carriage return alone": with_header(b"X-A: b\rX-B: c"),
    "a folded line": with_header(b"X-A: b\r\n c"),
    "NUL in a value": with_header(b"X-A: b\x00c"),
    "a control character in a value": with_header(b"X-A: b\x01c"),
    "NUL in a name": with_header(b"X\x00A: b"),
    "no name": with_header(b": b"),
    "a chunk extension with a line feed": chunked(SIZE + b";a\nb"),
    "a huge chunk": chunked(b"f" * 40),
    "a negative chunk": chunked(b"-1"),
    "a chunk with a prefix": chunked(b"0x" + SIZE),
    "a chunk with an underscore": chunked(SIZE[:1] + b"_" + SIZE[1:]),
    "a chunk longer than it says": HEAD + CHUNKED + b"\r\n2\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunks ended by line feeds": (HEAD + CHUNKED + b"\r\n" + CHUNKS.replace(b"\r\n", b"\n")),
    "a length behind the chunks": chunked(SIZE, b"0\r\nContent-Length: 5\r\n\r\n"),
    "two hosts": with_header(b"Host: localhost"),
    "no host": PLAIN.replace(b"Host: localhost\r\n", b""),
    "another host in the request line": PLAIN.replace(b" /v1", b" http://evil.example/v1", 1),
    "a login in the request line": PLAIN.replace(b" /v1", b" http://a:b@localhost/v1", 1),
    "chunks in HTTP/1.0": (HEAD + CHUNKED + b"\r\n" + CHUNKS).replace(b"/1.1", b"/1.0", 1),
    "HTTP/9.9": PLAIN.replace(b"HTTP/1.1", b"HTTP/9.9", 1),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /v1/models\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 100 + b"\r\n\r\n",
    "a method nobody knows": PLAIN.replace(b"POST", b"BREW", 1),
    "a method in small letters": PLAIN.replace(b"POST", b"post", 1),
    "a tunnel": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a question about all": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "NUL in the path": PLAIN.replace(b"/messages", b"/mess\x00ages", 1),
    "a long path": PLAIN.replace(b"/messages", b"/" + b"a" * 70_000, 1),
    "a long header": with_header(b"X-A: " + b"a" * 70_000),
    "long headers": with_header(b"\r\n".join(b"X-%d: " % n + b"a" * 6_000 for n in range(20))),
    "many headers": with_header(b"\r\n".join(b"X-%d: 1" % n for n in range(1000))),
}


@pytest.mark.parametrize("attack", REFUSED)
def test_it_is_refused_and_nothing_after_it_is_read(lab: Lab, attack: str) -> None:
    spoken = speak(lab.gateway.url, REFUSED[attack] + NEXT)
    assert [status for status in spoken.statuses if status not in (400, 431, 501)] == []
    # A misread rest may be refused in its turn; it is never answered.
    assert 1 <= len(spoken.statuses) <= 2
    assert [len(face.seen) for face in lab.faces] == [0] * len(lab.faces)


SERVED: dict[str, bytes] = {
    "plain": PLAIN,
    "chunked": HEAD + CHUNKED + b"\r\n" + CHUNKS,
    "chunked, spelled otherwise": coded(b"cHuNkEd"),
    "a chunk extension": chunked(SIZE + b";a=b"),
    "a long chunk extension": chunked(SIZE + b";a=" + b"x" * 200_000),
    "a trailer": chunked(SIZE, b"0\r\nX-Evil: 1\r\nAuthorization: Bearer x\r\n\r\n"),
    "the whole address": PLAIN.replace(b" /v1", b" http://localhost/v1", 1),
    "a body in two requests' clothes": HEAD
    + b"Content-Length: %d\r\n\r\n%s"
    % (
        len(BODY + NEXT),
        BODY + b" " * len(NEXT),
    ),
}


@pytest.mark.parametrize("request_name", SERVED)
def test_what_can_be_read_in_one_way_is_served_once(lab: Lab, request_name: str) -> None:
    spoken = speak(lab.gateway.url, SERVED[request_name] + NEXT)
    assert spoken.statuses == [200, 200], spoken.data[:300]
    (seen,) = lab.face("claude").seen
    assert "x-evil" not in seen.headers and seen.headers.get("x-api-key") != "x"


def test_a_request_inside_a_body_is_no_request(lab: Lab) -> None:
    inner = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\n\r\n"
    outer = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
    spoken = speak(lab.gateway.url, outer % len(inner) + inner + NEXT)
    assert spoken.statuses == [200, 200]
    assert lab.face("claude").seen == []


def test_an_upgrade_is_served_as_it_is_and_ends_the_connection(lab: Lab) -> None:
    line = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"
    spoken = speak(lab.gateway.url, with_header(line) + NEXT)
    assert spoken.statuses == [200]
    assert b"connection: close" in spoken.data.lower()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("TRACE", "/", 405),
        ("PUT", "/v1/messages", 405),
        ("DELETE", "/v1/messages", 405),
        ("PROPFIND", "/v1/messages", 405),
        ("GET", "/v1/../health/live", 404),
        ("GET", "/v1/models/../../etc/passwd", 404),
        ("GET", "/%2e%2e/health/live", 404),
        ("GET", "//health/live", 404),
    ],
)
def test_odd_methods_and_paths_find_nothing(lab: Lab, method: str, path: str, status: int) -> None:
    line = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    assert speak(lab.gateway.url, line + NEXT).statuses == [status, 200]


def test_the_operators_listener_reads_as_strictly(lab: Lab) -> None:
    for attack in ("compressed, then chunked", "another host in the request line", "long headers"):
        data = REFUSED[attack].replace(b"/v1/messages", b"/routing/analyze", 1)
        (status,) = speak(lab.gateway.admin, data + NEXT).statuses
        assert status in (400, 431, 501)
