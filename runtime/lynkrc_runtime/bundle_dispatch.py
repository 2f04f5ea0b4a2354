"""The bytes of ``dispatch.json`` to a dispatch table whose every index leads somewhere."""

from pathlib import Path

import msgspec

from lynkrc_runtime.bundle_archive import BrokenBundle
from lynkrc_runtime.dispatch import Chain, Dispatch, Rule


def read_dispatch(path: Path, data: bytes) -> Dispatch:
    """The dispatch table of a checked bundle; `path` is for messages."""
    try:
        dispatch = msgspec.json.decode(data, type=Dispatch)
    except (msgspec.DecodeError, ValueError) as error:
        raise BrokenBundle(f"{path}: unreadable table: {error}") from error
    _check_references(path, dispatch)
    return dispatch


def _check_references(path: Path, dispatch: Dispatch) -> None:
    """Every index of the table leads somewhere: a request must not be the first to find out."""
    references = (
        ("provider", [target.provider for target in dispatch.targets], len(dispatch.providers)),
        (
            "target",
            [t for c in dispatch.chains for group in c.groups for t in group],
            len(dispatch.targets),
        ),
        (
            "target",
            [rule.prefer.target for rule in dispatch.rules if rule.prefer is not None],
            len(dispatch.targets),
        ),
        ("chain", [tier.chain for tier in dispatch.tiers], len(dispatch.chains)),
    )
    for kind, indices, count in references:
        for index in indices:
            if index is not None and not 0 <= index < count:
                raise BrokenBundle(f"{path}: dispatch.json: there is no {kind} {index}")
    for chain in dispatch.chains:
        wrong = _wrong_order(chain)
        if wrong is not None:
            raise BrokenBundle(f"{path}: dispatch.json: chain {chain.name}: {wrong}")
    for rule in dispatch.rules:
        wrong = _wrong_rule(rule)
        if wrong is not None:
            raise BrokenBundle(f"{path}: dispatch.json: rule {rule.name}: {wrong}")


_PICKS = frozenset({"order", "weighted", "cheapest", "fastest", "round_robin"})
_PREFERRED = frozenset({"cheapest", "fastest"})


def _wrong_order(chain: Chain) -> str | None:
    """What is wrong with how a chain is ordered: a request would meet it only by chance."""
    if chain.pick not in _PICKS:
        return f"there is no pick {chain.pick!r}"
    targets = sum(map(len, chain.groups))
    wanted = targets if chain.pick == "weighted" else 0
    if len(chain.weights) != wanted:
        return f"{len(chain.weights)} weights for {targets} targets, picked by {chain.pick}"
    if not all(weight > 0 for weight in chain.weights):
        return "a weight is less than 1"
    if not all(chain.groups):
        return "an empty group"
    return None


def _wrong_rule(rule: Rule) -> str | None:
    prefer = rule.prefer
    if prefer is None:
        return None
    if (prefer.pick is None) == (prefer.target is None):
        return "it prefers a pick or a target, one of the two"
    if prefer.pick is not None and prefer.pick not in _PREFERRED:
        return f"there is no pick {prefer.pick!r} to prefer"
    return None
