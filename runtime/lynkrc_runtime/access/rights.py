"""A caller's key to what it may ask for: explanations, names of models, targets of its tiers.

What a key says takes away and never adds; a request that asks for more is refused by name.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import final

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.dispatch import Dispatch

EXPLAIN = "x-lynkr-explain"
"""By which a request asks for its explanation; the right to ask is called `debug`."""


def lacks_right(caller: Caller, headers: Mapping[str, str]) -> str | None:
    """Why a request's headers (lower-case names) ask for more than its key may; None: they do not.

    >>> lacks_right(Caller(name="ci"), {"x-lynkr-explain": "1"})
    'key ci has no right `debug`, which x-lynkr-explain needs'
    """
    if headers.get(EXPLAIN) == "1" and not caller.debug:
        return f"key {caller.name} has no right `debug`, which {EXPLAIN} needs"
    return None


def reaches(caller: Caller, dispatch: Dispatch, tier: str | None) -> Callable[[str], bool]:
    """Which targets (names) a caller reaches in a tier; None: as a target asked for by name."""
    return Reach(caller, dispatch).target if tier is None else caller.may_reach


@final
class Reach:
    """What of a bundle a caller's key reaches."""

    __slots__ = ("_caller", "_dispatch")

    def __init__(self, caller: Caller, dispatch: Dispatch) -> None:
        self._caller = caller
        self._dispatch = dispatch

    def tier(self, name: str) -> bool:
        """Whether a request may be put to a tier: the key names it, and reaches a target of it."""
        if not self._caller.may_reach_tier(name):
            return False
        return any(self._caller.may_reach(target) for target in self._targets_of(name))

    def target(self, name: str) -> bool:
        """Whether a target may be asked for by name.

        A key of tiers reaches by name what its tiers lead to: or a name would be a way around them.
        """
        caller = self._caller
        if not caller.may_reach(name):
            return False
        return not caller.tiers or any(name in self._targets_of(tier) for tier in caller.tiers)

    def _targets_of(self, tier: str) -> Iterable[str]:
        dispatch = self._dispatch
        for one in dispatch.tiers:
            if one.name == tier:
                for group in dispatch.chains[one.chain].groups:
                    for index in group:
                        yield dispatch.targets[index].name
