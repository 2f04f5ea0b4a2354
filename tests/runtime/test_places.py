"""Places to call providers from: never more than there are, none lost, in turn, bounded."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.resilience.places import Busy, Places
from lynkrc_runtime.settings import Concurrency
from tests.runtime.virtual_time import run

NEVER = float("inf")


def places(limit: int, queue: int = 0, wait: float | None = None) -> Places:
    made = Places()
    made.declare({"p": Concurrency(limit=limit, queue=queue, wait=wait)})
    return made


async def taken(made: Places, deadline: float = NEVER) -> bool | str:
    """Whether it waited, or how it was turned away."""
    try:
        return await made.take("p", deadline)
    except Busy as busy:
        return "waited" if busy.waited else "full"


def test_beyond_the_limit_calls_wait_in_turn_and_beyond_the_queue_they_do_not() -> None:
    async def told() -> list[bool | str]:
        made, order = places(1, queue=2), list[int]()

        async def call(number: int) -> bool | str:
            found = await taken(made)
            order.append(number)
            return found

        calls = [asyncio.create_task(call(number)) for number in range(4)]
        await asyncio.sleep(0)
        assert made.counts() == {"p": (1, 2)} and order == [0, 3]
        made.release("p")
        await asyncio.sleep(0)
        made.release("p")
        found = await asyncio.gather(*calls)
        assert order == [0, 3, 1, 2]
        return found

    assert run(told()) == [False, True, True, "full"]


@pytest.mark.parametrize(("wait", "deadline", "at"), [(3.0, NEVER, 3.0), (None, 4.0, 4.0)])
def test_the_wait_ends_by_its_own_limit_or_the_call_s(
    wait: float | None, deadline: float, at: float
) -> None:
    async def told() -> tuple[bool | str, float]:
        made = places(1, queue=1, wait=wait)
        await made.take("p", NEVER)
        found = await taken(made, deadline)
        assert made.counts() == {"p": (1, 0)}
        return found, asyncio.get_running_loop().time()

    assert run(told()) == ("waited", at)


def test_who_leaves_just_as_its_place_comes_free_hands_it_on() -> None:
    async def told() -> None:
        made = places(1, queue=2)
        await made.take("p", NEVER)
        first, second = (asyncio.create_task(taken(made)) for _ in range(2))
        await asyncio.sleep(0)
        made.release("p")
        first.cancel()
        assert await second is True
        assert first.cancelled() and made.counts() == {"p": (1, 0)}

    run(told())


def test_who_was_told_to_leave_before_its_place_came_free_leaves_quietly() -> None:
    async def told() -> None:
        made = places(1, queue=2)
        await made.take("p", NEVER)
        first, second = (asyncio.create_task(taken(made)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        made.release("p")
        assert await second is True
        with pytest.raises(asyncio.CancelledError):
            await first
        assert made.counts() == {"p": (1, 0)}

    run(told())


def test_a_smaller_limit_lets_running_calls_end_and_a_larger_one_lets_more_in() -> None:
    async def told() -> None:
        made = places(2, queue=4)
        await made.take("p", NEVER)
        await made.take("p", NEVER)
        waiting = [asyncio.create_task(taken(made)) for _ in range(2)]
        await asyncio.sleep(0)
        made.declare({"p": Concurrency(limit=1, queue=4)})
        made.release("p")
        assert made.counts() == {"p": (1, 2)}, "one runs, as may now"
        made.declare({"p": Concurrency(limit=3, queue=4)})
        assert await asyncio.gather(*waiting) == [True, True]
        made.declare({"p": None})
        assert await taken(made) is False
        assert made.counts() == {"p": (4, 0)}

    run(told())


@settings(derandomize=True, max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_under_any_schedule_no_place_is_lost_and_nobody_waits_for_ever(seed: int) -> None:
    random = Random(seed)
    limit, queue = random.randint(1, 3), random.randint(0, 4)
    made = places(limit, queue, wait=random.choice((0.5, 2.0)))
    running, most, begun, turns = 0, limit, list[int](), list[int]()

    async def call(number: int) -> None:
        nonlocal running
        loop = asyncio.get_running_loop()
        turns.append(number)
        has_waited = await made.take("p", loop.time() + random.choice((0.5, 1.0, 9.0)))
        try:
            if has_waited:
                begun.append(number)
            running += 1
            assert running <= most
            await asyncio.sleep(random.choice((0.0, 0.5, 1.0)))
        finally:
            running -= 1
            made.release("p")

    async def client(number: int) -> None:
        await asyncio.sleep(random.choice((0.0, 0.5, 1.0, 1.5)))
        task = asyncio.create_task(call(number))
        if random.random() < 0.3:
            await asyncio.sleep(random.choice((0.0, 0.5, 1.0)))
            task.cancel()
        try:
            await task
        except (Busy, asyncio.CancelledError):
            return

    async def reload() -> None:
        nonlocal most
        for _ in range(random.randint(0, 3)):
            await asyncio.sleep(random.choice((0.0, 0.5, 1.0)))
            new = random.randint(1, 3)
            # Calls under way keep their places, so a smaller limit takes its time.
            most = max(most, new)
            made.declare({"p": Concurrency(limit=new, queue=queue, wait=1.0)})

    async def told() -> None:
        await all_of([lambda n=n: client(n) for n in range(25)] + [reload])
        assert made.counts() == {"p": (0, 0)}

    run(told())
    # In turn: whoever waited was served in the order of arrival.
    order = {number: place for place, number in enumerate(turns)}
    places_of = [order[number] for number in begun]
    assert places_of == sorted(places_of)


async def all_of(parts: list[Callable[[], Awaitable[None]]]) -> None:
    await asyncio.gather(*(part() for part in parts))
