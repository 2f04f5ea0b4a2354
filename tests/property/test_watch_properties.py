"""The attempt machine on one watch: many requests at once, under random schedules of everything.

A naive model stands beside the watch: what it forbids must not happen.
"""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lynkrc_runtime.attempt import (
    AttemptRecord,
    Attempts,
    Candidate,
    Closed,
    Fault,
    GiveUp,
    Result,
    Try,
    Wait,
)
from lynkrc_runtime.dispatch import Dispatch, ProviderSettings
from lynkrc_runtime.protocol.conversation import Failure, FailureClass
from lynkrc_runtime.resilience.breaker import State
from lynkrc_runtime.resilience.health import Health, Watching
from lynkrc_runtime.settings import Breaker, Resilience, RetryBudget
from lynkrc_runtime.settings import Settings as Declared
from tests.property.effort import tried
from tests.runtime.by_hand import dispatch, provider, target

TARGETS = 3
FAULTS = (Fault.ANSWERED, Fault.CONNECT, Fault.TIMEOUT, Fault.STALE, Fault.BROKEN, Fault.UNSENT)


def table(random: Random) -> Dispatch:
    breaker = Breaker(
        failures=random.randint(1, 4),
        within=random.choice((1.0, 10.0)),
        open_for=random.choice((0.5, 5.0)),
        successes=random.randint(1, 3),
    )
    made = dispatch(
        [provider("p", "simulator", rest=ProviderSettings(breaker=breaker))],
        [target(str(index), 0) for index in range(TARGETS)],
    )
    budget = RetryBudget(share=random.choice((0, 20, 50)), at_least=random.choice((0.0, 0.2, 1.0)))
    return replace(made, settings=Declared(resilience=Resilience(retry_budget=budget)))


class Checked:
    """A watch that passes everything on, and checks what the machine tells and asks of it."""

    def __init__(self, watch: Watching, table: Dispatch) -> None:
        self.watch = watch
        self.rules = table.providers[0].rest.breaker
        self.budget = table.settings.resilience.retry_budget
        self.running: Counter[tuple[int, float]] = Counter()
        self.requests: dict[int, list[float]] = {index: [] for index in range(TARGETS)}
        self.retries: dict[int, list[float]] = {index: [] for index in range(TARGETS)}
        self.begun_, self.ended_ = 0, 0

    def closed(self, target: int, now: float, begun: float | None = None) -> Closed | None:
        before = self.states()
        found = self.watch.closed(target, now, begun)
        assert self.states() == before, "asking changes nothing"
        return found

    def states(self) -> dict[str, State]:
        return dict(self.watch.states())

    def may_retry(self, target: int, now: float) -> bool:
        allowed = self.watch.may_retry(target, now)
        if allowed:
            self.retries[target].append(now)
            first = int(now) - 9
            assert self.budget.share is not None and self.budget.at_least is not None
            asked = sum(one >= first for one in self.requests[target])
            most = max(self.budget.share * asked / 100, self.budget.at_least * 10)
            assert sum(one >= first for one in self.retries[target]) <= most
        return allowed

    def begun(self, target: int, now: float, is_retry: bool) -> None:
        assert self.watch.closed(target, now) is None, "never a call of a closed target"
        if not is_retry:
            self.requests[target].append(now)
        self.begun_ += 1
        self.watch.begun(target, now, is_retry=is_retry)

    def heard(self, target: int, began: float, now: float) -> None:
        self.watch.heard(target, began, now)

    def ended(self, record: AttemptRecord, now: float) -> None:
        self.ended_ += 1
        before = self.states()
        self.watch.ended(record, now)
        kind = None if record.failure is None else record.failure.kind
        held = record.result in (Result.FAILED, Result.BROKEN) and kind is FailureClass.TRANSIENT
        held = held and record.fault not in (
            Fault.STALE, Fault.UNSENT, Fault.FIXED, Fault.LATE
        )  # fmt: skip
        served = record.result is Result.SERVED
        if not held and not served:
            assert self.states() == before, "only failures and answers change a breaker"
        opened = [name for name, state in self.states().items() if state is State.OPEN]
        newly = [name for name in opened if before[name] is not State.OPEN]
        assert newly in ([], [str(record.target)])

    def ranked(self, group: list[int], now: float, *, by_speed: bool, streams: bool) -> list[int]:
        return list(self.watch.ranked(group, now, by_speed=by_speed, streams=streams))


class Request:
    """One request and what must hold of its history."""

    def __init__(self, watch: Checked, random: Random, now: float) -> None:
        self.random = random
        targets = random.sample(range(TARGETS), random.randint(1, TARGETS))
        self.streams = random.random() < 0.5
        self.candidates = [
            Candidate(
                target=one,
                retries=random.randint(0, 2),
                first_event=random.choice((1.0, 4.0)) if self.streams else None,
                total=random.choice((2.0, 20.0)),
            )
            for one in targets
        ]
        self.limit = random.choice((None, None, 0.5, 3.0))
        self.client_retries = random.random() < 0.2
        self.arrived = now
        self.attempts = Attempts(
            self.candidates,
            now=now,
            client_limit=self.limit,
            client_retries=self.client_retries,
            random=random.random,
            watch=watch,
        )
        self.step: Try | None = None
        self.wake = now
        self.committed = False
        self.calls: list[Try] = []
        self.answers = 0
        self.caller_erred = False
        self.is_over = False

    def go(self, now: float) -> None:
        """Do the next thing of it."""
        if self.step is None:
            self._ask(now)
        else:
            self._happen(now, self.step)
        assert len(self.attempts.records) < 60, "every history ends"

    def _ask(self, now: float) -> None:
        if self.random.random() < 0.03:
            self.attempts.aborted(now)
            self.is_over = True
            return
        if now < self.wake:
            return
        step = self.attempts.next(now)
        if isinstance(step, GiveUp):
            self.is_over = True
            assert step.target is None or step.target in [one.target for one in self.candidates]
        elif isinstance(step, Wait):
            assert 0 <= step.seconds <= 8.0
            self.wake = now + step.seconds
        else:
            self._call(step, now)

    def _call(self, step: Try, now: float) -> None:
        assert not self.caller_erred, "never a retry of a caller's error"
        candidate = next(one for one in self.candidates if one.target == step.target)
        end = self.arrived + candidate.total
        if self.limit is not None:
            end = min(end, self.arrived + self.limit)
        assert now < end and step.deadline <= end + 1e-9, "never past the deadline"
        self.calls.append(step)
        self.step = step

    def _happen(self, now: float, step: Try) -> None:
        random, attempts = self.random, self.attempts
        chance = random.random()
        if not self.committed and not attempts.charges and chance < 0.1:
            # It waited for a place until now.
            resumed = attempts.resumed(now)
            if resumed is None:
                assert attempts.records[-1].result is Result.SKIPPED
            else:
                assert resumed.target == step.target and now < resumed.deadline
            self.step = resumed
        elif chance < 0.2:
            attempts.aborted(now)
            self.is_over = True
        elif chance < 0.45:
            if self.streams and not self.committed:
                attempts.heard(now)
                attempts.committed()
                self.committed = True
            else:
                attempts.served(now)
                self.answers += 1
                self.is_over = True
        elif chance < 0.5 and not self.committed:
            kind = random.choice((FailureClass.CALLERS, FailureClass.MISFIT))
            assert attempts.fixed_up(Failure(kind=kind, status=400, message=""), now)
            self.step = None
        else:
            kind = random.choice((*[FailureClass.TRANSIENT] * 6, *FailureClass))
            wait = random.choice((None, None, 0.1, 2.0, 7.0, 30.0))
            failure = Failure(kind=kind, status=500, message="", retry_after=wait)
            fault = random.choice(FAULTS)
            attempts.failed(failure, fault, now)
            self.is_over, self.step = self.committed, None
            quiet = fault in (Fault.STALE, Fault.TIMEOUT)
            self.caller_erred = kind is FailureClass.CALLERS and not quiet

    def _would_call(self, now: float) -> bool:
        """Whether it has another target called if asked once more; committed, it is not asked."""
        try:
            step = self.attempts.next(now)
            while isinstance(step, Wait):
                step = self.attempts.next(now)
        except RuntimeError:
            assert self.committed
            return False
        return isinstance(step, Try)

    def check(self, now: float) -> None:
        """What holds of every history that has ended."""
        records = self.attempts.records
        assert not self._would_call(now), "one target answers, and none after it"
        assert not self.attempts.is_running
        assert self.answers <= 1
        ends = [one for one in records if one.result in (Result.SERVED, Result.BROKEN)]
        assert len(ends) <= 1 and (not ends or records[-1] is ends[0]), "one target answers"
        # Down the chain, and never back.
        order = [one.target for one in self.candidates]
        places = [order.index(one.target) for one in records]
        assert places == sorted(places)
        if self.client_retries:
            assert not any(one.is_retry for one in records)
        for candidate in self.candidates:
            retried = [one for one in records if one.target == candidate.target and one.is_retry]
            assert len(retried) <= candidate.retries


@tried(60)
@given(seed=st.integers(0, 2**32))
def test_many_requests_on_one_watch(seed: int) -> None:
    random = Random(seed)
    made = table(random)
    health = Health()
    watch = Checked(health.watch(made), made)
    health.serves(watch.watch)
    now = random.choice((0.0, 12_345.6))
    under_way: list[Request] = []
    ended: list[Request] = []
    left = 40
    while left or under_way:
        if left and (not under_way or random.random() < 0.3):
            under_way.append(Request(watch, random, now))
            left -= 1
        now += random.choice((0.0, 0.0, 0.01, 0.1, 0.3, 2.0))
        one = random.choice(under_way)
        one.go(now)
        running = [each.step for each in under_way if each.step is not None]
        for name, state in watch.states().items():
            if state is State.HALF_OPEN:
                report = next(each for each in watch.watch.reports(now) if each.target == name)
                assert report.since is not None and report.since >= 0
        assert len(running) <= len(under_way)
        if one.is_over:
            under_way.remove(one)
            ended.append(one)
            one.check(now)
    assert len(ended) == 40
    assert watch.begun_ == watch.ended_, "every begun attempt ended exactly once"


class Model:
    """The breaker as one would write it without thinking of speed: a list of everything."""

    def __init__(self, rules: Breaker) -> None:
        self.rules = rules
        self.log: list[tuple[float, str]] = []
        self.state, self.changed, self.opened = "closed", float("-inf"), float("-inf")
        self.probe: int | None = None
        self.probes: set[int] = set()
        """Those begun since it opened last."""
        self.good = 0

    def turn(self, state: str, now: float) -> None:
        self.state, self.changed, self.log, self.good = state, now, [], 0
        self.probe = None
        if state == "open":
            self.opened = now
            self.probes = set()

    def may_begin(self, now: float) -> bool:
        assert self.rules.open_for is not None
        if self.state == "open":
            return now >= self.opened + self.rules.open_for
        return self.state == "closed" or self.probe is None

    def begin(self, identity: int, now: float) -> None:
        if self.state == "open":
            self.turn("half-open", now)
        if self.state == "half-open":
            self.probe = identity
            self.probes.add(identity)

    def end(self, identity: int, began: float, now: float, how: str) -> None:
        rules = self.rules
        assert rules.failures is not None and rules.within is not None
        assert rules.successes is not None
        if self.state == "half-open" and identity in self.probes:
            if self.probe == identity:
                self.probe = None
            if how == "failed":
                self.turn("open", now)
            elif how == "served":
                self.good += 1
                if self.good >= rules.successes:
                    self.turn("closed", now)
        elif self.state == "closed" and how == "failed" and began >= self.changed:
            self.log.append((now, how))
            if sum(at > now - rules.within for at, _ in self.log) >= rules.failures:
                self.turn("open", now)


@tried(200)
@given(seed=st.integers(0, 2**32))
def test_the_breaker_agrees_with_a_naive_one(seed: int) -> None:
    random = Random(seed)
    made = table(random)
    watch = Health().watch(made)
    model = Model(made.providers[0].rest.breaker)
    now, running = 5.0, dict[int, float]()
    heard: dict[int, float] = {}
    for identity in range(120):
        now += random.choice((0.0, 0.001, 0.2, 1.0, 6.0))
        allowed = watch.closed(0, now) is None
        assert allowed == model.may_begin(now)
        if allowed:
            watch.begun(0, now, is_retry=False)
            model.begin(identity, now)
            running[identity] = now
        while running and random.random() < 0.5:
            now += random.choice((0.0, 0.1, 0.7))
            ended = random.choice(list(running))
            if ended not in heard and random.random() < 0.3:
                # Its first content is the verdict; that it goes on takes nobody's place.
                watch.heard(0, running[ended], now)
                model.end(ended, running[ended], now, "served")
                heard[ended] = now - running[ended]
                continue
            how = random.choice(("failed", "failed", "served", "aborted", "fixed", "misfit"))
            began = running.pop(ended)
            watch.ended(replace(record(began, now, how), first=heard.get(ended)), now)
            if ended not in heard or how == "failed":
                model.end(ended, began, now, how)
            assert watch.states()["0"].value == model.state


def record(began: float, now: float, how: str) -> AttemptRecord:
    """An attempt of the first target that ended now."""
    failure = Failure(kind=FailureClass.TRANSIENT, status=500, message="")
    match how:
        case "served":
            result, fault = Result.SERVED, None
        case "aborted":
            result, fault = Result.ABORTED, None
        case "fixed":
            result, fault = Result.FAILED, Fault.FIXED
        case "misfit":
            result, fault = Result.FAILED, Fault.ANSWERED
            failure = Failure(kind=FailureClass.MISFIT, status=400, message="")
        case _:
            result, fault = Result.FAILED, Fault.ANSWERED
    return AttemptRecord(
        target=0,
        started=began,
        seconds=now - began,
        result=result,
        fault=fault,
        failure=None if fault is None else failure,
    )
