"""How attempts ended to what all requests know of targets: the watch of a bundle.

`Health` outlives bundles. A target that a new bundle describes as before keeps what was learnt of
it; one that was changed starts anew.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never, final

from lynkrc_runtime.attempt import THROTTLED_WAIT
from lynkrc_runtime.attempt_records import AttemptRecord, Closed, Fault, Result, Watch
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.protocol.conversation import Failure, FailureClass
from lynkrc_runtime.resilience.breaker import Breaker, BreakerRules, State, breaker_rules
from lynkrc_runtime.resilience.outliers import Standing, fastest, is_outlier
from lynkrc_runtime.resilience.retry_budget import RetryBudget, retry_rules

MISCONFIGURED_FOR = 60.0
"""Seconds a target is not called after it refused our credentials, or did not know the model."""

# A member of an enumeration is looked up by its class's metaclass: these are asked every time.
_CLOSED: Final = State.CLOSED
_SERVED: Final = Result.SERVED

NO_VERDICT = frozenset((Fault.UNSENT, Fault.STALE, Fault.FIXED, Fault.LATE))
"""Faults that are not the target's."""

Identity: TypeAlias = tuple[str | None, ...]

Told: TypeAlias = Callable[[str, State, State, int], None]
"""Hears of each change of a breaker: the target, the state before and after, its failures."""


def _unheard(*_: object) -> None:
    return


@final
class Card:
    """What is known of one target."""

    __slots__ = (
        "breaker",
        "budget",
        "is_served",
        "misconfigured",
        "standing",
        "throttled",
        "throttles",
    )

    def __init__(self) -> None:
        self.is_served = True
        """Whether its target is one of the bundle that serves, or may yet be."""
        self.forget()

    def forget(self) -> None:
        """Know nothing, as in the beginning."""
        self.breaker = Breaker()
        self.budget = RetryBudget()
        self.standing = Standing()
        self.throttles: list[float] = []
        """When it throttled us since it last served."""
        self.throttled: Closed | None = None
        self.misconfigured: Closed | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What operators are told of a target; spans in seconds from now, None where there is none.

    `since` is how long its breaker has been as it is, None: from the beginning.
    """

    target: str
    state: str
    since: float | None
    failures: int
    next_probe: float | None
    throttled_for: float | None
    misconfigured_for: float | None
    outlier: bool
    failing: float
    first_event: float | None
    whole_answer: float | None


@final
class Health:
    """What is known of the targets of the bundle that serves."""

    __slots__ = ("_cards",)

    def __init__(self) -> None:
        self._cards: Mapping[Identity, Card] = {}

    def watch(self, dispatch: Dispatch, told: Told = _unheard) -> "Watching":
        """The watch of a bundle, which knows what is known of its targets. Changes nothing."""
        identities = _identities(dispatch)
        return Watching(
            dispatch, {one: self._cards.get(one) or Card() for one in identities}, identities, told
        )

    def serves(self, watch: Watch) -> Mapping[str, State]:
        """This bundle serves from now on: others' targets are forgotten.

        Its breakers, by target. A watch that was not made here knows none.
        """
        if not isinstance(watch, Watching):
            return {}
        for card in self._cards.values():
            card.is_served = False
        for card in watch.cards.values():
            card.is_served = True
        self._cards = watch.cards
        return watch.states()


@final
class Watching:
    """Implements `Watch` for the targets of one bundle."""

    __slots__ = (
        "_by_target",
        "_dispatch",
        "_forwards",
        "_names",
        "_rules",
        "_share",
        "_told",
        "cards",
    )

    def __init__(
        self,
        dispatch: Dispatch,
        cards: Mapping[Identity, Card],
        identities: Sequence[Identity],
        told: Told,
    ) -> None:
        self.cards = cards
        self._dispatch = dispatch
        self._by_target = [cards[one] for one in identities]
        self._names = [one.name for one in dispatch.targets]
        providers = [dispatch.providers[one.provider] for one in dispatch.targets]
        self._rules: list[BreakerRules] = [breaker_rules(one.rest.breaker) for one in providers]
        # Credentials of a caller that are refused say nothing of what we configured, and a quota
        # that is spent is the caller's: the next one brings another.
        self._forwards = [one.rest.forwards_credentials for one in providers]
        self._share = retry_rules(dispatch.settings.resilience.retry_budget)
        self._told = told

    def closed(self, target: int, now: float, begun: float | None = None) -> Closed | None:
        """See `Watch`."""
        card = self._by_target[target]
        if card.misconfigured is not None and now < card.misconfigured.until:
            return card.misconfigured
        if card.throttled is not None and now < card.throttled.until:
            return _left(card.throttled, now)
        breaker = card.breaker
        if breaker.state is _CLOSED:
            return None
        if begun is not None:
            until = now if breaker.outdates(begun) else None
        else:
            until = breaker.next_probe(now, self._rules[target])
        return None if until is None else _broken(until, now)

    def may_retry(self, target: int, now: float) -> bool:
        """See `Watch`."""
        return self._by_target[target].budget.take(now, self._share)

    def begun(self, target: int, now: float, is_retry: bool) -> None:
        """See `Watch`."""
        card = self._by_target[target]
        if not is_retry:
            card.budget.requested(now)
        breaker = card.breaker
        if breaker.state is not _CLOSED and breaker.begun(now):
            self._turned(target, State.OPEN, State.HALF_OPEN)

    def heard(self, target: int, began: float, now: float) -> None:
        """See `Watch`."""
        card = self._by_target[target]
        card.standing.first.measure(now - began, now)
        self._answered(target, card, began, now)

    def ended(self, record: AttemptRecord, now: float) -> None:
        """See `Watch`."""
        card, target = self._by_target[record.target], record.target
        if record.result is _SERVED:
            if record.first is None:
                card.standing.whole.measure(record.seconds, now)
                self._answered(target, card, record.started, now)
            return
        match record.result:
            case Result.FAILED | Result.BROKEN:
                self._failed(record, card, now)
            case Result.ABORTED | Result.SKIPPED:
                self._nothing_said(record, card)
            case _:
                assert_never(record.result)

    def ranked(
        self, group: Sequence[int], now: float, *, by_speed: bool, streams: bool
    ) -> Sequence[int]:
        """See `Watch`: outliers come last."""
        if by_speed:
            standings = [self._by_target[one].standing for one in group]
            group = fastest(group, standings, now, streams=streams)
        worse = [one for one in group if self._is_outlier(one, group, now)]
        return [*(one for one in group if one not in worse), *worse] if worse else group

    def states(self) -> Mapping[str, State]:
        """The breakers, by target."""
        cards = zip(self._names, self._by_target, strict=True)
        return {name: card.breaker.state for name, card in cards}

    def forget(self, target: str | None = None) -> None:
        """Call every target (or one) again, as in the beginning: what was wrong was put right."""
        for name, card in zip(self._names, self._by_target, strict=True):
            if target is None or name == target:
                card.forget()

    def reports(self, now: float) -> list[Report]:
        """What is known of each target, in the order of the bundle."""
        return [self._report(target, now) for target in range(len(self._names))]

    def _turned(self, target: int, before: State, after: State, failures: int = 0) -> None:
        """Tell of it, but not where the last requests of an old bundle call what is gone.

        Another target may have its name by now, and nobody would ever take it back.
        """
        if self._by_target[target].is_served:
            self._told(self._names[target], before, after, failures)

    # -- what an end says --------------------------------------------------------------------

    def _answered(self, target: int, card: Card, began: float, now: float) -> None:
        card.standing.judge(now, False)
        if card.throttles:
            card.throttles.clear()
        breaker = card.breaker
        if breaker.state is not _CLOSED and breaker.succeeded(began, now, self._rules[target]):
            self._turned(target, State.HALF_OPEN, State.CLOSED)

    def _failed(self, record: AttemptRecord, card: Card, now: float) -> None:
        failure, target = record.failure, record.target
        if failure is None or record.fault in NO_VERDICT:
            self._nothing_said(record, card)
            return
        match failure.kind:
            case FailureClass.TRANSIENT:
                self._held_against(record, card, now)
            case FailureClass.THROTTLED:
                self._nothing_said(record, card)
                if not self._forwards[target]:
                    self._throttled(target, card, failure, now)
            case FailureClass.OURS:
                self._nothing_said(record, card)
                if not self._forwards[target]:
                    card.misconfigured = Closed(
                        fault=Fault.MISCONFIGURED, failure=failure, until=now + MISCONFIGURED_FOR
                    )
            case FailureClass.MISFIT | FailureClass.CALLERS | FailureClass.SPENT:
                self._nothing_said(record, card)
            case _:
                assert_never(failure.kind)

    def _nothing_said(self, record: AttemptRecord, card: Card) -> None:
        if record.first is None:
            card.breaker.ended(record.started)

    def _held_against(self, record: AttemptRecord, card: Card, now: float) -> None:
        card.standing.judge(now, True)
        breaker, rules = card.breaker, self._rules[record.target]
        before, failures = breaker.state, breaker.failures(now, rules) + 1
        if breaker.failed(record.started, now, rules):
            self._turned(record.target, before, State.OPEN, failures)

    def _throttled(self, target: int, card: Card, failure: Failure, now: float) -> None:
        """A long `retry-after` is kept to. Where there is none, or a short one, a target that does
        nothing but throttle is left alone like one that fails: that is the end of a quota.
        """
        rules, wait = self._rules[target], failure.retry_after
        if wait is None or wait <= THROTTLED_WAIT:
            card.throttles = [one for one in card.throttles if one > now - rules.within]
            card.throttles.append(now)
            if len(card.throttles) < rules.failures:
                return
            wait = rules.open_for
        card.throttles.clear()
        until = now + wait
        if card.throttled is None or card.throttled.until < until:
            card.throttled = Closed(fault=Fault.THROTTLED, failure=failure, until=until)

    # -- how targets compare -----------------------------------------------------------------

    def _is_outlier(self, target: int, group: Sequence[int], now: float) -> bool:
        peers = [self._by_target[one].standing for one in group if one != target]
        return is_outlier(self._by_target[target].standing, peers, now)

    def _report(self, target: int, now: float) -> Report:
        card, rules = self._by_target[target], self._rules[target]
        breaker, standing = card.breaker, card.standing
        due = breaker.next_probe(now, rules)
        groups = [group for chain in self._dispatch.chains for group in chain.groups]
        return Report(
            target=self._names[target],
            state=breaker.state.value,
            since=None if breaker.since == float("-inf") else now - breaker.since,
            failures=breaker.failures(now, rules),
            next_probe=None if due is None else due - now,
            throttled_for=_rest(card.throttled, now),
            misconfigured_for=_rest(card.misconfigured, now),
            outlier=any(
                target in group and self._is_outlier(target, group, now) for group in groups
            ),
            failing=standing.failing,
            first_event=standing.first.seconds,
            whole_answer=standing.whole.seconds,
        )


def _identities(dispatch: Dispatch) -> list[Identity]:
    """What makes a target the same one in another bundle."""
    made: list[Identity] = []
    for target in dispatch.targets:
        provider = dispatch.providers[target.provider]
        address = (provider.name, provider.kind, provider.base_url, provider.api_key)
        made.append((target.name, target.model, *address))
    return made


def _left(throttled: Closed, now: float) -> Closed:
    """The throttling with what is left of its wait; a spent quota stays one."""
    told = throttled.failure
    failure = Failure(
        kind=FailureClass.THROTTLED,
        status=told.status,
        message="the target takes no more requests for now",
        code=told.code,
        retry_after=None if told.retry_after is None else throttled.until - now,
    )
    return Closed(fault=Fault.THROTTLED, failure=failure, until=throttled.until)


def _broken(until: float, now: float) -> Closed:
    failure = Failure(
        kind=FailureClass.TRANSIENT,
        status=0,
        message="it has failed too often and is left alone for a while",
        retry_after=until - now if until > now else None,
    )
    return Closed(fault=Fault.BREAKER, failure=failure, until=until)


def _rest(closed: Closed | None, now: float) -> float | None:
    return closed.until - now if closed is not None and now < closed.until else None
