"""What follows from a decision alone is worked out once, and says what the decision says."""

from dataclasses import replace

from lynkrc_runtime.decide import Decision, Outcome
from lynkrc_runtime.decision_headers import decision_headers
from lynkrc_runtime.server import plan
from lynkrc_runtime.server.plan import Plans
from tests.runtime.by_hand import Said, dispatch, gateway, policy, provider, target

DECISION = Decision(
    outcome=Outcome.ROUTE,
    tier="LOW",
    rule="score",
    score=12,
    targets=(1, 0),
    groups=((1,), (0,)),
    pick="order",
    weights={},
    deny=None,
    respond=None,
)


def plans() -> Plans:
    made = dispatch([provider("near", "simulator")], [target("one", 0), target("two", 0)])
    return Plans(gateway(policy(made), Said()).routes, "digest")


def test_candidates_are_those_of_the_targets_in_their_order() -> None:
    found = plans().of(DECISION)
    assert [one.target for one in found.candidates((1, 0), stream=True)] == [1, 0]
    assert [one.target for one in found.candidates([0, 1], stream=False)] == [0, 1]
    assert [one.target for one in found.candidates([0], stream=False)] == [0]
    whole, streamed = (found.candidates((1, 0), stream=stream) for stream in (False, True))
    assert [one.first_event for one in whole] == [None, None]
    assert None not in [one.first_event for one in streamed]


def test_headers_tell_the_decision_and_who_serves() -> None:
    found = plans().of(DECISION)
    ids = dict.fromkeys(("x-lynkr-request-id", "request-id", "x-request-id"), "")
    decided = ids | {"x-lynkr-bundle": "digest", **decision_headers(DECISION)}
    assert found.headers(None, fallback=False) == decided
    served = found.headers(0, fallback=True)
    assert served == decided | {
        "x-lynkr-provider": "near",
        "x-lynkr-model": served["x-lynkr-model"],
        "x-lynkr-fallback": "true",
    }
    assert found.headers(0, fallback=False)["x-lynkr-fallback"] == "false"


def test_decisions_that_say_the_same_share_a_plan_and_others_do_not() -> None:
    known = plans()
    assert known.of(DECISION) is known.of(replace(DECISION))
    others = [
        replace(DECISION, tier="HIGH"),
        replace(DECISION, rule="pin"),
        replace(DECISION, score=None),
        replace(DECISION, targets=(0, 1)),
    ]
    assert len({id(known.of(one)) for one in (DECISION, *others)}) == 5


def test_plans_are_bounded() -> None:
    known = plans()
    for score in range(plan.MOST + 1):
        known.of(replace(DECISION, score=score))
    assert 0 < len(known) <= plan.MOST
