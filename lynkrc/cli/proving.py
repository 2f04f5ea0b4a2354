"""What commands share in proving: the spec that another is to be the same as."""

from pathlib import Path

from lynkrc.analysis.verdicts import Status, Verdict
from lynkrc.cli.comparands import compile_path
from lynkrc.cli.specs import CannotRead
from lynkrc.diff.compare import compare
from lynkrc.diff.plan import Category, Plan, Spec
from lynkrc.ir.assertion import Assertion
from lynkrc.ir.digest import meaning_digest
from lynkrc.ir.table import RouteTable
from lynkrc.proofs.run import Compare


def comparing(spec: Path) -> Compare:
    """Decides `same_as` for the spec at a path; files are named from where it lies."""
    return lambda table, assertion: _same_as(table, assertion, spec)


def _same_as(table: RouteTable, assertion: Assertion, spec: Path) -> Verdict:
    """Whether the spec means what the file means; the file is named from where the spec lies."""
    path = spec.parent / (assertion.file or "")
    try:
        other = compile_path(path)
    except CannotRead as problem:
        return _unknown(assertion, str(problem))
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


def _judged(assertion: Assertion, plan: Plan, hint: str) -> Verdict:
    if plan.same_meaning:
        return Verdict(assertion=assertion, status=Status.PROVED)
    if plan.worst is None or plan.worst is Category.COSMETIC:
        return _unknown(assertion, "; ".join(plan.unknown))
    reason = (
        f"{len(plan.categories)} differences, the gravest of them in {plan.worst.value}; {hint}"
    )
    return Verdict(assertion=assertion, status=Status.REFUTED, reason=reason)


def _unknown(assertion: Assertion, reason: str) -> Verdict:
    return Verdict(assertion=assertion, status=Status.UNKNOWN, reason=reason)
