"""Who makes a request, as its virtual key says."""

from typing import final

from msgspec import Struct


@final
class Caller(Struct, frozen=True, kw_only=True):
    """The owner of a virtual key; `name` is the key's in the spec.

    Empty `tiers` and `targets` allow all. `debug`: may ask why a request was decided as it was.
    """

    name: str
    team: str | None = None
    tenant: str | None = None
    tiers: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    debug: bool = False

    def may_reach_tier(self, tier: str | None) -> bool:
        """Whether a request of this tier is served; one without a tier is bound by
        its targets (see `lynkrc_runtime.access.rights.reaches`).

        >>> ci = Caller(name="ci", tiers=frozenset({"SIMPLE"}))
        >>> ci.may_reach_tier("SIMPLE"), ci.may_reach_tier("COMPLEX"), ci.may_reach_tier(None)
        (True, False, True)
        """
        return not self.tiers or tier is None or tier in self.tiers

    def may_reach(self, target: str) -> bool:
        """Whether a target may be called for this caller."""
        return not self.targets or target in self.targets
