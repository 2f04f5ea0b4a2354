"""What was spent to one line.

>>> from lynkrc.usage.tally import Spent
>>> summary_line(Spent(by=("tier",)))
'no requests'
"""

from lynkrc.diagnostics.wording import printable
from lynkrc.usage.report import usd
from lynkrc.usage.tally import NONE, Against, Spent


def summary_line(found: Spent) -> str:
    """Requests, by the groups of a sum by tier, spent and saved."""
    total = found.total
    if not total.requests:
        return "no requests"
    groups = [(names[0], one.requests) for names, one in found.groups.items()]
    tiers = ", ".join(f"{printable(name)} {count:,}" for name, count in groups if name != NONE)
    parts = [f"{total.requests:,} request{'' if total.requests == 1 else 's'}"]
    if tiers:
        parts[0] += f" ({tiers})"
    if total.errors:
        parts.append(f"{total.errors:,} failed")
    if total.priced:
        parts.append(f"${usd(total.cost, 4)} spent")
    if total.unpriced:
        parts.append(f"{total.unpriced:,} without a known cost")
    if found.against is not None and found.against.requests:
        parts.append(saved_words(found.against))
    return ", ".join(parts)


def saved_words(against: Against) -> str:
    """What was saved beside all on one target."""
    difference = against.would - against.paid
    share = f" ({round(100 * difference / against.would)} %)" if against.would else ""
    word = "saved" if difference >= 0 else "more"
    amount = f"${usd(abs(difference), 4)} {word}"
    return f"{amount}{share if difference >= 0 else ''} beside all on {printable(against.target)}"
