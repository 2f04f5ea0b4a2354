"""Two tables to the points where they differ, by the solver: all of them, one for each difference.

What it does not find is not there, unless it says what it left undecided.
"""

from lynkrc.analysis.moves import Side, moves
from lynkrc.diff.identity import Pair
from lynkrc.diff.sample import Found
from lynkrc.ir.domain import Domain


def search(pair: Pair, domain: Domain) -> Found:
    """The points; each is confirmed by the interpreter afterwards (`lynkrc.diff.classify`)."""
    found = moves(
        Side(
            table=pair.old,
            places=pair.old_places,
            tiers=tuple(tier.name for tier in pair.old.tiers),
            ranks=tuple(pair.ranks[target.trust] for target in pair.old.targets),
        ),
        Side(
            table=pair.new,
            places=pair.new_places,
            tiers=tuple(pair.tiers[tier.name] for tier in pair.new.tiers),
            ranks=tuple(pair.ranks[target.trust] for target in pair.new.targets),
        ),
        domain,
    )
    return Found(points=found.points, unknown=found.unknown)
