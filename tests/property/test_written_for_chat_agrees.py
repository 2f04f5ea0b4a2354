"""What the kernel writes for Chat of a Messages conversation is what care makes of it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from lynkrc_runtime.protocol.anthropic.read_request import read_request
from lynkrc_runtime.protocol.conversation import CannotTranslate, MalformedRequest, Request
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.late_messages import LateMessages
from lynkrc_runtime.protocol.openai_chat.write_in_place import write_in_place
from lynkrc_runtime.protocol.openai_chat.write_request import write_request
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.providers.shapes_of_kinds import (
    DEEPSEEK,
    GROQ,
    LLAMACPP,
    MISTRAL,
    MOONSHOT,
    OPENROUTER,
    VLLM,
    ZAI,
)
from lynkrc_runtime.scan.engines import native_turns
from tests.bench.agent_bodies import body as agent_body
from tests.bench.work import facts as any_facts
from tests.json_speller import JsonSpeller
from tests.property.effort import tried

pytestmark = pytest.mark.skipif(native_turns is None, reason="the native kernel is not built")

ANYTHING = any_facts()
KINDS = (OPENROUTER, DEEPSEEK, GROQ, MISTRAL, MOONSHOT, ZAI, LLAMACPP, VLLM)
SHAPES = (
    RequestShape(),
    RequestShape(cache_marks=True),
    RequestShape(merge_consecutive=True, cache_marks=True, system_role="developer"),
    RequestShape(reasoning_replay="always", reasoning_field="content"),
    RequestShape(reasoning_replay="always", message_members=["role", "content", "tool_calls"]),
    RequestShape(
        reasoning_replay="with_tools",
        message_members=["role", "content", "tool_calls", "tool_call_id"],
    ),
    RequestShape(result_media=True, media_urls=False, prefill_mark="prefix"),
    *KINDS,
)
SEEDS = st.integers(0, 1 << 32)
INPUTS: tuple[Any, ...] = (
    {},
    {"path": "a/b.py", "limit": [200, -0.5, 1e9, None, True]},
    {"old": 'x\ny\t"é"\\\u001b[0m', "new": {"中\u2028😀": []}},
)


class Speller(JsonSpeller):
    """Writes a conversation: rounds of calls and results, and what does not go well."""

    def block(self, *given: tuple[str, str]) -> str:
        members = list(given)
        if self.chance.random() < 0.1:
            mark = self.chance.choice(({"type": "ephemeral"}, {"ttl": "5m", "n": [1]}, None))
            members.append(("cache_control", self.value(mark)))
        if self.rarely():
            self.chance.shuffle(members)
        return self.members(members)

    def words(self) -> str:
        return '""' if self.rarely() else self.text()

    def said(self) -> str:
        return self.block(("type", '"text"'), ("text", self.words()))

    def thought(self) -> str:
        if self.chance.random() < 0.3:
            return self.members([("type", '"redacted_thinking"'), ("data", '"abc"')])
        members = [("type", '"thinking"'), ("thinking", self.text())]
        if self.chance.random() < 0.5:
            members.append(("signature", self.chance.choice(('"sig"', "null", '""'))))
        return self.members(members)

    def call(self, call_id: str) -> str:
        name = self.chance.choice(("löök", "a b", "n" * 65)) if self.very_rarely() else "look"
        given = self.value(self.chance.choice(INPUTS))
        spell = self.string if self.very_rarely() else json.dumps
        return self.block(
            ("type", '"tool_use"'),
            ("id", spell(call_id)),
            ("name", json.dumps(name)),
            ("input", given),
        )

    def very_rarely(self) -> bool:
        return self.rarely() and self.rarely()

    def result(self, call_id: str) -> str:
        parts = self.within("[", [self.said() for _ in range(self.chance.randrange(4))], "]")
        content = self.chance.choice((self.words(), parts, parts, "null", None))
        members = [("type", '"tool_result"'), ("tool_use_id", json.dumps(call_id))]
        members += [] if content is None else [("content", content)]
        if self.rarely():
            members.append(("is_error", self.chance.choice(("true", "true", "false", "null"))))
        return self.block(*members)

    def message(self, role: str, blocks: Sequence[str]) -> str:
        content = self.within("[", blocks, "]")
        if self.chance.random() < 0.2 and not blocks:
            content = self.words()
        members = [("role", json.dumps(role)), ("content", content)]
        if self.rarely():
            members.reverse()
        return self.members(members)

    def assistant(self, ids: Sequence[str]) -> str:
        chance = self.chance
        blocks = [self.said() for _ in range(chance.choice((0, 1, 1, 2)))]
        calls = [self.call(one) for one in ids]
        if self.rarely():
            blocks.insert(chance.randrange(len(blocks) + 1), self.thought())
        blocks += calls
        if self.very_rarely():
            chance.shuffle(blocks)
        if self.very_rarely():
            blocks.append(self.result("x"))
        return self.message("assistant", blocks)

    def round(self, number: int) -> list[str]:
        chance = self.chance
        ids = [f"toolu_{number}_{one}" for one in range(chance.choice((0, 1, 1, 2, 3)))]
        if self.very_rarely():
            ids = [chance.choice(("a.b", "", "same", "x" * 41, "é")) for _ in ids]
        answered = list(ids)
        if self.rarely():
            chance.shuffle(answered)
        if self.very_rarely():
            answered = [*answered[1:], *(["other"] if self.rarely() else [])]
        results = [self.result(one) for one in answered]
        if self.rarely():
            results.insert(chance.randrange(len(results) + 1), self.said())
        if not results or chance.random() < 0.3:
            results += [self.said() for _ in range(chance.choice((1, 1, 2)))]
        found = [self.assistant(ids), self.message("user", results)]
        if self.rarely() and len(results) > 1:
            found[1:] = [self.message("user", results[:1]), self.message("user", results[1:])]
        return found

    def conversation(self) -> list[str]:
        found = [self.message("user", [self.said()])]
        for number in range(self.chance.randrange(1, 4)):
            found += self.round(number)
        if self.chance.random() < 0.1:
            role = self.chance.choice(("system", "assistant", "user", "user"))
            extra = self.message(role, [self.said()] if self.chance.random() < 0.8 else [])
            found.insert(self.chance.randrange(len(found) + 1), extra)
        if self.very_rarely():
            found.pop(self.chance.randrange(len(found)))
        return found

    def body(self) -> bytes:
        members = [("model", '"m"'), ("max_tokens", "9")]
        members.append(("messages", self.within("[", self.conversation(), "]")))
        if self.chance.random() < 0.5:
            texts = [self.said() for _ in range(self.chance.randrange(3))]
            members.append(("system", self.within("[", texts, "]")))
        if self.rarely():
            wanted = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
            members.append(("output_config", json.dumps(wanted)))
        return self.members(members).encode()


def exact(text: bytes) -> Any:
    """JSON with the order of members, and numbers as they are spelled."""
    return json.loads(text, object_pairs_hook=list, parse_int=str, parse_float=str)


def written(request: Request, facts: TargetFacts) -> Any:
    """What is sent and what is told of it, or why nothing can be."""
    try:
        done = write_request(request, facts, {})
    except CannotTranslate as error:
        return str(error)
    return exact(done.body), done.transforms


def agree(body: bytes, facts: TargetFacts = ANYTHING) -> bool | None:
    """Whether it is written in place: then all is as it is with care. None: it is not read so."""
    request = read_request(body, {})
    if type(request.messages) is not LateMessages:
        return None
    careful = changed(request, messages=tuple(request.messages))
    assert written(request, facts) == written(careful, facts)
    return write_in_place(request, facts, None, {}) is not None


@given(
    seed=SEEDS,
    odd=st.sampled_from((0, 5, 10, 30)),
    shape=st.sampled_from(SHAPES),
    without_thinking=st.booleans(),
)
@tried(400)
def test_any_conversation(seed: int, odd: int, shape: RequestShape, without_thinking: bool) -> None:
    facts = replace(ANYTHING, shape=shape, without_thinking=without_thinking)
    is_written = agree(Speller(seed, odd).body(), facts)
    assert is_written is not None or odd > 0


MEMBERS = ["role", "content", "tool_calls", "tool_call_id", "reasoning_content", "reasoning"]
MAY_BE = st.sampled_from((None, True, False))
ANY_SHAPE = st.builds(
    RequestShape,
    cache_marks=MAY_BE,
    merge_consecutive=MAY_BE,
    result_media=MAY_BE,
    media_urls=MAY_BE,
    prefill=MAY_BE,
    mid_system=MAY_BE,
    system_role=st.sampled_from((None, "system", "developer")),
    reasoning_replay=st.sampled_from((None, "never", "with_tools", "always")),
    reasoning_field=st.sampled_from(
        (None, "reasoning_content", "reasoning", "reasoning_details", "content")
    ),
    message_members=st.none() | st.just(MEMBERS) | st.lists(st.sampled_from(MEMBERS), unique=True),
    prefill_mark=st.sampled_from((None, "prefix", "continue_final_message")),
    call_ids=st.sampled_from((None, None, "alnum9")),
)


@given(seed=SEEDS, odd=st.sampled_from((0, 5, 30)), shape=ANY_SHAPE, without=st.booleans())
@tried(250)
def test_any_target(seed: int, odd: int, shape: RequestShape, without: bool) -> None:
    agree(Speller(seed, odd).body(), replace(ANYTHING, shape=shape, without_thinking=without))


@pytest.mark.parametrize("shape", [RequestShape(), *KINDS])
def test_most_conversations_are_written(shape: RequestShape) -> None:
    facts = replace(ANYTHING, shape=shape)
    bodies = [Speller(seed, 3).body() for seed in range(20)]
    count = sum(agree(body, facts) is True for body in bodies)
    assert count > 10 or shape is MISTRAL


BYTES = tuple(b'"\\{}[],: 01-+.eEu\x00\x1f\x7f\x80\xe4\xed\xf0\xff') + tuple(b"dDtfnlsra89")


@given(seed=SEEDS, shape=st.sampled_from(SHAPES))
@tried(150)
def test_a_damaged_conversation(seed: int, shape: RequestShape) -> None:
    chance, body = Random(seed), bytearray(Speller(seed, 7).body())
    for _ in range(1 + chance.randrange(3)):
        place = chance.randrange(len(body))
        body[place : place + chance.randrange(3)] = bytes(
            chance.choices(BYTES, k=chance.choice((1, 1, 2)))
        )
    try:
        read_request(bytes(body), {})
    except MalformedRequest:
        return
    agree(bytes(body), replace(ANYTHING, shape=shape))


def said(text: str = "Hi", **others: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **others}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def called(*ids: str, before: Sequence[Any] = (), name: str = "look") -> dict[str, Any]:
    calls = [{"type": "tool_use", "id": one, "name": name, "input": {"a": 1}} for one in ids]
    return {"role": "assistant", "content": [*before, *calls]}


def spoken(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def result(call_id: str, content: Any = "42", **others: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **others}


MARK = {"cache_control": {"type": "ephemeral"}}
CALL = {"type": "tool_use", "id": "a", "name": "look", "input": {}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
REPLAYS = RequestShape(reasoning_replay="with_tools")
ALTERNATES = RequestShape(merge_consecutive=True)


@pytest.mark.parametrize(
    ("messages", "shape", "is_written"),
    [
        ([user(said())], RequestShape(), True),
        ([{"role": "user", "content": "Hi"}], RequestShape(), True),
        ([user(said(), said(**MARK))], RequestShape(cache_marks=True), True),
        ([user(said(**MARK))], RequestShape(cache_marks=True), True),
        ([user(said(**MARK))], RequestShape(), True),
        ([user(said(), said("", **MARK))], RequestShape(cache_marks=True), True),
        ([user(said(""))], RequestShape(), False),
        ([user(said()), user(said())], RequestShape(), True),
        ([user(said()), user(said())], ALTERNATES, False),
        ([user(said()), user(said(""))], ALTERNATES, True),
        ([user(said()), called("a"), user(result("a"), said())], ALTERNATES, True),
        ([user(said()), called("a"), user(said(), result("a"))], RequestShape(), True),
        ([user(said()), called("a", "b"), user(result("b"), result("a"))], RequestShape(), True),
        ([user(said()), called("a", "b"), user(result("b"))], RequestShape(), False),
        ([user(said()), called("a", "b"), user(result("b"), result("b"))], RequestShape(), False),
        ([user(said()), called("a", "a"), user(result("a"), result("a"))], RequestShape(), False),
        ([user(said()), called("a"), user(result("b"))], RequestShape(), False),
        ([user(result("a"))], RequestShape(), False),
        ([user(said()), called("a.b"), user(result("a.b"))], RequestShape(), False),
        ([user(said()), called("a" * 41), user(result("a" * 41))], RequestShape(), False),
        ([user(said()), called("a", name="n" * 65), user(result("a"))], RequestShape(), False),
        ([user(said()), called("a"), user(result("a"))], RequestShape(call_ids="alnum9"), False),
        ([user(said()), called("a"), user(result("a", is_error=True))], RequestShape(), True),
        ([user(said()), called("a"), user(result("a", None))], RequestShape(), True),
        ([user(said()), called("a"), user(result("a", [said(), said()]))], RequestShape(), True),
        ([user(said()), called("a"), user(result("a"))], REPLAYS, True),
        ([user(said()), called("a", before=[THOUGHT]), user(result("a"))], REPLAYS, False),
        ([user(said()), called("a", before=[THOUGHT]), user(result("a"))], RequestShape(), True),
        ([user(said()), called(before=[THOUGHT]), user(said())], RequestShape(), True),
        ([user(said()), called(before=[said(), THOUGHT, said()]), user(said())], GROQ, True),
        ([user(said()), called("a"), called("b"), user(result("a"))], RequestShape(), False),
        ([user(said()), spoken(said(), THOUGHT, said(""), said()), user(said())], GROQ, True),
        ([user(said()), spoken(CALL, said()), user(result("a"))], RequestShape(), False),
        ([user(said()), spoken(CALL, said("")), user(result("a"))], RequestShape(), True),
        ([user(said()), called(before=[said()])], RequestShape(), False),
        ([user(said(), THOUGHT)], RequestShape(), False),
        ([user(said(), CALL)], RequestShape(), False),
        ([user(said()), spoken(said()), spoken(said()), user(said())], RequestShape(), False),
        ([user(said()), spoken(said()), user(said("")), spoken(said()), user(said())], GROQ, True),
        ([user(said()), {"role": "system", "content": "Now"}], RequestShape(), False),
        ([user(said()), called(*(f"a{n}" for n in range(65)))], RequestShape(), False),
    ],
)
def test_what_is_written(messages: Sequence[Any], shape: RequestShape, is_written: bool) -> None:
    for ascii_only in (True, False):
        text = json.dumps({"model": "m", "messages": messages}, ensure_ascii=ascii_only)
        assert agree(text.encode(), replace(ANYTHING, shape=shape)) is is_written


def test_losses_are_told_in_order() -> None:
    marked, failed = result("a", **MARK), result("b", is_error=True)
    messages = [
        user(said()),
        called("a", "b", before=[THOUGHT]),
        user(said(**MARK), failed, marked),
    ]
    request = read_request(json.dumps({"model": "m", "messages": messages}).encode(), {})
    told: dict[str, None] = {}
    assert write_in_place(request, ANYTHING, None, told) is not None
    assert list(told) == ["stripped=thinking", "folded=is_error", "dropped=cache_control"]


def test_an_agents_conversation_is_written() -> None:
    bodies = [agent_body("anthropic-messages", size) for size in (2_000, 70_000)]
    assert [agree(body) for body in bodies] == [True, True]
