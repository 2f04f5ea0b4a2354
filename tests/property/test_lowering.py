"""Lowering keeps the meaning of expressions and does not see the order of YAML keys."""

import random
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from lynkrc.interp.evaluate import holds
from lynkrc.ir.table import RouteTable
from lynkrc.lower.guards import lower_guard
from lynkrc.lower.slots import SlotPlan
from lynkrc.lower.table import lower
from lynkrc_runtime.dispatch import StringClass
from lynkrc_runtime.string_classes import StringClasses
from tests.property.effort import tried
from tests.unit.sema_sample import SCOPE, checked, sound

Env = dict[str, Any]
Part = tuple[str, Callable[[Env], int]]
Parts = st.SearchStrategy[Part]

INTS = ("turns", "tools.count", "ask.words")
TEXTS = ("", "a", "ab", "abc", "b", "zz")


def _int(name: str) -> Part:
    return name, lambda env: int(env[name])


def _const(value: int) -> Part:
    return str(value), lambda _: value


def _ramp(x: int, low: int, high: int) -> int:
    return 0 if x <= low else 100 if x >= high else 100 * (x - low) // (high - low)


def _steps(x: int, pairs: list[tuple[int, int]]) -> int:
    return ([0] + [v for a, v in pairs if a <= x])[-1]


def _numbers(
    inner: st.SearchStrategy[Part], bools: st.SearchStrategy[Part]
) -> st.SearchStrategy[Part]:
    two = st.tuples(inner, inner)
    small = st.integers(0, 12)
    return st.one_of(
        two.map(lambda p: (f"({p[0][0]} + {p[1][0]})", lambda e: p[0][1](e) + p[1][1](e))),
        two.map(lambda p: (f"({p[0][0]} - {p[1][0]})", lambda e: p[0][1](e) - p[1][1](e))),
        st.tuples(st.integers(-3, 3), inner).map(
            lambda p: (f"({p[0]}) * ({p[1][0]})", lambda e: p[0] * p[1][1](e))
        ),
        two.map(lambda p: (f"min({p[0][0]}, {p[1][0]})", lambda e: min(p[0][1](e), p[1][1](e)))),
        two.map(lambda p: (f"max({p[0][0]}, {p[1][0]})", lambda e: max(p[0][1](e), p[1][1](e)))),
        st.tuples(inner, small, small).map(
            lambda p: (
                f"clamp({p[0][0]}, {min(p[1:])}, {max(p[1:])})",
                lambda e: min(max(p[0][1](e), min(p[1:])), max(p[1:])),
            )
        ),
        st.tuples(bools, inner, inner).map(
            lambda p: (
                f"when({p[0][0]}, {p[1][0]}, {p[2][0]})",
                lambda e: p[1][1](e) if p[0][1](e) else p[2][1](e),
            )
        ),
        st.tuples(inner, small, st.integers(1, 9)).map(
            lambda p: (
                f"ramp({p[0][0]}, {p[1]}, {p[1] + p[2]})",
                lambda e: _ramp(p[0][1](e), p[1], p[1] + p[2]),
            )
        ),
        st.tuples(inner, st.integers(1, 9)).map(
            lambda p: (
                f"saturate({p[0][0]}, {p[1]})",
                lambda e: max(0, min(100, 100 * p[0][1](e) // p[1])),
            )
        ),
        st.tuples(inner, small, st.integers(-9, 9), st.integers(-9, 9)).map(
            lambda p: (
                f"steps({p[0][0]}, [[{p[1]}, {p[2]}], [{p[1] + 2}, {p[3]}]])",
                lambda e: _steps(p[0][1](e), [(p[1], p[2]), (p[1] + 2, p[3])]),
            )
        ),
    )


OPS: dict[str, Callable[[int, int], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _text(env: Env) -> str | None:
    found = env["header"]
    return None if found is None else str(found)


def _starts(env: Env, word: str) -> bool:
    text = _text(env)
    return text is not None and text.startswith(word)


_texts = st.one_of(
    st.sampled_from(TEXTS).map(lambda w: (f'header("h") == "{w}"', lambda e: _text(e) == w)),
    st.sampled_from(TEXTS).map(lambda w: (f'header("h") != "{w}"', lambda e: _text(e) != w)),
    st.sampled_from(TEXTS[1:]).map(
        lambda w: (f'header("h") starts_with "{w}"', lambda e: _starts(e, w))
    ),
    st.just(('header("h") == absent', lambda e: _text(e) is None)),
    st.just(("wants.stream", lambda e: bool(e["wants.stream"]))),
)
_leaves = st.one_of(st.sampled_from(INTS).map(_int), st.integers(0, 12).map(_const))


def _bools(
    numbers: st.SearchStrategy[Part], inner: st.SearchStrategy[Part]
) -> st.SearchStrategy[Part]:
    two = st.tuples(inner, inner)
    ops = st.sampled_from(sorted(OPS))
    return st.one_of(
        st.tuples(numbers, ops, numbers, ops, numbers).map(
            lambda p: (
                f"{p[0][0]} {p[1]} {p[2][0]} {p[3]} {p[4][0]}",
                lambda e: OPS[p[1]](p[0][1](e), p[2][1](e)) and OPS[p[3]](p[2][1](e), p[4][1](e)),
            )
        ),
        st.tuples(numbers, ops, numbers).map(
            lambda p: (
                f"{p[0][0]} {p[1]} {p[2][0]}",
                lambda e: OPS[p[1]](p[0][1](e), p[2][1](e)),
            )
        ),
        inner.map(lambda p: (f"not ({p[0]})", lambda e: not p[1](e))),
        two.map(lambda p: (f"(({p[0][0]}) and ({p[1][0]}))", lambda e: p[0][1](e) and p[1][1](e))),
        two.map(lambda p: (f"(({p[0][0]}) or ({p[1][0]}))", lambda e: p[0][1](e) or p[1][1](e))),
        two.map(
            lambda p: (
                f"(({p[0][0]}) implies ({p[1][0]}))",
                lambda e: not p[0][1](e) or p[1][1](e),
            )
        ),
    )


_numbers_1 = st.one_of(_leaves, _numbers(_leaves, _texts))
_bools_1 = st.one_of(_texts, _bools(_numbers_1, _texts))
_numbers_2 = st.one_of(_leaves, _numbers(_numbers_1, _bools_1))
CONDITIONS = _bools(_numbers_2, _bools_1)

ENVS = st.fixed_dictionaries(
    {
        **{name: st.integers(0, 14) for name in INTS},
        "wants.stream": st.booleans(),
        "header": st.sampled_from((*TEXTS, "abz", "q", None)),
    }
)


@tried(200)
@given(CONDITIONS, st.lists(ENVS, min_size=4, max_size=4))
def test_a_guard_means_what_the_expression_says(condition: Part, envs: list[Env]) -> None:
    text, meaning = condition
    typed, findings = checked(text, scope=SCOPE)
    # A literal at the edge of a feature's range is refused; what is typed must be right.
    assert {one.code.id for one in findings} <= {"LK321", "LK313"}
    assume(typed is not None)
    assert typed is not None
    plan = SlotPlan()
    plan.read((typed,))
    layout = plan.layout()
    guard = lower_guard(typed, layout)
    for env in envs:
        vector = []
        for slot in layout.slots:
            if slot.feature == "header":
                classes = [StringClass(one.kind, one.text) for one in slot.classes]
                vector.append(StringClasses(classes).classify(_text(env)))
            else:
                vector.append(
                    int(bool(env[slot.feature]))
                    if slot.feature == "wants.stream"
                    else int(str(env[slot.feature]))
                )
        assert holds(guard, vector) == bool(meaning(env)), text


SPEC = """\
providers:
  house: {kind: simulator, trust: local, retry: {times: 2}}
  far: {kind: simulator, trust: cloud}
targets:
  one: {provider: house, model: m, context: 8k}
  two: {provider: far, model: m}
  three: {provider: far, model: m2}
models:
  alpha: {tier: HIGH}
  a*: {target: two}
  b*: {target: one}
lexicons:
  first: [hello, "good (morning|evening)"]
  second: [thanks, bye]
features:
  polite: matches(ask, first) or matches(ask, second)
  long: ask.words > 300
clients:
  codex: {user_agent: [codex_exec/, codex-tui/], baseline_tools: [shell, apply_patch]}
  other-client: {user_agent: tool/, tool_weights: {Bash: 90, Read: 10}}
score:
  dimensions:
    size: {weight: 100, value: 'ramp(ask.words, 0, 200)'}
tiers:
  - {name: LOW, up_to: 50, chain: [one, two]}
  - {name: HIGH, chain: [two, three]}
otherwise: escalate
rules:
  - {name: kind, when: polite and client == codex, tier: LOW}
  - {name: long, when: 'long and header("b") == "y" and header("a") in ["q", "p"]', floor: HIGH}
"""


def shuffled(node: object, random_: random.Random) -> object:
    """The document with the keys of every mapping in another order."""
    if isinstance(node, dict):
        items = [(key, shuffled(value, random_)) for key, value in node.items()]
        random_.shuffle(items)
        return dict(items)
    if isinstance(node, list):
        return [shuffled(item, random_) for item in node]
    return node


def table_of(text: str) -> RouteTable:
    table, findings = lower(sound(text))
    assert findings == []
    assert table is not None
    return table


def test_the_order_of_keys_does_not_count() -> None:
    expected = table_of(SPEC)
    document = yaml.safe_load(SPEC)
    for seed in range(12):
        other = yaml.safe_dump(shuffled(document, random.Random(seed)), sort_keys=False)
        assert table_of(other) == expected
