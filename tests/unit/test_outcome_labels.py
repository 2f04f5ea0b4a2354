"""What a usage log says of its answers: the strongest label of each request, and what has none."""

from typing import Any

import pytest

from lynkrc.diff.replayed import BadLine
from lynkrc.quality.outcome_labels import WEIGHTS, OutcomeLabels, Source, outcome_labels
from lynkrc_runtime.usage_record import (
    VERSION,
    FeedbackLine,
    GapLine,
    Line,
    RequestLine,
    Signal,
    SignalLine,
)

TIME = "2026-01-02T03:04:05.000+00:00"
RETRY, TOOL = Signal.USER_RETRY, Signal.TOOL_ERROR


def request(identity: str = "a", key: str | None = None, **members: Any) -> RequestLine:
    usual: dict[str, Any] = {
        "version": VERSION,
        "time": TIME,
        "request_id": identity,
        "bundle": "d" * 64,
        "surface": "messages",
        "stream": False,
        "slots": {"ask.words": 3},
        "outcome": "route",
        "ending": "served",
        "status": 200,
        "tier": "LOW",
        "rule": "score",
        "score": 12,
        "target": "t",
        "model": "m",
        "key": key,
        "team": None,
        "tenant": None,
        "fallback": False,
        "duration_ms": 5,
        "attempts": [],
        "tokens": None,
        "cost_micro_usd": None,
        "estimated": False,
    }
    return RequestLine(**(usual | members))


def feedback(
    score: float, identity: str = "a", key: str | None = None, time: str = TIME
) -> FeedbackLine:
    return FeedbackLine(
        version=VERSION, time=time, request_id=identity, bundle="d" * 64, key=key, score=score
    )


def signal(what: Signal, identity: str = "a", key: str | None = None) -> SignalLine:
    return SignalLine(
        version=VERSION, time=TIME, request_id=identity, bundle="d" * 64, key=key, signal=what
    )


def told(found: OutcomeLabels) -> list[tuple[str, bool, Source]]:
    return [(one.request_id, one.is_bad, one.source) for one in found.labels]


@pytest.mark.parametrize(
    ("ending", "said", "is_bad", "source"),
    [
        ("served", [], False, Source.CLEAN),
        ("served", [feedback(0.5)], False, Source.CALLER),
        ("served", [feedback(1), feedback(0.49)], True, Source.CALLER),
        ("served", [feedback(0), feedback(1), signal(RETRY)], False, Source.CALLER),
        ("served", [signal(TOOL)], True, Source.TOOL_ERROR),
        ("served", [signal(TOOL), signal(RETRY)], True, Source.USER_RETRY),
        ("broken", [], True, Source.ERROR),
        ("misfit", [], True, Source.ERROR),
        ("broken", [feedback(1)], False, Source.CALLER),
        ("aborted", [feedback(0)], True, Source.CALLER),
    ],
)
def test_the_strongest_label_counts(
    ending: str, said: list[Line], is_bad: bool, source: Source
) -> None:
    found = outcome_labels([request(ending=ending, session="s"), *said])
    (label,) = found.labels
    assert (label.is_bad, label.source, label.weight) == (is_bad, source, WEIGHTS[source])
    assert (label.tier, label.group, label.slots) == ("LOW", "s", {"ask.words": 3})
    assert not found.left_out and found.strays == 0


def test_the_table_of_weights_goes_down() -> None:
    weights = [WEIGHTS[source] for source in Source]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] > 0 and weights[0] == 1


def test_an_id_is_its_callers_own() -> None:
    lines = [request(key="red"), request(key="blue"), feedback(0, key="blue")]
    found = outcome_labels(lines)
    assert told(found) == [("a", False, Source.CLEAN), ("a", True, Source.CALLER)]
    assert [one.group for one in found.labels] == ["red/a", "blue/a"]
    assert outcome_labels([request(key="red"), feedback(0)]).strays == 1


def test_what_another_worker_wrote_first_is_known_by_its_time() -> None:
    before, after = "2026-01-02T03:04:04.999+00:00", "2026-01-02T04:04:05.001+01:00"
    late, old = feedback(0, time=after), feedback(0, time=before)
    lines: list[Line] = [late, request()]
    found = outcome_labels(lines)
    assert (told(found), found.strays) == ([("a", True, Source.CALLER)], 0)
    lines = [old, request(), late, request()]
    found = outcome_labels(lines)
    expected = [("a", True, Source.CALLER), ("a", False, Source.CLEAN)]
    assert (told(found), found.strays) == (expected, 1)


def test_an_id_that_comes_again_is_another_request() -> None:
    found = outcome_labels([request(), feedback(0), request(), signal(TOOL)])
    assert told(found) == [("a", True, Source.CALLER), ("a", True, Source.TOOL_ERROR)]


def test_what_has_no_label_is_counted_by_why() -> None:
    lines: list[Line | BadLine] = [
        request(slots=None, ending="malformed"),
        request(outcome="deny", ending="denied"),
        request(ending="aborted"),
        request(surface="embeddings"),
        GapLine(version=VERSION, time=TIME, requests=3, judgements=1),
        feedback(1, "nobodys"),
        BadLine(line=7, problem="not JSON"),
    ]
    found = outcome_labels(lines)
    assert found.labels == ()
    assert sum(found.left_out.values()) == 7
    assert found.left_out["it ended as aborted, which says nothing of the answer"] == 1
    assert (found.strays, found.lost, [one.line for one in found.bad]) == (1, 1, [7])
