"""Streamed requests in virtual time: commit, fallback, keep-alives, time-outs, breaks, aborts."""

import asyncio

import pytest

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.stream import STALL_TIME
from tests.runtime.by_hand import (
    Recorder,
    Said,
    Script,
    Scripted,
    ask,
    body,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)
from tests.runtime.virtual_time import run

START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message",'
    b'"role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,'
    b'"usage":{"input_tokens":7,"output_tokens":1}}}\n\n'
)
OPEN = (
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
)
PING = b'event: ping\ndata: {"type": "ping"}\n\n'
END = (
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn",'
    b'"stop_sequence":null},"usage":{"output_tokens":3}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
ERROR = (
    b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n'
)


def delta(text: str) -> bytes:
    return (
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
        b'"delta":{"type":"text_delta","text":"' + text.encode() + b'"}}\n\n'
    )


WHOLE = START + PING + OPEN + delta("Hi") + END


def two_targets(upstream: Scripted, said: Said) -> Gateway:
    table = dispatch(
        [provider("p", "anthropic"), provider("q", "anthropic", trust="local")],
        [target("one", 0), target("two", 1)],
    )
    return gateway(policy(table), said, http=upstream)


def stream(upstream: Scripted, said: Said | None = None) -> Recorder:
    async def main() -> Recorder:
        return await ask(two_targets(upstream, said or Said()), body(stream=True))

    return run(main())


@pytest.mark.parametrize("size", [1, 7, len(WHOLE)])
def test_the_same_dialect_passes_byte_for_byte_however_it_is_cut(size: int) -> None:
    pieces = [WHOLE[at : at + size] for at in range(0, len(WHOLE), size)]
    said = Said()
    client = stream(Scripted({"one": [Script(steps=pieces)]}), said)
    assert client.body == WHOLE
    assert client.headers["content-type"].startswith("text/event-stream")
    assert client.headers["x-lynkr-model"] == "model-one"
    assert client.headers["x-lynkr-fallback"] == "false"
    line = said.request
    assert (line["class"], line["target"], line["status"]) == ("served", "one", 200)
    assert (line["usage"]["input"], line["usage"]["output"]) == (7, 3)


def test_only_whole_events_are_written() -> None:
    half = len(START + OPEN + delta("Hi")) + 20
    client = stream(Scripted({"one": [Script(steps=[WHOLE[:half], 1.0, WHOLE[half:]])]}))
    assert client.body == WHOLE
    assert all(data.endswith(b"\n\n") for _, data in client.writes)


def test_nothing_is_sent_before_the_first_content() -> None:
    script = Script(steps=[START, 5.0, PING + OPEN, 5.0, delta("Hi"), 1.0, END])
    client = stream(Scripted({"one": [script]}))
    assert client.started_at == 10.0
    assert client.writes[0] == (10.0, START + PING + OPEN + delta("Hi"))


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        (Script(steps=[START, ERROR]), "answered"),
        (Script(steps=[START, OPEN]), "broken"),
        (Script(steps=[START, Fault.BROKEN]), "broken"),
        (Script(fault=Fault.CONNECT), "connect"),
        (Script(steps=[b"<html>"], headers={"content-type": "text/html"}), "broken"),
        (Script(steps=[b'{"error":"x"}'], status=500), "answered"),
    ],
    ids=["error event", "cut", "fault", "connect", "no stream", "status"],
)
def test_a_failure_before_commit_moves_on_unseen(script: Script, fault: str) -> None:
    said = Said()
    upstream = Scripted({"one": [script] * 3, "two": [Script(steps=[WHOLE])]})
    client = stream(upstream, said)
    assert client.body == WHOLE
    assert upstream.called == ["one", "one", "one", "two"]
    assert client.headers["x-lynkr-attempts"] == "4"
    assert client.headers["x-lynkr-fallback"] == "true"
    line = said.request
    assert [a["result"] for a in line["attempts"]] == ["failed"] * 3 + ["served"]
    assert line["attempts"][0]["fault"] == fault
    assert (line["calls"], line["fallback"], line["target"]) == (4, True, "two")


def test_a_break_after_commit_ends_with_the_error_event() -> None:
    said = Said()
    upstream = Scripted({"one": [Script(steps=[START + OPEN + delta("Hi"), Fault.BROKEN])]})
    client = stream(upstream, said)
    assert client.body.startswith(START + OPEN + delta("Hi"))
    rest = client.body.removeprefix(START + OPEN + delta("Hi"))
    assert rest.startswith(b"event: error\n") and b"message_stop" not in rest
    assert b"req_test" in rest
    assert upstream.called == ["one"], "the target never changes after commit"
    line = said.request
    assert (line["class"], line["status"]) == ("broken", 200)
    assert line["attempts"][0]["result"] == "broken"


def test_an_end_without_the_terminal_event_is_a_break() -> None:
    client = stream(Scripted({"one": [Script(steps=[START + OPEN + delta("Hi"), b""])]}))
    assert b"event: error\n" in client.body


def test_the_upstreams_own_error_event_reaches_the_client_once() -> None:
    client = stream(Scripted({"one": [Script(steps=[START + OPEN + delta("Hi"), ERROR])]}))
    assert client.body.count(b"event: error\n") == 1
    assert b"req_test" in client.body


def test_silence_after_commit_is_kept_alive_then_broken() -> None:
    script = Script(steps=[START + OPEN + delta("Hi"), 500.0, END])
    client = stream(Scripted({"one": [script]}))
    moments = [moment for moment, _ in client.writes]
    assert moments == [0.0, *(15.0 * n for n in range(1, 8)), 120.0]
    assert client.writes[1][1].startswith(b"event: ping\n")
    assert client.writes[-1][1].startswith(b"event: error\n")


def test_upstream_pings_reset_the_idle_watch() -> None:
    script = Script(steps=[START + OPEN + delta("Hi"), 100.0, PING, 100.0, END])
    client = stream(Scripted({"one": [script]}))
    assert client.body.endswith(END)
    assert b"event: error\n" not in client.body


def test_a_slow_client_is_not_taken_for_a_silent_upstream() -> None:
    said = Said()
    client = Recorder(slow=200.0)
    steps = [START + OPEN + delta("Hi"), 1.0, delta("a"), 1.0, delta("b"), 1.0, END]
    upstream = Scripted({"one": [Script(steps=steps)]})

    async def main() -> None:
        await ask(two_targets(upstream, said), body(stream=True), client=client)

    run(main())
    assert client.body == START + OPEN + delta("Hi") + delta("a") + delta("b") + END
    assert said.request["class"] == "served"


def test_a_slow_start_commits_after_45_seconds_and_stays() -> None:
    said = Said()
    upstream = Scripted({"one": [Script(before=50.0, steps=[20.0, WHOLE])]})
    client = stream(upstream, said)
    assert client.started_at == 45.0
    kept = [(moment, data) for moment, data in client.writes if moment < 70.0]
    assert [moment for moment, _ in kept] == [60.0]
    assert kept[0][1].startswith(b":"), "before message_start only a comment is legal"
    assert client.body.endswith(WHOLE)
    assert said.request["class"] == "served"


def test_after_a_commit_by_time_a_refusal_becomes_an_error_event() -> None:
    upstream = Scripted({"one": [Script(before=50.0, status=500, steps=[b'{"error":"x"}'])]})
    client = stream(upstream)
    assert client.status == 200
    assert client.body.startswith(b"event: error\n")
    assert upstream.called == ["one"]


def test_a_target_that_says_nothing_is_left_for_the_next_one() -> None:
    from lynkrc_runtime.server.gateway import Settings
    from lynkrc_runtime.times import Times

    said = Said()
    upstream = Scripted(
        {"one": [Script(steps=[1000.0])], "two": [Script(steps=[WHOLE])]},
    )
    table = dispatch([provider("p", "anthropic")], [target("one", 0), target("two", 0)])
    served = gateway(
        policy(table), said, http=upstream, settings=Settings(times=Times(commit_after=1000.0))
    )

    async def main() -> Recorder:
        return await ask(served, body(stream=True))

    client = run(main())
    assert client.started_at == 120.0
    assert client.body == WHOLE
    assert said.request["attempts"][0]["fault"] == "timeout"


def test_the_clients_own_limit_bounds_the_wait() -> None:
    upstream = Scripted({"one": [Script(before=100.0)], "two": []})

    async def main() -> tuple[Recorder, float]:
        client = await ask(
            two_targets(upstream, Said()), body(stream=True), headers={"x-stainless-timeout": "10"}
        )
        return client, asyncio.get_running_loop().time()

    client, now = run(main())
    assert now == 10.0
    assert client.status == 529
    assert client.headers["x-should-retry"] == "true"
    assert upstream.cancelled == 1


def test_a_leaving_client_cancels_the_upstream_at_once() -> None:
    said = Said()
    upstream = Scripted({"one": [Script(steps=[START + OPEN + delta("Hi"), 100.0, END])]})

    async def main() -> float:
        client = Recorder()
        serving = asyncio.create_task(
            ask(two_targets(upstream, said), body(stream=True), client=client)
        )
        await asyncio.sleep(3.0)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        return asyncio.get_running_loop().time()

    assert run(main()) == 3.0
    assert upstream.closed == 1
    line = said.request
    assert (line["class"], line["duration_ms"]) == ("aborted", 3000.0)
    assert line["attempts"][0]["result"] == "aborted"


def test_a_client_that_leaves_while_the_upstream_is_silent_cancels_the_call() -> None:
    upstream = Scripted({"one": [Script(before=100.0)]})

    async def main() -> None:
        serving = asyncio.create_task(ask(two_targets(upstream, Said()), body(stream=True)))
        await asyncio.sleep(3.0)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        await asyncio.sleep(0)

    run(main())
    assert upstream.cancelled == 1


def test_a_client_found_gone_while_writing_is_an_abort() -> None:
    said = Said()
    upstream = Scripted({"one": [Script(steps=[WHOLE])]})

    async def main() -> None:
        await ask(two_targets(upstream, said), body(stream=True), client=Recorder(gone=True))

    run(main())
    assert said.request["class"] == "aborted"
    assert upstream.closed == 1


def test_a_client_that_leaves_once_it_has_everything_was_served() -> None:
    said = Said()
    upstream = Scripted({"one": [Script(steps=[WHOLE, 100.0])]})

    async def main() -> None:
        serving = asyncio.create_task(ask(two_targets(upstream, said), body(stream=True)))
        await asyncio.sleep(0.1)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    run(main())
    assert upstream.closed == 1
    assert said.request["class"] == "served"
    assert said.request["attempts"][0]["result"] == "served"


FOREVER = 1e6


@pytest.mark.parametrize(
    "steps",
    [
        [START + OPEN + delta("Hi"), Fault.BROKEN],
        [START + OPEN + delta("Hi"), 1.0, delta("a"), 1.0, Fault.BROKEN],
        [START + OPEN + delta("Hi"), 1.0, delta("a"), FOREVER],
    ],
    ids=["first write", "later write", "keep-alive"],
)
def test_a_client_that_never_reads_does_not_hold_the_upstream_for_ever(
    steps: list[bytes | float | Fault],
) -> None:
    said = Said()
    upstream = Scripted({"one": [Script(steps=steps)]})

    async def main() -> float:
        client = Recorder(slow=FOREVER)
        await ask(two_targets(upstream, said), body(stream=True), client=client)
        return asyncio.get_running_loop().time()

    assert run(main()) <= 2 * STALL_TIME
    assert upstream.closed == 1
    assert said.request["class"] in ("aborted", "broken")


def test_a_mistake_of_ours_after_commit_ends_with_the_error_event() -> None:
    class Faulty(Recorder):
        async def write(self, data: bytes) -> None:
            await super().write(data)
            if len(self.writes) == 2:
                raise ZeroDivisionError("the prompt was Hello")

    said, client = Said(), Faulty()
    steps = [START + OPEN + delta("Hi"), 1.0, delta("a"), 1.0, END]
    upstream = Scripted({"one": [Script(steps=steps)]})

    async def main() -> None:
        await ask(two_targets(upstream, said), body(stream=True), client=client)

    run(main())
    assert client.writes[-1][1].startswith(b"event: error\n")
    assert b"message_stop" not in client.body
    assert "Hello" not in str(said.lines)
    assert said.request["class"] == "internal"
    assert upstream.closed == 1
