"""Several workers' metrics in the text exposition format to one, as if one process had counted.

Counters and histograms add up. Gauges add up too, except those that say something of the whole
(by the endings of their names): of these the largest counts.

>>> one = "# HELP a_total A\\n# TYPE a_total counter\\na_total{x=\\"1\\"} 2.0\\n"
>>> print(merged([one, one]), end="")
# HELP a_total A
# TYPE a_total counter
a_total{x="1"} 4.0
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, final

from prometheus_client.parser import text_string_to_metric_families

from lynkrc_runtime.telemetry.metrics import Family

LARGEST: Final = ("_info", "_failed", "_state", "_pct", "_ratio", "_open", "_up", "_timestamp")
"""Endings of gauges that are not added up."""
_CREATED: Final = "_created"
_ADDED: Final = frozenset({"counter", "histogram", "summary"})


@final
@dataclass(slots=True, kw_only=True)
class _Family:
    kind: str
    head: list[str]
    samples: dict[str, float] = field(default_factory=dict)


def merged(texts: Iterable[str]) -> str:
    """One exposition of several; families and series in the order they are first met."""
    families: dict[str, _Family] = {}
    for text in texts:
        for name, family in _read(text).items():
            kept = families.setdefault(name, _Family(kind=family.kind, head=family.head))
            join = _join(name, family.kind)
            for series, value in family.samples.items():
                found = kept.samples.get(series)
                kept.samples[series] = value if found is None else join((found, value))
    return _written(families)


def lasting(text: str) -> str:
    """What of a worker's metrics still counts when it has ended: no gauge does."""
    return _written({name: one for name, one in _read(text).items() if one.kind in _ADDED})


def families(text: str) -> list[Family]:
    """An exposition as plain data, as `Metrics.samples` gives it."""
    return [
        (
            found.name,
            found.type,
            found.documentation,
            [(one.name, dict(one.labels), one.value) for one in found.samples],
        )
        for found in text_string_to_metric_families(text)
        if not found.name.endswith(_CREATED)
    ]


def _join(name: str, kind: str) -> Callable[[Sequence[float]], float]:
    if kind in _ADDED:
        return sum
    if name.endswith(_CREATED):
        return min
    return max if name.endswith(LARGEST) else sum


def _read(text: str) -> dict[str, _Family]:
    families: dict[str, _Family] = {}
    head: list[str] = []
    family = _Family(kind="untyped", head=[])
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ", 3)
            family = families[name] = _Family(kind=kind, head=[*head, line])
            head = []
        elif line.startswith("#"):
            head.append(line)
        elif line:
            # A label's value may hold spaces, a sample of ours has no time stamp.
            series, _, value = line.rpartition(" ")
            family.samples[series] = float(value)
    return families


def _written(families: dict[str, _Family]) -> str:
    lines: list[str] = []
    for family in families.values():
        lines += family.head
        lines += [f"{series} {_number(value)}" for series, value in family.samples.items()]
    return "".join(f"{line}\n" for line in lines)


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value)
