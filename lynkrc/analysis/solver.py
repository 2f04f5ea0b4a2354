"""Questions about one request (or two) to answers: a point, none, or not known.

What bounds a question is the solver's own count of steps (`rlimit`), never time, and its seeds are
fixed: the same question gives the same answer on the next machine.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import z3

from lynkrc.analysis.limits import RLIMIT
from lynkrc.analysis.logic import all_of, implies, not_
from lynkrc.analysis.symbols import Symbols
from lynkrc.ir.domain import Point


@final
@dataclass(frozen=True, slots=True)
class Found:
    """The question has this answer, among others."""

    points: tuple[Point, ...]
    """One for each request the question is about."""


@final
@dataclass(frozen=True, slots=True)
class Impossible:
    """No request is like that."""


@final
@dataclass(frozen=True, slots=True)
class Unknown:
    """The solver gave up, and why."""

    reason: str


_LOGIC = "QF_LIA"
"""Linear integers and nothing else: z3 then asks in half the time, as it looks for nothing else.

In that logic it must be told of nothing else, as it would take it for something it knows nothing
of: no `AtLeast`, no real number, no quantifier.
"""

Answer: TypeAlias = Found | Impossible | Unknown


@final
class Solver:
    """What is known of some requests (their ranges too), and questions about them."""

    def __init__(
        self,
        requests: Sequence[Symbols],
        known: Sequence[z3.BoolRef],
        *,
        rlimit: int = RLIMIT,
    ) -> None:
        self._requests = tuple(requests)
        self._context = requests[0].context
        # `z3.SolverFor` would make its global context, which is dear, for the logic's name alone.
        logic = z3.to_symbol(_LOGIC, self._context)
        made = z3.Z3_mk_solver_for_logic(self._context.ref(), logic)
        self._solver = z3.Solver(made, self._context)
        self._solver.set("rlimit", rlimit)
        self._solver.set("random_seed", 0)
        self._solver.set("core.minimize", True)
        self._solver.add(*known)
        self._asked = 0

    def ask(self, *conditions: z3.BoolRef) -> Answer:
        """A request for which all conditions hold."""
        return self._ask(self._marks(conditions))

    def ask_each(self, conditions: Iterable[z3.BoolRef]) -> Iterator[Point]:
        """For each condition that some request meets one that does; one may be for several.

        Nothing for a condition where the solver gives up. The solver is about one request.
        """
        waiting = deque(conditions)
        while waiting:
            answer, model = self._modelled(self._marks([waiting.popleft()]))
            if model is not None:
                assert isinstance(answer, Found)
                yield answer.points[0]
                # Not of those that rest on what the model leaves open: the point has it at rest.
                waiting = deque(one for one in waiting if not z3.is_true(model.eval(one)))

    def smallest(self, *conditions: z3.BoolRef) -> Answer:
        """As `ask`, and the request is as plain as can be: as much as can be is at rest, and the
        rest as near to it. Where the solver gives up on the way, the plainest so far.
        """
        marks = self._marks(conditions)
        answer = self._ask(marks)
        if not isinstance(answer, Found):
            return answer
        self._solver.push()
        try:
            self._solver.add(*marks)
            for number, symbols in enumerate(self._requests):
                for index, rest in enumerate(symbols.rest):
                    answer = self._nearer(answer, number, index, rest)
        finally:
            self._solver.pop()
        return answer

    def excluding(self, *conditions: z3.BoolRef) -> tuple[int, ...] | None:
        """The numbers of conditions that no request meets together, of which each is needed.

        None where some request meets all of them, or that is not known. As it is dear to find them,
        `ask` does not say which they are.
        """
        marks = self._marks(conditions)
        if self._solver.check(*marks) != z3.unsat:
            return None
        core = {mark.get_id() for mark in self._solver.unsat_core()}
        return tuple(i for i, mark in enumerate(marks) if mark.get_id() in core)

    def name(self, condition: z3.BoolRef) -> z3.BoolRef:
        """A short name for a condition that is asked often."""
        (mark,) = self._marks([condition])
        return mark

    def exclude(self, conditions: Sequence[z3.BoolRef]) -> None:
        """From now on, no request for which all of these hold is found."""
        self._solver.add(not_(all_of(*conditions)))

    def _nearer(self, answer: Found, number: int, index: int, rest: int) -> Found:
        """The answer with one variable as near to rest as can be, and fixed there."""
        symbol = self._requests[number].ints[index]
        if answer.points[number][index] != rest:
            at_rest_too = self._ask([symbol == rest])
            if isinstance(at_rest_too, Found):
                answer = at_rest_too
            else:
                # Classes are not near one another: of those that will do, the first.
                is_class = bool(self._requests[number].domain.slots[index].classes)
                answer = self._narrow(answer, number, index, 0 if is_class else rest)
        self._solver.add(symbol == answer.points[number][index])
        return answer

    def _narrow(self, answer: Found, number: int, index: int, centre: int) -> Found:
        """The answer with one variable nearest to a value; of two that are as near, the greater.

        So what is found does not rest on how the solver searches.
        """
        symbol = self._requests[number].ints[index]
        near, far = 0, abs(answer.points[number][index] - centre)
        while near < far:
            middle = (near + far) // 2
            closer = self._ask([symbol <= centre + middle, symbol >= centre - middle])
            if isinstance(closer, Found):
                answer = closer
                far = abs(closer.points[number][index] - centre)
            else:
                near = middle + 1
        if answer.points[number][index] < centre:
            above = self._ask([symbol == centre + far])
            answer = above if isinstance(above, Found) else answer
        return answer

    def _marks(self, conditions: Sequence[z3.BoolRef]) -> list[z3.BoolRef]:
        """A literal for each condition, so that a core can name it."""
        marks = []
        for condition in conditions:
            if z3.is_const(condition) or (z3.is_not(condition) and z3.is_const(condition.arg(0))):
                marks.append(condition)
                continue
            mark = z3.Bool(f"question {self._asked}", self._context)
            self._asked += 1
            self._solver.add(implies(mark, condition))
            marks.append(mark)
        return marks

    def _ask(self, marks: Sequence[z3.BoolRef]) -> Answer:
        return self._modelled(marks)[0]

    def _modelled(self, marks: Sequence[z3.BoolRef]) -> tuple[Answer, z3.ModelRef | None]:
        verdict = self._solver.check(*marks)
        if verdict == z3.sat:
            model = self._solver.model()
            points = tuple(symbols.point(model) for symbols in self._requests)
            return Found(points=points), model
        if verdict == z3.unsat:
            return Impossible(), None
        return Unknown(reason=self._solver.reason_unknown()), None
