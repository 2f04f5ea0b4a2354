"""What several workers tell, told as one: readiness, breakers, the summary's numbers."""

import asyncio
import gc
from typing import Any

import pytest

from lynkrc_runtime.server.background import Joint, background
from lynkrc_runtime.server.joined import breakers, readiness, states
from lynkrc_runtime.telemetry.merging import families, merged
from lynkrc_runtime.telemetry.summary import summary

READY = (200, {"status": "ready", "engine": "python", "degraded": []})
DOWN = (200, {"status": "degraded", "engine": "python", "degraded": ["store redis"]})
SHEDS = (503, {"status": "shedding", "engine": "python", "degraded": []})


def joined(
    told: list[tuple[int, dict[str, Any]]], trouble: str | None = None, stops: bool = False
) -> tuple[int, dict[str, Any]]:
    return readiness(
        told, wanted=2, trouble=trouble, is_stopping=stops, bundle="b" * 64, name="acme"
    )


@pytest.mark.parametrize(
    ("told", "trouble", "status", "degraded", "reason"),
    [
        ([READY, READY], None, (200, "ready"), [], None),
        ([READY, DOWN], None, (200, "degraded"), ["store redis"], None),
        ([DOWN, DOWN], "no", (200, "degraded"), ["store redis", "reload"], "reload failed: no"),
        ([READY], None, (200, "degraded"), ["workers"], "1 of 2 workers are ready"),
        ([READY, SHEDS], None, (200, "degraded"), ["workers"], "1 of 2 workers are ready"),
        ([SHEDS, SHEDS], None, (503, "shedding"), ["workers"], "0 of 2 workers are ready"),
        ([], None, (503, "starting"), ["workers"], "0 of 2 workers are ready"),
    ],
)
def test_readiness_is_that_of_all(
    told: list[tuple[int, dict[str, Any]]],
    trouble: str | None,
    status: tuple[int, str],
    degraded: list[str],
    reason: str | None,
) -> None:
    code, answer = joined(told, trouble)
    assert (code, answer["status"]) == status
    assert answer["degraded"] == degraded
    assert (answer.get("reason") or "").endswith(reason or "")
    assert joined(told, trouble, stops=True)[0] == 503


def report(state: str, failures: int, throttled: float | None = None) -> dict[str, Any]:
    return {
        "target": "t",
        "state": state,
        "failures": failures,
        "throttled_for": throttled,
        "misconfigured_for": None,
        "outlier": failures == 1,
    }


def test_the_worst_worker_s_breaker_stands_for_all() -> None:
    found = breakers(
        [
            (1, {"targets": [report("half-open", 1, 3.0)]}),
            (4, {"targets": [report("open", 5)]}),
            (7, {"targets": [report("closed", 9, 4.5)]}),
        ]
    )
    (one,) = found["targets"]
    assert (one["state"], one["failures"], one["throttled_for"]) == ("open", 5, 4.5)
    assert (one["misconfigured_for"], one["outlier"]) == (None, True)
    assert "target" not in one["workers"]["7"]
    assert states(found) == {
        "t": {"state": "open", "workers": {"1": "half-open", "4": "open", "7": "closed"}}
    }


def test_a_summary_is_of_the_sum() -> None:
    text = (
        "# TYPE lynkr_requests_total counter\n"
        'lynkr_requests_total{class="served",tier="LOW",target="a \\"b\\""} 3.0\n'
        "# TYPE lynkr_requests_created gauge\n"
        'lynkr_requests_created{class="served",tier="LOW",target="a \\"b\\""} 1.7e9\n'
    )
    told = summary(families(merged([text, text])))
    assert told["requests"] == {"total": 6, "by_class": {"served": 6}}
    assert told["targets"] == {'a "b"': 6}


async def test_what_is_asked_for_while_it_runs_is_done_once_more() -> None:
    go, runs = asyncio.Event(), 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        await go.wait()

    async with background() as tasks:
        joint = Joint(tasks, work)
        joint.ask()
        await asyncio.sleep(0)
        for _ in range(50):
            joint.ask()
        assert runs == 1
        go.set()
        async with asyncio.timeout(60):
            while runs < 2:
                await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)
        assert runs == 2
        joint.ask()
        for _ in range(3):
            await asyncio.sleep(0)
        assert runs == 3


async def test_who_asks_has_what_a_run_after_that_comes_to_whoever_leaves() -> None:
    go, runs = asyncio.Event(), 0

    async def work() -> int:
        nonlocal runs
        runs += 1
        mine = runs
        await go.wait()
        if mine == 1:
            raise ValueError
        return mine

    async with background() as tasks, asyncio.timeout(60):
        joint = Joint(tasks, work)
        first = [asyncio.create_task(joint.wait()) for _ in range(2)]
        while runs < 1:
            await asyncio.sleep(0)
        leaving, *staying = [asyncio.create_task(joint.wait()) for _ in range(5)]
        await asyncio.sleep(0)
        leaving.cancel()
        first.pop().cancel()
        go.set()
        with pytest.raises(ValueError):
            await first[0]
        assert await asyncio.gather(*staying) == [2] * 4
        assert leaving.cancelled()
        assert await joint.wait() == 3


async def test_a_mistake_that_nobody_waits_for_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    loop, go = asyncio.get_running_loop(), asyncio.Event()
    monkeypatch.setattr(loop, "call_exception_handler", lambda of: told.append(of["message"]))

    async def work() -> None:
        await go.wait()
        raise ValueError

    async with background() as tasks, asyncio.timeout(60):
        joint = Joint(tasks, work)
        leaving = asyncio.create_task(joint.wait())
        running = asyncio.create_task(joint.wait())
        await asyncio.sleep(0)
        leaving.cancel()
        go.set()
        with pytest.raises(ValueError):
            await running
        del running
        gc.collect()
        assert told == [], "one who waited has heard of it"
        go.clear()
        leaving = asyncio.create_task(joint.wait())
        await asyncio.sleep(0)
        leaving.cancel()
        go.set()
        await asyncio.wait((leaving,))
        del leaving
        while not told:
            await asyncio.sleep(0)
            gc.collect()
        assert told == ["Task exception was never retrieved"]
