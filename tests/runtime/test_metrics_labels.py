"""Declared labels, plain samples, and the summary: nothing a client says becomes a label."""

from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from lynkrc_runtime.attempt import AttemptRecord, Fault, Result
from lynkrc_runtime.cost import Charge, Cost
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.protocol.conversation import Failure, FailureClass, Usage
from lynkrc_runtime.settings import Key, Observability, Settings
from lynkrc_runtime.settings import Metrics as Declared
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.telemetry.outcome import Ending, Outcome
from lynkrc_runtime.telemetry.summary import summary
from tests.runtime.by_hand import MESSAGES, dispatch, provider, target

BROKEN = Failure(kind=FailureClass.TRANSIENT, status=0, message="no")


def table(*labels: Any) -> Dispatch:
    made = dispatch(
        [provider("near", "simulator"), provider("far", "simulator")],
        [target("one", 0), target("two", 1)],
    )
    keys = {"ci": Key(secret="${CI}", team="red", tenant="acme")}
    settings = Settings(
        keys=keys, observability=Observability(metrics=Declared(labels=list(labels)))
    )
    return msgspec.structs.replace(made, settings=settings)


def ended(**members: Any) -> Outcome:
    usual: dict[str, Any] = {
        "request_id": "req_1",
        "surface": "messages",
        "dialect": MESSAGES,
        "model": "auto",
        "stream": True,
        "ending": Ending.SERVED,
        "status": 200,
        "seconds": 1.0,
        "first_byte": 0.2,
        "tier": "LOW",
        "target": 1,
        "fallback": True,
        "attempts": (
            AttemptRecord(
                target=0, started=0, seconds=0, result=Result.FAILED, fault=Fault.CONNECT,
                failure=BROKEN,
            ),
            AttemptRecord(
                target=0, started=0, seconds=0, result=Result.FAILED, fault=Fault.CONNECT,
                failure=BROKEN, is_retry=True,
            ),
            AttemptRecord(
                target=1, started=0, seconds=0, result=Result.SERVED,
                charge=Charge(
                    usage=Usage(input=10, output=5, cache_read=0, cache_write=0),
                    cost=Cost(input=20, output=30),
                    estimated=False,
                ),
            ),
        ),
    }  # fmt: skip
    return Outcome(**(usual | members))


def counted(metrics: Metrics, name: str) -> list[tuple[dict[str, str], float]]:
    return [
        (labels, value)
        for _, _, _, samples in metrics.samples()
        for sample, labels, value in samples
        if sample == name
    ]


def serving(made: Dispatch) -> Metrics:
    metrics = Metrics(version="0")
    metrics.serves(made, "d" * 64, "python", "portable")
    return metrics


def test_a_request_is_counted_by_what_became_of_it() -> None:
    made = table()
    metrics = serving(made)
    metrics.arrived()
    metrics.settled(made, ended())
    labels = {"surface": "messages", "tier": "LOW", "target": "two", "class": "served"}
    assert counted(metrics, "lynkr_requests_total") == [(labels, 1)]
    assert counted(metrics, "lynkr_retries_total") == [({"target": "one"}, 1)]
    assert counted(metrics, "lynkr_fallbacks_total") == [({"target": "two"}, 1)]
    assert counted(metrics, "lynkr_first_byte_seconds_count") == [({"surface": "messages"}, 1)]
    assert counted(metrics, "lynkr_requests_in_flight") == [({}, 0)]
    assert not [name for name, *_ in metrics.samples() if name.endswith("_created")]
    families = list(text_string_to_metric_families(metrics.render().decode()))
    assert "lynkr_cost_micro_usd" in [family.name for family in families]


def test_declared_labels_stand_beside_the_others() -> None:
    made = table("provider", "team", "tenant", "client", "tier", "target")
    metrics = serving(made)
    metrics.settled(made, ended(team="red", tenant="acme", client="claude-code"))
    ((labels, _),) = counted(metrics, "lynkr_requests_total")
    assert labels == {
        "surface": "messages", "tier": "LOW", "target": "two", "class": "served",
        "provider": "far", "team": "red", "tenant": "acme", "client": "claude-code",
    }  # fmt: skip
    for labels, _ in counted(metrics, "lynkr_cost_micro_usd_total"):
        assert (labels["team"], labels["provider"], labels["tier"]) == ("red", "far", "LOW")


@pytest.mark.parametrize(
    ("team", "label"), [("red", "red"), ("made later", "other"), (None, "none")]
)
def test_a_team_that_the_spec_does_not_name_is_other(team: str | None, label: str) -> None:
    made = table("team")
    metrics = serving(made)
    metrics.settled(made, ended(team=team))
    ((labels, _),) = counted(metrics, "lynkr_requests_total")
    assert labels["team"] == label


def test_other_labels_begin_anew_and_the_same_go_on() -> None:
    before, after = table("team"), table("tenant")
    metrics = serving(before)
    metrics.settled(before, ended())
    metrics.serves(before, "e" * 64, "python", "portable")
    assert [value for _, value in counted(metrics, "lynkr_requests_total")] == [1]
    metrics.serves(after, "f" * 64, "python", "portable")
    assert counted(metrics, "lynkr_requests_total") == []
    # A request that began with the bundle before is counted all the same.
    metrics.settled(before, ended(tenant="acme"))
    ((labels, _),) = counted(metrics, "lynkr_requests_total")
    assert labels["tenant"] == "acme" and "team" not in labels


def test_samples_are_plain_data() -> None:
    made = table()
    metrics = serving(made)
    metrics.settled(made, ended())
    found = metrics.samples()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=list[Any])


def test_the_summary_adds_up() -> None:
    made = table()
    metrics = serving(made)
    for _ in range(3):
        metrics.arrived()
        metrics.settled(made, ended())
    metrics.arrived()
    metrics.settled(
        made,
        ended(
            ending=Ending.DENIED,
            status=403,
            tier=None,
            target=None,
            attempts=(),
            fallback=False,
            stream=False,
            first_byte=None,
        ),
    )
    metrics.refused(401)
    metrics.side_call("count_tokens", "counted")
    found = summary(metrics.samples())
    assert found["requests"] == {"total": 4, "by_class": {"denied": 1, "served": 3}}
    assert found["tiers"] == {"LOW": {"requests": 3, "share": 1.0}}
    assert (found["retries"], found["fallbacks"], found["in_flight"]) == (3, 3, 0)
    assert (found["refused"], found["side_calls"]) == ({"401": 1}, {"count_tokens": 1})
    assert (found["tokens"], found["cost_micro_usd"]) == ({"input": 30, "output": 15}, 150)
    assert 0.5 <= found["latency_seconds"]["p50"] <= 1.0
