"""A study's duties to those that no request calls for, and those of which that is not known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.analysis.duties import OF_GUARDS, Atom, Duty
from lynkrc.analysis.duty_formulas import DutyFormulas
from lynkrc.analysis.duty_seen import seen
from lynkrc.analysis.settle import Progress, Settling, facts_of
from lynkrc.analysis.solver import Solver
from lynkrc.analysis.study import Study
from lynkrc.ir.domain import Point


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What no request calls for, and what is not known, in the duties' order."""

    dead: frozenset[Duty]
    undecided: tuple[Duty, ...]


def sweep(
    study: Study,
    duties: Sequence[Duty],
    atoms: Sequence[Atom],
    formulas: DutyFormulas,
    progress: Progress | None = None,
) -> Sweep:
    """Settle every duty; first those about the decision, as what is found then settles others."""

    def called_for(point: Point, open_: Sequence[Duty]) -> Sequence[Duty]:
        return seen(study.table, study.vector(point), open_, atoms)

    settling = Settling(
        questions=duties, met=called_for, kind=lambda duty: duty.act, progress=progress
    )
    of_decision = [duty for duty in duties if duty.act not in OF_GUARDS]
    settling.settle(of_decision, study.solver, formulas.calls_for)
    of_guards = [duty for duty in duties if duty.act in OF_GUARDS]
    # Without the decision the questions are small.
    settling.settle(
        of_guards, Solver([study.symbols], facts_of(study), rlimit=study.rlimit), formulas.holds_for
    )
    undecided = tuple(duty for duty in duties if duty in settling.undecided)
    return Sweep(dead=frozenset(settling.impossible), undecided=undecided)
