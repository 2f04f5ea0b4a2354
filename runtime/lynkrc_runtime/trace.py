"""A decided request to its trace: one JSON object that tells why, for people and for programs.

`lynkrc trace` prints it, the gateway keeps it for ``x-lynkr-explain: 1``; its published form is
``schema/trace.schema.json``. What depends on the vector comes from the bundle's own ``explain.py``.
It holds numbers, names of the spec and places in texts, and no word of the request: values of
headers and names of models stand in it as the classes the spec compares them with.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lynkrc_runtime.decide import Decision
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.features import PatternFound, SlotValue

VERSION = 1
"""The version of the object's form."""


def trace_of(
    *,
    bundle: str,
    surface: str,
    dispatch: Dispatch,
    features: Sequence[SlotValue] = (),
    explained: Mapping[str, Any] | None = None,
    decision: Decision | None = None,
) -> dict[str, Any]:
    """The trace of one request.

    `bundle` is the meaning digest; `explained` what the bundle's ``explain`` says of the features'
    vector, `decision` what was decided. Both are None for a request that was refused before.
    """
    decided = None
    if explained is not None and decision is not None:
        decided = _decision(dispatch, features, explained, decision)
    return {
        "version": VERSION,
        "bundle": bundle,
        "surface": surface,
        "decision": decided,
        "features": [_feature(feature) for feature in features],
        "session": None,
        "served": None,
        "omitted": [],
    }


def _decision(
    dispatch: Dispatch,
    features: Sequence[SlotValue],
    explained: Mapping[str, Any],
    decision: Decision,
) -> dict[str, Any]:
    return {
        "outcome": explained["outcome"],
        "tier": explained["tier"],
        "rule": explained["rule"],
        "score": explained["score"],
        "targets": [dispatch.targets[target].name for target in decision.targets],
        "status": None if decision.deny is None else decision.deny.status,
        "order": {
            "groups": [
                [dispatch.targets[target].name for target in group] for group in decision.groups
            ],
            "pick": decision.pick,
            "varies": decision.varies,
            "prefer": explained["prefer"],
        },
        "tiers": explained["tiers"],
        "pin": explained["pin"],
        "points": explained["points"],
        "rules": [
            {
                **rule,
                "atoms": [
                    {
                        "atom": atom["atom"],
                        "holds": atom["holds"],
                        "sides": atom["sides"],
                        "reads": {
                            features[slot].slot: features[slot].shown for slot in atom["reads"]
                        },
                    }
                    for atom in rule["atoms"]
                ],
            }
            for rule in explained["rules"]
        ],
        "needs": explained["needs"],
        "chain": explained["chain"],
        "chain_rule": explained["chain_rule"],
        "chains": explained["chains"],
    }


def _feature(feature: SlotValue) -> dict[str, Any]:
    return {
        "slot": feature.slot,
        "value": feature.value,
        "shown": feature.shown,
        "text": feature.text,
        "patterns": [_pattern(pattern) for pattern in feature.patterns],
    }


def _pattern(found: PatternFound) -> dict[str, Any]:
    return {
        "pattern": found.pattern,
        "weight": found.weight64 / 64,
        "times": found.times,
        "places": [
            {"chars": [place.start, place.end], "bytes": [place.byte_start, place.byte_end]}
            for place in found.places
        ],
    }
