"""A RouteTable to what the solver finds wrong with it, as diagnostics.

What could not be decided makes no finding; one note says what that was.
"""

from collections.abc import Iterator, Sequence

from lynkrc.analysis.asked import Asked, Undecided, place_of
from lynkrc.analysis.chain_findings import (
    atom_findings,
    dimension_findings,
    empty_findings,
    fallback_findings,
    tier_findings,
)
from lynkrc.analysis.duties import Act, Atom, Duty, atoms_of, duties_of
from lynkrc.analysis.duty_formulas import DutyFormulas
from lynkrc.analysis.rule_findings import floor_findings, rule_findings
from lynkrc.analysis.settle import Progress
from lynkrc.analysis.study import Study
from lynkrc.analysis.sweep import first_solver, sweep
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.sema_codes import UNDECIDED
from lynkrc.diagnostics.wording import shown
from lynkrc.ir.table import RouteTable, TargetId

_NAMED = 10
"""Most undecided questions that a note names."""


def find(
    study: Study,
    own: str,
    told: Sequence[Diagnostic] = (),
    progress: Progress | None = None,
) -> tuple[Diagnostic, ...]:
    """What no request ever calls for, and requests that must not be.

    `own` is the path of the spec, whose inherited rules, dimensions and tests are exempt; `told` is
    what was found without proofs, and is not told again.
    """
    atoms = tuple(one for one in atoms_of(study.table) if one.span.file.path == own)
    duties = [duty for duty in duties_of(study.table, atoms) if _is_own(study.table, duty, own)]
    formulas = DutyFormulas(study.encoded, atoms)
    first = first_solver(study)
    swept = sweep(study, duties, atoms, formulas, first, progress)
    asked = Asked(
        study=study,
        first=first,
        formulas=formulas,
        atoms=atoms,
        dead=swept.dead,
        own=own,
        told=told,
    )
    found = [
        *rule_findings(asked),
        *floor_findings(asked),
        *tier_findings(asked),
        *fallback_findings(asked),
        *empty_findings(asked),
        *dimension_findings(asked),
        *atom_findings(asked),
    ]
    open_ = [
        *(_undecided(study.table, atoms, duty) for duty in swept.undecided),
        *(one for one in found if isinstance(one, Undecided)),
    ]
    return (*(one for one in found if isinstance(one, Diagnostic)), *_noted(open_))


def _is_own(table: RouteTable, duty: Duty, own: str) -> bool:
    match duty.act:
        case Act.REACHED | Act.SCORED | Act.TRIED | Act.TRUE | Act.FALSE:
            return True
        case Act.COUNTS:
            return table.dimensions[duty.owner].span.file.path == own
        case _:
            return table.rules[duty.owner].span.file.path == own


def _noted(undecided: Sequence[Undecided]) -> Iterator[Diagnostic]:
    """One note for all of them."""
    if not undecided:
        return
    told = list(dict.fromkeys(one.what for one in undecided))
    names = ", ".join(told[:_NAMED])
    if len(told) > _NAMED:
        names += f" and {len(told) - _NAMED:,} more"
    yield Diagnostic(
        code=UNDECIDED,
        message=f"it could not be decided whether this has an effect: {names}",
        span=undecided[0].span,
        help="nothing is said of what is named; simpler conditions and values are decided sooner",
    )


def _undecided(table: RouteTable, atoms: Sequence[Atom], duty: Duty) -> Undecided:
    match duty.act:
        case Act.REACHED | Act.SCORED:
            tier = table.tiers[duty.owner]
            return Undecided(what=f"the tier {shown(tier.name)}", span=place_of(tier))
        case Act.TRIED:
            chain = table.chains[duty.owner]
            place = chain.targets.index(TargetId(duty.part))
            target = shown(table.targets[duty.part].name)
            return Undecided(
                what=f"{target} in the chain of {shown(chain.name)}", span=chain.spans[place]
            )
        case Act.COUNTS:
            dimension = table.dimensions[duty.owner]
            what = f"the dimension {shown(dimension.name)}"
            return Undecided(what=what, span=place_of(dimension))
        case Act.TRUE | Act.FALSE:
            span = atoms[duty.owner].span
            return Undecided(what=f"the test {shown(span.text)}", span=span)
        case _:
            rule = table.rules[duty.owner]
            what = f"the {duty.act.value} of {shown(rule.name)}"
            return Undecided(what=what, span=place_of(rule))
