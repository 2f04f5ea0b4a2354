"""What ordinary requests of known clients come to, as the lines `lynkrc check` ends with."""

from lynkrc.analysis.clients import ClientReach, client_reach, unreached_tiers
from lynkrc.codegen.columns import align
from lynkrc.codegen.names import printable
from lynkrc.ir.table import Otherwise, RouteTable

_LIMITS = (20, 86)
_THEN = {
    Otherwise.ESCALATE: "another tier's chain serves it",
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
        names = ", ".join(map(printable, missed))
        rows.append(("(none of them)", names))
    return align(rows, _LIMITS)


def _tiers(one: ClientReach) -> str:
    if one.denied_by is not None:
        return f"none: denied by rule {printable(one.denied_by)}"
    return ", ".join(map(printable, one.tiers))


def _emptied(table: RouteTable, one: ClientReach) -> list[str]:
    lines = []
    for emptied in one.emptied:
        why = ", ".join(f"{printable(target)} ({reason})" for target, reason in emptied.dropped)
        then = _THEN[table.otherwise]
        lines.append(f"{printable(emptied.tier)} has no target left for it, {then}: {why}")
    return lines
