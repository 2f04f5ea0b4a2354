"""A case to what every engine decides about it, and to the expectations that do not hold.

The request is read and put to the policy by the parts that the gateway serves with.
"""

from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, assert_never, final

from lynkrc.interp.trace import Trace, as_json, trace
from lynkrc.ir.table import RouteTable
from lynkrc.testing.case import Case, Features, Sent
from lynkrc.testing.judge import Mismatch, judge
from lynkrc_runtime.bundle import LoadedBundle
from lynkrc_runtime.decide import Decider, Decision, Outcome, Scorer, Verdict
from lynkrc_runtime.feature_table import DIALECTS, EMBEDDINGS, SURFACES
from lynkrc_runtime.features import Extractor, RefusedRequest
from lynkrc_runtime.protocol.anthropic import require_max_tokens
from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.embeddings.policy import RULE, pinned, target_of
from lynkrc_runtime.protocol.embeddings.request import read_request
from lynkrc_runtime.protocol.repeated import repeated_member
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS

Vector: TypeAlias = tuple[int, ...]

_DIALECTS = dict(zip(SURFACES, DIALECTS, strict=True))


@final
class Undecided(Exception):
    """The gateway answers before it decides, or decides and answers otherwise; says how."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """What decides: the reference interpreter on `table`, and the bundle's code.

    `scorers` are the generated ones by how they are called, that of `bundle` first.
    """

    table: RouteTable
    bundle: LoadedBundle
    scorers: tuple[tuple[str, Scorer], ...]
    extractor: Extractor
    decider: Decider


def engines_of(table: RouteTable, bundle: LoadedBundle, native: Scorer | None = None) -> Engines:
    """The engines of a table and the bundle that was built of it, with its Python scorer."""
    scorers: list[tuple[str, Scorer]] = [("the generated scorer", bundle.scorer)]
    if native is not None:
        scorers.append(("the native scorer", native))
    return Engines(
        table=table,
        bundle=bundle,
        scorers=tuple(scorers),
        extractor=Extractor(bundle.dispatch, bundle.tables),
        decider=Decider(bundle.dispatch, bundle.scorer),
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """An engine that does not decide as the interpreter does.

    `reasons` are what the generated `explain` says, `reference` the interpreter's, both as it
    returns them.
    """

    engine: str
    verdict: Verdict
    reasons: dict[str, Any] = field(repr=False)
    reference: dict[str, Any] = field(repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What became of a case. `why` is None where nothing was decided; then `problem` says why."""

    case: Case
    vector: Vector | None
    decision: Decision | None
    why: Trace | None
    mismatches: tuple[Mismatch, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    problem: str | None = None

    @property
    def is_passed(self) -> bool:
        """Whether everything expected is so, by every engine."""
        return not self.mismatches and not self.disagreements and self.problem is None


def run_case(case: Case, engines: Engines) -> Run:
    """Decide about a case by every engine, and compare."""
    try:
        vector, embedded = vector_of(case, engines)
    except Undecided as reason:
        return Run(case=case, vector=None, decision=None, why=None, problem=str(reason))
    why = trace(engines.table, vector)
    decision = engines.decider.decide(list(vector))
    disagreements = tuple(_disagreements(vector, why, engines))
    problem = None
    if embedded is not None:
        try:
            decision = _embedding(decision, embedded, engines)
        except Undecided as reason:
            problem = str(reason)
    names = [target.name for target in engines.table.targets]
    return Run(
        case=case,
        vector=vector,
        decision=decision,
        why=why,
        mismatches=() if problem is not None else judge(case.expected, decision, why, names),
        disagreements=disagreements,
        problem=problem,
    )


def vector_of(case: Case, engines: Engines) -> tuple[Vector, str | None]:
    """The clamped vector of a case; for embeddings also the target their model name declares.

    Raises Undecided where the gateway would not come to decide.
    """
    match case.given:
        case Features(vector=vector):
            return vector, None
        case Sent() as sent:
            try:
                return _extracted(sent, engines)
            except MalformedRequest as problem:
                is_named = problem.field is None or problem.field in problem.message
                place = "" if is_named else f"{problem.field}: "
                raise Undecided(f"the gateway answers 400: {place}{problem.message}") from problem
            except RefusedRequest as problem:
                raise Undecided(f"the gateway answers 400: {problem.message}") from problem
        case _:
            assert_never(case.given)


def _extracted(sent: Sent, engines: Engines) -> tuple[Vector, str | None]:
    dispatch = engines.bundle.dispatch
    if dispatch.has_assertions:
        name = repeated_member(sent.body)
        if name is not None:
            raise MalformedRequest(name, f"{name}: the member is repeated")
    facts = sent.facts
    if sent.surface == EMBEDDINGS:
        asked = read_request(sent.body)
        target = target_of(dispatch.settings.embeddings, asked.model)
        if target is None:
            reason = f"no target makes embeddings for model {asked.model!r}"
            raise Undecided(f"the gateway answers 404: {reason}")
        return tuple(engines.extractor.extract(pinned(asked, target), facts)), target
    request = CLIENT_DIALECTS[_DIALECTS[sent.surface]].read_request(sent.body, facts.headers)
    if sent.surface == "messages":
        require_max_tokens(request)
    return tuple(engines.extractor.extract(request, facts)), None


def _embedding(decision: Decision, target: str, engines: Engines) -> Decision:
    """The decision about embeddings, as the gateway tells of it."""
    if decision.outcome is not Outcome.ROUTE:
        return decision
    targets = engines.bundle.dispatch.targets
    if target not in [targets[index].name for index in decision.targets]:
        raise Undecided(f"the gateway answers 403: the policy does not allow target {target} here")
    return replace(decision, rule=RULE)


def _disagreements(vector: Vector, why: Trace, engines: Engines) -> list[Disagreement]:
    reference = as_json(why)
    found = []
    for engine, scorer in engines.scorers:
        verdict = scorer(list(vector))
        reasons = engines.bundle.explain(list(vector))
        if verdict != why.verdict or reasons != reference:
            found.append(
                Disagreement(engine=engine, verdict=verdict, reasons=reasons, reference=reference)
            )
    return found
