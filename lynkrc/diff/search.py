"""Two matched tables to the solver's comparison of them: what it does not find is not there."""

from lynkrc.analysis.moves import Comparison, comparison
from lynkrc.analysis.shared import Side
from lynkrc.diff.identity import Pair
from lynkrc.ir.domain import Domain, Point


def compared(pair: Pair, domain: Domain, rest: Point | None = None) -> Comparison:
    """The comparison over the joint domain; plain requests are near to `rest`.

    A target that lies elsewhere now is taken for the same: else all its requests would be told
    once for each decision that comes to it.
    """
    old_names = [target.name for target in pair.old.targets]
    return comparison(
        Side(
            table=pair.old,
            # A moved target goes by its name, on both sides.
            places=tuple(
                name if name in pair.moved else place
                for name, place in zip(old_names, pair.old_places, strict=True)
            ),
            addresses=pair.old_places,
            tiers=tuple(tier.name for tier in pair.old.tiers),
            ranks=tuple(pair.ranks[target.trust] for target in pair.old.targets),
        ),
        Side(
            table=pair.new,
            places=tuple(
                target.name if target.name in pair.moved else place
                for target, place in zip(pair.new.targets, pair.new_places, strict=True)
            ),
            addresses=pair.new_places,
            tiers=tuple(pair.tiers[tier.name] for tier in pair.new.tiers),
            ranks=tuple(pair.ranks[target.trust] for target in pair.new.targets),
        ),
        domain,
        rest=rest,
    )
