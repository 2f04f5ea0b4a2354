"""What the gateway does for a request, a stream and an answer of one pair, without a socket."""

import statistics
import time
from collections.abc import Callable, Sequence

from lynkrc_runtime.protocol.dialect import AnswerContext, TargetFacts
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from lynkrc_runtime.server.flow import Flow
from tests.bench.agent_bodies import MODEL, body

Run = Callable[[], object]

ROUNDS = 9
SPAN = 0.01
"""Seconds of CPU a run of a round takes, at least."""
SHORT = {"anthropic-messages": "messages", "openai-chat": "chat", "openai-responses": "responses"}


def facts() -> TargetFacts:
    """A target that takes everything and serves the model that is asked for."""
    return TargetFacts(
        model=MODEL,
        max_output=1 << 30,
        capabilities=frozenset(("tools", "vision", "thinking", "json")),
        shape=RequestShape(),
    )


def context(client: str) -> AnswerContext:
    """Of a streamed request that brings tools."""
    return AnswerContext(
        request=CLIENT_DIALECTS[client].read_request(body(client, 2_000, stream=True), {}),
        id="a" * 24,
        model=MODEL,
        created=1,
        input_estimate=lambda: 7,
        request_id="req_1",
    )


def relay(target: str, client: str, chunks: Sequence[bytes]) -> Run:
    """Relay a stream to its end."""
    source, sink, asked = TARGET_DIALECTS[target], CLIENT_DIALECTS[client], context(client)
    known = facts()

    def run() -> None:
        flow = Flow(source, sink, asked, known)
        for chunk in chunks:
            # As the relay does it.
            if flow.one(chunk) is None:
                flow.feed(chunk)
        if not flow.has_ended:
            flow.feed(b"")
        assert flow.has_ended, flow.failure

    return run


def translate(client: str, target: str, data: bytes) -> Run:
    """Read a request and write it for its target."""
    read, dialect = CLIENT_DIALECTS[client].read_request, TARGET_DIALECTS[target]
    write = dialect.pass_request if client == target else dialect.write_request
    assert write is not None
    known = facts()
    return lambda: write(read(data, {}), known, {})


def answer(target: str, client: str, data: bytes) -> Run:
    """Read a whole answer, and write it where the client speaks another dialect."""
    read, write = TARGET_DIALECTS[target].read_answer, CLIENT_DIALECTS[client].write_answer
    known, asked = facts(), context(client)
    if target == client:
        return lambda: read(data, known)
    return lambda: write(read(data, known), asked)


def compare(runs: Sequence[Run]) -> tuple[list[float], list[float]]:
    """(seconds of CPU of each, ratio of each to the first), medians of rounds in turn."""
    repeats = []
    for run in runs:
        run()
        begun = time.process_time()
        run()
        repeats.append(max(1, round(SPAN / max(time.process_time() - begun, 1e-6))))
    spent: list[list[float]] = [[] for _ in runs]
    for _ in range(ROUNDS):
        for run, count, times in zip(runs, repeats, spent, strict=True):
            begun = time.process_time()
            for _ in range(count):
                run()
            times.append((time.process_time() - begun) / count)
    ratios = [
        statistics.median(one / other for one, other in zip(times, spent[0], strict=True))
        for times in spent
    ]
    return [statistics.median(times) for times in spent], ratios
