"""`lynkrc top` at a terminal, of a gateway that goes away and comes back.

The gateway is a small server that says what one says; `test_workers_storms` reads a real one.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from lynkrc.cli.main import main
from tests.e2e.gateway import environment
from tests.held_port import HeldPort
from tests.pseudo_terminal import Terminal, terminal

TOKEN = "token-of-the-operators"


class Gateway(ThreadingHTTPServer):
    """It has served so many requests."""

    requests = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def told(self, path: str) -> bytes:
        if path == "/metrics":
            labels = 'target="small",tier="LOW",class="served",surface="messages"'
            breaker = 'lynkr_breaker_state{{target="{}"}} {}\n'
            return (
                f"# TYPE lynkr_requests counter\nlynkr_requests_total{{{labels}}} {self.requests}\n"
                "# TYPE lynkr_breaker_state gauge\n"
                + "".join(breaker.format(*one) for one in (("small", 0), ("large", 2)))
            ).encode()
        summary = {
            "name": "shop",
            "uptime_seconds": 7,
            "degraded": [],
            "requests": {"total": self.requests, "by_class": {}},
            "in_flight": 0,
            "cost_micro_usd": 0,
            "unpriced_calls": 0,
        }
        return json.dumps(summary).encode()


class Answer(BaseHTTPRequestHandler):
    """What is asked for, to who has the token."""

    server: Gateway

    def do_GET(self) -> None:
        is_let_in = self.headers["authorization"] == f"Bearer {TOKEN}"
        self.send_response(200 if is_let_in else 401)
        self.end_headers()
        self.wfile.write(self.server.told(self.path) if is_let_in else b"")

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def gateway(port: int) -> Iterator[Gateway]:
    with Gateway(("127.0.0.1", port), Answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def shows(seen: Terminal, *told: str) -> bool:
    """Whether all of it is on the screen, and nothing of an earlier one below."""
    return all(any(one in row for row in seen.rows) for one in told) and "q: quit" in seen.rows[-1]


def test_a_table_that_renews_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(HeldPort()) as held, gateway(held.number) as one:
        url = one.url
        assert main(["top", "--once", "--admin", url]) == 2
        assert "LYNKRC_ADMIN_TOKEN" in capsys.readouterr().err
        monkeypatch.setenv("LYNKRC_ADMIN_TOKEN", TOKEN)
        assert main(["top", "--once", "--admin", url]) == 0
        once = capsys.readouterr().out
        assert once.startswith("lynkrc shop  up 7 s") and "\x1b" not in once
        words = [sys.executable, "-m", "lynkrc", "top", "--admin", url, "--every", "0.2"]
        environ = environment({"LYNKRC_ADMIN_TOKEN": TOKEN, "NO_COLOR": "1"})
        with terminal(words, environ) as seen:
            seen.until(lambda it: shows(it, "lynkrc shop", "0 requests", "large         open"))
            one.requests = 3
            seen.until(lambda it: shows(it, "3 requests", "small       closed         3"))
            assert any(row.startswith("LOW ") for row in seen.rows)
            seen.resize(40, 9)
            seen.until(lambda it: shows(it, "lynkrc shop") and len(it.rows[0]) <= 40)
            seen.resize(80, 24)
            seen.until(lambda it: shows(it, "3 requests", "fallb."))
            one.shutdown()
            one.server_close()
            seen.until(lambda it: shows(it, "no gateway answers at", "3 requests"))
            with gateway(held.number) as other:
                other.requests = 2
                seen.until(lambda it: shows(it, "2 requests", "small       closed         2"))
                seen.type(b"q")
                assert seen.end() == 0
            assert "Traceback" not in seen.text
            assert "\x1b[31m" not in seen.text  # NO_COLOR


def test_where_there_is_nothing_to_show(capsys: pytest.CaptureFixture[str]) -> None:
    nobody = ["top", "--admin", "http://127.0.0.1:1"]
    assert main([*nobody, "--once"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: no gateway answers at http://127.0.0.1:1 (")
    assert main(nobody) == 2
    assert "--once" in capsys.readouterr().err
