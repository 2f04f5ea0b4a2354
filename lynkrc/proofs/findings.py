"""Proofs to findings: what is refuted, what is unknown, and waivers that nothing needs."""

from collections.abc import Iterable, Iterator

from lynkrc.analysis.verdicts import Status
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.proof_codes import REFUTED, UNDECIDED, UNNEEDED_WAIVE
from lynkrc.ir.assertion import Kind
from lynkrc.ir.domain import Domain
from lynkrc.ir.witness import told
from lynkrc.proofs.prove import Proof, Witness
from lynkrc.proofs.words import amount, ends


def proof_findings(proofs: Iterable[Proof], domain: Domain) -> Iterator[Diagnostic]:
    """The findings, in the order of the assertions."""
    for proof in proofs:
        assertion = proof.assertion
        match proof.status:
            case Status.REFUTED:
                yield Diagnostic(
                    code=REFUTED,
                    message=f"{proof.word}: `{assertion.source}`",
                    span=assertion.span,
                    help="; ".join(_why(proof, domain)),
                )
            case Status.UNKNOWN if assertion.waive is None:
                yield Diagnostic(
                    code=UNDECIDED,
                    message=f"`{assertion.source}` is neither proved nor refuted",
                    span=assertion.span,
                    help=f"{proof.verdict.reason}; mend that, or give the assertion a `name` and "
                    "`waive: reason`",
                )
            case Status.PROVED | Status.UNKNOWN:
                pass
        if assertion.waive is not None and proof.status is not Status.UNKNOWN:
            yield Diagnostic(
                code=UNNEEDED_WAIVE,
                message=f"`{assertion.source}` is {proof.status.value}: `waive` lets nothing pass",
                span=assertion.span,
                help="take `waive` out",
            )


def _why(proof: Proof, domain: Domain) -> Iterator[str]:
    if not proof.witnesses:
        yield proof.verdict.reason or "no request shows it"
        return
    for witness in proof.witnesses:
        yield f"a request with {told(domain, witness.point, witness.plain)}: {_decided(witness)}"
        if not witness.request.realised:
            yield f"not realised: {', '.join(witness.request.missed)}"
        elif witness.given:
            yield f"no request carries {' and '.join(witness.given)}"
    worst = proof.verdict.worst
    if worst is not None and proof.assertion.kind in (Kind.MAX_COST_USD, Kind.MAX_LATENCY):
        qualifier = "" if proof.verdict.is_exact else "at least "
        yield f"the worst case is {qualifier}{amount(proof.assertion.kind, worst)}"
    yield "`lynkrc prove` prints it whole"


def _decided(witness: Witness) -> str:
    reached = f", which reaches {' and '.join(witness.targets)}" if witness.targets else ""
    return f"{ends(witness.trace)}{reached}"
