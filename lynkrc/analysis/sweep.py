"""A study's duties to those that no request calls for, and those of which that is not known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import z3

from lynkrc.analysis.duties import OF_GUARDS, Act, Atom, Duty
from lynkrc.analysis.duty_formulas import DutyFormulas
from lynkrc.analysis.duty_seen import seen
from lynkrc.analysis.settle import Progress, Settling, facts_of
from lynkrc.analysis.solver import Solver
from lynkrc.analysis.study import Study
from lynkrc.ir.domain import Point

_OF_FIRST = frozenset((Act.DENIES, Act.ANSWERS, Act.TIER, Act.CHAIN))


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
    first: Solver,
    progress: Progress | None = None,
) -> Sweep:
    """Settle every duty; first those about the decision, as what is found then settles others.

    `first` is the study's `first_solver`.
    """

    def called_for(point: Point, open_: Sequence[Duty]) -> Sequence[Duty]:
        return seen(study.table, study.vector(point), open_, atoms)

    settling = Settling(
        questions=duties, met=called_for, kind=lambda duty: duty.act, progress=progress
    )
    of_first = [duty for duty in duties if duty.act in _OF_FIRST]
    settling.settle(of_first, first, formulas.calls_for)
    of_decision = [duty for duty in duties if duty.act not in OF_GUARDS]
    settling.settle(of_decision, study.solver, formulas.calls_for)
    of_guards = [duty for duty in duties if duty.act in OF_GUARDS]
    settling.settle(of_guards, _solver(study, facts_of(study)), formulas.holds_for)
    undecided = tuple(duty for duty in duties if duty in settling.undecided)
    return Sweep(dead=frozenset(settling.impossible), undecided=undecided)


def first_solver(study: Study) -> Solver:
    """A solver that knows which rules match and which of them comes first, and nothing later.

    The score and the chains are dear, and much is asked that does not rest on them.
    """
    encoded = study.encoded
    return _solver(study, [*facts_of(study), *encoded.definitions[: encoded.early]])


def _solver(study: Study, known: Sequence[z3.BoolRef]) -> Solver:
    return Solver([study.symbols], known, rlimit=study.rlimit)
