"""The processes of a measurement: a canned upstream, and before it a bare proxy and the gateway."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import final

from tests.bench.load import process

SPEC = """
version: 1
name: bench
extends: builtin/lynkr
providers:
  up: {{kind: anthropic-compatible, base_url: "http://127.0.0.1:{port}", trust: local}}
targets:
  one: {{provider: up, model: claude-sonnet-5-5, price: free}}
score:
  use: builtin/lynkr-13
tiers:
  - {{name: SIMPLE, up_to: 25, chain: [one]}}
  - {{name: MEDIUM, up_to: 50, chain: [one]}}
  - {{name: COMPLEX, up_to: 75, chain: [one]}}
  - {{name: REASONING, chain: [one]}}
otherwise: escalate
"""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The processes of one run: pids and base addresses."""

    proxy: int
    proxy_url: str
    gateway: int
    gateway_url: str


@contextmanager
def running(folder: Path) -> Iterator[Setting]:
    """Upstream, proxy and gateway; the bundle is built in `folder`."""
    with process("canned_upstream.py") as (_, upstream):
        spec = folder / "routing.yaml"
        spec.write_text(SPEC.format(port=upstream), encoding="utf-8")
        lynkrc = [sys.executable, "-m", "lynkrc"]
        subprocess.run(
            [*lynkrc, "build", str(spec), "-o", str(folder), "--native", "--quiet"], check=True
        )
        serve = [sys.executable, "-m", "lynkrc_runtime", "serve", str(folder / "bench.lynkr")]
        with (
            process("bare_proxy.py", f"http://127.0.0.1:{upstream}") as (proxy, proxy_port),
            subprocess.Popen(
                [*serve, "--port=0", "--admin-port=0", "--stop-delay=0", "--log-level=warning"],
                stdout=subprocess.PIPE,
                text=True,
            ) as gateway,
        ):
            assert gateway.stdout is not None
            try:
                ready = json.loads(gateway.stdout.readline())
                yield Setting(
                    proxy=proxy,
                    proxy_url=f"http://127.0.0.1:{proxy_port}",
                    gateway=gateway.pid,
                    gateway_url=ready["url"],
                )
            finally:
                gateway.terminate()
