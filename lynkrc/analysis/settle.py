"""Many questions about one request to those that no request meets, and a request for the others.

Each request the solver finds settles every question it meets, and the solver is asked about several
at once, so that few are needed.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice, takewhile
from typing import Generic, TypeAlias, TypeVar, final

import z3

from lynkrc.analysis.logic import any_of
from lynkrc.analysis.solver import Found, Impossible, Solver, Unknown
from lynkrc.analysis.study import Study
from lynkrc.ir.domain import Point

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many of how many questions are settled."""

TOGETHER = 24
"""Most questions that are asked at once: where no request meets any of them, it settles all."""

T = TypeVar("T")


@final
class Settling(Generic[T]):
    """Questions and what is known of them so far.

    `met` tells which of some questions a request meets, by other means than the solver's; those of
    one `kind` are asked together. `points` are the requests that were found, each of which met what
    none before it did.
    """

    def __init__(
        self,
        *,
        questions: Iterable[T],
        met: Callable[[Point, Sequence[T]], Sequence[T]],
        kind: Callable[[T], object],
        progress: Progress | None = None,
    ) -> None:
        self._open = dict.fromkeys(questions)
        self._count = len(self._open)
        self._met = met
        self._kind = kind
        self._progress = progress
        self.impossible: set[T] = set()
        self.undecided: set[T] = set()
        self.points: list[Point] = []

    def settle(
        self, questions: Sequence[T], solver: Solver, formula: Callable[[T], z3.BoolRef]
    ) -> None:
        """Ask until none of these questions is open."""
        named: dict[T, z3.BoolRef] = {}

        def name(one: T) -> z3.BoolRef:
            if one not in named:
                named[one] = solver.name(formula(one))
            return named[one]

        while questions := [one for one in questions if one in self._open]:
            asked: Sequence[T] = self._alike(questions)
            while asked := [one for one in asked if one in self._open]:
                asked = self._ask(asked, solver, name)
                if self._progress is not None:
                    self._progress(self._count - len(self._open), self._count)

    def _alike(self, questions: Sequence[T]) -> list[T]:
        """The first questions, as long as they are of one kind."""
        several = list(islice(questions, TOGETHER))
        return list(takewhile(lambda one: self._kind(one) == self._kind(several[0]), several))

    def _ask(
        self, asked: Sequence[T], solver: Solver, formula: Callable[[T], z3.BoolRef]
    ) -> Sequence[T]:
        """Put one question to the solver; returns what to ask about next."""
        conditions = [formula(one) for one in asked]
        match solver.ask(conditions[0] if len(asked) == 1 else any_of(*conditions)):
            case Found(points=(point,)):
                met = self._met(point, list(self._open))
                if not set(asked) & set(met):
                    raise AssertionError(f"the formulas and the steps differ: {asked}")
                self.points.append(point)
                for one in met:
                    del self._open[one]
            case Impossible():
                self.impossible.update(asked)
                for one in asked:
                    del self._open[one]
            case Unknown():
                if len(asked) > 1:
                    return asked[:1]
                self.undecided.update(asked)
                del self._open[asked[0]]
            case other:
                raise AssertionError(f"one request was asked for: {other}")
        return asked


def facts_of(study: Study) -> list[z3.BoolRef]:
    """What is known of requests beside what the table decides."""
    definitions = {one.get_id() for one in study.encoded.definitions}
    return [one for one in study.known if one.get_id() not in definitions]
