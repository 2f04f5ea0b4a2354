"""CPU a request of the gateway, as a multiple of a bare reverse proxy in the same run.

Rounds of the proxy and the gateway alternate; the figure is the median ratio. The requests ask for
the model the target serves, so that same-dialect bodies pass through unedited.
"""

import json
import statistics

import pytest

from tests.bench.load import cpu_per_request
from tests.bench.processes import Setting

ROUNDS = 5


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
