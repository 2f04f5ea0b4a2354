"""Verdicts, amounts and decisions to words."""

from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

from lynkrc.interp.trace import Trace
from lynkrc.ir.assertion import Kind


def amount(kind: Kind, value: Fraction) -> str:
    """``34.02 USD`` or ``600 s``, rounded up to what people read."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    if kind is Kind.MAX_LATENCY:
        return f"{_plain(exact.quantize(Decimal('0.1'), ROUND_CEILING))} s"
    return f"{_plain(exact.quantize(Decimal('0.0001'), ROUND_CEILING))} USD"


def ends(found: Trace) -> str:
    """What is decided: ``routed in tier HIGH by rule audits to big, then mid``."""
    match found.outcome:
        case "route":
            tier = "" if found.tier is None else f" in tier {found.tier}"
            return f"routed{tier} by {_by(found.rule)} to {', then '.join(found.targets)}"
        case "deny":
            return f"denied by {_by(found.rule)}"
        case "respond":
            return f"answered by {_by(found.rule)}"
        case _:
            return "refused, as no target is left"


def _by(rule: str) -> str:
    return {"score": "its score", "pin": "the requested name"}.get(rule, f"rule {rule}")


def _plain(number: Decimal) -> str:
    text = format(number.normalize(), "f")
    return text
