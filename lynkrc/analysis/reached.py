"""Goals to those that no request meets, those of which that is not known, and witnesses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

from lynkrc.analysis.goal_formulas import GoalFormulas
from lynkrc.analysis.settle import Progress, Settling, facts_of
from lynkrc.analysis.solver import Found, Solver
from lynkrc.analysis.study import Study
from lynkrc.interp.goals import AtomIs, Goal, Matches, NumberIs, is_met, seen
from lynkrc.ir.domain import Point

_OF_GUARDS = (Matches, AtomIs, NumberIs)
"""Goals that are about a guard alone, whatever is decided."""

_FREE: Mapping[int, int] = MappingProxyType({})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """By the goals' numbers: what no request meets and what is not known of; and a point for each
    of the others, among points that mostly meet several.
    """

    unreachable: frozenset[int]
    unknown: frozenset[int]
    points: tuple[Point, ...]


def reached(study: Study, goals: Sequence[Goal], progress: Progress | None = None) -> Reached:
    """Settle every goal; first those about the decision, as what is found then settles others."""
    formulas = GoalFormulas(study.encoded)

    def met(point: Point, open_: Sequence[int]) -> Sequence[int]:
        return goals_met(study, goals, point, open_)

    settling = Settling(
        questions=range(len(goals)), met=met, kind=lambda one: type(goals[one]), progress=progress
    )
    of_guards = [i for i, goal in enumerate(goals) if isinstance(goal, _OF_GUARDS)]
    of_decision = [i for i, goal in enumerate(goals) if not isinstance(goal, _OF_GUARDS)]
    settling.settle(of_decision, study.solver, lambda one: formulas.meets(goals[one]))
    # Without the decision the questions are small.
    alone = Solver([study.symbols], facts_of(study), rlimit=study.rlimit)
    settling.settle(of_guards, alone, lambda one: formulas.meets(goals[one]))
    return Reached(
        unreachable=frozenset(settling.impossible),
        unknown=frozenset(settling.undecided),
        points=tuple(settling.points),
    )


def goals_met(study: Study, goals: Sequence[Goal], point: Point, among: Sequence[int]) -> list[int]:
    """Which of the goals with these numbers a request meets."""
    by = seen(study.table, tuple(study.vector(point)))
    return [one for one in among if is_met(goals[one], study.table, by)]


def plainest(study: Study, goals: Sequence[Goal], given: Mapping[int, int] = _FREE) -> Point | None:
    """The plainest request that meets all of the goals and has these values of variables; None
    where none is found.
    """
    formulas = GoalFormulas(study.encoded)
    fixed = [study.symbols.ints[variable] == value for variable, value in given.items()]
    answer = study.solver.smallest(*fixed, *(formulas.meets(goal) for goal in goals))
    return answer.points[0] if isinstance(answer, Found) else None
