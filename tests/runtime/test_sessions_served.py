"""Sessions of a compiled spec, served: rules that read them, a store that fails, two replicas."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lynkrc.cli.specs import compile_file
from lynkrc.pipeline import pack_bundle
from lynkrc_runtime.metering.settling import Settling
from lynkrc_runtime.server.gateway import Gateway, Policy, read_policy
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.sessions.interface import ALONE, NoSessions
from lynkrc_runtime.sessions.remembered import open_sessions
from lynkrc_runtime.state.interface import Store, StoreDown
from lynkrc_runtime.state.memory import MemoryStore
from lynkrc_runtime.state.sqlite import SqliteStore
from tests.runtime.by_hand import Recorder, Said, ask, body, gateway

SPEC = """\
version: 1
name: sessions
providers:
  house: {kind: simulator, trust: local}
targets:
  one: {provider: house, model: m1, context: 100k, capabilities: [tools], price: free}
  two: {provider: house, model: m2, context: 100k, capabilities: [tools], price: free}
score:
  dimensions:
    size: {value: "ramp(ask.words, 0, 100)", weight: 100}
tiers:
  - {name: LOW, up_to: 50, chain: [one, two]}
  - {name: HIGH, chain: [two, one]}
"""
LONG = """\
rules:
  - {name: long, when: "session.turn >= 2", tier: HIGH}
  - {name: stay, when: "session.tier == HIGH", floor: HIGH}
"""
TOOL = {"name": "look", "description": "looks", "input_schema": {"type": "object"}}
NAMED = {"session-id": "s-1"}


def policy(folder: Path, more: str = "", spec_text: str = SPEC) -> Policy:
    spec = folder / "routing.yaml"
    spec.write_text(spec_text + more)
    compilation = compile_file(spec)
    assert not compilation.has_errors, compilation.diagnostics
    packed, _ = pack_bundle(compilation, native=False)
    path = folder / "sessions.lynkr"
    path.write_bytes(packed)
    return read_policy(path)


def serving(
    made: Policy,
    store: Store,
    said: Said,
    clock: Any = lambda: 1000.0,
    writes: Settling | None = None,
) -> Gateway:
    gate = gateway(made, said, settings=Settings(dry_run=True))
    found = open_sessions(
        made.dispatch,
        store,
        metrics=gate.metrics,
        log=gate.log,
        clock=clock,
        writes=Settling() if writes is None else writes,
    )
    return replace(gate, sessions=found)


def talk(*said: str) -> list[dict[str, Any]]:
    """Turns of the user, answered in between; "+" is a step of the turn."""
    messages: list[dict[str, Any]] = []
    for number, words in enumerate(said):
        call = {"type": "tool_use", "id": f"t{number}", "name": "look", "input": {}}
        done = {"type": "tool_result", "tool_use_id": f"t{number}", "content": "found"}
        step = words == "+"
        if messages:
            text = {"type": "text", "text": "Done."}
            messages.append({"role": "assistant", "content": [call if step else text]})
        messages.append({"role": "user", "content": [done] if step else words})
    return messages


async def send(
    gate: Gateway, *said: str, headers: Mapping[str, str] = NAMED, simulate: str = ""
) -> Recorder:
    sent = dict(headers) | ({"x-lynkr-simulate": simulate} if simulate else {})
    answer = await ask(gate, body(messages=talk(*said), tools=[TOOL]), headers=sent)
    await asyncio.sleep(0)
    return answer


async def written() -> None:
    """Until nothing is on its way to a store."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others)


def model(answer: Recorder) -> str:
    assert answer.status == 200, answer.body
    return str(answer.headers["x-lynkr-model"])


def test_a_rule_over_turns_and_tiers_decides(tmp_path: Path) -> None:
    made = policy(tmp_path, LONG + "sessions: {within: 'off'}\n")

    async def run() -> list[tuple[str, str]]:
        gate = serving(made, MemoryStore(), Said())
        said = ["a", "b", "+", "c", "+", "d"]
        answers = [await send(gate, *said[: n + 1]) for n in range(len(said))]
        return [(one.headers["x-lynkr-rule"], one.headers["x-lynkr-tier"]) for one in answers]

    assert asyncio.run(run()) == [
        ("score", "LOW"),
        ("score", "LOW"),
        ("score", "LOW"),
        ("long", "HIGH"),
        ("long", "HIGH"),
        ("long", "HIGH"),
    ]


def test_a_session_keeps_its_target_over_turns(tmp_path: Path) -> None:
    made = policy(tmp_path, "sessions: {within: session}\n")

    async def run() -> list[str]:
        gate = serving(made, MemoryStore(), Said())
        first = await send(gate, "a", simulate="one=fail:529")
        others = [await send(gate, "a", "b"), await send(gate, "a", "b", "+", "c")]
        stranger = await send(gate, "a", "b", headers={"session-id": "s-2"})
        return [model(one) for one in (first, *others, stranger)]

    assert asyncio.run(run()) == ["m2", "m2", "m2", "m1"]


def test_what_nothing_reads_is_not_remembered(tmp_path: Path) -> None:
    off = policy(tmp_path, "sessions: {within: 'off'}\n")
    assert isinstance(serving(off, MemoryStore(), Said()).sessions, NoSessions)
    made = policy(tmp_path)

    async def run() -> None:
        store = MemoryStore()
        gate = serving(made, store, Said())
        read = gate.dialects["anthropic-messages"].read_request
        plain, agent = read(body(), {}), read(body(tools=[TOOL]), {})
        assert await gate.sessions.find(plain, NAMED, None) is ALONE
        assert await gate.sessions.find(agent, NAMED, None) is not ALONE
        # Nothing is tried: nothing is to be remembered.
        refused = await ask(gate, body(model="lynkr/none", tools=[TOOL]), headers=NAMED)
        assert refused.status in (200, 400, 404)

    asyncio.run(run())


@pytest.mark.parametrize("within", ["turn", "session"])
def test_where_no_request_has_two_targets_nothing_is_remembered(
    tmp_path: Path, within: str
) -> None:
    alone = SPEC.replace("[one, two]", "[one]").replace("[two, one]", "[two]")
    made = policy(tmp_path, f"sessions: {{within: {within}}}\n", spec_text=alone)
    assert isinstance(serving(made, MemoryStore(), Said()).sessions, NoSessions)
    # Rules that read a session need it, whatever there is to order.
    read = policy(tmp_path, LONG, spec_text=alone)
    assert not isinstance(serving(read, MemoryStore(), Said()).sessions, NoSessions)


class _Counts:
    """A store that counts what it is asked."""

    def __init__(self) -> None:
        self.gets = 0
        self.store = MemoryStore()

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        self.gets += 1
        return await self.store.get(keys)

    async def put(self, values: Mapping[str, bytes], ttl: float) -> None:
        await self.store.put(values, ttl)


def test_a_step_asks_the_store_only_where_there_are_targets_to_choose_among(
    tmp_path: Path,
) -> None:
    """What one target alone served is remembered all the same: a later step may have two."""
    lone_rule = """{name: lone, when: 'header("x-lone") == "1"', chain: [two]}"""
    made = policy(tmp_path, f"rules:\n  - {lone_rule}\n")

    async def run() -> tuple[list[str], list[int]]:
        store: Any = _Counts()
        gate = serving(made, store, Said())
        lone = NAMED | {"x-lone": "1"}
        found, gets = [], []
        for said, headers in (("a", lone), ("a+", lone), ("a++", NAMED), ("a+++", NAMED)):
            found.append(model(await send(gate, *said, headers=headers)))
            gets.append(store.gets)
        return found, gets

    assert asyncio.run(run()) == (["m2", "m2", "m2", "m2"], [0, 0, 1, 2])


class _Away:
    """A store that is down."""

    async def get(self, _: Sequence[str]) -> Mapping[str, bytes]:
        raise StoreDown("away")

    async def put(self, *_: object) -> None:
        raise StoreDown("away")


def test_without_a_store_requests_are_served_and_counted(tmp_path: Path) -> None:
    made = policy(tmp_path, LONG + "state: {store: sqlite, path: s.db, on_failure: closed}\n")

    async def run() -> tuple[list[str], str]:
        away: Any = _Away()
        gate = serving(made, away, Said())
        found = [model(await send(gate, "a")), model(await send(gate, "a", "+"))]
        return found, gate.metrics.render().decode()

    found, metrics = asyncio.run(run())
    assert found == ["m1", "m1"]
    # Two that could not be read, and two that could not be kept.
    assert "lynkr_sessions_lost_total 4.0" in metrics


class _Slow:
    """A store whose values are there once it is told to go on."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()
        self.store = MemoryStore()

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        return await self.store.get(keys)

    async def put(self, values: Mapping[str, bytes], ttl: float) -> None:
        await self.goes_on.wait()
        await self.store.put(values, ttl)


def test_the_end_of_the_process_waits_for_what_is_on_its_way(tmp_path: Path) -> None:
    made = policy(tmp_path, LONG)

    async def run() -> list[str]:
        slow: Any = _Slow()
        writes = Settling()
        gate = serving(made, slow, Said(), writes=writes)
        await send(gate, "a")
        ended = asyncio.create_task(writes.drain())
        await asyncio.sleep(0)
        assert not ended.done() and slow.store.held == 0
        slow.goes_on.set()
        await ended
        return sorted(slow.store._round)

    assert asyncio.run(run())


class _Rusts:
    """A store in the process, that gives back what nobody put there while it `rusts`."""

    def __init__(self) -> None:
        self.rusts = False
        self.store = MemoryStore()

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        found = await self.store.get(keys)
        return dict.fromkeys(found, b"rust") if self.rusts else found

    async def put(self, values: Mapping[str, bytes], ttl: float) -> None:
        await self.store.put(values, ttl)


def test_what_cannot_be_read_is_new_and_logged(tmp_path: Path) -> None:
    made, said = policy(tmp_path, LONG), Said()

    async def run() -> list[str]:
        store: Any = _Rusts()
        gate = serving(made, store, said)
        answers = [await send(gate, *"abc"[: n + 1]) for n in range(3)]
        store.rusts = True
        answers.append(await send(gate, *"abcd"))
        store.rusts = False
        answers.append(await send(gate, *"abcde"))
        return [str(one.headers["x-lynkr-rule"]) for one in answers]

    assert asyncio.run(run()) == ["score", "score", "long", "score", "score"]
    (line,) = [line for line in said.lines if line["event"] == "session-unreadable"]
    assert (line["level"], line["bytes"]) == ("warning", 4)


def test_a_session_ends_when_it_was_idle_for_its_time(tmp_path: Path) -> None:
    made = policy(tmp_path, "sessions: {within: session, ttl: 10m}\n")
    clock = [0.0]

    async def run() -> list[str]:
        gate = serving(made, MemoryStore(lambda: clock[0]), Said())
        found = [await send(gate, "a", simulate="one=fail:529")]
        for passed, said in ((599.0, ["a", "b"]), (599.0, ["a", "b", "c"]), (601.0, [*"abcd"])):
            clock[0] += passed
            found.append(await send(gate, *said))
        return [model(one) for one in found]

    assert asyncio.run(run()) == ["m2", "m2", "m2", "m1"]


@pytest.mark.parametrize("within", ["turn", "session"])
def test_two_replicas_on_one_store_keep_one_session(tmp_path: Path, within: str) -> None:
    made = policy(tmp_path, f"sessions: {{within: {within}}}\n")

    async def run() -> list[str]:
        stores = [SqliteStore(tmp_path / "state.db"), SqliteStore(tmp_path / "state.db")]
        gates = [serving(made, store, Said()) for store in stores]
        found = []
        said = ["a", "+", "+", "+"]
        for number in range(4):
            fails = "one=fail:529" if number == 0 else "two=fail:529" if number == 2 else ""
            answer = await send(gates[number % 2], *said[: number + 1], simulate=fails)
            found.append(model(answer))
            # The next replica sees what this one has written.
            await written()
        for store in stores:
            await store.close()
        return found

    assert asyncio.run(run()) == ["m2", "m2", "m1", "m1"]


def test_a_target_that_a_new_bundle_lacks_is_not_kept(tmp_path: Path) -> None:
    before = policy(tmp_path, "sessions: {within: session}\n")
    renamed = SPEC.replace("two:", "other:").replace("two", "other")
    (tmp_path / "after").mkdir()
    spec = tmp_path / "after" / "routing.yaml"
    spec.write_text(renamed + "sessions: {within: session}\n")
    packed, _ = pack_bundle(compile_file(spec), native=False)
    (tmp_path / "after.lynkr").write_bytes(packed)
    after = read_policy(tmp_path / "after.lynkr")

    async def run() -> list[str]:
        store = MemoryStore()
        found = [await send(serving(before, store, Said()), "a", simulate="one=fail:529")]
        found.append(await send(serving(after, store, Said()), "a", "b"))
        return [model(one) for one in found]

    assert asyncio.run(run()) == ["m2", "m1"]
