"""Metrics of several workers to those of one gateway."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from lynkrc_runtime.telemetry.merging import lasting, merged


def worker(requests: int, seconds: float, failed: int) -> str:
    registry = CollectorRegistry()
    Counter("lynkr_requests", "R", ["target"], registry=registry).labels('a "b" c').inc(requests)
    Histogram("lynkr_seconds", "S", buckets=(1.0, 5.0), registry=registry).observe(seconds)
    Gauge("lynkr_in_flight", "F", registry=registry).set(requests)
    Gauge("lynkr_build_info", "B", ["name"], registry=registry).labels("x y").set(1)
    Gauge("lynkr_reload_failed", "L", registry=registry).set(failed)
    return generate_latest(registry).decode()


def samples(text: str) -> dict[str, float]:
    return {
        sample.name + str(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_counts_add_up_and_what_is_told_of_the_whole_does_not() -> None:
    text = merged([worker(2, 0.5, 0), worker(3, 7.0, 1)])
    assert samples(text) == {
        "lynkr_requests_total[('target', 'a \"b\" c')]": 5.0,
        "lynkr_seconds_bucket[('le', '1.0')]": 1.0,
        "lynkr_seconds_bucket[('le', '5.0')]": 1.0,
        "lynkr_seconds_bucket[('le', '+Inf')]": 2.0,
        "lynkr_seconds_count[]": 2.0,
        "lynkr_seconds_sum[]": 7.5,
        "lynkr_in_flight[]": 5.0,
        "lynkr_build_info[('name', 'x y')]": 1.0,
        "lynkr_reload_failed[]": 1.0,
    }
    assert text.count("# TYPE lynkr_requests_total counter") == 1


def test_one_is_as_it_was() -> None:
    alone = worker(2, 0.5, 0)
    assert samples(merged([alone])) == samples(alone)
    assert merged([]) == ""


def test_of_an_ended_worker_its_counts_last() -> None:
    kept = lasting(worker(2, 0.5, 1))
    assert set(samples(kept)) == {
        name for name in samples(worker(2, 0.5, 1)) if name.startswith(("lynkr_r", "lynkr_s"))
    } - {"lynkr_reload_failed[]"}


@pytest.mark.parametrize("value", ["+Inf", "-Inf", "NaN"])
def test_numbers_that_are_none_stay_readable(value: str) -> None:
    text = f"# TYPE lynkr_wait gauge\nlynkr_wait {value}\n"
    assert merged([text]) == text
