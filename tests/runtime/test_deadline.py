"""A block that ends at a moment: as `asyncio.timeout_at`, whoever else cancels the task."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast, final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.server.deadline import deadline


async def _waits_until(when: float) -> None:
    loop = asyncio.get_running_loop()
    with deadline(when, loop):
        await loop.create_future()


async def test_a_wait_ends_at_the_moment_and_the_task_goes_on() -> None:
    with pytest.raises(TimeoutError):
        await _waits_until(asyncio.get_running_loop().time())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_what_is_over_in_time_is_left_alone() -> None:
    loop = asyncio.get_running_loop()
    with deadline(loop.time() + 60.0, loop):
        await asyncio.sleep(0)


async def test_a_cancellation_from_elsewhere_passes_through() -> None:
    waiting = asyncio.create_task(_waits_until(asyncio.get_running_loop().time() + 60.0))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_one_that_comes_at_the_same_time_passes_through() -> None:
    loop = asyncio.get_running_loop()

    async def both() -> None:
        task = asyncio.current_task()
        assert task is not None
        loop.call_soon(task.cancel)
        await _waits_until(loop.time() - 1.0)

    running = asyncio.create_task(both())
    while not running.done():
        await asyncio.sleep(0)
    assert running.cancelled()


async def test_an_error_of_the_block_stays_what_it_is() -> None:
    loop = asyncio.get_running_loop()
    with pytest.raises(KeyError), deadline(loop.time() + 60.0, loop):
        raise KeyError("x")


@final
class _Clock:
    """A loop's clock and timers, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: dict[int, tuple[float, Callable[[], None]]] = {}
        self.made = 0

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], None]) -> Any:
        self.made += 1
        self.timers[self.made] = (float(when), call)
        return _Handle(partial(self.timers.pop, self.made, None))

    def move(self, now: float) -> None:
        while due := sorted((at, key) for key, (at, _) in self.timers.items() if at <= now):
            at, key = due[0]
            self.now = max(self.now, at)
            self.timers.pop(key)[1]()
        self.now = now


@final
@dataclass
class _Handle:
    cancel: Callable[[], object]


@final
class _Task:
    """What a block asks of a task."""

    def __init__(self) -> None:
        self.asked = 0

    def cancelling(self) -> int:
        return self.asked

    def cancel(self) -> None:
        self.asked += 1

    def uncancel(self) -> int:
        self.asked -= 1
        return self.asked


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), st.integers(-2, 20)),
        st.tuples(st.just("leave"), st.integers(0, 9)),
        st.tuples(st.just("move"), st.integers(0, 8)),
    ),
    max_size=25,
)


@given(STEPS)
def test_each_ends_at_its_own_moment_whichever_were_under_way(
    steps: Sequence[tuple[str, int]],
) -> None:
    clock = _Clock()
    under_way: list[tuple[deadline, _Task, float]] = []
    left: list[_Task] = []

    def leave(block: deadline, task: _Task, when: float) -> None:
        if task.asked:
            assert when <= clock.now
            with pytest.raises(TimeoutError):
                block.__exit__(asyncio.CancelledError, None, None)
            assert not task.asked
        else:
            block.__exit__(None, None, None)
        left.append(task)

    with pytest.MonkeyPatch.context() as patched:
        for step, number in steps:
            if step == "enter":
                task, when = _Task(), clock.now + number
                patched.setattr(asyncio, "current_task", lambda _, task=task: task)
                block = deadline(when, cast(asyncio.AbstractEventLoop, clock))
                block.__enter__()
                under_way.append((block, task, when))
            elif step == "leave" and under_way:
                leave(*under_way.pop(number % len(under_way)))
            elif step == "move":
                clock.move(clock.now + number)
                for _, task, when in under_way:
                    assert task.asked == (when <= clock.now)
            assert len(clock.timers) <= 1 + len(under_way)
    for one in under_way:
        leave(*one)
    clock.move(clock.now + 100)
    assert not any(task.asked for task in left), "who has left in time is left alone"
    assert not clock.timers


def test_who_leaves_just_in_time_is_left_alone() -> None:
    """When a timer of its own was set, as another's moment had come."""
    clock, tasks, blocks = _Clock(), (_Task(), _Task()), []
    with pytest.MonkeyPatch.context() as patched:
        for when, task in zip((5.0, 5.5), tasks, strict=True):
            patched.setattr(asyncio, "current_task", lambda _, task=task: task)
            blocks.append(deadline(when, cast(asyncio.AbstractEventLoop, clock)))
            blocks[-1].__enter__()
    clock.move(5.2)
    blocks[1].__exit__(None, None, None)
    clock.move(6.0)
    assert [task.asked for task in tasks] == [1, 0]
    assert not clock.timers


async def test_blocks_that_end_in_time_need_no_timer_of_their_own() -> None:
    clock = _Clock()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asyncio, "current_task", lambda _: _Task())
        for _ in range(100):
            clock.now += 1.0
            with deadline(clock.now + 600.0, cast(asyncio.AbstractEventLoop, clock)):
                pass
    assert clock.made == 1
    clock.move(10_000.0)
    assert not clock.timers, "none is set while nobody waits"


@final
class _Counted(float):
    """A moment that counts how often it is looked at."""

    looks = 0

    def __lt__(self, other: float) -> bool:
        _Counted.looks += 1
        return super().__lt__(other)

    def __le__(self, other: float) -> bool:
        _Counted.looks += 1
        return super().__le__(other)


@pytest.mark.parametrize("seconds", [0.4, 3.0, 30.0])
def test_many_that_end_one_after_the_other_are_not_looked_at_for_each(seconds: float) -> None:
    """As those are that wait for an upstream that hangs."""
    clock, count = _Clock(), 1000
    _Counted.looks = 0
    tasks = [_Task() for _ in range(count)]
    with pytest.MonkeyPatch.context() as patched:
        for number, task in enumerate(tasks):
            patched.setattr(asyncio, "current_task", lambda _, task=task: task)
            clock.move(number * seconds / count)
            when = _Counted(seconds + number * seconds / count)
            deadline(when, cast(asyncio.AbstractEventLoop, clock)).__enter__()
    clock.move(3 * seconds)
    assert all(task.asked == 1 for task in tasks)
    assert _Counted.looks < count * (3 * seconds + 10)


def test_a_timer_that_rings_too_early_ends_nothing() -> None:
    clock, task = _Clock(), _Task()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asyncio, "current_task", lambda _: task)
        deadline(0.5, cast(asyncio.AbstractEventLoop, clock)).__enter__()
    for now in (0.1, 0.2, 0.4999):
        clock.now = now
        ((key, (_, call)),) = clock.timers.items()
        del clock.timers[key]
        call()
        assert not task.asked
    clock.move(0.5)
    assert task.asked == 1


async def test_one_loop_is_not_told_the_time_by_another() -> None:
    def elsewhere() -> None:
        with pytest.raises(TimeoutError):
            asyncio.run(_waits_until(0.0))

    loop = asyncio.get_running_loop()
    with deadline(loop.time() + 60.0, loop):
        await asyncio.to_thread(elsewhere)
