"""A block that ends at a moment: as `asyncio.timeout_at`, whoever else cancels the task."""

import asyncio

import pytest

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
