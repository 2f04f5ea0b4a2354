"""CPU a streamed chunk, without sockets, of every pair of dialects.

The reference is `json.loads` of what the chunk says, the least a gateway in Python does that looks
at it at all.
"""

import json

import pytest

from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.bench.streams import stream
from tests.bench.work import SHORT, compare, relay

WORDS = 190


def payloads(chunks: list[bytes]) -> list[bytes]:
    """The JSON of each chunk that has any."""
    found = []
    for chunk in chunks:
        # A binary frame ends in a checksum.
        text = chunk[:-4] if chunk.startswith(b"\0") else chunk
        start, end = text.find(b'{"'), text.rfind(b"}")
        if start >= 0:
            found.append(text[start : end + 1])
    return found


@pytest.mark.parametrize("target", TARGET_DIALECTS)
def test_cpu_of_a_chunk(target: str) -> None:
    chunks = stream(target, WORDS)
    said = payloads(chunks)

    def loads() -> None:
        for payload in said:
            json.loads(payload)

    clients = list(CLIENT_DIALECTS)
    times, ratios = compare([loads, *(relay(target, client, chunks) for client in clients)])
    print(f"\n{target}, {len(chunks)} chunks: json.loads {times[0] / len(chunks) * 1e9:.0f} ns")
    for client, seconds, ratio in zip(clients, times[1:], ratios[1:], strict=True):
        word = "passed to" if client == target else "written for"
        each = seconds / len(chunks) * 1e9
        print(f"  {word} {SHORT[client]}: {each:.0f} ns a chunk, {ratio:.1f} times json.loads")
        assert ratio > 0
