"""A decision to the order its targets are tried in, where that changes from request to request.

`weighted` draws a group's targets one after another by their weights, `round_robin` begins one
further each time, `fastest` goes by what the watch has measured. What is always the same (`order`,
`cheapest`) the `Decider` has worked out before, and stays: it may be proved who is first there. In
the others a target that fares far worse than the rest of its group is tried after them
(`lynkrc_runtime.resilience.outliers`).
Only the order inside groups varies, so what is attempted is always the decided set.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import final

from lynkrc_runtime.attempt_records import Watch
from lynkrc_runtime.decide import Decision, Group


@final
class Rotation:
    """How often each group was begun; the only state a pick has."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun: dict[Group, int] = {}

    def begin(self, group: Group) -> int:
        """How often the group was begun before."""
        count = self._begun.get(group, 0)
        # Bounded: what the filters leave of a group is one of few sets.
        self._begun[group] = count + 1
        return count


def order(
    decision: Decision,
    *,
    random: Callable[[], float],
    rotation: Rotation,
    watch: Watch,
    now: float,
    streams: bool,
) -> Sequence[int]:
    """The targets of a routed decision in the order they are tried.

    `random` gives 0 <= x < 1, `now` is on the watch's clock; `streams`: a stream is asked for.
    """
    if not decision.varies:
        return decision.targets
    tried: list[int] = []
    for group in decision.groups:
        if len(group) == 1:
            tried += group
            continue
        picked: Sequence[int] = group
        if decision.pick == "weighted":
            picked = _drawn(group, decision.weights, random)
        elif decision.pick == "round_robin":
            first = rotation.begin(group) % len(group)
            picked = (*group[first:], *group[:first])
        tried += watch.ranked(picked, now, by_speed=decision.pick == "fastest", streams=streams)
    return tried


def _drawn(group: Group, weights: Mapping[int, int], random: Callable[[], float]) -> list[int]:
    left = list(group)
    drawn: list[int] = []
    while len(left) > 1:
        point = random() * sum(weights[target] for target in left)
        chosen = left[-1]
        for target in left:
            point -= weights[target]
            if point < 0:
                chosen = target
                break
        left.remove(chosen)
        drawn.append(chosen)
    return [*drawn, *left]
