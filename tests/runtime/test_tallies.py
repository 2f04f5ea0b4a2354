"""Our own histograms show what the library's would."""

from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as Theirs

from lynkrc_runtime.cost import KINDS, Charge, Cost
from lynkrc_runtime.protocol.conversation import Usage
from lynkrc_runtime.telemetry.tallies import BOUNDS, Calls, Histogram

SECONDS = (0.0, 0.05, 0.050001, 1.0, 599.9, 600.0, 600.1, 7.0)


def test_every_sample_is_the_one_the_library_shows() -> None:
    registry, meaning = CollectorRegistry(), "what it means"
    theirs = Theirs("x_seconds", meaning, ["surface"], buckets=BOUNDS, registry=registry)
    registry.register(ours := Histogram("y_seconds", meaning, ["surface"]))
    for number, seconds in enumerate(SECONDS):
        surface = ("messages", "chat")[number % 2]
        theirs.labels(surface).observe(seconds)
        ours.of(surface).add(seconds)
    shown = {
        family.name: [
            (sample.name.removeprefix(family.name), dict(sample.labels), sample.value)
            for sample in family.samples
            if not sample.name.endswith("_created")
        ]
        for family in registry.collect()
    }
    assert len(shown["x_seconds"]) == 2 * (len(BOUNDS) + 3)
    assert sorted(shown["y_seconds"], key=str) == sorted(shown["x_seconds"], key=str)


def test_nothing_is_shown_of_what_was_not_measured() -> None:
    (family,) = Histogram("y_seconds", "what it means", ["surface"]).collect()
    assert family.samples == []


def test_each_kind_of_tokens_is_counted_apart() -> None:
    charges = [
        Charge(
            usage=Usage(input=1, output=20, cache_read=300, cache_write=4_000),
            cost=Cost(input=5, output=60, cache_read=700, cache_write=8_000),
            estimated=False,
        ),
        Charge(usage=Usage(cache_read=300), cost=Cost(cache_read=700), estimated=True),
        Charge(usage=Usage(output=20), cost=None, estimated=False),
        None,
    ]
    calls = Calls(("one", "served", "none"), (), charges[0])
    for charge in charges:
        calls.add(charge)
    assert KINDS == ("input", "output", "cache_read", "cache_write")
    assert calls.tokens == [1, 40, 600, 4_000]
    assert calls.costs == [5, 60, 1_400, 8_000]
    assert calls.count == 4
