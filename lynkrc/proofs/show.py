"""Proofs to the text that ``lynkrc prove`` prints."""

from collections.abc import Iterator
from textwrap import indent, wrap

from lynkrc.analysis.verdicts import Status
from lynkrc.ir.assertion import Kind
from lynkrc.ir.domain import Domain
from lynkrc.ir.witness import features_of
from lynkrc.proofs.prove import Proof, Witness
from lynkrc.proofs.run import Proved
from lynkrc.proofs.words import amount, ends
from lynkrc.testing.case_text import as_test_case
from lynkrc.testing.curl import as_curl

WIDTH = 100
GATEWAY = "http://localhost:8081"
"""Where the printed commands send the request."""

_COLOURS = {Status.PROVED: "\x1b[32m", Status.REFUTED: "\x1b[1;31m", Status.UNKNOWN: "\x1b[1;33m"}
_INDENT = " " * 10


def show(proved: Proved, *, colour: bool) -> str:
    """Every assertion with its verdict and witnesses, what was assumed, and a last line."""
    lines: list[str] = []
    for proof in proved.proofs:
        lines += _proof(proof, proved.domain, colour=colour)
    if proved.assumptions:
        lines += ["", "assumed"]
        for text in proved.assumptions:
            lines += wrap(text, WIDTH, initial_indent="  - ", subsequent_indent="    ")
    return "\n".join([*lines, "", proved.counted]) + "\n"


def _proof(proof: Proof, domain: Domain, *, colour: bool) -> Iterator[str]:
    word = f"{proof.status.value:<8}"
    if colour:
        word = f"{_COLOURS[proof.status]}{word}\x1b[0m"
    name = "" if proof.assertion.name is None else f"  ({proof.assertion.name})"
    yield f"{word}  {proof.assertion.source}{name}"
    verdict = proof.verdict
    if verdict.reason:
        yield from _wrapped(verdict.reason)
    if proof.waived:
        yield from _wrapped(f"waived: {proof.assertion.waive}")
    if verdict.worst is not None and proof.assertion.kind in (Kind.MAX_COST_USD, Kind.MAX_LATENCY):
        qualifier = "" if verdict.is_exact else "at least "
        yield f"{_INDENT}worst case {qualifier}{amount(proof.assertion.kind, verdict.worst)}"
    if proof.status is Status.REFUTED and not proof.witnesses:
        yield f"{_INDENT}no request shows it"
    for number, witness in enumerate(proof.witnesses):
        title = "a request" if len(proof.witnesses) == 1 else ("the lesser", "the greater")[number]
        yield from _witness(proof, witness, domain, title)


def _witness(proof: Proof, witness: Witness, domain: Domain, title: str) -> Iterator[str]:
    features = features_of(domain, witness.point, witness.plain)
    yield f"{_INDENT}{title} with" + ("" if features else " nothing out of the ordinary")
    width = max((len(name) for name, _ in features), default=0)
    for name, value in features:
        yield f"{_INDENT}  {name:<{width}} = {value}"
    reached = f", which reaches {' and '.join(witness.targets)}" if witness.targets else ""
    yield from _wrapped(f"is {ends(witness.trace)}{reached}")
    if not witness.request.realised:
        yield from _wrapped(f"vector only, not realised: {', '.join(witness.request.missed)}")
        return
    if proof.status is Status.REFUTED:
        yield f"{_INDENT}send it:"
        yield indent(as_curl(witness.request, GATEWAY), _INDENT + "  ")
        yield f"{_INDENT}or keep it as a test of the policy as it is:"
        expected = {"outcome": witness.trace.outcome, "tier": witness.trace.tier}
        case = as_test_case(
            witness.request,
            {key: value for key, value in expected.items() if value is not None},
        )
        yield indent(case.rstrip("\n"), _INDENT + "  ")


def _wrapped(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)
