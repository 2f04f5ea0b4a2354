"""Responses items read in place are those that are decoded; so is what is written of them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from lynkrc_runtime.protocol.conversation import CannotTranslate, Request
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.late_messages import LateMessages, calls_since
from lynkrc_runtime.protocol.openai_chat.write_in_place import write_in_place
from lynkrc_runtime.protocol.openai_responses.fast_items import fast_items, join_items
from lynkrc_runtime.protocol.openai_responses.native_items import native_items
from lynkrc_runtime.protocol.openai_responses.read_request import read_request
from lynkrc_runtime.protocol.openai_responses.read_tools import ToolNames
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import TARGET_DIALECTS
from lynkrc_runtime.repeats import repeats
from lynkrc_runtime.scan.engines import native_turns
from tests.bench.agent_bodies import body as agent_body
from tests.bench.work import facts as any_facts
from tests.json_speller import JsonSpeller
from tests.property.effort import tried

pytestmark = pytest.mark.skipif(native_turns is None, reason="the native kernel is not built")

ANYTHING = any_facts()
SHAPES = (
    RequestShape(),
    RequestShape(merge_consecutive=True, prefill=False),
    RequestShape(reasoning_replay="with_tools", mid_system=False),
)
SEEDS = st.integers(0, 1 << 32)
INPUTS: tuple[Any, ...] = (
    {},
    {"command": ["ls", "-l"], "limit": 200},
    {"limit": 200, "command": ["ls", "-l"]},
    {"old": 'x\ny\t"é"\\', "new": [0.5, -1e9, None, True, "中\u2028😀"]},
)
ODD_INPUTS = ("", " ", "null", "[1]", '{"a":', "{} x", '{"a":1e400}', '{"a":"\\ud83d"}', "\u00a0{}")


class Speller(JsonSpeller):
    """Writes items: rounds of calls and results, and what does not go well."""

    def very_rarely(self) -> bool:
        return self.rarely() and self.rarely()

    def item(self, *given: tuple[str, str]) -> str:
        members = list(given)
        if self.rarely():
            members.append(("id", self.chance.choice(('"msg_1"', "null", "7"))))
        if self.rarely():
            members.append(("status", '"completed"'))
        if self.very_rarely():
            name = self.chance.choice(("name", "namespace", "content", "type", "summary", "other"))
            members.append((name, self.chance.choice(("null", '"x"', "1", "[]"))))
        if self.rarely():
            self.chance.shuffle(members)
        if self.very_rarely():
            members.pop(self.chance.randrange(len(members)))
        return self.members(members)

    def words(self) -> str:
        return '""' if self.rarely() else self.string(f"x{json.loads(self.text())}")

    def part(self) -> str:
        kind = self.chance.choice(("input_text", "output_text", "output_text", "text"))
        members = [("type", json.dumps(kind)), ("text", self.words())]
        if self.chance.random() < 0.3 and (kind == "output_text" or self.rarely()):
            empty = "[{}]" if self.very_rarely() else "[]"
            members += [("annotations", empty), ("logprobs", "null")]
        if self.rarely():
            self.chance.shuffle(members)
        return self.members(members)

    def said(self) -> str:
        if self.chance.random() < 0.4:
            return self.words()
        many = self.chance.choice((1, 1, 1, 2, 0 if self.rarely() else 1))
        return self.within("[", [self.part() for _ in range(many)], "]")

    def message(self, role: str) -> str:
        return self.item(
            ("type", '"message"'), ("role", json.dumps(role)), ("content", self.said())
        )

    def call(self, call_id: str) -> str:
        spell = self.string if self.very_rarely() else json.dumps
        name = json.dumps("löök" if self.very_rarely() else "look")
        called = [("call_id", spell(call_id)), ("name", name)]
        if self.rarely():
            text = self.string(self.chance.choice(("*** Begin Patch\n+é", "", '{"a":1}')))
            return self.item(("type", '"custom_tool_call"'), *called, ("input", text))
        written = self.value(self.chance.choice(INPUTS))
        if self.very_rarely():
            written = self.chance.choice(ODD_INPUTS)
        return self.item(("type", '"function_call"'), *called, ("arguments", self.string(written)))

    def result(self, call_id: str) -> str:
        kind = "custom_tool_call_output" if self.rarely() else "function_call_output"
        output = self.chance.choice((self.words(), self.words(), self.said()))
        return self.item(
            ("type", json.dumps(kind)), ("call_id", json.dumps(call_id)), ("output", output)
        )

    def thought(self) -> str:
        chance = self.chance
        texts = [
            self.members([("type", '"summary_text"'), ("text", self.text())])
            for _ in range(chance.randrange(3))
        ]
        members = [("type", '"reasoning"'), ("summary", self.within("[", texts, "]"))]
        if chance.random() < 0.7:
            sealed = ('"gAAAA"', "null", '""', '"gw1.x"', '"g\\u0077"')
            members.append(("encrypted_content", chance.choice(sealed)))
        if chance.random() < 0.5:
            members.append(("content", chance.choice(("null", "[]"))))
        return self.item(*members)

    def round(self, number: int) -> list[str]:
        chance = self.chance
        ids = [f"call_{number}_{one}" for one in range(chance.choice((0, 1, 1, 2, 3)))]
        if self.very_rarely():
            ids = [chance.choice(("a.b", "", "same", "x" * 200, "é")) for _ in ids]
        found = [self.thought()] if self.rarely() else []
        found += [self.message("assistant") for _ in range(chance.choice((0, 1, 1, 2)))]
        found += [self.call(one) for one in ids]
        if self.very_rarely():
            chance.shuffle(found)
        if self.rarely():
            chance.shuffle(ids)
        if self.very_rarely():
            ids = ids[1:]
        found += [self.result(one) for one in ids]
        if not ids or chance.random() < 0.3:
            found.append(self.message("user"))
        return found

    def conversation(self) -> list[str]:
        chance = self.chance
        found = [self.message(chance.choice(("system", "developer"))) for _ in range(2)]
        found = found[: chance.randrange(3)]
        found.append(self.message("user"))
        for number in range(chance.randrange(1, 4)):
            found += self.round(number)
        if self.very_rarely():
            role = chance.choice(("system", "developer", "assistant", "user"))
            found.insert(chance.randrange(len(found) + 1), self.message(role))
        if self.very_rarely():
            found.pop(chance.randrange(len(found)))
        return found

    def body(self) -> bytes:
        items = self.within("[", self.conversation(), "]")
        members = [("model", '"m"'), ("input", items), ("store", "false")]
        if self.chance.random() < 0.5:
            members.insert(1, ("instructions", self.words()))
        return self.members(members).encode()


def exact(text: bytes) -> Any:
    """JSON with the order of members, and numbers as they are spelled."""
    return json.loads(text, object_pairs_hook=list, parse_int=str, parse_float=str)


def written(request: Request, target: str, facts: TargetFacts) -> Any:
    """What is sent and what is told of it, or why nothing can be."""
    write = TARGET_DIALECTS[target].write_request
    assert write is not None
    try:
        done = write(request, facts, {})
    except CannotTranslate as error:
        return str(error)
    return exact(done.body), done.transforms


def agree(body: bytes, facts: TargetFacts = ANYTHING) -> tuple[bool, bool, bool]:
    """Whether it is read in place, and written for Messages and for Chat: then all is as if not."""
    opened = native_items(body)
    if opened is None:
        return False, False, False
    whole = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    assert opened.members == {name: bytes(raw) for name, raw in whole.items()}
    common = fast_items(opened.members["input"])
    assert common is not None
    system, wanted = join_items(common, "Be", ToolNames())
    told, found = opened.conversation("Be", ToolNames())
    assert isinstance(found, LateMessages) and isinstance(wanted, LateMessages)
    assert told == system
    assert found.course == changed(wanted.course, errors=found.course.errors)
    assert found.tokens == wanted.tokens
    assert [found[index] for index in range(len(found))] == list(wanted)
    assert found[1:] == wanted[1:] and found == tuple(wanted)
    for first in range(len(found) + 1):
        times = repeats(calls_since(tuple(wanted), first))
        assert repeats(calls_since(found, first)) == times
    request = read_request(body, {})
    careful = changed(request, messages=tuple(wanted))
    for target in ("anthropic-messages", "openai-chat"):
        assert written(request, target, facts) == written(careful, target, facts)
    in_place = write_in_place(request, facts, None, {}) is not None
    return True, found.for_messages() is not None, in_place


@given(seed=SEEDS, odd=st.sampled_from((0, 5, 10, 30)), shape=st.sampled_from(SHAPES))
@tried(300)
def test_any_conversation(seed: int, odd: int, shape: RequestShape) -> None:
    is_read, *_ = agree(Speller(seed, odd).body(), replace(ANYTHING, shape=shape))
    assert is_read or odd > 0


def test_most_conversations_are_written() -> None:
    done = [agree(Speller(seed, 2).body()) for seed in range(40)]
    for told in zip(*done, strict=True):
        assert sum(told) > 20


BYTES = tuple(b'"\\{}[],: 01-+.eEu\x00\x1f\x7f\x80\xe4\xed\xf0\xff') + tuple(b"dDtfnlsra89")


@given(seed=SEEDS)
@tried(200)
def test_a_damaged_conversation(seed: int) -> None:
    chance, body = Random(seed), bytearray(Speller(seed, 7).body())
    for _ in range(1 + chance.randrange(3)):
        place = chance.randrange(len(body))
        body[place : place + chance.randrange(3)] = bytes(
            chance.choices(BYTES, k=chance.choice((1, 1, 2)))
        )
    if native_items(bytes(body)) is not None and b'"model"' in body:
        agree(bytes(body))


def said(role: str = "user", content: Any = "Hi", **others: Any) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": content, **others}


def called(call_id: str = "a", arguments: str = "{}", **others: Any) -> dict[str, Any]:
    head = {"type": "function_call", "call_id": call_id, "name": "look"}
    return {**head, "arguments": arguments, **others}


def result(call_id: str = "a", output: Any = "42", **others: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": output, **others}


def part(text: str = "Hi", kind: str = "input_text", **others: Any) -> dict[str, Any]:
    return {"type": kind, "text": text, **others}


THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}
NO, READ, WRITTEN = (False, False, False), (True, False, False), (True, True, True)
FOR_CHAT = (True, False, True)


@pytest.mark.parametrize(
    ("items", "done"),
    [
        ([said()], WRITTEN),
        ([said(content=[part()], id="msg_1", status=None)], WRITTEN),
        ([said(content=[part(kind="output_text", annotations=[], logprobs=[])])], WRITTEN),
        ([said(content=[part(annotations=[])])], NO),
        ([said(content=[part(kind="refusal")])], NO),
        ([said(content="")], NO),
        ([said(name="ann")], NO),
        ([said(), said("system", "Be")], READ),
        ([said("developer", "Be"), said()], WRITTEN),
        ([said("developer", "Be")], NO),
        ([{"role": "user", "content": "typeless"}], NO),
        ([said(), called(), result(), said()], WRITTEN),
        ([said(), called("b"), called(), result(), result("b")], WRITTEN),
        ([said(), called(), result("b")], READ),
        ([said(), called(), said("assistant", "So"), result()], READ),
        ([said(), said("assistant", "So"), said("assistant", "so"), called(), result()], WRITTEN),
        ([said(), said("assistant", []), called(), result()], NO),
        ([said(), said("assistant", "So")], READ),
        ([said(), called(arguments=" "), result()], WRITTEN),
        ([said(), called(arguments='{"x":0.5} '), result()], WRITTEN),
        ([said(), called(arguments='{"x":1e400}'), result()], FOR_CHAT),
        ([said(), called(arguments="{"), result()], READ),
        ([said(), called(namespace="n"), result()], NO),
        ([said(), called(namespace=None), result(name="look", namespace=None)], WRITTEN),
        ([said(), called(name=None), result()], NO),
        ([said(), called(), result(output=[part(), part()])], READ),
        ([said(), called(), result(output="")], WRITTEN),
        ([said(), called(), result(output=None)], NO),
        ([said(), THOUGHT, called(), result()], READ),
        ([said(), {**THOUGHT, "encrypted_content": "gw1.x"}, called(), result()], NO),
        ([said(), {**THOUGHT, "content": [part()]}, called(), result()], NO),
        ([said(), {"type": "web_search_call", "id": "ws_1"}], NO),
    ],
)
def test_what_is_taken(items: Sequence[Any], done: tuple[bool, bool, bool]) -> None:
    for ascii_only in (True, False):
        text = json.dumps({"model": "m", "input": items}, ensure_ascii=ascii_only)
        assert agree(text.encode()) == done


def test_tools_of_namespaces_have_their_names() -> None:
    """A call that leaves the namespace out means the one tool of its name."""
    inner = {"type": "function", "name": "look", "parameters": {"type": "object"}}
    tools = [{"type": "namespace", "name": "files", "tools": [inner]}]
    given = {"model": "m", "input": [said(), called(), result()], "tools": tools}
    request = read_request(json.dumps(given).encode(), {})
    (call,) = request.messages[1].blocks
    assert getattr(call, "name", None) == "files__look"


def test_an_agents_conversation_is_written() -> None:
    assert all(agree(agent_body("openai-responses", size)) == WRITTEN for size in (2_000, 70_000))
