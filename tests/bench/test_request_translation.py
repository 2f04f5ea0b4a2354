"""CPU a request, without sockets, of every pair of dialects: read, and written for the target.

The reference is msgspec decoding the same body and encoding it again.
"""

import msgspec
import pytest

from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.bench.agent_bodies import body
from tests.bench.streams import whole
from tests.bench.work import SHORT, answer, compare, translate

WORDS = 190


@pytest.mark.parametrize("size", [2_000, 20_000, 200_000], ids=lambda size: f"{size // 1000}kB")
@pytest.mark.parametrize("client", CLIENT_DIALECTS)
def test_cpu_of_a_request(client: str, size: int) -> None:
    data = body(client, size)

    def again() -> None:
        msgspec.json.encode(msgspec.json.decode(data))

    targets = list(TARGET_DIALECTS)
    times, ratios = compare([again, *(translate(client, target, data) for target in targets)])
    print(f"\n{SHORT[client]} of {len(data)} bytes: msgspec {times[0] * 1e6:.0f} us")
    for target, seconds, ratio in zip(targets, times[1:], ratios[1:], strict=True):
        word = "passed" if client == target else "written"
        print(f"  {word} to {target}: {seconds * 1e6:.0f} us, {ratio:.1f} times msgspec")
        assert ratio > 0


@pytest.mark.parametrize("target", TARGET_DIALECTS)
def test_cpu_of_a_whole_answer(target: str) -> None:
    data = whole(target, WORDS)

    def again() -> None:
        msgspec.json.encode(msgspec.json.decode(data))

    clients = list(CLIENT_DIALECTS)
    times, ratios = compare([again, *(answer(target, client, data) for client in clients)])
    print(f"\n{target} answer of {len(data)} bytes: msgspec {times[0] * 1e6:.0f} us")
    for client, seconds, ratio in zip(clients, times[1:], ratios[1:], strict=True):
        word = "passed to" if client == target else "written for"
        print(f"  {word} {SHORT[client]}: {seconds * 1e6:.0f} us, {ratio:.1f} times msgspec")
        assert ratio > 0
