"""What cases have not shown of a table, to proofs that no request can, and to requests that do.

Points the solver found for single items show others too. Of those as few are taken as cover all
there is; each becomes the plainest request that shows the same.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import final

from lynkrc.analysis.reached import goals_met, plainest, reached
from lynkrc.analysis.settle import Progress
from lynkrc.analysis.study import Study, study
from lynkrc.interp.assertions import joint_domain
from lynkrc.ir.assertion import NO_ASSERTIONS
from lynkrc.ir.domain import Point
from lynkrc.ir.table import RouteTable
from lynkrc.ir.witness import at_rest
from lynkrc.testing.case import Beside, Features, Sent
from lynkrc.testing.coverage import CoverageItem
from lynkrc.testing.realise import realised
from lynkrc.testing.suggest import Suggestion
from lynkrc.testing.synthesize import Synthesizer

MOST = 50
"""Cases that are suggested at once."""

MOST_BYTES = 4_096
"""Of a request's body that is suggested; of what takes more the features are."""


@final
class Witnesses:
    """What the solver knows of items of one table."""

    def __init__(
        self, table: RouteTable, progress: Progress | None = None, *, suggests: bool = True
    ) -> None:
        self._table = table
        self._progress = progress
        self._realiser = _Realiser(table) if suggests else None
        self._study: Study | None = None
        self._points: tuple[Point, ...] = ()

    def prove(
        self, items: Sequence[CoverageItem]
    ) -> tuple[frozenset[CoverageItem], frozenset[CoverageItem]]:
        """Those of the items that no request shows, and those of which that is not known."""
        if not items:
            return frozenset(), frozenset()
        self._study = study(
            self._table, rest=None if self._realiser is None else self._realiser.plain()
        )
        found = reached(self._study, [item.goal for item in items], self._progress)
        self._points = found.points
        return (
            frozenset(items[one] for one in found.unreachable),
            frozenset(items[one] for one in found.unknown),
        )

    def suggest(
        self,
        items: Sequence[CoverageItem],
        most: int = MOST,
        progress: Callable[[str], None] = lambda _: None,
    ) -> tuple[Suggestion, ...]:
        """Witnesses of items that were among those asked about and are reachable, `most` of them.

        What is widest comes first.
        """
        if self._study is None or self._realiser is None:
            return ()
        suggestions: list[Suggestion] = []
        for chosen, point in self._cover(self._study, items):
            if len(suggestions) == most:
                break
            progress(chosen[0].text)
            given = self._realiser.given(self._study, chosen, point)
            suggestions.append(Suggestion(items=chosen, given=given))
        return tuple(suggestions)

    def _cover(
        self, known: Study, items: Sequence[CoverageItem]
    ) -> Iterator[tuple[tuple[CoverageItem, ...], Point]]:
        """Points that together show all the items, each with those that none before it did."""
        goals = [item.goal for item in items]
        shown = {
            point: set(goals_met(known, goals, point, range(len(goals)))) for point in self._points
        }
        while shown:
            # Of several that show as much, the first found.
            point = max(shown, key=lambda one: len(shown[one]))
            new = shown.pop(point)
            if not new:
                return
            yield tuple(items[one] for one in sorted(new)), point
            shown = {other: found - new for other, found in shown.items()}


@final
class _Realiser:
    """Builds requests for points of a table's domain."""

    def __init__(self, table: RouteTable) -> None:
        self._domain = joint_domain(table, NO_ASSERTIONS)
        self._synthesizer = Synthesizer(table, self._domain)

    def plain(self) -> Point:
        """What is read of a request that says as little as can be."""
        rest = at_rest(self._domain)
        return self._synthesizer.synthesize(rest, lambda _: True).point or rest

    def given(self, known: Study, items: Sequence[CoverageItem], point: Point) -> Features | Sent:
        """A request that shows the items, as `point` does; its features where none can be built,
        or none that is short.
        """
        goals = [item.goal for item in items]

        def shows(read: Point) -> bool:
            return len(goals_met(known, goals, read, range(len(goals)))) == len(goals)

        first = plainest(known, goals) or point
        _, made = realised(
            first,
            self._synthesizer.synthesize,
            shows,
            lambda given: plainest(known, goals, given),
        )
        body = json.dumps(made.body, ensure_ascii=False).encode()
        if not made.realised or len(body) > MOST_BYTES:
            return Features(vector=tuple(known.vector(first)))
        headers = tuple(sorted(made.headers.items()))
        key = made.key
        beside = Beside() if key is None else Beside(team=key.team, tenant=key.tenant)
        return Sent(surface=made.surface, headers=headers, body=body, beside=beside)
