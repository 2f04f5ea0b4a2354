"""What is under way, to what is shed: by number, by memory, and for how long it has been so."""

import os
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec.structs import replace

from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.shedding import (
    Reason,
    Shedding,
    memory_limit,
    memory_used,
)
from lynkrc_runtime.settings import Server, Settings
from lynkrc_runtime.settings import Shedding as Marks
from tests.runtime.by_hand import Said, dispatch, gateway, policy, provider, target

TWO = Marks(active=2, memory=50)


def test_a_request_beyond_the_mark_is_refused_until_another_ends() -> None:
    load = Shedding(used=lambda: 0.0)
    assert [load.enter(TWO, 0.0) for _ in range(3)] == [None, None, Reason.ACTIVE]
    load.leave()
    assert load.enter(TWO, 0.0) is None
    assert load.active == 2


def test_memory_is_measured_once_a_second() -> None:
    told = [40.0, 60.0, 50.0]
    load = Shedding(used=lambda: told.pop(0))
    many = Marks(active=99, memory=50)
    reasons = [load.enter(many, now) for now in (0.0, 0.9, 1.0, 1.9, 2.0)]
    assert reasons == [None, None, Reason.MEMORY, Reason.MEMORY, None]
    assert told == []


def test_memory_that_cannot_be_known_sheds_nothing() -> None:
    assert Shedding(used=lambda: None).enter(TWO, 0.0) is None


def test_defaults_hold_where_nothing_is_declared() -> None:
    load = Shedding(used=lambda: 85.0)
    assert {load.enter(Marks(), 0.0) for _ in range(1000)} == {None}
    assert load.enter(Marks(), 0.0) is Reason.ACTIVE
    assert Shedding(used=lambda: 85.1).enter(Marks(), 0.0) is Reason.MEMORY


def full() -> Shedding:
    load = Shedding(used=lambda: 0.0)
    for _ in range(2):
        load.enter(TWO, 0.0)
    return load


def test_shedding_lasts_while_requests_are_refused() -> None:
    load = full()
    assert load.since(TWO, 1.0) is None, "nobody was refused yet"
    for now in (2.0, 6.0, 10.0):
        load.enter(TWO, now)
    assert load.since(TWO, 12.0) == 2.0
    assert not load.lasts(TWO, 12.0)
    assert load.lasts(TWO, 12.1)


def test_shedding_is_over_when_nobody_is_refused_any_more() -> None:
    load = full()
    load.enter(TWO, 2.0)
    assert load.since(TWO, 60.0) == 2.0, "the next one would be refused as well"
    load.leave()
    assert load.since(TWO, 6.0) == 2.0, "too soon to say"
    assert load.since(TWO, 7.1) is None
    load.enter(TWO, 8.0)
    load.enter(TWO, 9.0)
    assert load.since(TWO, 9.0) == 9.0


def system(root: Path, cgroup: str, limits: dict[str, str]) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text("MemTotal:       1024 kB\nMemFree: 1 kB\n")
    (root / "proc/self/cgroup").write_text(cgroup)
    (root / "proc/self/statm").write_text("900 64 5 1 0 9 0\n")
    for place, text in limits.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text)
    return root


@pytest.mark.parametrize(
    ("cgroup", "limits", "found"),
    [
        ("0::/a/b\n", {}, 1 << 20),
        ("0::/a/b\n", {"sys/fs/cgroup/a/b/memory.max": "max\n"}, 1 << 20),
        ("0::/a/b\n", {"sys/fs/cgroup/a/memory.max": "524288\n"}, 1 << 19),
        ("0::/../b\n", {"sys/fs/cgroup/memory.max": "524288\n"}, 1 << 19),
        (
            "3:cpu:/x\n2:cpuset,memory:/x\n",
            {"sys/fs/cgroup/memory/x/memory.limit_in_bytes": "262144\n"},
            1 << 18,
        ),
        (
            "2:memory:/x\n",
            {"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"},
            1 << 20,
        ),
    ],
)
def test_the_smallest_limit_counts(
    tmp_path: Path, cgroup: str, limits: dict[str, str], found: int
) -> None:
    root = system(tmp_path, cgroup, limits)
    assert memory_limit(root) == found


def test_memory_is_resident_bytes_of_the_limit(tmp_path: Path) -> None:
    root = system(tmp_path, "0::/\n", {"sys/fs/cgroup/memory.max": "1048576\n"})
    assert memory_used(root)() == 100.0 * 64 * os.sysconf("SC_PAGE_SIZE") / 1048576


def test_a_system_that_says_nothing(tmp_path: Path) -> None:
    assert memory_limit(tmp_path) is None
    assert memory_used(tmp_path)() is None


async def test_shed_in_the_words_of_each_surface() -> None:
    """Before the body is read: what is sent here is no JSON, and nobody minds."""
    table = dispatch([provider("one", "simulator")], [target("one", 0)])
    declared = Settings(server=Server(shedding=TWO))
    site = Site(gateway=gateway(policy(replace(table, settings=declared)), Said()))
    site.shedding = full()
    async with TestClient(TestServer(client_app(site))) as client:
        for path, status, wait in (
            ("/v1/messages", 529, "2"),
            ("/v1/chat/completions", 503, "2"),
            ("/v1/responses", 503, "5"),
            ("/v1/embeddings", 503, "2"),
        ):
            headers = {"content-type": "application/json"}
            async with client.post(path, data=b"oops", headers=headers) as answer:
                assert answer.status == status
                assert answer.headers["retry-after"] == wait
                assert answer.headers["x-should-retry"] == "true"
                error = (await answer.json())["error"]
                assert error["message"] == "the gateway is overloaded"
                assert path != "/v1/messages" or error["type"] == "overloaded_error"
        for path in ("/health/live", "/health/ready", "/v1/models", "/"):
            async with client.get(path) as answer:
                assert answer.status == 200
        told = site.gateway.metrics.render().decode()
        assert 'lynkr_shed_total{reason="active"} 4.0' in told
        site.shedding.leave()
        site.shedding.leave()
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}
        async with client.post("/v1/messages", json=body) as answer:
            assert answer.status == 200
        async with client.post("/v1/messages", data=b"oops", headers=headers) as answer:
            assert answer.status == 400
        assert site.shedding.active == 0
