"""Native code at the ends of what integers hold: every engine decides as the interpreter means."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from lynkrc.bundle.pack import pack
from lynkrc.codegen.artifacts import SpecSource, generate
from lynkrc.ir.guard import (
    Compare,
    IntCompare,
    IntConst,
    IntExpr,
    IntMax,
    IntMin,
    IntRamp,
    IntSaturate,
    IntScale,
    IntSelect,
    IntSlot,
    IntSteps,
    IntSum,
    SlotId,
)
from lynkrc.ir.ranges import interval
from lynkrc.ir.table import Dimension, RouteTable, TargetId
from lynkrc.ir.verify import verify
from lynkrc.native.build import NativeBuilt, build_native
from lynkrc.passes import run_passes
from lynkrc.testing.validate import validate
from lynkrc_runtime.bundle import load_opened, open_bundle, portable_scorer
from tests.native_tools import needs_compiler
from tests.property.effort import EFFORT
from tests.property.random_tables import SLOTS
from tests.unit.sample_table import SPAN, SPEC, TABLE, chain, rule, target

WORDS, AUDITS, SHARE = (IntSlot(slot=SlotId(slot)) for slot in range(3))
FURTHEST = 2**54
"""Times 100 it is just within what the table's verifier lets a result be."""

WIDE = IntScale(factor=FURTHEST // 16_777_215, term=WORDS)
VALUES: tuple[IntExpr, ...] = (
    WIDE,
    IntScale(factor=-(FURTHEST // 16_777_215), term=WORDS),
    IntSum(terms=(IntScale(factor=-1, term=WIDE), IntConst(value=FURTHEST))),
    IntRamp(x=WIDE, low=-FURTHEST, high=FURTHEST),
    IntRamp(x=IntScale(factor=-1, term=WIDE), low=-FURTHEST, high=FURTHEST - 1),
    IntRamp(x=WORDS, low=16_777_213, high=16_777_214),
    IntSaturate(x=WIDE, full=1),
    IntSaturate(x=WIDE, full=2**60),
    IntSaturate(x=IntSum(terms=(AUDITS, IntConst(value=-7))), full=3),
    IntSteps(x=WORDS, pairs=((1, -(2**59)), (2, 2**59), (16_777_215, 50))),
    IntMin(operands=(WIDE, IntScale(factor=-3, term=SHARE), IntConst(value=-1))),
    IntMax(operands=(WIDE, IntConst(value=2**33))),
    IntSelect(
        condition=IntCompare(op=Compare.GE, left=WIDE, right=IntConst(value=2**31)),
        then=IntConst(value=2**32 + 1),
        otherwise=IntConst(value=-(2**31) - 1),
    ),
    IntScale(factor=2, term=SHARE),
    IntConst(value=100),
)
HEAVY = 2**62 // (100 * (len(VALUES) + 3))


def extreme(seed: int) -> RouteTable:
    """A table whose points add up to nearly 2**62, with weights of every size and sign."""
    random = Random(seed)
    weights = [HEAVY, -HEAVY, 0, 1, -1, 6400, random.randint(-HEAVY, HEAVY)]
    dimensions = tuple(
        Dimension(
            name=f"d{number}",
            weight64=random.choice(weights),
            value=value,
            terms=None,
            source=f"dimension {number}",
            span=SPAN,
        )
        for number, value in enumerate(VALUES)
    )
    terms = replace(dimensions[0], name="terms", weight64=0, value=None, terms=SlotId(7))
    rules = tuple(
        rule(
            number,
            f"r{number}",
            IntCompare(op=op, left=value, right=IntConst(value=bound)),
            "at a bound",
            add64=random.choice([HEAVY // 20, -HEAVY // 20, 0, 1]),
        )
        for number, (op, value, bound) in enumerate(
            (random.choice(list(Compare)), value, sum(interval(value, SLOTS)) // 2)
            for value in VALUES[:10]
        )
    )
    many = (target(i, f"t{i}", "ollama", "local", 1000) for i in range(3, 62))
    return replace(
        TABLE,
        slots=SLOTS,
        targets=(*TABLE.targets, *many),
        chains=tuple(
            chain(number, known.name, *(TargetId(t) for t in (61, 33, 0)))
            for number, known in enumerate(TABLE.chains)
        ),
        pins=(),
        needs=(),
        definitions=(),
        rules=rules,
        dimensions=(*dimensions, terms),
        offset64=random.choice([HEAVY, -HEAVY, 0]),
    )


@needs_compiler
@pytest.mark.parametrize("seed", range(1, 3 * EFFORT + 1))
def test_no_engine_leaves_its_integers(tmp_path: Path, seed: int) -> None:
    written = extreme(seed)
    assert verify(written) == []
    table = run_passes(written)
    artifacts = generate(
        table,
        sources=(SpecSource(path="routing.yaml", name="routing.yaml", data=SPEC),),
        source_digest="0" * 64,
        meaning_digest="0" * 64,
    )
    built = build_native(artifacts)
    assert isinstance(built, NativeBuilt), built
    path = tmp_path / "table.lynkr"
    path.write_bytes(pack(artifacts, report=b"{}\n", native={built.path: built.library}))
    opened = open_bundle(path)
    loaded = load_opened(opened, is_just_built=True)
    assert loaded.engine == "native", loaded.notice
    random = Random(seed)
    chosen = [
        tuple(random.choice([slot.low, slot.high, random.randint(slot.low, slot.high)])
              for slot in SLOTS)
        for _ in range(300)
    ]  # fmt: skip
    engines = {"python": portable_scorer(opened), "native": loaded.scorer}
    found, tried = validate(table, engines, loaded.explain, chosen, written=written, most=3000)
    assert found is None
    assert tried > 500
    scores = {loaded.scorer(list(vector))[5] for vector in chosen}
    assert scores & {0, 100}
    # Bits that no integer of 32 holds.
    assert {loaded.scorer(list(vector))[4] for vector in chosen} >= {1 << 61 | 1 << 33 | 1}
