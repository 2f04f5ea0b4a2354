"""Connections that wait for a request: which is used next, and when they end."""

import asyncio
from dataclasses import dataclass
from typing import cast

from lynkrc_runtime.idle import Idle


@dataclass
class _Line:
    closed: bool = False

    def close(self) -> None:
        self.closed = True


class _Timer:
    def __init__(self) -> None:
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class _Clock:
    """A loop's clock and its timers, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rings: list[tuple[float, object]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: object) -> _Timer:
        self.rings.append((self.now + seconds, call))
        return _Timer()

    def move(self, now: float) -> None:
        self.now = now
        due = [call for at, call in self.rings if at <= now]
        self.rings = [(at, call) for at, call in self.rings if at > now]
        for call in due:
            assert callable(call)
            call()


def _idle() -> tuple[_Clock, Idle[_Line]]:
    clock = _Clock()
    return clock, Idle(cast(asyncio.AbstractEventLoop, clock), 30.0)


def test_the_one_that_waits_the_least_is_used_and_ended_ones_are_not() -> None:
    _, idle = _idle()
    shelf, old, new, gone = idle.shelf("a"), _Line(), _Line(), _Line()
    for line in (old, new, gone):
        idle.put(shelf, line)
    gone.closed = True
    assert idle.take(shelf) is new
    assert idle.take(idle.shelf("a")) is old
    assert idle.take(shelf) is None


def test_a_place_has_its_own() -> None:
    _, idle = _idle()
    idle.put(idle.shelf("a"), _Line())
    assert idle.take(idle.shelf("b")) is None


def test_one_that_waited_too_long_is_closed_and_not_used() -> None:
    clock, idle = _idle()
    shelf, line = idle.shelf("a"), _Line()
    idle.put(shelf, line)
    clock.now = 30.1
    assert idle.take(shelf) is None
    assert line.closed


def test_one_timer_ends_those_that_waited_and_stops_when_none_is_left() -> None:
    clock, idle = _idle()
    shelf, first, second = idle.shelf("a"), _Line(), _Line()
    idle.put(shelf, first)
    clock.move(20.0)
    idle.put(shelf, second)
    assert len(clock.rings) == 1
    clock.move(30.0)
    assert (first.closed, second.closed, len(clock.rings)) == (True, False, 1)
    clock.move(60.0)
    assert (second.closed, shelf, clock.rings) == (True, [], [])


def test_the_end_closes_all() -> None:
    _, idle = _idle()
    lines = [_Line(), _Line()]
    idle.put(idle.shelf("a"), lines[0])
    idle.put(idle.shelf("b"), lines[1])
    idle.close()
    assert all(line.closed for line in lines)
