"""What was expected, what came of it and why, as people read it.

>>> written(("small", "mid")), written(None)
('[small, mid]', 'none')
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from lynkrc.diagnostics.wording import printable
from lynkrc.interp.trace import as_json
from lynkrc.testing.case import Expected, Subject
from lynkrc.testing.judge import Mismatch, is_exact, rounded
from lynkrc.testing.runner import Disagreement, Run

_MOST = 6  # dimensions that are named
_VERBS = {
    Subject.CHAIN_HAS: "expected to have",
    Subject.CHAIN_LACKS: "expected to lack",
}


def written(value: Expected) -> str:
    """A value as a file of tests has it."""
    match value:
        case None:
            return "none"
        case Decimal():
            return f"{value.normalize():f}"
        case tuple():
            return f"[{', '.join(map(printable, value))}]"
        case _:
            return printable(str(value))


def mismatch_line(mismatch: Mismatch) -> str:
    """``tier: expected SIMPLE, got MEDIUM``; points in as many decimals as are compared."""
    subject, got = mismatch.expectation.subject, mismatch.got
    if isinstance(got, Decimal) and not is_exact(mismatch.expectation.wanted):
        got = rounded(got)
    verb = _VERBS.get(subject, "expected")
    told = written(got)
    if subject is Subject.TARGET and isinstance(got, tuple):
        told = f"any of {told}"
    path = printable(mismatch.expectation.path)
    return f"{path}: {verb} {written(mismatch.expectation.wanted)}, got {told}"


def failure_lines(run: Run) -> list[str]:
    """Why a case failed: what does not hold, then how it was decided."""
    lines = [] if run.problem is None else [printable(run.problem)]
    lines += [mismatch_line(mismatch) for mismatch in run.mismatches]
    for disagreement in run.disagreements:
        lines += disagreement_lines(disagreement)
    if run.why is not None and not run.disagreements:
        lines += why_lines(as_json(run.why))
    return lines


def disagreement_lines(disagreement: Disagreement) -> list[str]:
    """Both traces, one below the other."""
    lines = [
        f"{disagreement.engine} does not decide as the reference interpreter does: "
        f"{tuple(map(int, disagreement.verdict))}, "
        f"not {tuple(disagreement.reference['verdict'])}",
        "the reference interpreter:",
    ]
    lines += [f"  {line}" for line in why_lines(disagreement.reference)]
    lines.append("the generated code:")
    lines += [f"  {line}" for line in why_lines(disagreement.reasons)]
    return lines


def why_lines(why: Mapping[str, Any]) -> list[str]:
    """A decision's reasons in short, of what `explain` returns."""
    tier = "" if why["tier"] is None else f" {why['tier']}"
    lines = [f"decided {why['outcome']}{tier} by {why['rule']}"]
    if why["score"] is not None:
        points = _points(why)
        lines.append(f"score {why['score']}" + (f": {points}" if points else ""))
    matched = [rule["name"] for rule in why["rules"] if rule["matched"]]
    if matched:
        lines.append(f"matched {', '.join(matched)}")
    if why["pin"] is not None:
        lines.append(f"pinned by {why['pin']}")
    tiers = why["tiers"]
    if tiers is not None and tiers["chosen"] != why["tier"]:
        moved = [one["rule"] for one in (tiers["raised"], tiers["lowered"]) if one is not None]
        lines.append(f"tier {tiers['chosen']} before {', '.join(moved)}")
    for chain in why["chains"]:
        targets = [
            target["target"]
            + (f" (dropped by {', '.join(target['dropped_by'])})" if target["dropped_by"] else "")
            for target in chain["targets"]
        ]
        lines.append(f"chain {chain['chain']}: {', '.join(targets)}")
    return [printable(line) for line in lines]


def _points(why: Mapping[str, Any]) -> str:
    given: Sequence[tuple[str, int]] = [
        *((one["name"], one["points"]) for one in why["points"]["dimensions"]),
        *((one["rule"], one["points"]) for one in why["points"]["adds"]),
        *([("offset", why["points"]["offset"])] if why["points"]["offset"] else []),
    ]
    most = sorted((one for one in given if one[1]), key=lambda one: -abs(one[1]))
    told = [f"{name} {points / 6400:+.2f}" for name, points in most[:_MOST]]
    if len(most) > _MOST:
        told.append(f"{len(most) - _MOST} more")
    return ", ".join(told)
