"""CPU a request of the gateway, as a multiple of a bare reverse proxy in the same run.

Rounds of the proxy and the gateway alternate; the figure is the median ratio. The requests ask for
the model the target serves, so that same-dialect bodies pass through unedited.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.bench.load import cpu_per_request, process

ROUNDS = 5
SPEC = """
version: 1
name: bench
extends: builtin/lynkr
providers:
  up: {{kind: anthropic-compatible, base_url: "http://127.0.0.1:{port}", trust: local}}
targets:
  one: {{provider: up, model: claude-sonnet-5-5}}
score:
  use: builtin/lynkr-13
tiers:
  - {{name: SIMPLE, up_to: 25, chain: [one]}}
  - {{name: MEDIUM, up_to: 50, chain: [one]}}
  - {{name: COMPLEX, up_to: 75, chain: [one]}}
  - {{name: REASONING, chain: [one]}}
otherwise: escalate
"""


@dataclass(frozen=True)
class Setting:
    """The processes of one run: pids and base addresses."""

    proxy: int
    proxy_url: str
    gateway: int
    gateway_url: str


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    folder = tmp_path_factory.mktemp("bench")
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
                [*serve, "--port", "0", "--admin-port", "0", "--log-level", "warning"],
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


def conversation(size: int, *, chat: bool) -> bytes:
    """A body of about `size` bytes: some turns of text and a short last ask."""
    turn = "The quick brown fox jumps over the lazy dog and reads the build log again. " * 8
    messages = []
    while len(json.dumps(messages)) < size - 400:
        messages.append({"role": "user", "content": turn[: max(20, min(len(turn), size // 3))]})
        messages.append({"role": "assistant", "content": "I see."})
    messages.append({"role": "user", "content": "Thanks, and now rename the helper."})
    body = {"model": "claude-sonnet-5-5", "messages": messages}
    return json.dumps(body if chat else body | {"max_tokens": 1000}).encode()


@pytest.mark.parametrize(
    ("path", "size", "requests"),
    [
        pytest.param(path, size, requests, id=f"{name}-{size // 1000}kB")
        for name, path in (("same", "/v1/messages"), ("converting", "/v1/chat/completions"))
        for size, requests in ((2_000, 1500), (20_000, 1000), (200_000, 300))
    ],
)
def test_cpu_of_the_gateway(setting: Setting, path: str, size: int, requests: int) -> None:
    body = conversation(size, chat="chat" in path)
    for pid, url in (
        (setting.proxy, setting.proxy_url),
        (setting.gateway, setting.gateway_url),
    ):
        cpu_per_request(pid, url + path, body, 100)
    bare, ours = [], []
    for _ in range(ROUNDS):
        bare.append(cpu_per_request(setting.proxy, setting.proxy_url + path, body, requests))
        ours.append(cpu_per_request(setting.gateway, setting.gateway_url + path, body, requests))
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    print(
        f"\n{path} {size // 1000} kB: bare {statistics.median(bare):.0f} us, "
        f"gateway {statistics.median(ours):.0f} us, ratio {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f}..{max(ratios):.2f})"
    )
    assert statistics.median(ratios) > 0
