"""`verify` accepts the sample and names each invariant that is broken."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from lynkrc.ir.guard import (
    ALWAYS,
    And,
    Compare,
    Guard,
    IntCompare,
    IntConst,
    IntRamp,
    IntSaturate,
    IntScale,
    IntSteps,
    Not,
)
from lynkrc.ir.table import (
    Call,
    ChainId,
    Keep,
    Pick,
    Prefer,
    RouteTable,
    SlotType,
    TargetId,
    TierId,
)
from lynkrc.ir.verify import has_normal_guards, verify
from lynkrc.passes import run_passes
from tests.unit.full_table import BIG, FULL, MID, SMALL, with_effects
from tests.unit.sample_table import (
    TABLE,
    compare,
    flag,
    integer,
    is_class,
    rule,
)


def test_the_sample_is_sound_before_and_after_the_passes() -> None:
    assert verify(TABLE) == []
    assert verify(run_passes(TABLE)) == []
    assert not has_normal_guards(TABLE)
    assert has_normal_guards(run_passes(TABLE))
    assert verify(FULL) == []
    assert verify(run_passes(FULL)) == []


def with_guard(guard: Guard) -> RouteTable:
    return replace(TABLE, rules=(rule(0, "r", guard, "x", tier=TierId(0)),))


def of_int(expr) -> RouteTable:
    return with_guard(IntCompare(op=Compare.GT, left=expr, right=IntConst(value=0)))


def first(rows, **changes):
    return (replace(rows[0], **changes), *rows[1:])


BREAKS: dict[str, tuple[Callable[[], RouteTable], str]] = {
    "id": (lambda: replace(TABLE, rules=TABLE.rules[1:]), "rule 0 has id 1"),
    "name twice": (
        lambda: replace(TABLE, tiers=first(TABLE.tiers, name="MEDIUM")),
        "tier MEDIUM is there twice",
    ),
    "feature": (
        lambda: replace(TABLE, slots=first(TABLE.slots, feature="ask.wrods")),
        "slot ask.wrods: no such feature",
    ),
    "type": (
        lambda: replace(TABLE, slots=first(TABLE.slots, type=SlotType.FIXED)),
        "slot ask.words: is fixed, the feature is int",
    ),
    "range": (
        lambda: replace(TABLE, slots=first(TABLE.slots, low=5, high=2)),
        "slot ask.words: empty range 5..2",
    ),
    "classes": (
        lambda: replace(TABLE, slots=(*TABLE.slots[:10], replace(TABLE.slots[10], high=9),
                                      *TABLE.slots[11:])),
        "slot model: 5 classes, but range 0..9",
    ),
    "lexicon numbering": (
        lambda: replace(TABLE, lexicons=first(TABLE.lexicons, first=1)),
        "lexicon greeting begins at 1, not 0",
    ),
    "provider": (
        lambda: replace(TABLE, targets=first(TABLE.targets, provider="nobody")),
        "target small: no provider nobody",
    ),
    "trust": (
        lambda: replace(TABLE, targets=first(TABLE.targets, trust="cloud")),
        "target small: its trust is not its provider's",
    ),
    "capability": (
        lambda: replace(TABLE, targets=first(TABLE.targets, capabilities=("fly",))),
        "target small: unknown capability in ('fly',)",
    ),
    "empty chain": (
        lambda: replace(TABLE, chains=first(TABLE.chains, groups=())),
        "chain SIMPLE is empty",
    ),
    "target twice": (
        lambda: replace(TABLE, chains=first(TABLE.chains, groups=((TargetId(0),), (TargetId(0),)))),
        "chain SIMPLE has a target twice",
    ),
    "no such target": (
        lambda: replace(TABLE, chains=first(TABLE.chains, groups=((TargetId(7),),))),
        "chain SIMPLE has a target that is not there",
    ),
    "bounds": (
        lambda: replace(TABLE, tiers=first(TABLE.tiers, up_to=50)),
        "the tiers' bounds do not rise",
    ),
    "last bound": (
        lambda: replace(TABLE, tiers=TABLE.tiers[:3]),
        "the last tier has a bound",
    ),
    "pin": (
        lambda: replace(TABLE, pins=first(TABLE.pins, chain=ChainId(4))),
        "pin lynkr/COMPLEX: must fix a tier or a chain",
    ),
    "pinned chain": (
        lambda: replace(TABLE, pins=first(TABLE.pins, tier=None, chain=ChainId(0))),
        "pin lynkr/COMPLEX: must have a chain of one target",
    ),
    "effect": (
        lambda: replace(TABLE, rules=(rule(0, "idle", ALWAYS, "x"),)),
        "rule idle has no effect",
    ),
    "keeps": (
        lambda: replace(TABLE, rules=(rule(0, "r", ALWAYS, "x", require_source="y",
                                           require=(Keep(target=TargetId(1), guard=ALWAYS),)),)),
        "rule r: must say of each target, in order, whether it stays",
    ),
    "boolean": (lambda: with_guard(flag(0)), "rule r: ask.words is no boolean"),
    "number": (
        lambda: with_guard(compare(1, ">", 0)),
        "rule r: matches(ask, greeting) is no number",
    ),
    "class order": (
        lambda: with_guard(is_class(4, 2, 1)),
        "rule r: header(\"x-data-class\"): classes (2, 1) are not sorted, distinct indices",
    ),
    "operands": (
        lambda: with_guard(And(operands=(flag(1),))),
        "rule r: and/or needs two operands",
    ),
    "no slot": (lambda: with_guard(Not(operand=flag(99))), "rule r: no slot 99"),
    "steps": (
        lambda: of_int(IntSteps(x=integer(0), pairs=((3, 1), (3, 2)))),
        "rule r: thresholds do not rise strictly: [3, 3]",
    ),
    "ramp": (lambda: of_int(IntRamp(x=integer(0), low=3, high=3)), "rule r: ramp from 3 to 3"),
    "saturate": (lambda: of_int(IntSaturate(x=integer(0), full=0)), "rule r: saturate at 0"),
    "64 bits": (
        lambda: of_int(IntScale(factor=2**50, term=integer(0))),
        f"rule r: a result of {2**50 * 16_777_215} may leave 64 bits",
    ),
    "empty group": (
        lambda: replace(FULL, chains=first(FULL.chains, groups=((SMALL, MID), (), (BIG,)))),
        "chain SIMPLE has an empty group",
    ),
    "target in two groups": (
        lambda: replace(FULL, chains=first(FULL.chains, groups=((SMALL, MID), (MID, BIG)))),
        "chain SIMPLE has a target twice",
    ),
    "missing weight": (
        lambda: replace(FULL, chains=first(FULL.chains, weights=((SMALL, 3), (MID, 1)))),
        "chain SIMPLE: its weights are not one a target, in their order",
    ),
    "order of weights": (
        lambda: replace(FULL, chains=first(FULL.chains, weights=FULL.chains[0].weights[::-1])),
        "chain SIMPLE: its weights are not one a target, in their order",
    ),
    "needless weights": (
        lambda: replace(FULL, chains=first(FULL.chains, pick=Pick.FASTEST)),
        "chain SIMPLE: its weights are not one a target, in their order",
    ),
    "weight of nothing": (
        lambda: replace(FULL, chains=first(FULL.chains, weights=((SMALL, 3), (MID, 0), (BIG, 1)))),
        "chain SIMPLE: a weight is not positive",
    ),
    "chain of a rule": (
        lambda: replace(FULL, rules=with_effects(10, chain=ChainId(7))),
        "rule tool-house: no chain 7",
    ),
    "prefers nothing": (
        lambda: replace(FULL, rules=with_effects(12, prefer=Prefer(pick=None, target=None))),
        "rule spare: must prefer a pick or a target",
    ),
    "prefers two things": (
        lambda: replace(FULL, rules=with_effects(12, prefer=Prefer(pick=Pick.FASTEST, target=MID))),
        "rule spare: must prefer a pick or a target",
    ),
    "prefers a rotation": (
        lambda: replace(
            FULL, rules=with_effects(12, prefer=Prefer(pick=Pick.ROUND_ROBIN, target=None))
        ),
        "rule spare: cannot prefer Pick.ROUND_ROBIN",
    ),
    "prefers no target": (
        lambda: replace(
            FULL, rules=with_effects(12, prefer=Prefer(pick=None, target=TargetId(3)))
        ),
        "rule spare: prefers the target 3, which is not there",
    ),
    "settings": (
        lambda: replace(FULL, settings='{"sesions":{}}'),
        "the settings: Object contains unknown field `sesions`",
    ),
    "form of the settings": (
        lambda: replace(FULL, settings=f" {FULL.settings}"),
        "the settings: not canonical JSON",
    ),
    "settings of a provider": (
        lambda: replace(FULL, providers=first(FULL.providers, rest="{}")),
        "provider ollama: not canonical JSON",
    ),
    "missing call": (
        lambda: replace(TABLE, calls=TABLE.calls[1:]),
        "no row for primary on messages",
    ),
    "embeddings nobody speaks of": (
        lambda: replace(
            TABLE, calls=tuple(one for one in TABLE.calls if one.surface != "embeddings")
        ),
        "no row for primary on embeddings",
    ),
    "an embedding that fails over": (
        lambda: replace(
            TABLE,
            calls=(
                *TABLE.calls,
                Call(surface="embeddings", call="failover", source="decision"),
            ),
        ),
        "unknown call failover on embeddings",
    ),
    "call elsewhere": (
        lambda: replace(TABLE, calls=first(TABLE.calls, source="local")),
        "call primary on messages must go to the decided chain",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BREAKS)
def test_a_broken_invariant_is_named(case: str) -> None:
    broken, message = BREAKS[case]
    assert message in verify(broken())
