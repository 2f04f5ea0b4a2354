"""A lowered spec and its assertions to everything the solver has to say of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, final

from lynkrc.analysis.study import study
from lynkrc.analysis.verdicts import Status, Verdict
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.interp.assertions import joint_domain
from lynkrc.ir.assertion import Assertion, Assertions
from lynkrc.ir.domain import Domain, Point
from lynkrc.ir.table import RouteTable
from lynkrc.ir.witness import at_rest
from lynkrc.proofs.assumed import assumptions
from lynkrc.proofs.findings import proof_findings
from lynkrc.proofs.prove import Proof, prove
from lynkrc.proofs.requests import read_headers
from lynkrc.testing.realise import Shows
from lynkrc.testing.synthesize import Synthesized, Synthesizer


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """The proofs in the order written, the findings they make, and what they take for granted.

    `headers` are those that the policy reads, of those that clients add unasked.
    """

    proofs: tuple[Proof, ...]
    domain: Domain
    assumptions: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    headers: frozenset[str]

    @property
    def counted(self) -> str:
        """``2 proved, 1 refuted``; ``no assertions``."""
        counts = {one: sum(proof.status is one for proof in self.proofs) for one in Status}
        waived = sum(proof.waived for proof in self.proofs)
        words = [f"{count} {status.value}" for status, count in counts.items() if count]
        return (", ".join(words) or "no assertions") + (f" ({waived} waived)" if waived else "")

    @property
    def holds(self) -> bool:
        """Whether every assertion is proved, or waived where it is unknown."""
        return all(proof.holds for proof in self.proofs)


Compare: TypeAlias = Callable[[RouteTable, Assertion], Verdict]
"""Decides whether a table means the same as the file an assertion names."""


def run(
    table: RouteTable,
    assertions: Assertions,
    compare: Compare | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Proved:
    """Prove every assertion about a table with its automaton.

    Without `compare`, whether the table is the same as another is unknown.
    """
    domain = joint_domain(table, assertions)

    def is_same(assertion: Assertion) -> Verdict:
        if compare is None:
            reason = "other specs are not looked at here: `lynkrc prove` decides it"
            return Verdict(assertion=assertion, status=Status.UNKNOWN, reason=reason)
        return compare(table, assertion)

    realise = _Realiser(table, domain)
    subject = study(table, assertions, rest=realise.plainest())
    proofs = prove(subject, realise, is_same, progress)
    return Proved(
        proofs=proofs,
        domain=domain,
        assumptions=assumptions(subject),
        diagnostics=tuple(proof_findings(proofs, domain)),
        headers=read_headers(table, domain),
    )


@final
class _Realiser:
    """Builds requests; what that takes is made when the first is wanted."""

    def __init__(self, table: RouteTable, domain: Domain) -> None:
        self._table = table
        self._domain = domain
        self._synthesizer: Synthesizer | None = None

    def __call__(self, point: Point, shows: Shows) -> Synthesized:
        if self._synthesizer is None:
            self._synthesizer = Synthesizer(self._table, self._domain)
        return self._synthesizer.synthesize(point, shows)

    def plainest(self) -> Point:
        """What the gateway reads of a request that says as little as can be."""
        rest = at_rest(self._domain)
        return self(rest, lambda _: True).point or rest
