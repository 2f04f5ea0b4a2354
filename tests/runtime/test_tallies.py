"""Our own histograms show what the library's would."""

from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as Theirs

from lynkrc_runtime.telemetry.tallies import BOUNDS, Histogram

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
