"""Strategies for small specs as text, and the few values of each feature that stand for all.

What such a text reads of a number is whether it reaches a constant, so both ends of every stretch
between constants stand for the stretch; of the requested model, which pin it meets.
"""

from collections.abc import Iterator, Sequence

from hypothesis import strategies as st

from lynkrc.ir.assertion import Assertions
from lynkrc.ir.domain import Domain
from lynkrc.ir.guard import (
    ClassTest,
    Compare,
    Guard,
    IntCompare,
    IntConst,
    IntExpr,
    IntSlot,
    IntSteps,
    SlotId,
)
from lynkrc.ir.ranges import subexpressions
from lynkrc.ir.table import RouteTable, Slot, SlotType
from lynkrc.lower.assertions import lower_assertions
from lynkrc.lower.chains import RESERVED_OUTPUT
from lynkrc.lower.table import lower
from lynkrc.passes import run_passes
from lynkrc.pipeline import check_spec
from tests.property.oracle import Values
from tests.unit.sema_sample import Files, catalog

PROVIDERS = {
    "home": '{kind: ollama, base_url: "http://localhost:1", trust: local, retry: {times: 0}}',
    "rack": '{kind: vllm, base_url: "http://rack:1", trust: internal, timeouts: {total: 40}}',
    "far": '{kind: openai, api_key: "${KEY}", trust: cloud}',
}
_NAMES = ("a", "b", "c")
_ATOMS = (
    'header("x-data") == "s"',
    'header("x-data") != "s"',
    "wants.stream",
    "not wants.stream",
    "turns > 2",
    "turns <= 2",
    "turns < 1",
    "matches(ask, words)",
    "not matches(ask, words)",
)
_BESIDE = (
    "target.trust == cloud",
    "target.trust <= internal",
    "target == a",
    "target.first",
    "target.vision",
    "outcome == route",
    "outcome == deny",
    "tier == T0",
    "rule == score",
    "rule == r0",
)


def compiled(text: str) -> tuple[RouteTable, Assertions] | None:
    """The table and the assertions; None where `check` finds an error, as a shadowed rule."""
    checked = check_spec("routing.yaml", text.encode(), loader=Files(), catalog=catalog())
    if checked.typed is None:
        return None
    table, found = lower(checked.typed)
    assert table is not None, found
    return run_passes(table), lower_assertions(checked.typed)


@st.composite
def small_texts(draw: st.DrawFn) -> str:
    """The text of a spec of two or three targets, few rules and one to three assertions."""
    names = _NAMES[: draw(st.integers(2, 3))]
    bounds = draw(st.sampled_from([(), (40,), (40,)]))
    tiers = [f"T{i}" for i in range(len(bounds) + 1)]
    served = draw(st.lists(st.sampled_from(sorted(PROVIDERS)), min_size=3, max_size=3))
    parts = ["version: 1\nname: small\nproviders:\n"]
    parts += [f"  {name}: {PROVIDERS[name]}\n" for name in sorted(set(served[: len(names)]))]
    targets = (draw(_target(*pair)) for pair in zip(names, served, strict=False))
    parts += ["targets:\n", *targets]
    parts.append('lexicons:\n  words: ["secret plan*"]\n')
    parts.append("score:\n  dimensions:\n")
    parts.append("    said: {weight: 50, value: 'when(matches(ask, words), 100, 0)'}\n")
    parts.append(
        f"    talk: {{weight: {draw(st.sampled_from([-20, 20, 50]))}, "
        "value: 'steps(turns, [[1, 20], [3, 80]])'}\n"
    )
    parts.append("tiers:\n")
    for tier, bound in zip(tiers, [*bounds, None], strict=True):
        limit = "" if bound is None else f", up_to: {bound}"
        # Every target is in some chain.
        every = st.permutations(names).map(lambda found: f"[{', '.join(found)}]")
        chain = draw(every if bound is None else _chain(names))
        parts.append(f"  - {{name: {tier}{limit}, chain: {chain}}}\n")
    parts.append(f"otherwise: {draw(st.sampled_from(['escalate', 'deny']))}\n")
    rules = draw(st.lists(_rule(names, tiers), min_size=1, max_size=4))
    parts.append("rules:\n")
    parts += [f"  - {{name: r{i}, {rule}}}\n" for i, rule in enumerate(rules)]
    claims = draw(st.lists(_claim(), min_size=1, max_size=3))
    parts.append("allow: {LK601: proofs come later}\nassert:\n")
    parts += [f"  - {{{claim}}}\n" for claim in claims]
    return "".join(parts)


@st.composite
def _target(draw: st.DrawFn, name: str, provider: str) -> str:
    can = draw(st.sampled_from(["", ", vision"]))
    price = draw(st.sampled_from(["free", "{input: 1, output: 4}", "{input: 3, output: 1}"]))
    return (
        f"  {name}: {{provider: {provider}, model: m-{name}, context: 64k, max_output: 6k, "
        f"capabilities: [tools, documents, json_schema{can}], price: {price}}}\n"
    )


def _chain(names: Sequence[str]) -> st.SearchStrategy[str]:
    chosen = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)
    return chosen.map(lambda found: f"[{', '.join(found)}]")


def _condition(*, beside: bool) -> st.SearchStrategy[str]:
    plain = st.sampled_from(_ATOMS)
    first = st.sampled_from(_BESIDE) if beside else plain
    two = st.tuples(first, plain).map(" and ".join)
    return st.one_of(first, two, two)


def _rule(names: Sequence[str], tiers: Sequence[str]) -> st.SearchStrategy[str]:
    tier = st.sampled_from(tiers)
    effect = st.one_of(
        tier.map(lambda t: f"tier: {t}"),
        tier.map(lambda t: f"floor: {t}"),
        tier.map(lambda t: f"ceiling: {t}"),
        st.just("deny: {status: 403, message: not here}"),
        st.just("require: target.trust != cloud"),
        st.just("prefer: cheapest"),
        _chain(names).map(lambda found: f"chain: {found}"),
    )
    return st.tuples(_condition(beside=False), effect).map(
        lambda pair: f"when: '{pair[0]}', {pair[1]}"
    )


def _claim() -> st.SearchStrategy[str]:
    condition = _condition(beside=True)
    return st.one_of(
        condition.map(lambda found: f"never: '{found}'"),
        condition.map(lambda found: f"always: '{found.replace(' and ', ' or ')}'"),
        condition.map(lambda found: f"reachable: '{found}'"),
        st.sampled_from(["0.01", "0.2", "1"]).map(lambda usd: f"max_cost_usd: {usd}"),
        st.sampled_from(["40s", "700s", "45s"]).map(lambda time: f"max_latency: {time}"),
        st.just("monotone: turns"),
    )


# -- values that stand for all -----------------------------------------------------------------


def representatives(table: RouteTable, assertions: Assertions, domain: Domain) -> Values:
    """The values of each variable that stand for all of its own."""
    read = _read(table, assertions, domain)
    return {slot.id: _values(slot, table, domain, read) for slot in domain.slots}


def _values(
    slot: Slot, table: RouteTable, domain: Domain, read: dict[SlotId, set[int]]
) -> Sequence[int]:
    rest = min(max(0, slot.low), slot.high)
    if slot.feature == "context.tokens":
        windows = {target.context for target in table.targets}
        ends = {window - kept for window in windows for kept in (0, RESERVED_OUTPUT)}
        found = {0, *ends, *(end + 1 for end in ends)}
    elif slot.feature == "request.max_tokens":
        found = {0, RESERVED_OUTPUT, slot.high}
    elif slot.id not in read:
        return (rest,)
    elif slot.feature == "model":
        return _models(slot, table, domain)
    elif slot.type is not SlotType.INT:
        return range(slot.low, slot.high + 1)
    else:
        found = {slot.low, *read[slot.id]}
    return sorted(value for value in found if slot.low <= value <= slot.high)


def _models(slot: Slot, table: RouteTable, domain: Domain) -> Sequence[int]:
    """One class for each pin that is met, and one for none."""
    own = domain.views[0].variables.index(slot.id)
    classes = domain.views[0].classes[own]
    assert classes is not None
    found: dict[object, int] = {}
    for joint, index in enumerate(classes):
        met = (
            (pin.tier, pin.chain)
            for pin in table.pins
            if isinstance(pin.guard, ClassTest) and index in pin.guard.classes
        )
        found.setdefault(next(met, None), joint)
    return sorted(found.values())


def _read(table: RouteTable, assertions: Assertions, domain: Domain) -> dict[SlotId, set[int]]:
    """The variables that can matter, each with the ends of the stretches it is cut into."""
    everyone = {target.id for target in table.targets}
    roots: list[Guard | IntExpr] = [pin.guard for pin in table.pins]
    roots += [need.guard for need in table.needs if set(need.met_by) != everyone]
    for rule in table.rules:
        roots += [rule.guard, *(keep.guard for keep in rule.require or ())]
    roots += [one.value for one in table.dimensions if one.value is not None]
    found: dict[SlotId, set[int]] = {}

    def note(variables: Sequence[int], nodes: Sequence[Guard | IntExpr]) -> None:
        for slot, constant in _constants(nodes):
            if slot < len(variables):
                known = found.setdefault(SlotId(variables[slot]), set())
                known |= set() if constant is None else {constant}

    note(domain.views[0].variables, roots)
    asked = [slot.id for slot in assertions.slots if slot.feature in _features(domain)]
    places = {slot: domain.views[1].variables[i] for i, slot in enumerate(asked)}
    claims = [one.guard for one in assertions.items if one.guard is not None]
    for slot, constant in _constants(claims):
        if slot in places:
            known = found.setdefault(SlotId(places[slot]), set())
            known |= set() if constant is None else {constant}
    return found


_ENDS = {
    Compare.GT: (0, 1),
    Compare.LE: (0, 1),
    Compare.GE: (-1, 0),
    Compare.LT: (-1, 0),
    Compare.EQ: (-1, 0, 1),
    Compare.NE: (-1, 0, 1),
}
"""The ends of the stretches a comparison cuts, seen from its constant."""


def _features(domain: Domain) -> set[str]:
    return {slot.feature for slot in domain.slots}


def _constants(nodes: Sequence[Guard | IntExpr]) -> Iterator[tuple[SlotId, int | None]]:
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        waiting += subexpressions(node)
        match node:
            case IntCompare(op=op, left=IntSlot(slot=slot), right=IntConst(value=value)):
                yield from ((slot, value + by) for by in _ENDS[op])
            case IntSteps(x=IntSlot(slot=slot), pairs=pairs):
                yield from ((slot, threshold + by) for threshold, _ in pairs for by in (-1, 0))
            case _ if (slot := getattr(node, "slot", None)) is not None:
                yield slot, None
            case _:
                pass
