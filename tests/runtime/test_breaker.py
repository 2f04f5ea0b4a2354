"""The breaker of one target: when it opens, who probes, what closes it, what says nothing."""

import pytest

from lynkrc_runtime.resilience.breaker import Breaker, BreakerRules, State, breaker_rules
from lynkrc_runtime.settings import Breaker as Declared

RULES = BreakerRules()


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker()
    turned = [breaker.failed(at, at, RULES) for _ in range(5)]
    assert turned == [False] * 4 + [True]
    return breaker


def test_the_defaults_are_the_design_s() -> None:
    assert (RULES.failures, RULES.within, RULES.open_for, RULES.successes) == (5, 30.0, 30.0, 2)
    declared = breaker_rules(Declared(failures=3, open_for=1.0))
    assert declared == BreakerRules(failures=3, open_for=1.0)


def test_failures_spread_over_more_than_the_time_do_not_open_it() -> None:
    breaker = Breaker()
    for at in (0.0, 10.0, 20.0, 29.9, 30.1, 40.1):
        assert not breaker.failed(at, at, RULES), at
    assert breaker.failures(40.1, RULES) == 4
    assert breaker.failed(40.2, 40.2, RULES)


def test_after_its_time_one_probe_at_a_time_and_two_that_succeed_close_it() -> None:
    breaker = opened()
    assert breaker.next_probe(29.9, RULES) == 30.0
    assert breaker.next_probe(30.0, RULES) is None
    assert breaker.begun(30.0)
    assert breaker.next_probe(31.0, RULES) == 31.0, "one is running"
    assert not breaker.succeeded(30.0, 31.0, RULES)
    assert breaker.next_probe(31.0, RULES) is None
    assert not breaker.begun(31.0)
    assert breaker.succeeded(31.0, 32.0, RULES)
    assert breaker.state is State.CLOSED and breaker.failures(32.0, RULES) == 0


def test_a_probe_that_fails_opens_it_anew() -> None:
    breaker = opened()
    breaker.begun(30.0)
    assert breaker.failed(30.0, 33.0, RULES)
    assert breaker.next_probe(62.9, RULES) == 63.0


def test_a_probe_without_a_verdict_leaves_its_place_to_the_next() -> None:
    breaker = opened()
    breaker.begun(30.0)
    breaker.ended(30.0)
    assert breaker.state is State.HALF_OPEN and breaker.next_probe(30.0, RULES) is None


def test_what_began_before_it_opened_is_no_probe() -> None:
    breaker = opened(at=5.0)
    assert not breaker.failed(4.0, 6.0, RULES), "it is open already"
    breaker.begun(35.0)
    assert not breaker.succeeded(4.0, 36.0, RULES)
    assert not breaker.failed(4.0, 36.0, RULES)
    breaker.ended(4.0)
    assert breaker.next_probe(36.0, RULES) == 36.0, "the probe runs on"


def test_what_began_before_it_closed_is_not_held_against_the_target() -> None:
    breaker = opened()
    breaker.begun(30.0)
    breaker.succeeded(30.0, 31.0, RULES)
    breaker.begun(31.0)
    breaker.succeeded(31.0, 32.0, RULES)
    for _ in range(9):
        assert not breaker.failed(0.0, 33.0, RULES)
    assert breaker.failures(33.0, RULES) == 0


def test_an_attempt_that_waited_is_outdated_unless_it_is_the_probe() -> None:
    breaker = opened(at=5.0)
    assert breaker.outdates(4.0)
    breaker.begun(35.0)
    assert breaker.outdates(4.0) and not breaker.outdates(35.0)


def test_a_second_probe_is_a_mistake_of_the_caller() -> None:
    breaker = opened()
    breaker.begun(30.0)
    with pytest.raises(RuntimeError, match="probe"):
        breaker.begun(30.0)
