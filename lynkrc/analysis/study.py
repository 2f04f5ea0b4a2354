"""A RouteTable and what is claimed of it, to a solver that knows both: where questions are asked.

`Study.solver` answers about one request; `Study.encoded` are the formulas of the table's decision
on it. A found `Point` becomes the table's vector by `Study.vector`.
"""

from dataclasses import dataclass
from typing import final

import z3

from lynkrc.analysis.encode import Encoder
from lynkrc.analysis.encoded import Encoded
from lynkrc.analysis.known import known_of
from lynkrc.analysis.limits import RLIMIT
from lynkrc.analysis.solver import Solver
from lynkrc.analysis.symbols import Symbols, symbols_of
from lynkrc.interp.assertions import joint_domain
from lynkrc.ir.assertion import NO_ASSERTIONS, Assertions, is_beside
from lynkrc.ir.domain import Domain, Point, View
from lynkrc.ir.table import RouteTable


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One table under one roof with its assertions.

    `claims` is the view of the assertions' slots (-1 for those beside the request). `loose` are the
    variables of which less is known than is true: a request found with the help of one may not
    exist.
    """

    table: RouteTable
    assertions: Assertions
    domain: Domain
    claims: View
    symbols: Symbols
    encoded: Encoded
    known: tuple[z3.BoolRef, ...]
    rlimit: int
    loose: frozenset[int]
    solver: Solver

    def vector(self, point: Point) -> list[int]:
        """The table's vector of a point."""
        return self.domain.views[0].vector(point)


def study(
    table: RouteTable,
    assertions: Assertions = NO_ASSERTIONS,
    *,
    rest: Point | None = None,
    rlimit: int = RLIMIT,
) -> Study:
    """Everything that is known of a request, encoded.

    Witnesses are as near to `rest` as can be, a point of `joint_domain`; `rlimit` bounds each
    question.
    """
    domain = joint_domain(table, assertions)
    symbols = symbols_of(domain, z3.Context(), rest)
    encoded = Encoder(table, symbols, domain.views[0]).encode()
    known = known_of(symbols, (table,))
    return Study(
        table=table,
        assertions=assertions,
        domain=domain,
        claims=_with_beside(assertions, domain.views[1]),
        symbols=symbols,
        encoded=encoded,
        known=(*encoded.definitions, *known.constraints),
        rlimit=rlimit,
        loose=known.loose,
        solver=Solver([symbols], [*encoded.definitions, *known.constraints], rlimit=rlimit),
    )


def _with_beside(assertions: Assertions, features: View) -> View:
    """The view by the assertions' own slot numbers."""
    variables: list[int] = []
    classes: list[tuple[int, ...] | None] = []
    taken = 0
    for slot in assertions.slots:
        if is_beside(slot):
            variables.append(-1)
            classes.append(None)
        else:
            variables.append(features.variables[taken])
            classes.append(features.classes[taken])
            taken += 1
    return View(variables=tuple(variables), classes=tuple(classes))
