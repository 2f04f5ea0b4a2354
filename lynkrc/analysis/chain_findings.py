"""Tiers, places in chains, dimensions and tests that no request calls for to findings.

And chains that some request leaves empty.
"""

from collections.abc import Iterator

from lynkrc.analysis.asked import Asked, Undecided, extent_of, place_of
from lynkrc.analysis.duties import Act, atoms_in
from lynkrc.analysis.duty_seen import Seen
from lynkrc.analysis.reasons import exclusion
from lynkrc.analysis.solver import Found, Unknown
from lynkrc.diagnostics.model import Diagnostic, Label
from lynkrc.diagnostics.sema_codes import (
    CHAIN_MAY_BE_EMPTY,
    CONSTANT_ATOM,
    DEAD_FALLBACK,
    UNREACHABLE_TIER,
    WEIGHTS_REACH,
    WITHOUT_EFFECT,
)
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.ir.guard import BoolSlot, ClassTest, IntCompare
from lynkrc.ir.table import Chain, Otherwise, Rule, TargetId, Tier
from lynkrc.ir.witness import told
from lynkrc.source.text import Span

_TOP = 100
_EXPLAINED = 20
"""Of very many dead fallbacks, those whose reason is looked for, which is dear."""


def tier_findings(asked: Asked) -> Iterator[Diagnostic]:
    """Tiers that no request gets, and tiers that the score alone never gives."""
    table = asked.study.table
    has_score = bool(table.dimensions or any(rule.add64 is not None for rule in table.rules))
    for tier in table.tiers:
        scored = not asked.is_dead(Act.SCORED, tier.id)
        if asked.is_dead(Act.REACHED, tier.id):
            if asked.is_told(UNREACHABLE_TIER, extent_of(tier)):
                continue
            why = (
                "rules lead past it"
                if scored
                else f"{_no_score(asked, tier)}, and neither a rule nor a mapped model leads to it"
            )
            yield Diagnostic(
                code=UNREACHABLE_TIER,
                message=f"no request gets the tier {shown(tier.name)}: {why}",
                span=place_of(tier),
                help="correct `up_to`, the weights or the rules, or remove the tier",
            )
        elif not scored and has_score and not asked.is_told(WEIGHTS_REACH, extent_of(tier)):
            yield Diagnostic(
                code=WEIGHTS_REACH,
                message=f"no score leads to the tier {shown(tier.name)}: {_no_score(asked, tier)}; "
                "only rules or mapped models do",
                span=place_of(tier),
                help="correct `up_to` or the weights",
            )


def _no_score(asked: Asked, tier: Tier) -> str:
    tiers = asked.study.table.tiers
    below = (_TOP if one.up_to is None else one.up_to for one in tiers[: tier.id])
    low = max(below, default=-1) + 1
    high = _TOP if tier.up_to is None else min(_TOP, tier.up_to)
    least, most = scores(asked)
    if low > high:
        return f"the tiers before it take every score up to {low - 1}"
    if most < low or least > high:
        return f"scores lie in {least}..{most}"
    return f"scores lie in {least}..{most}, and none in {low}..{high}"


def scores(asked: Asked) -> tuple[int, int]:
    """The least and the greatest score of requests that have one."""
    e = asked.study.encoded

    def some(least: int, most: int) -> bool:
        past = e.sum >= 6_400 * least - 3_200 if least > 0 else e.formulas.constant(True)
        within = e.sum < 6_400 * most + 3_200 if most < _TOP else e.formulas.constant(True)
        return isinstance(asked.study.solver.ask(asked.formulas.unpinned, past, within), Found)

    low, high = 0, _TOP
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if some(0, middle) else (middle + 1, high)
    least, high = low, _TOP
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if some(middle, _TOP) else (low, middle - 1)
    return least, low


def fallback_findings(asked: Asked) -> Iterator[Diagnostic]:
    """Places in chains that no request comes to."""
    table = asked.study.table
    rules = {rule.chain: rule for rule in table.rules if rule.chain is not None}
    tiers = {tier.chain: tier for tier in table.tiers}
    found = 0
    for chain in table.chains:
        rule, tier = rules.get(chain.id), tiers.get(chain.id)
        if rule is not None and _is_idle(asked, rule):
            continue
        if tier is not None and asked.is_dead(Act.REACHED, tier.id):
            continue
        for target, span in zip(chain.targets, chain.spans, strict=False):
            if not asked.is_dead(Act.TRIED, chain.id, target):
                continue
            if not asked.is_told(DEAD_FALLBACK, span):
                yield _dead_fallback(asked, chain, target, span, explains=found < _EXPLAINED)
                found += 1


def _is_idle(asked: Asked, rule: Rule) -> bool:
    return asked.is_dead(Act.MATCHES, rule.id) or asked.is_dead(Act.CHAIN, rule.id)


def _dead_fallback(
    asked: Asked, chain: Chain, target: TargetId, span: Span, *, explains: bool
) -> Diagnostic:
    found = exclusion(asked.study, chain, target) if explains else None
    why = "no request that comes to this chain leaves it there"
    labels: tuple[Label, ...] = ()
    if found is not None and (found.rules or found.needs):
        parts = []
        if found.rules:
            names = listed((rule.name for rule in found.rules), "and")
            verb = "drops" if len(found.rules) == 1 else "drop"
            parts.append(f"{names} {verb} it wherever this chain is the one")
        if found.needs:
            parts.append(
                f"it lacks {listed((need.name for need in found.needs), 'and')}, needed here"
            )
        why = "; ".join(parts)
        labels = tuple(
            Label(span=place_of(rule), message="dropped by this") for rule in found.rules
        )
    name = asked.study.table.targets[target].name
    return Diagnostic(
        code=DEAD_FALLBACK,
        message=f"{shown(name)} is never tried: {why}",
        span=span,
        help="remove it from the chain, or correct what drops it",
        labels=labels,
    )


def empty_findings(asked: Asked) -> Iterator[Diagnostic | Undecided]:
    """Chains that can be left empty while another target could serve, where nothing follows."""
    study, table = asked.study, asked.study.table
    if table.otherwise is not Otherwise.NONE:
        return
    rules = {rule.chain: rule for rule in table.rules if rule.chain is not None}
    tiers = {tier.chain: tier for tier in table.tiers}
    for chain in table.chains:
        owner = tiers.get(chain.id) or rules.get(chain.id)
        if owner is None or asked.is_told(CHAIN_MAY_BE_EMPTY, extent_of(owner)):
            continue
        answer = study.solver.smallest(asked.formulas.emptied(chain.id))
        if isinstance(answer, Unknown):
            yield Undecided(what=f"the chain of {shown(owner.name)}", span=place_of(owner))
        if not isinstance(answer, Found):
            continue
        (point,) = answer.points
        able = Seen(table, study.vector(point)).able()
        names = listed((table.targets[target].name for target in able), "or")
        title = (
            f"in tier {shown(owner.name)}" if isinstance(owner, Tier) else f"of {shown(owner.name)}"
        )
        yield Diagnostic(
            code=CHAIN_MAY_BE_EMPTY,
            message=f"a request {title} with `{told(study.domain, point)}` has no target left, "
            f"though {names} could serve it",
            span=place_of(owner),
            help="add `otherwise: escalate` to go on with other tiers, or `otherwise: deny`",
        )


def dimension_findings(asked: Asked) -> Iterator[Diagnostic]:
    """Dimensions without which every request has the same tier."""
    if asked.is_score_idle:
        return
    for i, dimension in enumerate(asked.study.table.dimensions):
        if not asked.is_dead(Act.COUNTS, i) or asked.is_told(WITHOUT_EFFECT, extent_of(dimension)):
            continue
        yield Diagnostic(
            code=WITHOUT_EFFECT,
            message=f"the dimension {shown(dimension.name)} has no effect: without it every "
            "request has the same tier",
            span=place_of(dimension),
            help="remove it, or correct its weight or value",
        )


def atom_findings(asked: Asked) -> Iterator[Diagnostic]:
    """Tests that are always true or always false, of rules that match at all."""
    live = {
        (one.span.file.path, one.span.start)
        for rule in asked.study.table.rules
        if not asked.is_dead(Act.MATCHES, rule.id)
        for one in atoms_in(rule.guard)
        if isinstance(one, BoolSlot | IntCompare | ClassTest) and one.span is not None
    }
    for i, atom in enumerate(asked.atoms):
        never, always = asked.is_dead(Act.TRUE, i), asked.is_dead(Act.FALSE, i)
        if (atom.span.file.path, atom.span.start) not in live:
            continue
        if never == always or asked.is_told(CONSTANT_ATOM, atom.span):
            continue
        yield Diagnostic(
            code=CONSTANT_ATOM,
            message=f"this is always {'true' if always else 'false'}, whatever is sent",
            span=atom.span,
            help="remove it, or correct it",
        )
