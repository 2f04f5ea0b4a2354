"""Every fact against the extractor: it holds of all requests, and says as much as is true."""

from collections.abc import Iterator, Sequence
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc.analysis.relations import Relation, broken, holds, relations
from lynkrc.ir.domain import Point
from lynkrc_runtime.feature_facts import (
    FACTS,
    AtMost,
    Begins,
    Fact,
    Grows,
    Needs,
    On,
    Pairs,
    Together,
    Weighs,
)
from lynkrc_runtime.feature_table import FEATURES
from lynkrc_runtime.protocol.conversation import (
    Document,
    Image,
    Message,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from tests.property.effort import tried
from tests.property.facts_requests import (
    Made,
    answered,
    conversation,
    embedding,
    requests,
    rig,
    said,
    tool,
)

RIGS = 40


@cache
def known(seed: int) -> tuple[Relation, ...]:
    return relations(rig(seed).domain)


@tried(240)
@given(made=requests, seeds=st.lists(st.integers(1, RIGS), max_size=4, unique=True))
def test_no_request_breaks_a_fact(made: Made, seeds: list[int]) -> None:
    for seed in (0, *seeds):
        one = rig(seed)
        assert broken(one.domain, known(seed), one.point(made)) == ()


CODER = {"user-agent": "Coder/1"}
CALL = ToolCall(id="c", name="look", arguments="{}")
RESULT = ToolResult(call_id="c", content=(), is_error=True)
LONG = Message(
    role=Role.USER,
    blocks=(Text(text="abcd"), Text(text="efgh")),
)
EXAMPLES: tuple[Made, ...] = (
    *(
        conversation(said(text))
        for text in (
            "a",
            "中",
            "中中中中中",
            "👩",
            "abcd",
            "1",
            "1a1",
            "a\nb",
            'a,.("?',
            '1,.("?',
            *'.,("?1',
            "```",
            "```\n```\n```",
            "a a",
            "a a a a a",
            "a " * 9 + "a",
            "a " * 99 + "a",
            "é" * 9,
            "éa",
            "a。b。c。d。e",
            "。".join("abcdefghij"),
            *("a。" * n for n in (2, 5, 10, 50)),
            "a. ........",
            "\u0301",
            "a" + "é" * 99,
            "?",
            "!",
            "ΐ",
            "hi",
            "hi good morning",
            "hi good morning thanks",
            "prove that hi",
            "prove",
            "证明 中",
            "~pro",
            "pro",
            "hi!",
            "c++ !",
            "x y",
        )
    ),
    conversation(LONG),
    conversation(said(*("abcd",) * 20)),
    conversation(),
    conversation(said("a"), answered("a")),
    conversation(said("a"), answered("hi"), said("b"), answered("c")),
    conversation(answered("a")),
    conversation(answered("hi")),
    conversation(answered("hi prove that good morning thanks c++ ! 证明")),
    conversation(answered("!"), tools=(tool("Bash"),)),
    conversation(said(""), system=(Text(text="hi prove good evening"),)),
    conversation(system=(Text(text="hi"),)),
    conversation(system=(Text(text="hi"),), tools=(tool("Deploy"),)),
    conversation(Message(role=Role.USER, blocks=(Document(url="u"),))),
    conversation(Message(role=Role.SYSTEM, blocks=(Document(url="u"),))),
    conversation(Message(role=Role.SYSTEM, blocks=(Image(data="R0lGODlhAQABAA=="),))),
    conversation(Message(role=Role.SYSTEM, blocks=(RESULT,))),
    conversation(Message(role=Role.SYSTEM, blocks=(ToolCall(id="c", name="", arguments=""),) * 2)),
    conversation(
        said("a"),
        Message(role=Role.ASSISTANT, blocks=(CALL, CALL)),
        Message(role=Role.USER, blocks=(RESULT,)),
    ),
    conversation(tools=(tool("Bash"), tool("look"), tool("patch"))),
    conversation(tools=(tool("other"),)),
    conversation(tools=(tool("look"),), headers=CODER),
    conversation(tools=(tool("look"), tool("Deploy")), headers=CODER),
    conversation(tools=(tool("other"), tool("other"))),
    conversation(said("a"), surface="chat"),
    conversation(said("a"), surface="responses"),
    conversation(said("a"), model="gpt-5"),
    conversation(said("a"), model="lynkr/xyz"),
    conversation(said("a"), metadata={"user_id": "someone"}),
    embedding(b'{"model": "m", "input": "hi"}'),
    embedding(b'{"model": "m", "input": [[1]]}'),
    embedding(b'{"model": "m", "input": "hi"}', "sm"),
    embedding(b'{"model": "m", "input": "hi"}', "other"),
)


@cache
def points() -> tuple[Point, ...]:
    return tuple(rig(0).point(made) for made in EXAMPLES)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_break_none(number: int) -> None:
    for seed in range(RIGS + 1):
        one = rig(seed)
        assert broken(one.domain, known(seed), one.point(EXAMPLES[number])) == ()


def tightened(relation: Relation) -> Iterator[Relation]:
    """The relation, claimed of a little more than is true."""
    if relation.terms:
        yield Relation(
            where=relation.where,
            terms=relation.terms,
            most=relation.most - 1,
            fact=relation.fact,
        )
    else:
        for drop in range(len(relation.where)):
            where = relation.where[:drop] + relation.where[drop + 1 :]
            yield Relation(where=where, terms=(), most=-1, fact=relation.fact)


@pytest.mark.parametrize("number", range(len(FACTS)))
def test_each_fact_says_as_much_as_is_true(number: int) -> None:
    """Its relations are about some example, and would be false if they claimed any more."""
    own = relations(rig(0).domain, FACTS[number : number + 1])
    assert own
    stronger = [one for relation in own for one in tightened(relation)]
    slack = [one for one in stronger if all(holds(one, point) for point in points())]
    assert len(slack) < len(stronger)


def _at_most(left: str, right: str, factor: int = 1, offset: int = 0) -> AtMost:
    return AtMost(left=((1, left),), right=right, factor=factor, offset=offset)


FALSE: Sequence[Fact] = (
    _at_most("ask.bytes", "ask.chars"),
    _at_most("ask.chars", "ask.words", factor=20),
    _at_most("ask.numbers", "ask.words"),
    _at_most("ask.sentences", "ask.lines"),
    _at_most("ask.mean_sentence", "ask.longest_sentence"),
    _at_most("ask.tokens", "context.tokens"),
    _at_most("turns", "loop.steps_since_user"),
    _at_most("tools.max_weight", "tools.mean_weight"),
    _at_most("loop.repeats", "messages.count"),
    Needs(left="ask.bytes", right="ask.words"),
    Needs(left="tools.added", right="tools.max_weight"),
    Needs(left="images.count", right="messages.count"),
    Needs(left="loop.tool_results", right="turns"),
    Needs(left="matches", text="ask", right="ask.words"),
    Needs(left="matches", text="history", right="turns"),
    Needs(left="matches", text="envelope", right="tools.count"),
    AtMost(left=((1, "count"),), text="ask", right="ask.words"),
    Pairs(left="surface", right="dialect", pairs=(("messages", "anthropic-messages"),)),
    On(feature="surface", member="embeddings", features=("ask.words",)),
    On(feature="surface", member="embeddings", features=(), texts=("ask",)),
    Begins(feature="model", prefix="lynkr/s", where=("surface", "embeddings")),
    Begins(feature="model", prefix="a"),
    Together(features=("count", "points")),
    Weighs(feature="distinct"),
    Grows(features=("points",)),
)


@pytest.mark.parametrize("fact", FALSE, ids=str)
def test_a_false_fact_is_caught(fact: Fact) -> None:
    domain = rig(0).domain
    own = relations(domain, (fact,))
    assert any(broken(domain, own, point) for point in points())


def test_the_facts_are_about_features_that_start_at_0() -> None:
    for fact in FACTS:
        match fact:
            case AtMost(left=left, right=right):
                assert fact.factor > 0
                assert all(FEATURES[name].low == 0 for name in (right, *(n for _, n in left)))
            case Needs(left=name, right=right):
                assert FEATURES[name].low == FEATURES[right].low == 0
            case _:
                pass
