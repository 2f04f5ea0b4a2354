"""A study's duties to those that no request calls for, and those of which that is not known.

Each request the solver finds settles every duty it calls for, and a question asks about several
duties at once, so that few are needed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import TypeAlias, final

import z3

from lynkrc.analysis.cone import cone
from lynkrc.analysis.duties import OF_GUARDS, Act, Atom, Duty
from lynkrc.analysis.duty_formulas import DutyFormulas
from lynkrc.analysis.duty_seen import seen
from lynkrc.analysis.solver import Found, Impossible, Solver, Unknown
from lynkrc.analysis.study import Study

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many of how many duties are settled."""

TOGETHER = 24
"""Most duties that one question asks about: where none of them is called for, it settles all."""


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
    settling = _Settling(
        study=study,
        atoms=atoms,
        count=len(duties),
        progress=progress,
        open=dict.fromkeys(duties),
    )
    of_first = [duty for duty in duties if duty.act in _OF_FIRST]
    settling.all(of_first, first, formulas.calls_for)
    of_decision = [duty for duty in duties if duty in settling.open and duty.act not in OF_GUARDS]
    settling.all(of_decision, study.solver, formulas.calls_for)
    of_guards = [duty for duty in duties if duty in settling.open]
    settling.all(of_guards, _solver(study, facts_of(study)), formulas.holds_for)
    undecided = tuple(duty for duty in duties if duty in settling.undecided)
    return Sweep(dead=frozenset(settling.dead), undecided=undecided)


def first_solver(study: Study, formulas: DutyFormulas) -> Solver:
    """A solver that knows which rules match and which of them comes first, and nothing later.

    The score and the chains are dear, and much is asked that does not rest on them.
    """
    e = study.encoded
    firsts = (e.first_deny, e.first_respond, e.first_tier, e.first_chain, e.first_prefer)
    roots = [*e.matches, formulas.unpinned, *(one for first in firsts for one in first.values())]
    return _solver(study, [*facts_of(study), *cone(e.definitions, roots)])


def _solver(study: Study, known: Sequence[z3.BoolRef]) -> Solver:
    return Solver([study.symbols], known, rlimit=study.rlimit)


def facts_of(study: Study) -> list[z3.BoolRef]:
    """What is known of requests beside what the table decides."""
    definitions = {one.get_id() for one in study.encoded.definitions}
    return [one for one in study.known if one.get_id() not in definitions]


@final
@dataclass(slots=True, kw_only=True)
class _Settling:
    study: Study
    atoms: Sequence[Atom]
    count: int
    progress: Progress | None
    open: dict[Duty, None]
    dead: set[Duty] = field(default_factory=set)
    undecided: set[Duty] = field(default_factory=set)

    def all(
        self, duties: Sequence[Duty], solver: Solver, formula: Callable[[Duty], z3.BoolRef]
    ) -> None:
        """Ask until none of the duties is open."""
        while duties:
            duties = [duty for duty in duties if duty in self.open]
            asked: Sequence[Duty] = _alike(duties)
            while any(duty in self.open for duty in asked):
                asked = [duty for duty in asked if duty in self.open]
                asked = self._ask(asked, solver, formula)
                if self.progress is not None:
                    self.progress(self.count - len(self.open), self.count)

    def _ask(
        self, asked: Sequence[Duty], solver: Solver, formula: Callable[[Duty], z3.BoolRef]
    ) -> Sequence[Duty]:
        """One question; returns what to ask about next."""
        conditions = [formula(duty) for duty in asked]
        match solver.ask(conditions[0] if len(asked) == 1 else z3.Or(conditions)):
            case Found(points=(point,)):
                called_for = seen(self.study.table, self.study.vector(point), self.open, self.atoms)
                if not set(asked) & set(called_for):
                    raise AssertionError(f"the formulas and the steps differ: {asked}")
                for one in called_for:
                    del self.open[one]
            case Impossible():
                self.dead.update(asked)
                for duty in asked:
                    del self.open[duty]
            case Unknown():
                if len(asked) > 1:
                    return asked[:1]
                self.undecided.update(asked)
                del self.open[asked[0]]
            case other:
                raise AssertionError(f"one request was asked for: {other}")
        return asked


def _alike(duties: Iterable[Duty]) -> list[Duty]:
    """The first duties, as long as they are of one act."""
    several = list(islice(duties, TOGETHER))
    return list(takewhile(lambda duty: duty.act is several[0].act, several))
