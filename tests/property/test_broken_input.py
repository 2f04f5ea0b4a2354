"""However broken a spec is, checking it ends with findings: mutations, random trees, hostile text.

`make fuzz` runs the same check for longer, guided by coverage.
"""

import random
from collections.abc import Callable

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lynkrc.diagnostics.codes import YAML_SYNTAX
from lynkrc.source.decode_text import MAX_BYTES
from lynkrc.source.text import SourceFile
from lynkrc.source.yaml_nodes import read_nodes
from lynkrc.syntax.schema_check import section_names
from tests.fuzz.broken_input import check, corpus
from tests.fuzz.mutations import mutated
from tests.property.effort import tried

SEEDS = corpus()
HEAD = "version: 1\nname: x\n"

WORDS = st.sampled_from(
    [*section_names(), "local", "kind", "chain", "when", "value", "terms", "tier", "deny", "trust"]
)
VALUES = st.one_of(
    WORDS,
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.text(max_size=8),
    st.sampled_from(["tools.count > 1", "matches(ask, a)", "a*", "/a{1,3}/", "8k", "${A}"]),
)
TREES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)
TOKENS = """ask.words tools.count 1 2.5 8k ( ) [ ] , + - * < <= == != and or not implies in a b "x"
'y' matches( count(ask, header( when( steps( ramp( min( max( target.trust"""
EXPRESSIONS = st.lists(st.sampled_from(TOKENS.split()), max_size=14).map(" ".join)
PATTERNS = st.text(alphabet="ab é\u4f60*?|()[]{}^-\\/~.,19wds ", max_size=20)


@tried(40)
@given(st.integers(min_value=0), st.sampled_from(SEEDS), st.sampled_from(SEEDS))
def test_a_mutated_spec(seed: int, data: bytes, other: bytes) -> None:
    check(mutated(data, random.Random(seed), other))


@tried(20)
@given(st.dictionaries(WORDS, TREES, max_size=8))
def test_a_random_tree(tree: dict[str, object]) -> None:
    body = {"version": 1, "name": "x", **tree}
    check(yaml.safe_dump(body, allow_unicode=True).encode("utf-8", "replace"))


@tried(25)
@given(EXPRESSIONS, EXPRESSIONS, PATTERNS)
def test_random_expressions_and_patterns(first: str, second: str, pattern: str) -> None:
    spec = {
        "version": 1,
        "name": "x",
        "features": {"a": first, "b": second},
        "lexicons": {"words": [pattern or "a"]},
    }
    check(yaml.safe_dump(spec, allow_unicode=True).encode())


def whole(piece: str) -> str:
    """`piece` over and over, up to the size limit."""
    return piece * (MAX_BYTES // len(piece.encode()))


def one_expression(text: str) -> str:
    return f"{HEAD}rules:\n  - {{name: a, when: '{text}', add: 1}}\n"


def chain_of_features(levels: int, step: Callable[[str], str]) -> str:
    lines = [f"  f{i}: {step(f'f{i - 1}')}\n" for i in range(levels - 1, 0, -1)]
    return f"{HEAD}features:\n{''.join(lines)}  f0: ask.words\n"


HOSTILE: dict[str, tuple[str, str]] = {
    "brackets": (whole("["), "LK005"),
    "braces": (whole("{"), "LK005"),
    "double quotes": (whole('"'), "LK004"),
    "dashes": (whole("- "), "LK005"),
    "lines of dashes": (whole("- \n"), "LK005"),
    "tabs": (whole("\t"), "LK004"),
    "comments": (whole("#\n"), "LK006"),
    "NUL": (whole("\0"), "LK003"),
    "lone CR": (whole("\r"), "LK003"),
    "tags": (whole("!a "), "LK017"),
    "one plain scalar": ("name: " + "a" * 1_000_000, "LK105"),
    "one folded scalar": ("name: >\n" + "  abc def\n" * 100_000, "LK105"),
    "one quoted scalar": ('name: "' + "a\\n" * 300_000 + '"\n', "LK105"),
    "a huge integer": ("version: " + "9" * 1_000_000, "LK015"),
    "underscores": ("name: " + "1_" * 500_000 + "x", "LK105"),
    "equal keys": (whole("k: 1\n"), "LK017"),
    "100,000 keys": ("".join(f"k{i}: 1\n" for i in range(100_000)), "LK005"),
    "10,000 rules": (
        HEAD + "rules:\n" + "".join(f"- {{name: r{i}, add: 1}}\n" for i in range(10_000)),
        "LK005",
    ),
    "35,000 mistakes": (HEAD + "rules:\n" + "- 1\n" * 35_000, "LK017"),
    "syntax errors": ("".join(f"rules:\n  a: b: {i}\n" for i in range(50_000)), "LK005"),
    "a long expression": (one_expression("1+" * 400_000 + "1 > 2"), "LK305"),
    "much nesting": (one_expression("(" * 9_000 + "1" + ")" * 9_000 + " > 2"), "LK501"),
    "a long pattern": (f"{HEAD}lexicons:\n  w: ['{'a ' * 400_000}']\n", "LK210"),
    "wide repetitions": (
        HEAD + "lexicons:\n  w: [" + "'/([^a]{1,16}){1,4}x/', " * 2_000 + "]\n",
        "LK108",
    ),
    "features in a line": (chain_of_features(5_000, "{} + 1".format), "LK320"),
    "features twice each": (chain_of_features(60, lambda f: f"{f} + {f}"), "LK320"),
}


@pytest.mark.parametrize("text, code", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_mebibyte(text: str, code: str) -> None:
    data = text.encode()
    assert len(data) <= MAX_BYTES
    assert code in {one.code.id for one in check(data).diagnostics}


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML was built without libyaml")
@tried(30)
@given(st.integers(min_value=0), st.sampled_from([s for s in SEEDS if len(s) < 3_000]))
def test_both_parsers_find_the_same(seed: int, data: bytes) -> None:
    text = mutated(data, random.Random(seed), b"").decode("utf-8", "replace")
    if any(not char.isprintable() and char != "\n" for char in text):
        return
    file = SourceFile(path="x.yaml", text=text)
    fast = read_nodes(file, yaml.CSafeLoader, section_names())
    plain = read_nodes(file, yaml.SafeLoader, section_names())
    if any(one.code is YAML_SYNTAX for one in (*fast[1], *plain[1])):
        return  # they refuse different junk, and give up at different places
    assert fast == plain
    assert [one.span for one in fast[1]] == [one.span for one in plain[1]]
