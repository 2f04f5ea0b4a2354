"""What ordinary requests of known clients come to, as the lines `lynkrc check` ends with."""

from lynkrc.analysis.clients import ClientReach, client_reach, unreached_tiers
from lynkrc.codegen.columns import align
from lynkrc.codegen.names import printable
from lynkrc.ir.table import Otherwise, RouteTable

_LIMITS = (20, 86)
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
        rows.append((printable(one.client), _tiers(one)))
        rows += [("", line) for line in _emptied(table, one)]
    missed = unreached_tiers(table, found)
    if missed:
        rows.append(("none of them", ", ".join(map(printable, missed))))
    return align(rows, _LIMITS)


def _tiers(one: ClientReach) -> str:
    if one.denied_by is not None:
        return f"none: denied by rule {printable(one.denied_by)}"
    if one.pinned_by is not None:
        return f"none: the model name {printable(one.pinned_by)} pins a target"
    return ", ".join(map(printable, one.tiers)) or "none"


def _emptied(table: RouteTable, one: ClientReach) -> list[str]:
    lines = []
    for emptied in one.emptied:
        why = ", ".join(f"{target} {reason}" for target, reason in emptied.dropped)
        lines.append(printable(f"not {emptied.tier} ({_THEN[table.otherwise]}): {why}"))
    return lines
