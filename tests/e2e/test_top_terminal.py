"""`lynkrc top` at a terminal, of a gateway that goes away and comes back."""

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.gateway import GatewayProcess, built, environment, serving
from tests.e2e.socket_lab import exchange
from tests.pseudo_terminal import Terminal, terminal
from tests.unit.diff_sample import SPEC
from tests.warm_lynkrc import run

JSON = {"content-type": "application/json"}


def ask(gateway: GatewayProcess, count: int) -> None:
    body = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    for _ in range(count):
        data = json.dumps(body).encode()
        assert exchange(gateway.url, "POST", "/v1/messages", data, JSON).status == 200


def shows(seen: Terminal, *told: str) -> bool:
    """Whether all of it is on the screen, and nothing of an earlier one below."""
    return all(any(one in row for row in seen.rows) for one in told) and "q: quit" in seen.rows[-1]


def test_a_table_that_renews_itself(tmp_path: Path) -> None:
    (tmp_path / "routing.yaml").write_text(SPEC, encoding="utf-8")
    bundle = built(tmp_path / "routing.yaml", tmp_path / "out", "shop")
    environ = environment()
    with serving(bundle, tmp_path / "log") as gateway:
        admin = gateway.admin
        words = [sys.executable, "-m", "lynkrc", "top", "--admin", admin, "--every", "0.3"]
        once = run(["top", "--once", "--admin", admin], cwd=tmp_path, env=environ)
        assert (once.returncode, once.stderr) == (0, "")
        assert "\x1b" not in once.stdout
        assert once.stdout.startswith("lynkrc shop  up ")
        with terminal(words, environ) as seen:
            seen.until(lambda one: shows(one, "lynkrc shop", "0 requests", "large       closed"))
            ask(gateway, 3)
            seen.until(lambda one: shows(one, "3 requests", "small       closed         3"))
            assert any(row.startswith("LOW ") for row in seen.rows)
            seen.resize(40, 9)
            seen.until(lambda one: shows(one, "lynkrc shop") and len(one.rows[0]) <= 40)
            seen.resize(80, 24)
            seen.until(lambda one: shows(one, "3 requests", "fallb."))
            assert gateway.stop() == 0
            seen.until(lambda one: shows(one, "no gateway answers at", "3 requests"))
            again = ["--admin-port", str(urlsplit(admin).port)]
            with serving(bundle, tmp_path / "log2", again) as other:
                seen.until(lambda one: shows(one, "0 requests"))
                ask(other, 2)
                seen.until(lambda one: shows(one, "2 requests", "small       closed         2"))
                seen.type(b"q")
                assert seen.end() == 0
                assert other.stop() == 0
            assert "Traceback" not in seen.text


def test_where_there_is_nothing_to_show(tmp_path: Path) -> None:
    nobody = ["top", "--admin", "http://127.0.0.1:1"]
    done = run([*nobody, "--once"], cwd=tmp_path, env=environment())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: no gateway answers at http://127.0.0.1:1 (")
    done = run(nobody, cwd=tmp_path, env=environment())
    assert (done.returncode, "--once" in done.stderr) == (2, True)
