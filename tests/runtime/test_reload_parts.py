"""The parts of a reload by themselves: watching, the self-test, and the old bundle's end."""

import asyncio
import gc
import sys
import weakref
from collections.abc import Sequence
from pathlib import Path

import pytest

from lynkrc_runtime.bundle import BrokenBundle, open_bundle
from lynkrc_runtime.decide import Verdict
from lynkrc_runtime.dispatch import Slot
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.self_test import DRAWN, disagreement, vectors
from lynkrc_runtime.server import reload as reloading
from lynkrc_runtime.server.draining import Stopping
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.options import Options
from lynkrc_runtime.server.process import Process, assemble, install
from lynkrc_runtime.server.reload import CannotReload, Reloader, tried_policy
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.server.watching import Watcher
from lynkrc_runtime.settings import Key
from lynkrc_runtime.settings import Settings as Declared
from lynkrc_runtime.signature import signature_path
from lynkrc_runtime.simulator import Simulator
from lynkrc_runtime.telemetry.log import Log
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.telemetry.reloads import Result
from tests.e2e import versions
from tests.runtime.by_hand import Said


def slot(low: int, high: int) -> Slot:
    return Slot(feature="f", args=[], type="int", low=low, high=high, classes=[])


# -- watching ----------------------------------------------------------------------------------


def test_a_new_file_counts_once_it_stays_the_same(tmp_path: Path) -> None:
    place = tmp_path / "a.lynkr"
    place.write_bytes(b"one")
    watcher = Watcher(place, with_signatures=False)
    assert not watcher.look()
    place.write_bytes(b"another")
    assert [watcher.look(), watcher.look(), watcher.look()] == [False, True, False]
    place.write_bytes(b"still ")
    assert not watcher.look()
    place.write_bytes(b"still being written")
    assert [watcher.look(), watcher.look()] == [False, True]


def test_what_is_gone_is_nothing_new(tmp_path: Path) -> None:
    place = tmp_path / "a.lynkr"
    place.write_bytes(b"one")
    watcher = Watcher(tmp_path, with_signatures=True)
    place.unlink()
    assert [watcher.look(), watcher.look()] == [False, False]
    (tmp_path / "b.new").write_bytes(b"one")
    (tmp_path / "b.new").rename(tmp_path / "b.lynkr")
    assert [watcher.look(), watcher.look()] == [False, True]


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_bundle_that_was_signed_anew_is_new_where_signatures_count(
    tmp_path: Path, is_folder: bool
) -> None:
    place = tmp_path / "a.lynkr"
    place.write_bytes(b"one")
    named = tmp_path if is_folder else place
    watcher = Watcher(named, with_signatures=True)
    indifferent = Watcher(named, with_signatures=False)
    signature_path(place).write_bytes(b"by one")
    assert [watcher.look(), watcher.look(), watcher.look()] == [False, True, False]
    (tmp_path / "new").write_bytes(b"by two")
    (tmp_path / "new").rename(signature_path(place))
    assert [watcher.look(), watcher.look(), watcher.look()] == [False, True, False]
    assert [indifferent.look(), indifferent.look()] == [False, False]
    place.unlink()
    assert [watcher.look(), watcher.look()] == [False, False]


# -- the self-test -----------------------------------------------------------------------------


def test_the_vectors_hold_every_corner_and_stay_in_bounds() -> None:
    slots = [slot(0, 1), slot(-5, 100), slot(7, 7)]
    tried = list(vectors(slots))
    assert tried == list(vectors(slots))
    assert len(tried) > DRAWN
    for corner in ([0, -5, 7], [1, 100, 7], [1, -5, 7], [0, 100, 7], [0, -4, 7], [1, 99, 7]):
        assert corner in tried
    for vector in tried:
        assert all(one.low <= value <= one.high for one, value in zip(slots, vector, strict=True))


def _verdict(score: int) -> Verdict:
    return (0, 0, -1, 0, 1, score, -1)


def test_engines_that_differ_on_one_value_are_found() -> None:
    slots = [slot(0, 1000), slot(0, 1)]

    def good(vector: list[int]) -> Verdict:
        return _verdict(min(vector[0], 100))

    def off(vector: list[int]) -> Verdict:
        return _verdict(99 if vector[0] == 999 else min(vector[0], 100))

    def fails(vector: list[int]) -> Verdict:
        return _verdict(1 // (1000 - vector[0]))

    def explain(vector: Sequence[int]) -> dict[str, object]:
        return {"verdict": list(good(list(vector)))}

    assert disagreement(slots, scorer=good, portable=good, explain=explain) is None
    said = disagreement(slots, scorer=off, portable=good, explain=explain)
    assert said is not None and "scorer and Python scorer disagree" in said and "999" in said
    said = disagreement(slots, scorer=off, portable=off, explain=explain)
    assert said is not None and "explanation" in said
    said = disagreement(slots, scorer=good, portable=fails, explain=explain)
    assert said is not None and "ZeroDivisionError" in said


# -- the reloader ------------------------------------------------------------------------------


def reloader(
    path: Path, options: Options | None = None, log: Log | None = None
) -> tuple[Reloader, Site, Process]:
    opened = open_bundle(path)
    simulator = Simulator(CLIENT_DIALECTS)
    process = Process(
        settings=Settings(),
        environ={},
        http=simulator,
        log=log or Log(write=lambda _: None),
        metrics=Metrics(version="0"),
    )
    gateway = assemble(tried_policy(opened), process)
    install(gateway, process)
    site = Site(gateway=gateway, stopping=process.stopping)
    return Reloader(options or Options(bundle=path), opened, process, site), site, process


async def test_what_is_prepared_does_not_serve_until_it_is_committed(tmp_path: Path) -> None:
    made, site, _ = reloader(versions.write(tmp_path, 1))
    before = site.gateway
    path = versions.write(tmp_path, 2)
    assert await made.prepare(path) is Result.RELOADED
    assert site.gateway is before
    made.abandon()
    with pytest.raises(AssertionError, match="prepare comes first"):
        made.commit()
    await made.prepare(path)
    assert made.commit() == versions.digest(2)
    assert site.gateway.policy.digest == versions.digest(2)


async def test_a_refused_bundle_changes_nothing(tmp_path: Path) -> None:
    made, site, _ = reloader(versions.write(tmp_path, 1))
    before = site.gateway
    path = versions.write(tmp_path, 2, files={"scorer.py": b"def decide(v):\n    return ()\n"})
    with pytest.raises(CannotReload, match="disagree"):
        await made.prepare(path)
    assert site.gateway is before
    assert (await made.reload()).result is Result.FAILED
    assert site.trouble is not None and site.gateway is before


async def test_a_mistake_of_ours_is_a_reload_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: object) -> None:
        raise KeyError("secret")

    said = Said()
    made, site, _ = reloader(versions.write(tmp_path, 1), log=Log(write=said.write))
    before = site.gateway
    versions.write(tmp_path, 2)
    with monkeypatch.context() as patched:
        patched.setattr(reloading, "assemble", mistaken)
        ended = await made.reload()
    assert ended.result is Result.FAILED and site.gateway is before
    assert str(ended.reason).endswith("an error inside the gateway (KeyError)")
    assert [line["event"] for line in said.lines] == ["mistake", "reload"]
    assert "secret" not in str(said.lines)
    assert (await made.reload()).result is Result.RELOADED


async def test_a_route_table_that_is_no_text_is_no_bundle(tmp_path: Path) -> None:
    made, _, _ = reloader(versions.write(tmp_path, 1))
    path = versions.write(tmp_path, 2, files={"routes.txt": b"\xff"})
    with pytest.raises(CannotReload, match="can't decode byte"):
        await made.prepare(path)
    with pytest.raises(BrokenBundle, match="can't decode byte"):
        tried_policy(open_bundle(path))


async def test_an_old_bundle_goes_with_its_last_request(tmp_path: Path) -> None:
    made, site, _ = reloader(versions.write(tmp_path, 1))
    running = site.gateway  # as a request that runs holds it
    old = weakref.ref(running.policy.extractor), weakref.ref(running.policy.scorer)
    modules = set(sys.modules)
    for number in range(2, 6):
        versions.write(tmp_path, number)
        assert (await made.reload()).result is Result.RELOADED
    assert all(one() is not None for one in old), "the request that runs needs them"
    assert {name for name in set(sys.modules) - modules if "bundle" in name} == set()
    del running
    gc.collect()
    assert [one() for one in old] == [None, None]


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_reloads_leave_nothing_open(tmp_path: Path) -> None:
    made, site, _ = reloader(versions.write(tmp_path, 1))
    served = [weakref.ref(site.gateway.policy.extractor)]
    files = modules = 0
    for number in range(2, 12):
        versions.write(tmp_path, number)
        assert (await made.reload()).result is Result.RELOADED
        served.append(weakref.ref(site.gateway.policy.extractor))
        if number == 3:  # the thread that reads has been started by then
            files, modules = open_files(), len(sys.modules)
    assert open_files() <= files
    assert len(sys.modules) == modules
    gc.collect()
    assert [one() is not None for one in served] == [False] * 10 + [True]


async def test_a_reload_opens_no_door(tmp_path: Path) -> None:
    """The start refuses a network without keys; a bundle that drops them comes not to serve."""
    locked = Declared(keys={"k": Key(sha256="0" * 64)})
    path = versions.write(tmp_path, 1, settings=locked)
    made, site, _ = reloader(path, Options(bundle=path, host="0.0.0.0"))
    versions.write(tmp_path, 2)
    ended = await made.reload()
    assert ended.result is Result.FAILED
    assert "without keys" in str(ended.reason)
    assert len(site.gateway.keys) == 1


async def test_reloads_wait_for_each_other(tmp_path: Path) -> None:
    made, site, process = reloader(versions.write(tmp_path, 1))
    versions.write(tmp_path, 2)
    ended = await asyncio.gather(*(made.reload() for _ in range(3)))
    assert [one.result for one in ended] == [Result.RELOADED, Result.UNCHANGED, Result.UNCHANGED]
    site.stopping.is_draining = True
    assert (await made.reload()).reason == "the gateway is stopping"
    assert 'lynkr_build_info{bundle="' + versions.digest(2) in process.metrics.render().decode()


# -- who is cut off ----------------------------------------------------------------------------


async def test_a_cut_request_may_speak_and_one_whose_client_left_may_not() -> None:
    stopping = Stopping()
    told: list[bool] = []

    async def serve() -> None:
        task = stopping.enters()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.append(stopping.was_cut(task))
            if not told[-1]:
                raise
            await asyncio.sleep(0)  # it goes on as if it had never been cancelled
        finally:
            stopping.leaves(task)

    left, cut = asyncio.create_task(serve()), asyncio.create_task(serve())
    await asyncio.sleep(0)
    assert len(stopping) == 2
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    assert stopping.cut() == 1
    await cut
    assert told == [False, True] and left.cancelled() and len(stopping) == 0
