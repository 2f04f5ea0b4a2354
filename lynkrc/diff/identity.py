"""What is the same in two tables though it may be called otherwise: destinations, tiers, classes.

A destination is where a request goes, whatever its target is called: the kind and address of the
provider, the account, the model. A tier whose name alone changed is the same tier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from lynkrc.ir.table import RouteTable, TargetId

Destination: TypeAlias = tuple[object, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two tables, and what of them is the same.

    `old_places` and `new_places` are the destinations by target, `tiers` the old name of each new
    tier (its own where it is no renamed one), `ranks` the trust classes of both in the new spec's
    order, 0 the most trusted. `moved` are the targets of both that lie elsewhere now: their old
    destinations by name, where neither destination is that of another target.
    """

    old: RouteTable
    new: RouteTable
    old_places: tuple[Destination, ...]
    new_places: tuple[Destination, ...]
    tiers: Mapping[str, str]
    ranks: Mapping[str, int]
    moved: Mapping[str, Destination]

    def old_rank(self, targets: Sequence[TargetId]) -> int:
        """The rank of the least trusted of them; that of the most trusted class for none."""
        return max((self.ranks[self.old.targets[one].trust] for one in targets), default=0)

    def new_rank(self, targets: Sequence[TargetId]) -> int:
        """As `old_rank`, of the new table's."""
        return max((self.ranks[self.new.targets[one].trust] for one in targets), default=0)


def pair_of(old: RouteTable, new: RouteTable) -> Pair:
    """The two tables, matched."""
    old_places, new_places = destinations(old), destinations(new)
    return Pair(
        old=old,
        new=new,
        old_places=old_places,
        new_places=new_places,
        moved=_moved(
            dict(zip((one.name for one in old.targets), old_places, strict=True)),
            dict(zip((one.name for one in new.targets), new_places, strict=True)),
        ),
        tiers=_tiers(old, new),
        ranks=trust_ranks(old.trust_levels, new.trust_levels),
    )


def destinations(table: RouteTable) -> tuple[Destination, ...]:
    """Of each target, in order. What is not the same is another one."""
    providers = {provider.name: provider for provider in table.providers}
    found = []
    for target in table.targets:
        provider = providers[target.provider]
        where = (provider.kind, provider.base_url, provider.api_key, provider.headers)
        found.append((*where, provider.rest, target.model, target.dialect))
    return tuple(found)


def _moved(
    old: Mapping[str, Destination], new: Mapping[str, Destination]
) -> Mapping[str, Destination]:
    had, has = set(old.values()), set(new.values())
    return {
        name: place
        for name, place in old.items()
        if name in new and place not in has and new[name] not in had
    }


def _tiers(old: RouteTable, new: RouteTable) -> Mapping[str, str]:
    """A tier is renamed where the ladders are of one length and neither has the other's name."""
    before, after = ([tier.name for tier in table.tiers] for table in (old, new))
    same = {name: name for name in after}
    if len(before) != len(after):
        return same
    return same | {
        name: was
        for was, name in zip(before, after, strict=True)
        if was not in after and name not in before
    }


def trust_ranks(old: Sequence[str], new: Sequence[str]) -> Mapping[str, int]:
    """Classes of both specs in the new one's order.

    A class that is gone stands with the closest more trusted one that is left, so that what comes
    in its place is told rather than passed over.

    >>> trust_ranks(["local", "internal", "cloud"], ["local", "cloud"])
    {'local': 0, 'cloud': 1, 'internal': 0}
    """
    ranks = {level: rank for rank, level in enumerate(new)}
    held = 0
    for level in old:
        if level in ranks:
            held = ranks[level]
        else:
            ranks[level] = held
    return ranks
