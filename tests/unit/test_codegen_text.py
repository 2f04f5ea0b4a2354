"""Generated text: it fits the page, parses, and no name of a spec can break out of it."""

import ast
from dataclasses import replace

import msgspec
import pytest

from lynkrc.codegen.columns import align
from lynkrc.codegen.dispatch import print_dispatch
from lynkrc.codegen.explain import print_explain
from lynkrc.codegen.layout import Bracketed, Chain, Leaf, statement
from lynkrc.codegen.names import comment, literal, slot_names, with_comment
from lynkrc.codegen.routes import print_routes
from lynkrc.codegen.scorer import print_scorer
from lynkrc.interp.evaluate import evaluate
from lynkrc.ir.guard import ALWAYS, NEVER, And, Or
from lynkrc.ir.table import ChainId, Deny, RouteTable, TargetId, TierId
from lynkrc.passes import run_passes
from lynkrc_runtime.dispatch import Dispatch
from tests.unit.sample_table import (
    SLOTS,
    TABLE,
    bool_slot,
    class_slot,
    compare,
    flag,
    keeps,
    number_slot,
    rule,
    target,
    vector,
)
from tests.unit.sample_table import chain as target_chain

HOSTILE = 'x"""\nraise SystemExit\n\u2028# \\'


def run(text: str, function: str):
    namespace = {}
    exec(compile(text, "generated", "exec"), namespace)
    return namespace[function]


def test_slots_have_readable_distinct_names() -> None:
    slots = (
        number_slot(0, "ask.words", 9),
        bool_slot(1, "tools.named", "Bash"),
        bool_slot(2, "tools.named", "bash"),
        bool_slot(3, "tools.named", "b-ash"),
        bool_slot(4, "tools.named", "b ash"),
        class_slot(5, "model"),
        class_slot(6, "metadata", args=("\u2603",)),
        number_slot(7, "score", 9),
    )
    assert slot_names(slots) == [
        "ask_words",
        "tools_named_Bash",
        "tools_named_bash",
        "tools_named_b_ash",
        "tools_named_b_ash_2",
        "model",
        "metadata",
        "slot_score",
    ]


def test_a_comment_stays_on_its_line_and_a_literal_in_its_quotes() -> None:
    assert comment(HOSTILE) == '# x"""\\nraise SystemExit\\n\\u2028# \\'
    for text in (HOSTILE, "it's", 'say "hi"', "\\", "'\""):
        assert ast.literal_eval(literal(text)) == text
    assert with_comment("x = 1", "why", 4) == ["x = 1  # why"]
    assert with_comment("x = 1", "why " * 40, 4)[-1] == "x = 1"


def test_names_of_a_spec_cannot_become_code() -> None:
    hostile = replace(
        TABLE,
        name=HOSTILE,
        rules=(
            rule(0, HOSTILE, compare(0, "<", 9), HOSTILE, deny=Deny(status=403, message=HOSTILE)),
        ),
        targets=(replace(TABLE.targets[0], name=HOSTILE), *TABLE.targets[1:]),
        pins=(replace(TABLE.pins[0], pattern=HOSTILE),),
        needs=(replace(TABLE.needs[0], name=HOSTILE),),
        dimensions=(replace(TABLE.dimensions[0], name=HOSTILE, source=HOSTILE),),
    )
    assert run(print_scorer(hostile)[0], "decide")(vector(words=99)) == evaluate(
        hostile, vector(words=99)
    )
    assert run(print_explain(hostile), "explain")(vector())["rule"] == HOSTILE
    assert (
        len(print_routes(hostile, "0" * 64).splitlines())
        == len(print_routes(hostile, "0" * 64).split("\n")) - 1
    )


def long_table() -> RouteTable:
    words = [compare(0, "==", number * 1000) for number in range(40)]
    guard = Or(operands=(And(operands=(flag(1), Or(operands=tuple(words)))), *words))
    some = rule(0, "long", guard, " or ".join(["ask.words == 1000"] * 40), tier=TierId(1))
    return replace(TABLE, rules=(some, *(replace(r, id=r.id + 1) for r in TABLE.rules)))


@pytest.mark.parametrize("table", [TABLE, long_table()], ids=["sample", "long"])
def test_generated_text_fits_the_page(table: RouteTable) -> None:
    table = run_passes(table)
    for text in (print_scorer(table)[0], print_explain(table)):
        ast.parse(text)
        assert max(len(line) for line in text.splitlines()) <= 100
        assert not [line for line in text.splitlines() if line != line.rstrip()]
    assert max(len(line) for line in print_routes(table, "0" * 64).splitlines()) <= 100


def test_a_condition_of_any_length_is_told_whole() -> None:
    words = "\\\n'\"" + "ask.words == 1 or " * 20_000
    some = rule(0, "long", compare(0, "<", 9), words, tier=TierId(1))
    table = replace(TABLE, rules=(some, *(replace(r, id=r.id + 1) for r in TABLE.rules)))
    explained = run(print_explain(table), "explain")(vector())
    assert explained["rules"][0]["when"] == words


def test_a_decision_is_told_by_its_rule_and_no_place_is_named() -> None:
    scorer, pxd = print_scorer(run_passes(TABLE))
    assert "# greetings: ask.words <= 4 and matches(ask, greeting) -> SIMPLE" in scorer
    assert not any(isinstance(n, ast.Import | ast.ImportFrom) for n in ast.walk(ast.parse(scorer)))
    assert "routing.yaml:2" not in scorer
    assert "cdef Verdict decide(Vector v) noexcept nogil" in pxd


def test_what_is_used_twice_is_computed_once() -> None:
    scorer, _ = print_scorer(run_passes(TABLE))
    assert scorer.count("loop_tool_results < 3") == 1


def test_a_moved_rule_gives_the_same_bytes() -> None:
    moved = replace(
        TABLE, rules=tuple(replace(r, span=replace(r.span, start=0)) for r in TABLE.rules)
    )
    assert print_scorer(moved) == print_scorer(TABLE)


def test_odd_tables_are_generated_too() -> None:
    one = TargetId(0)
    bare = replace(
        TABLE,
        slots=(),
        targets=TABLE.targets[:1],
        chains=(target_chain(0, "ONLY", one),),
        tiers=(replace(TABLE.tiers[3], id=TierId(0), name="ONLY", chain=ChainId(0)),),
        pins=(),
        needs=(),
        rules=(),
        dimensions=(),
    )
    required = replace(
        bare,
        rules=(rule(0, "r", ALWAYS, "x", require=keeps(NEVER), require_source="never"),),
    )
    for table in (bare, required):
        decide = run(print_scorer(table)[0], "decide")
        assert decide([]) == evaluate(table, [])
        assert run(print_explain(table), "explain")([])["verdict"] == list(evaluate(table, []))
        assert "none" in print_routes(table, "0" * 64)


def test_more_targets_than_bits_in_a_machine_word() -> None:
    many = tuple(target(i, f"t{i}", "ollama", "local", 1000) for i in range(70))
    chain = target_chain(0, "T", 69, 0)
    table = replace(
        TABLE,
        targets=many,
        chains=(chain,),
        tiers=(replace(TABLE.tiers[3], id=TierId(0), chain=ChainId(0)),),
        pins=(),
        needs=(),
        rules=(),
    )
    scorer, _ = print_scorer(table)
    assert run(scorer, "decide")(vector())[4] == 1 << 69 | 1


def test_the_dispatch_table_is_read_back_strictly() -> None:
    data = print_dispatch(TABLE)
    read = msgspec.json.decode(data, type=Dispatch)
    assert [slot.feature for slot in read.slots] == [slot.feature for slot in SLOTS]
    assert read.targets[1].price is not None and read.targets[1].price.output == "0.6"
    assert read.targets[0].price is None
    assert read.rules[0].deny is not None and read.rules[0].deny.status == 403
    assert read.clients[0].tool_weights == {"Agent": 40, "Bash": 90}
    assert data.endswith(b"}\n") and b'\n  "slots": [' in data
    # Maps are sorted, lists keep the order that means something.
    assert data.index(b'"Agent": 40') < data.index(b'"Bash": 90')


def test_columns_wrap_and_keep_to_their_limits() -> None:
    rows = [("name", "what"), ("a", "one two three"), ("b" * 30, "x")]
    lines = align(rows, (8,), total=18)
    assert lines[0] == "name      what"
    assert lines[1:3] == ["a         one two", "          three"]
    assert all(len(line) <= 18 for line in lines)
    assert "a         one two three" in align(rows, (8,), total=23)


def test_long_statements_break_before_operators() -> None:
    operands = [Leaf(text=f"a_rather_long_name_{i} > 0") for i in range(6)]
    chain = Chain(first=operands[0], rest=tuple(("and", o) for o in operands[1:]))
    lines = statement("if ", chain, ":", indent=4)
    assert lines[0] == "if (" and lines[-1] == "):"
    assert lines[2] == "    and a_rather_long_name_1 > 0"
    assert statement("x = ", Bracketed(pieces=(Leaf(text="1"),), is_tuple=True), "", indent=4) == [
        "x = (1,)"
    ]


@pytest.mark.parametrize("length", range(60, 88))
def test_a_call_that_fits_only_without_its_name_is_broken_once(length: int) -> None:
    piece = Bracketed(pieces=(Leaf(text="x" * length), Leaf(text="y")))
    lines = statement("name = ", piece, ",", indent=4)
    assert "".join(lines).count("y") == 1
    assert all(len(line) <= 96 for line in lines)
    long = Chain(first=Leaf(text="a" * length), rest=(("+", Leaf(text="y")),))
    assert " ".join(statement("name = ", long, "", indent=4)).count("y") == 1
