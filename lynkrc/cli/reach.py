"""What ordinary requests of known clients come to, as the lines `lynkrc check` ends with."""

from textwrap import wrap

from lynkrc.analysis.clients import ClientReach, client_reach, unreached_tiers
from lynkrc.diagnostics.wording import shown
from lynkrc.ir.table import Otherwise, RouteTable

_WIDTH = 88  # columns of what is told of a client
_THEN = {
    Otherwise.ESCALATE: "escalated",
    Otherwise.DENY: "denied",
    Otherwise.NONE: "refused",
}


def reach_lines(table: RouteTable) -> list[str]:
    """A table of clients and the tiers they reach; empty where no profile says what is ordinary."""
    found = client_reach(table)
    if not found:
        return []
    rows = [("client", "tiers its ordinary request can reach")]
    for one in found:
        rows.append((one.client, _tiers(one)))
        rows += [("", line) for line in _emptied(table, one)]
    missed = unreached_tiers(table, found)
    if missed:
        rows.append(("none of them", ", ".join(missed)))
    width = max(len(client) for client, _ in rows)
    return [
        f"{'' if number else client:{width}}  {line}"
        for client, told in rows
        for number, line in enumerate(wrap(told, _WIDTH, break_on_hyphens=False))
    ]


def _tiers(one: ClientReach) -> str:
    if one.denied_by is not None:
        return f"none: denied by rule {one.denied_by}"
    if one.pinned_by is not None:
        return f"none: the model name {shown(one.pinned_by)} pins a target"
    return ", ".join(one.tiers) or "none"


def _emptied(table: RouteTable, one: ClientReach) -> list[str]:
    then = _THEN[table.otherwise]
    return [
        f"not {emptied.tier} ({then}): "
        + ", ".join(f"{target} {reason}" for target, reason in emptied.dropped)
        for emptied in one.emptied
    ]
