"""Proofs to JSON: verdicts alone for the bundle, all that was found for the report beside it.

What a solver finds differs between versions of it, verdicts do not: a bundle's bytes hold no
witness.
"""

from collections.abc import Sequence
from typing import Any

from lynkrc.interp.trace import as_json
from lynkrc.ir.domain import Domain
from lynkrc.ir.witness import features_of
from lynkrc.proofs.prove import Proof, Witness
from lynkrc.proofs.words import amount

VERSION = 1
"""Of the full report's form."""


def verdicts_json(proofs: Sequence[Proof]) -> list[dict[str, Any]]:
    """For ``report.json``: what was asserted and the verdict, in the order written."""
    return [
        {
            "name": proof.assertion.name,
            "assertion": proof.assertion.source,
            "verdict": proof.status.value,
            "waived": proof.assertion.waive if proof.waived else None,
        }
        for proof in proofs
    ]


def full_json(proofs: Sequence[Proof], domain: Domain, assumed: Sequence[str]) -> dict[str, Any]:
    """For ``report.full.json`` and ``lynkrc prove --format json``: `schema/proof.schema.json`."""
    return {
        "version": VERSION,
        "assertions": [
            {**short, **_found(proof, domain)}
            for short, proof in zip(verdicts_json(proofs), proofs, strict=True)
        ],
        "assumptions": list(assumed),
    }


def _found(proof: Proof, domain: Domain) -> dict[str, Any]:
    verdict = proof.verdict
    return {
        "kind": proof.assertion.kind.value,
        "told": proof.word,
        "reason": verdict.reason or None,
        "worst": None if verdict.worst is None else amount(proof.assertion.kind, verdict.worst),
        "worst_is_exact": None if verdict.worst is None else verdict.is_exact,
        "witnesses": [_witness(witness, domain) for witness in proof.witnesses],
    }


def _witness(witness: Witness, domain: Domain) -> dict[str, Any]:
    request = witness.request
    return {
        "features": dict(features_of(domain, witness.point, witness.plain)),
        "given": list(witness.given),
        "targets": list(witness.targets),
        "decision": as_json(witness.trace),
        "realised": request.realised,
        "missed": list(request.missed),
        "request": {
            "surface": request.surface,
            "path": request.path,
            "key": None if request.key is None else request.key.name,
            "headers": dict(request.headers),
            "body": request.body,
        },
    }
