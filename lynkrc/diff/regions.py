"""What the solver found of two tables, to regions: classified, grouped, explained, with a request.

The reference interpreter decides each point anew; what it does not confirm is no region.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import final

from lynkrc.analysis.moves import Comparison, Move, Moves, alike
from lynkrc.analysis.relations import holds, relations
from lynkrc.diff.classify import Difference, Group, classify, group_of
from lynkrc.diff.identity import Pair
from lynkrc.diff.items import acting
from lynkrc.diff.plan import Change, Item, Region, What, Witness, groups_of, ordered
from lynkrc.diff.requests import Requests, sent
from lynkrc.diff.witness import features_in, plainest
from lynkrc.ir.domain import Domain, Point
from lynkrc.testing.realise import Shows, realised

MOST_REQUESTS = 20
"""Differences of one plan that a request is built for."""

_BY_PRICE = ("price", "tokens", "retries")


@final
class Regions:
    """Makes regions of one comparison. `requests` builds their requests, None: none are built."""

    def __init__(
        self,
        pair: Pair,
        two: Comparison,
        items: Sequence[Item],
        changes: Sequence[Change],
        requests: Requests | None,
    ) -> None:
        self._pair = pair
        self._two = two
        self._items = items
        self._changes = changes
        self._requests = requests
        self._relations = relations(self._domain)

    @property
    def _domain(self) -> Domain:
        return self._two.symbols.domain

    @property
    def _rest(self) -> Point:
        return self._two.symbols.rest

    def found(
        self, moves: Moves, progress: Callable[[str], None]
    ) -> tuple[tuple[Region, ...], tuple[str, ...]]:
        """The regions, the gravest first, and what is not known of them."""
        first: dict[Group, Move] = {}
        rules: dict[Group, dict[str, None]] = {}
        unknown = list(moves.unknown)
        for move in moves.found:
            shown = self._difference(move.point)
            if shown is not None:
                first.setdefault(group_of(shown), move)
                rules.setdefault(group_of(shown), {})[shown.after.rule] = None
            else:
                unknown.append(
                    f"{move.kind.value}: a request of the solver's shows no difference to the "
                    "interpreter, which is a mistake of lynkrc's: please report it"
                )
        origins: dict[Region, tuple[Group, Move, Point]] = {}
        for number, (group, move) in enumerate(first.items()):
            progress(f"differences: {number} of {len(first)} made plain")
            plain = plainest(self._domain, move.point, self._rest, self._shows(group))
            region = self._plain(plain, move, tuple(rules[group]))
            origins[region] = group, move, plain
        regions = list(ordered(origins))
        if self._requests is not None:
            for number, told in enumerate(groups_of(regions)[:MOST_REQUESTS]):
                progress(f"requests: {number} built")
                place = regions.index(told.leader)
                regions[place] = self._sent(told.leader, *origins[told.leader], self._requests)
        return tuple(regions), tuple(unknown)

    def _difference(self, point: Point) -> Difference | None:
        before, after = self._domain.views
        return classify(self._pair, before.vector(point), after.vector(point))

    def _shows(self, group: Group) -> Callable[[Point], bool]:
        def shows(point: Point) -> bool:
            seen = self._difference(point)
            return seen is not None and group_of(seen) == group

        return shows

    def _plain(self, plain: Point, move: Move, rules: tuple[str, ...]) -> Region:
        """The region by its plainest vector, where a request may have it."""
        may_be = all(holds(relation, plain) for relation in self._relations)
        point = plain if may_be else move.point
        features = features_in(self._domain, plain, self._rest)
        return self._region(Witness(features=features, point=point), plain, rules)

    def _region(self, witness: Witness, plain: Point, rules: tuple[str, ...]) -> Region:
        shown = self._difference(witness.point)
        assert shown is not None, "the plainest point shows what the first one shows"
        return Region(
            category=shown.category,
            what=shown.what,
            before=shown.before,
            after=shown.after,
            # By the plainest vector: what else a request has may touch changed parts by chance.
            items=self._because(plain, shown),
            witness=witness,
            rules=rules,
            gains=shown.gains,
            loses=shown.loses,
        )

    def _sent(
        self, region: Region, group: Group, move: Move, plain: Point, requests: Requests
    ) -> Region:
        """The region with a request; else with a vector that a request may have, and why none."""
        shows = self._shows(group)
        made = requests.request(plain, shows)
        point = region.witness.point
        if not made.realised and (first := self._alike(move, {}, shows)) is not None:

            def again(given: Mapping[int, int]) -> Point | None:
                return self._alike(move, given, shows)

            point, made = realised(first, requests.request, shows, again)
        if made.realised and made.point is not None:
            # The words keep the plainest values; the point is what was read of the request.
            read = self._at(region, made.point, region.witness.features)
            return replace(read, witness=replace(read.witness, request=sent(made, read)))
        told = self._at(region, point, features_in(self._domain, point, self._rest))
        return replace(told, witness=replace(told.witness, missed=made.missed))

    def _alike(self, move: Move, given: Mapping[int, int], shows: Shows) -> Point | None:
        """Another point that shows it, whatever size comes with these values."""
        sizes = {slot.id for slot in self._domain.slots if slot.feature == "context.tokens"}
        held = {variable: value for variable, value in given.items() if variable not in sizes}
        point = alike(self._two, move, held)
        return point if point is not None and shows(point) else None

    def _at(self, region: Region, point: Point, features: tuple[tuple[str, str], ...]) -> Region:
        """The region with another witness."""
        shown = self._difference(point)
        assert shown is not None, "a point that shows the group differs"
        return replace(
            region,
            before=shown.before,
            after=shown.after,
            witness=Witness(features=features, point=point),
        )

    def _because(self, point: Point, shown: Difference) -> tuple[Item, ...]:
        """The changed parts that take part; the only one there is, where none is seen to."""
        before, after = self._domain.views
        vectors = before.vector(point), after.vector(point)
        found = acting(self._items, self._pair, *vectors, (shown.before, shown.after))
        targets = {*shown.before.targets, *shown.after.targets}
        outside = [
            change.item
            for change in self._changes
            if self._concerns(change.item, targets, shown.what)
        ]
        if not found and not outside and len(self._items) == 1:
            return tuple(self._items)
        return (*found, *outside)

    def _concerns(self, item: Item, targets: set[str], what: What) -> bool:
        """Whether a change outside the decision makes this difference."""
        name, _, fact = item.name.rpartition(".")
        if what not in (What.ADDRESS, What.PRICE) or (fact in _BY_PRICE) is not (
            what is What.PRICE
        ):
            return False
        of = {name} if item.kind == "target" else set[str]()
        if item.kind == "provider":
            of = {one.name for one in self._pair.new.targets if one.provider == name}
        return bool(of & targets)
