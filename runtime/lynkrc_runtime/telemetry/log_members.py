"""An outcome to the members of its log line, in the order they stand there.

Every request makes them, so they are structs that are made by position: Python puts more than
fifteen keywords, or members of a dict, into a growing dict one by one, and that dict is written
member by member. The classes say the names; nothing here is text of anybody's.
"""

from collections.abc import Mapping, Sequence
from typing import Any, final

from msgspec import UNSET, Struct, UnsetType

from lynkrc_runtime.attempt import AttemptRecord
from lynkrc_runtime.cost import Charge, Cost, micro_of, total_of
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.protocol.conversation import Usage
from lynkrc_runtime.telemetry.outcome import Outcome, milliseconds

_MODEL_LIMIT = 200
"""Characters of the model name a client sent that are logged."""
_NAMES, _NAME_LIMIT = 50, 100
"""Transforms or losses of a request that are logged, and characters of each."""


_NO_FAILURE: tuple[Any, Any, Any] = (UNSET, UNSET, UNSET)
_NO_CHARGE: tuple[Any, Any, Any, Any] = (UNSET, UNSET, UNSET, UNSET)


@final
class AttemptMembers(Struct, frozen=True, gc=False, rename={"kind": "class"}):
    """One attempt; what it has not is left out. `kind` is its failure's."""

    target: str
    result: str
    duration_ms: float
    fault: str | UnsetType
    kind: str | UnsetType
    status: int | UnsetType | None
    usage: Usage | UnsetType
    cost_micro_usd: int | UnsetType | None
    cost_by_kind: Cost | UnsetType | None
    estimated: bool | UnsetType


@final
class RequestMembers(Struct, frozen=True, gc=False, rename={"ending": "class"}):
    """What the line of a request says behind its time, level and event; times in milliseconds."""

    request_id: str
    surface: str
    dialect: str
    model: str
    stream: bool
    tier: str | None
    rule: str | None
    score: int | None
    target: str | None
    provider: str | None
    served_model: str | None
    fallback: bool
    calls: int
    attempts: Sequence[AttemptMembers]
    status: int
    ending: str
    key: str | None
    team: str | None
    tenant: str | None
    usage: Usage | None
    cost_micro_usd: int | None
    cost_by_kind: Cost | None
    estimated: bool
    duration_ms: float
    first_byte_ms: float | None
    transforms: Sequence[str]
    losses: Sequence[str]


def request_members(dispatch: Dispatch, outcome: Outcome) -> RequestMembers:
    """The members of a request's log line; `dispatch` is that of the bundle that served it."""
    target = provider = served = None
    if outcome.target is not None:
        found = dispatch.targets[outcome.target]
        target, served = found.name, found.model
        provider = dispatch.providers[found.provider].name
    attempts: list[AttemptMembers] = []
    charges: list[Charge] = []
    is_estimated = False
    for record in outcome.attempts:
        attempts.append(_attempt(dispatch, record))
        charge = record.charge
        if charge is not None:
            charges.append(charge)
            is_estimated = is_estimated or charge.estimated
    cost, first_byte = total_of(charges), outcome.first_byte
    return RequestMembers(
        outcome.request_id,
        outcome.surface,
        outcome.dialect,
        outcome.model[:_MODEL_LIMIT],
        outcome.stream,
        outcome.tier,
        outcome.rule,
        outcome.score,
        target,
        provider,
        served,
        outcome.fallback,
        outcome.calls,
        attempts,
        outcome.status,
        outcome.ending,
        outcome.key,
        outcome.team,
        outcome.tenant,
        outcome.usage,
        None if cost is None else micro_of(cost),
        cost,
        is_estimated,
        milliseconds(outcome.seconds),
        None if first_byte is None else milliseconds(first_byte),
        _names(outcome.transforms) if outcome.transforms else (),
        _names(outcome.losses) if outcome.losses else (),
    )


def chosen(members: RequestMembers, names: frozenset[str]) -> Mapping[str, Any]:
    """Those of the members that a spec wants, in their order."""
    return {
        name: getattr(members, field)
        for name, field in zip(
            members.__struct_encode_fields__, members.__struct_fields__, strict=True
        )
        if name in names
    }


def _attempt(dispatch: Dispatch, record: AttemptRecord) -> AttemptMembers:
    failure, charge, told = record.failure, record.charge, _NO_FAILURE
    if failure is not None and record.fault is not None:
        told = (record.fault, failure.kind.value, failure.status)
    fault, kind, status = told
    if charge is None:
        used, micro, cost, is_estimated = _NO_CHARGE
    else:
        used, cost, is_estimated = charge.usage, charge.cost, charge.estimated
        micro = None if cost is None else micro_of(cost)
    return AttemptMembers(
        dispatch.targets[record.target].name,
        record.result,
        milliseconds(record.seconds),
        fault,
        kind,
        status,
        used,
        micro,
        cost,
        is_estimated,
    )


def _names(entries: Sequence[str]) -> list[str]:
    """Entries within bounds: what a client or an upstream called a member stands in them.

    >>> _names(["n"] * 52)[49:]
    ['n', '+2']
    """
    kept = [entry[:_NAME_LIMIT] for entry in entries[:_NAMES]]
    more = len(entries) - len(kept)
    return [*kept, f"+{more}"] if more else kept
