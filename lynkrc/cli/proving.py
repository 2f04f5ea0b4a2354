"""What commands share in proving: the spec that another is to be the same as.

What compares two specs is imported where they are compared: most specs claim nothing of others.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from lynkrc.cli.specs import CannotRead
from lynkrc.ir.assertion import Assertion
from lynkrc.ir.digest import meaning_digest
from lynkrc.ir.table import RouteTable

if TYPE_CHECKING:
    from lynkrc.analysis.verdicts import Verdict
    from lynkrc.diff.plan import Plan, Side
    from lynkrc.proofs.run import Compare

_ENDS = {"route": "routed", "deny": "denied", "respond": "answered", "refuse": "refused"}


def comparing(spec: Path) -> "Compare":
    """Decides `same_as` for the spec at a path; files are named from where it lies."""
    return lambda table, assertion: _same_as(table, assertion, spec)


def _same_as(table: RouteTable, assertion: Assertion, spec: Path) -> "Verdict":
    """Whether the spec means what the file means; the file is named from where the spec lies."""
    from lynkrc.cli.comparands import compile_path
    from lynkrc.diff.compare import compare
    from lynkrc.diff.plan import Spec

    path = spec.parent / (assertion.file or "")
    try:
        other = compile_path(path)
    except CannotRead:
        if path.exists():
            reason = f"{path} is neither a spec nor a bundle that can be read"
        else:
            reason = f"there is no {path}; `same_as` names a file from the folder of the spec"
        return _unknown(assertion, reason)
    if other.table is None or other.artifacts is None:
        return _unknown(assertion, f"{path} has errors: `lynkrc check {path}` shows them")
    plan = compare(
        other.table,
        table,
        specs=(
            Spec(
                label=str(path),
                name=other.artifacts.name,
                digest=other.artifacts.meaning_digest,
                routes="",
            ),
            Spec(label=str(spec), name=table.name, digest=meaning_digest(table), routes=""),
        ),
    )
    return _judged(assertion, plan, f"`lynkrc diff {path} {spec}` shows all of it")


def _judged(assertion: Assertion, plan: "Plan", hint: str) -> "Verdict":
    from lynkrc.analysis.verdicts import Status, Verdict
    from lynkrc.diff.plan import Category

    if plan.same_meaning:
        return Verdict(assertion=assertion, status=Status.PROVED)
    if plan.worst is None or plan.worst is Category.COSMETIC:
        return _unknown(assertion, "; ".join(plan.unknown))
    number = len(plan.categories)
    told = f"{number} differences, the gravest of them" if number > 1 else "1 difference, which is"
    reason = f"{told} in {plan.worst.value}: {_gravest(plan)}; {hint}"
    return Verdict(assertion=assertion, status=Status.REFUTED, reason=reason)


def _gravest(plan: "Plan") -> str:
    """The first of the gravest differences in words, with a request that shows it."""
    for region in plan.regions:
        if region.category is plan.worst:
            features = ", ".join(f"{name} = {value}" for name, value in region.witness.features)
            return (
                f"a request with {features or 'nothing out of the ordinary'} was "
                f"{_ends(region.before)} and is {_ends(region.after)}"
            )
    return next(one.words for one in plan.changes if one.category is plan.worst)


def _ends(side: "Side") -> str:
    tier = "" if side.tier is None else f" in tier {side.tier}"
    where = f" to {side.chain}" if side.targets else f" by {side.rule}"
    return f"{_ENDS.get(side.outcome, side.outcome)}{tier}{where}"


def _unknown(assertion: Assertion, reason: str) -> "Verdict":
    from lynkrc.analysis.verdicts import Status, Verdict

    return Verdict(assertion=assertion, status=Status.UNKNOWN, reason=reason)
