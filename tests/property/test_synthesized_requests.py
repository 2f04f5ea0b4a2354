"""Values of real requests to requests that have them: nearly all, and the rest says what differs.

Requests are drawn as clients send them, read over a rich domain, and a few of their features are
put to the synthesiser, those first that say something.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.cli.specs import compile_file
from lynkrc.ir.domain import Domain
from lynkrc.ir.table import RouteTable
from lynkrc.testing.compare import differences, shown_difference
from lynkrc.testing.replay import DIALECT_OF, Replay
from lynkrc.testing.sample import Walker
from lynkrc.testing.synthesize import synthesize
from lynkrc_runtime.protocol.conversation import MalformedRequest
from tests.property.client_envelopes import BUILDERS, Wire
from tests.property.conversations import talks
from tests.property.effort import tried
from tests.property.spelled_requests import SPELL
from tests.unit.rich_domain import cut, rich_domain

ROOT = Path(__file__).resolve().parents[2]
LEXICONS = ("code_words", "greeting", "explaining", "hard_work", "proving")
SURFACE_OF = {dialect: surface for surface, dialect in DIALECT_OF.items()}
REALISED = 0.9
"""Least part of the requests that must have every value; the rest says exactly what it lacks."""
_T = TypeVar("_T")

WORDS = st.lists(
    st.sampled_from(
        ["hi", "thanks", "prove that", "step by step", "security audit", "analyze the api", "?",
         ".", "first,", "\n", "```\nx = 1\n```", "(a)", '"q"', "3.14", "why?", "gr\u00f6\u00dfe",
         "\u7cfb\u7edf\u8bbe\u8ba1", "\uc548\ub155"]
    ),
    min_size=1,
    max_size=30,
).map(" ".join)  # fmt: skip


@cache
def made() -> tuple[RouteTable, Walker, Domain, Replay]:
    table = compile_file(ROOT / "specs" / "starter" / "claude.yaml").table
    assert table is not None
    walker = Walker(table.lexicons, table.automaton)
    domain = rich_domain(table, [f"builtin/{name}" for name in LEXICONS])
    return table, walker, domain, Replay(table, domain, walker)


@st.composite
def wires(draw: st.DrawFn) -> Wire:
    """A request as it comes over the wire."""
    words = draw(WORDS)
    if draw(st.booleans()):
        build, _ = BUILDERS[draw(st.sampled_from(sorted(BUILDERS)))]

        def choose(options: Sequence[_T]) -> _T:
            return options[draw(st.integers(0, len(options) - 1))]

        return build(words, choose, ("Bash", "Edit", "look"))
    dialect = draw(st.sampled_from(sorted(SPELL)))
    body = SPELL[dialect](draw(talks()))
    if draw(st.booleans()):
        said = body["input"] if dialect == "openai-responses" else body["messages"]
        said.append({"role": "user", "content": words})
    headers = draw(st.sampled_from([{}, {"x-data-class": "secret"}, {"user-agent": "codex/2"}]))
    return SURFACE_OF[dialect], dict(headers), body


def test_requests_with_the_values_of_real_ones() -> None:
    table, walker, domain, replay = made()
    realised: list[bool] = []

    @tried(40)
    @given(wire=wires(), seed=st.integers(0, 1 << 32))
    def check(wire: Wire, seed: int) -> None:
        surface, headers, body = wire
        try:
            values, _ = replay.values(surface, headers, body)
        except MalformedRequest:
            return
        point = tuple(0 if value is None else value for value in values)
        random = Random(seed)
        telling = [place for place, value in enumerate(point) if value]
        chosen = {*random.sample(telling, min(4, len(telling)))}
        chosen |= {*random.sample(range(len(point)), 2)}
        small, wanted = cut(domain, point, sorted(chosen))
        found = synthesize(table, small, wanted, walker)
        realised.append(found.realised)
        again = json.loads(json.dumps(found.body))
        got, _ = Replay(table, small, walker).values(found.surface, found.headers, again)
        real = tuple(map(shown_difference, differences(small, wanted, got)))
        assert found.missed == real

    check()
    assert sum(realised) >= REALISED * len(realised)
    assert len(realised) > 25
