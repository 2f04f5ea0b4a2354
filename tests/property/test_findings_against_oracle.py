"""What the solver says of small tables is what trying every request says, whatever is renamed."""

from dataclasses import replace

from hypothesis import given

from lynkrc.analysis.asked import Asked
from lynkrc.analysis.duties import Act, Atom, Duty, acts_of, duties_of, is_given
from lynkrc.analysis.duty_formulas import DutyFormulas
from lynkrc.analysis.reasons import PINS, contradiction, cover
from lynkrc.analysis.relations import violated
from lynkrc.analysis.rule_findings import floor_findings
from lynkrc.analysis.solver import Found, Solver
from lynkrc.analysis.study import Study, study
from lynkrc.analysis.sweep import first_solver, sweep
from lynkrc.interp.evaluate import first_pin
from lynkrc.ir.guard import And
from lynkrc.ir.table import RouteTable, Rule, RuleId
from tests.property import oracle
from tests.property.effort import tried
from tests.property.oracle import World
from tests.property.small_specs import small_tables
from tests.unit.sample_table import SPAN

EFFECTS = {Act.DENIES: "deny", Act.ANSWERS: "respond", Act.TIER: "tier", Act.CHAIN: "chain"}
BESIDE = {
    Act.RAISES: "floor",
    Act.LOWERS: "ceiling",
    Act.ADDS: "add64",
    Act.DROPS: "require",
    Act.PREFERS: "prefer",
}


def written(table: RouteTable) -> RouteTable:
    """The table as if its chains were written somewhere, so that their places are asked about."""
    chains = tuple(replace(one, spans=(SPAN,) * len(one.targets)) for one in table.chains)
    return replace(table, chains=chains)


def atoms_of(table: RouteTable) -> tuple[Atom, ...]:
    guards = dict.fromkeys(g for rule in table.rules for g in oracle.atoms_in(rule.guard))
    return tuple(Atom(span=SPAN, guards=(guard,)) for guard in guards)


def settled(table: RouteTable) -> tuple[Study, tuple[Atom, ...], tuple[Duty, ...], set[Duty]]:
    """The study, its atoms, every duty, and the dead ones."""
    known, atoms = study(table), atoms_of(table)
    duties = duties_of(table, atoms)
    formulas = DutyFormulas(known.encoded, atoms)
    found = sweep(known, duties, atoms, formulas, first_solver(known))
    assert found.undecided == ()
    return known, atoms, duties, set(found.dead)


def first_of(known: Study) -> Solver:
    return first_solver(known)


def world_of(table: RouteTable) -> World:
    return oracle.world(table, occurs=lambda domain, point: not violated(domain, point))


def alive_by_trying(told: World, duty: Duty, atoms: tuple[Atom, ...]) -> bool | None:
    """Whether some request calls for a duty; None where the oracle does not say exactly that."""
    table, owner = told.table, duty.owner
    unpinned = [
        one
        for one in told.decisions
        if one.verdict[5] >= 0 and first_pin(table, one.vector) is None
    ]
    match duty.act:
        case Act.MATCHES:
            return RuleId(owner) not in oracle.contradictory(told)
        case Act.DENIES | Act.ANSWERS | Act.TIER | Act.CHAIN:
            return (RuleId(owner), EFFECTS[duty.act]) in oracle.deciding(told)
        case Act.COUNTS:
            return table.dimensions[owner].name not in oracle.idle_dimensions(told)
        case Act.SCORED:
            return owner in oracle.scored_tiers(replace(told, decisions=tuple(unpinned)))
        case Act.REACHED:
            pins = ((one, first_pin(table, one.vector)) for one in told.decisions)
            return any(
                one.verdict[1] == owner and (pin is None or not is_given(table, pin))
                for one, pin in pins
            )
        case Act.TRIED:
            return (owner, duty.part) in oracle.attempted(told)
        case Act.TRUE | Act.FALSE:
            (guard,) = atoms[owner].guards
            value = duty.act is Act.TRUE
            return any(oracle.holds(guard, one.vector) is value for one in told.decisions)
        case _:
            return None


@tried(12)
@given(small_tables())
def test_trying_every_request_says_the_same(drawn: RouteTable) -> None:
    table = written(drawn)
    _, atoms, duties, dead = settled(table)
    told = world_of(table)
    idle = oracle.idle_effects(told)
    for duty in duties:
        expected = alive_by_trying(told, duty, atoms)
        if expected is not None:
            assert (duty not in dead) == expected, duty
        elif duty in dead:
            # Belt and braces are allowed: what is dead is idle, and not the other way round.
            assert (RuleId(duty.owner), BESIDE[duty.act]) in idle, duty


@tried(12)
@given(small_tables())
def test_covers_are_minimal(drawn: RouteTable) -> None:
    known, _, _, dead = settled(drawn)
    told = world_of(drawn)
    for rule in drawn.rules:
        if Duty(Act.MATCHES, rule.id) in dead:
            spans = contradiction(known, first_of(known), rule)
            assert not spans or isinstance(rule.guard, And)
            continue
        for act in acts_of(rule):
            if act not in EFFECTS or Duty(act, rule.id) not in dead:
                continue
            covers = cover(known, first_of(known), rule, act)
            if PINS not in covers:
                rules = frozenset(one.id for one in covers if isinstance(one, Rule))
                assert rules in oracle.shadows(told, rule, EFFECTS[act])


@tried(12)
@given(small_tables())
def test_alarms_are_those_of_trying_every_request(drawn: RouteTable) -> None:
    known = study(drawn)
    formulas = DutyFormulas(known.encoded, ())
    told = world_of(drawn)
    asked = Asked(
        study=known,
        first=first_solver(known),
        formulas=formulas,
        atoms=(),
        dead=frozenset(),
        own=SPAN.file.path,
        told=(),
    )
    floors = {low for low, _ in oracle.crossing(told)}
    assert len(list(floor_findings(asked))) == len(floors)
    pinned = {pin.chain for pin in drawn.pins}
    emptied = oracle.emptied(told)
    for chain in drawn.chains:
        if chain.id not in pinned:
            answer = known.solver.ask(formulas.emptied(chain.id))
            assert isinstance(answer, Found) == (chain.id in emptied)


@tried(6)
@given(small_tables())
def test_a_rule_that_is_shadowed_changes_nothing_else(drawn: RouteTable) -> None:
    table = written(drawn)
    deny = next((rule for rule in table.rules if rule.deny is not None), None)
    if deny is None:
        return
    again = replace(deny, id=RuleId(len(table.rules)), name="again")
    before = settled(table)[3]
    after = settled(replace(table, rules=(*table.rules, again)))[3]
    own = {duty for duty in after if duty.act in BESIDE | EFFECTS and duty.owner == again.id}
    assert own == {Duty(Act.DENIES, again.id)}
    rules = {act for act in Act if act in BESIDE | EFFECTS or act is Act.MATCHES}
    others = {duty for duty in after if duty.act not in rules or duty.owner != again.id}
    assert others == before


@tried(6)
@given(small_tables())
def test_names_say_nothing(drawn: RouteTable) -> None:
    table = written(drawn)
    renamed = replace(
        table,
        rules=tuple(replace(rule, name=f"other-{rule.name}") for rule in table.rules),
        dimensions=tuple(replace(one, name=f"other-{one.name}") for one in table.dimensions),
    )
    assert settled(table)[3] == settled(renamed)[3]
