"""CPU a streamed event of the gateway, as a multiple of a bare reverse proxy in the same run."""

import json
import statistics

import pytest

from tests.bench.canned_upstream import DELTAS
from tests.bench.load import cpu_per_event
from tests.bench.processes import Setting

ROUNDS = 5


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/v1/messages", id="same"),
        pytest.param("/v1/chat/completions", id="converting"),
    ],
)
def test_cpu_of_a_streamed_event(setting: Setting, path: str) -> None:
    message = {"role": "user", "content": "Thanks, and now rename the helper."}
    asked = {"model": "claude-sonnet-5-5", "max_tokens": 1000, "messages": [message]}
    body = json.dumps(asked | {"stream": True}).encode()
    bare, ours = [], []
    for _ in range(ROUNDS + 1):
        # The proxy streams what the upstream speaks: it converts nothing.
        bare.append(cpu_per_event(setting.proxy, f"{setting.proxy_url}/v1/messages", body, DELTAS))
        ours.append(cpu_per_event(setting.gateway, setting.gateway_url + path, body, DELTAS))
    ratios = [one / other for one, other in zip(ours[1:], bare[1:], strict=True)]
    print(
        f"\n{path} streamed event: bare {statistics.median(bare[1:]):.0f} us, "
        f"gateway {statistics.median(ours[1:]):.0f} us, ratio {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f}..{max(ratios):.2f})"
    )
    assert statistics.median(ratios) > 0
