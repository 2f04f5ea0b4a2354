"""Proofs to the text that ``lynkrc prove`` prints."""

from collections.abc import Iterator, Mapping
from textwrap import indent, wrap

from lynkrc.analysis.verdicts import Status
from lynkrc.ir.assertion import Kind
from lynkrc.ir.witness import features_of
from lynkrc.proofs.prove import Proof, Witness
from lynkrc.proofs.requests import GATEWAY, body_text, in_short, is_case, is_long, test_case
from lynkrc.proofs.run import Proved
from lynkrc.proofs.words import amount, ends
from lynkrc.testing.curl import as_curl

WIDTH = 100
_NARROWEST = 40
_COLOURS = {Status.PROVED: "\x1b[32m", Status.REFUTED: "\x1b[1;31m", Status.UNKNOWN: "\x1b[1;33m"}
_INDENT = " " * 10


def show(proved: Proved, *, colour: bool, columns: int | None = None) -> str:
    """Every assertion with its verdict and witnesses, what was assumed, and a last line.

    `columns` is the width of the screen, None where there is none.
    """
    width = max(_NARROWEST, min(WIDTH, columns or WIDTH))
    lines: list[str] = []
    for proof in proved.proofs:
        lines += _proof(proof, proved, colour=colour, width=width)
    if proved.assumptions:
        lines += ["", "assumed"]
        for text in proved.assumptions:
            lines += wrap(text, width, initial_indent="  - ", subsequent_indent="    ")
    if lines:
        lines.append("")
    return "\n".join([*lines, proved.counted]) + "\n"


def _proof(proof: Proof, proved: Proved, *, colour: bool, width: int) -> Iterator[str]:
    word = f"{proof.status.value:<8}"
    if colour:
        word = f"{_COLOURS[proof.status]}{word}\x1b[0m"
    name = "" if proof.assertion.name is None else f"  ({proof.assertion.name})"
    yield f"{word}  {proof.assertion.source}{name}"
    verdict = proof.verdict
    if verdict.reason:
        yield from _wrapped(verdict.reason, width)
    if proof.waived:
        yield from _wrapped(f"waived: {proof.assertion.waive}", width)
    if verdict.worst is not None and proof.assertion.kind in (Kind.MAX_COST_USD, Kind.MAX_LATENCY):
        qualifier = "" if verdict.is_exact else "at least "
        yield f"{_INDENT}worst case {qualifier}{amount(proof.assertion.kind, verdict.worst)}"
    if proof.status is Status.REFUTED and not proof.witnesses:
        yield f"{_INDENT}no request shows it"
    for number, witness in enumerate(proof.witnesses):
        title = "a request" if len(proof.witnesses) == 1 else ("the lesser", "the greater")[number]
        yield from _witness(proof, witness, proved, title, width)


def _witness(
    proof: Proof, witness: Witness, proved: Proved, title: str, width: int
) -> Iterator[str]:
    features = features_of(proved.domain, witness.point, witness.plain)
    yield f"{_INDENT}{title} with" + ("" if features else " nothing out of the ordinary")
    longest = max((len(name) for name, _ in features), default=0)
    for name, value in features:
        yield f"{_INDENT}  {name:<{longest}} = {value}"
    reached = f", which reaches {' and '.join(witness.targets)}" if witness.targets else ""
    yield from _wrapped(f"is {ends(witness.trace)}{reached}", width)
    request = witness.request
    if not request.realised:
        yield from _wrapped(f"vector only, not realised: {', '.join(request.missed)}", width)
        return
    if proof.status is not Status.REFUTED:
        yield f"{_INDENT}as in POST {request.path}{_told_headers(request.headers)}"
        yield f"{_INDENT}  {in_short(request.body)}"
        return
    if witness.given:
        yield from _wrapped(
            f"vector only: no request carries {' and '.join(witness.given)}; given that, this one "
            "shows it",
            width,
        )
    if is_long(witness):
        size = len(body_text(request.body).encode())
        yield from _wrapped(
            f"its body has {size:,} bytes; `--requests DIR` writes it, with the command that sends "
            "it and a test. In short:",
            width,
        )
        yield f"{_INDENT}  POST {request.path}{_told_headers(request.headers)}"
        yield f"{_INDENT}  {in_short(request.body)}"
        return
    yield f"{_INDENT}send it:"
    command = as_curl(request, GATEWAY, proved.headers).rstrip("\n")
    yield indent(command, _INDENT + "  ")
    if not is_case(witness):
        return
    lasting = "until that is mended, and keeps it so" if witness.unwanted else ""
    yield f"{_INDENT}keep it as a test{f', which fails {lasting}' if lasting else ''}:"
    yield indent(test_case(proof, witness).rstrip("\n"), _INDENT + "  ")


def _told_headers(headers: Mapping[str, str]) -> str:
    told = [f"{name}: {value}" for name, value in headers.items() if name != "content-type"]
    return "".join(f", {one}" for one in told)


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(text, width, initial_indent=_INDENT, subsequent_indent=_INDENT)
