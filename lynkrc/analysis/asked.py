"""What findings are made of: a table's study, its settled duties, and what is told already."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.analysis.duties import Act, Atom, Duty, acts_of
from lynkrc.analysis.duty_formulas import DutyFormulas
from lynkrc.analysis.solver import Solver
from lynkrc.analysis.study import Study
from lynkrc.diagnostics.model import Code, Diagnostic
from lynkrc.ir.table import Dimension, Rule, Tier
from lynkrc.source.text import Span


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`own` is the path of the spec: what it inherits is not its own to correct.

    `first` answers what rests on the rules' conditions alone (`sweep.first_solver`). `dead` are the
    duties no request calls for, `told` what was found without proofs.
    """

    study: Study
    first: Solver
    formulas: DutyFormulas
    atoms: tuple[Atom, ...]
    dead: frozenset[Duty]
    own: str
    told: Sequence[Diagnostic]

    def is_dead(self, act: Act, owner: int, part: int = -1) -> bool:
        """Whether no request calls for a duty."""
        return Duty(act, owner, part) in self.dead

    @property
    def is_score_idle(self) -> bool:
        """Whether nothing of the spec's own that adds to the score moves a tier, and some tier is
        out of reach: what is wrong is then told of that tier alone.
        """
        table = self.study.table
        adds = [Duty(Act.COUNTS, i) for i, one in enumerate(table.dimensions) if self._is_own(one)]
        adds += [
            Duty(Act.ADDS, rule.id)
            for rule in table.rules
            if Act.ADDS in acts_of(rule) and self._is_own(rule)
        ]
        missed = any(
            self.is_dead(act, tier.id) for tier in table.tiers for act in (Act.REACHED, Act.SCORED)
        )
        return missed and all(duty in self.dead for duty in adds)

    def _is_own(self, item: Rule | Dimension) -> bool:
        return item.span.file.path == self.own

    def is_told(self, code: Code, item: Span) -> bool:
        """Whether something in an item is told of with this code."""
        return any(
            one.code == code
            and one.span.file is item.file
            and item.start <= one.span.start
            and one.span.end <= item.end
            for one in self.told
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """A question without an answer, in the words that name what it was about."""

    what: str
    span: Span


def place_of(item: Rule | Tier | Dimension) -> Span:
    """Where an item is named."""
    return item.span if item.name_span is None else item.name_span


def extent_of(item: Rule | Tier | Dimension) -> Span:
    """The whole of an item, its name included."""
    name = place_of(item)
    start, end = min(item.span.start, name.start), max(item.span.end, name.end)
    return Span(file=item.span.file, start=start, end=end)
