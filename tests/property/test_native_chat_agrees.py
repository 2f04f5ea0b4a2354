"""Chat messages that the kernel reads in place are those that are decoded; so is what it writes."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.protocol.anthropic.write_messages import write_messages
from lynkrc_runtime.protocol.conversation import CannotTranslate
from lynkrc_runtime.protocol.late_messages import LateMessages, calls_since
from lynkrc_runtime.protocol.openai_chat.fast_messages import fast_messages
from lynkrc_runtime.protocol.openai_chat.native_messages import native_messages
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.repeats import repeats
from lynkrc_runtime.scan.engines import native_turns
from tests.bench.agent_bodies import body as agent_body
from tests.json_speller import JsonSpeller
from tests.property.effort import tried

pytestmark = pytest.mark.skipif(native_turns is None, reason="the native kernel is not built")

SEEDS = st.integers(0, 1 << 32)
INPUTS: tuple[Any, ...] = (
    {},
    {"path": "a/b.py", "limit": 200},
    {"limit": 200, "path": "a/b.py"},
    {"old": 'x\ny\t"é"\\', "new": [0.5, -1e9, None, True, "中\u2028😀"]},
)
ODD_INPUTS = ("", " ", "null", "[1]", '{"a":', "{} x", '{"a":1e400}', '{"a":"\\ud83d"}', "\u00a0{}")


class ChatSpeller(JsonSpeller):
    """Writes a conversation: rounds of calls and answers, and what does not go well."""

    def said(self) -> str:
        if self.chance.random() < 0.7:
            return self.words()
        parts = [
            self.members([("type", '"text"'), ("text", self.words())])
            for _ in range(self.chance.choice((1, 1, 2, 0 if self.rarely() else 1)))
        ]
        return self.within("[", parts, "]")

    def words(self) -> str:
        if self.rarely():
            blanks = (" ", "\n", "\t ", "\u3000", "\u00a0", "\u0085", "\u2003 ", "\u1680\u3000", "")
            return self.string(self.chance.choice(blanks))
        if self.chance.random() < 0.2:
            return self.string(self.chance.choice(("é", "я", "あ", "中", "\u2028a", "😀", "\x7f-")))
        return self.string(f"x{json.loads(self.text())}")

    def call(self, call_id: str) -> str:
        written = self.value(self.chance.choice(INPUTS))
        if self.rarely() and self.rarely():
            written = self.chance.choice(ODD_INPUTS)
        name = "löök" if self.rarely() and self.rarely() else "look"
        function = [("name", self.string(name)), ("arguments", self.string(written))]
        call = [("id", self.string(call_id)), ("function", self.shuffled(function))]
        if not self.rarely():
            call.append(("type", '"function"'))
        return self.shuffled(call)

    def shuffled(self, given: list[tuple[str, str]]) -> str:
        chance = self.chance
        if self.rarely():
            chance.shuffle(given)
        if self.rarely() and self.rarely() and self.rarely():
            given.pop(chance.randrange(len(given)))
        if self.rarely() and self.rarely() and self.rarely():
            name = chance.choice(("content", "name", "refusal", "audio", "id", "role", "other"))
            given.append((name, chance.choice(("null", '"x"', "1", "[]"))))
        return self.members(given)

    def round(self, number: int) -> list[str]:
        chance = self.chance
        ids = [f"call_{number}_{one}" for one in range(chance.choice((1, 1, 2, 3)))]
        if self.rarely():
            ids = [chance.choice(("a.b", "", ids[0], "x" * 200, "same", "é")) for _ in ids]
        calls = self.within("[", [self.call(one) for one in ids], "]")
        message = [("role", '"assistant"'), ("tool_calls", calls)]
        if chance.random() < 0.8:
            message.insert(1, ("content", chance.choice((self.said(), "null", '""'))))
        if self.rarely():
            name = chance.choice(("reasoning_content", "refusal", "audio", "function_call"))
            message.append((name, chance.choice(("null", '""', self.words()))))
        if self.rarely():
            chance.shuffle(ids)
        if self.rarely():
            ids = ids[1:]
        answers = [
            [
                ("role", '"tool"'),
                ("tool_call_id", self.string(one)),
                ("content", chance.choice((self.said(), self.said(), "null", '""'))),
                *([("name", chance.choice(('"look"', "null")))] if self.rarely() else []),
            ]
            for one in ids
        ]
        return [self.shuffled(message), *map(self.shuffled, answers)]

    def spoken(self, role: str) -> str:
        return self.shuffled([("role", json.dumps(role)), ("content", self.said())])

    def conversation(self) -> list[str]:
        chance = self.chance
        found = [self.spoken(chance.choice(("system", "developer"))) for _ in range(2)]
        found = found[: chance.randrange(3)]
        for number in range(chance.randrange(1, 4)):
            if number == 0 or chance.random() < 0.3:
                found.append(self.spoken("user"))
            found += self.round(number)
            if chance.random() < 0.2:
                found += [self.spoken("assistant"), self.spoken("user")]
        if self.rarely():
            role = chance.choice(("system", "assistant", "user", "user"))
            found.insert(chance.randrange(len(found) + 1), self.spoken(role))
        if self.rarely() and self.rarely():
            found.pop(chance.randrange(len(found)))
        return found

    def body(self) -> bytes:
        messages = self.within("[", self.conversation(), "]")
        return self.members([("model", '"m"'), ("messages", messages), ("n", "1")]).encode()


def exact(text: bytes) -> Any:
    """JSON with the order of members, and numbers as they are spelled."""
    return json.loads(text, object_pairs_hook=list, parse_int=str, parse_float=str)


def agree(body: bytes) -> tuple[bool, bool]:
    """Whether it is read in place and written: then to what decoding and care make of it."""
    opened = native_messages(body)
    if opened is None:
        return False, False
    members, (system, found) = opened
    whole = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    assert members == {name: bytes(raw) for name, raw in whole.items()}
    wanted = fast_messages(members["messages"])
    assert wanted is not None
    assert isinstance(found, LateMessages) and isinstance(wanted[1], LateMessages)
    assert system == wanted[0]
    assert (found.course, found.tokens) == (wanted[1].course, wanted[1].tokens)
    assert [found[index] for index in range(len(found))] == list(wanted[1])
    assert found[1:] == wanted[1][1:] and found == tuple(wanted[1])
    for first in range(len(found) + 1):
        times = repeats(calls_since(tuple(wanted[1]), first))
        assert repeats(calls_since(found, first)) == times
    written = found.for_messages()
    if written is None:
        return True, False
    losses: dict[str, None] = {}
    careful = write_messages(tuple(wanted[1]), RequestShape(prefill=False), losses)
    assert exact(written) == exact(msgspec.json.encode(careful))
    assert not losses
    return True, True


@given(seed=SEEDS, odd=st.sampled_from((0, 5, 10, 30)))
@tried(250)
def test_any_conversation(seed: int, odd: int) -> None:
    is_read, _ = agree(ChatSpeller(seed, odd).body())
    assert is_read or odd > 0


def test_most_conversations_are_written() -> None:
    assert sum(agree(ChatSpeller(seed, 0).body())[1] for seed in range(40)) > 20


BYTES = tuple(b'"\\{}[],: 01-+.eEu\x00\x1f\x7f\x80\xe4\xed\xf0\xff') + tuple(b"dDtfnlsra89")


@given(seed=SEEDS)
@tried(200)
def test_a_damaged_conversation(seed: int) -> None:
    chance, body = Random(seed), bytearray(ChatSpeller(seed, 7).body())
    for _ in range(1 + chance.randrange(3)):
        place = chance.randrange(len(body))
        body[place : place + chance.randrange(3)] = bytes(
            chance.choices(BYTES, k=chance.choice((1, 1, 2)))
        )
    agree(bytes(body))


USER = {"role": "user", "content": "Hi"}


def called(*ids: str, arguments: str = "{}", **others: Any) -> dict[str, Any]:
    calls = [
        {"id": one, "type": "function", "function": {"name": "look", "arguments": arguments}}
        for one in ids
    ]
    return {"role": "assistant", "tool_calls": calls, **others}


def answer(call_id: str, content: Any = "42") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


@pytest.mark.parametrize(
    ("messages", "is_read", "is_written"),
    [
        ([USER], True, True),
        ([USER, USER], True, True),
        ([USER, called("a"), answer("a"), USER], True, True),
        ([USER, called("a", "b"), answer("b"), answer("a")], True, True),
        ([USER, called("a", "a"), answer("a"), answer("a")], True, False),
        ([USER, called("a", "b"), answer("a")], True, False),
        ([USER, called("a"), USER, answer("a")], True, False),
        ([USER, answer("a")], True, False),
        ([USER, called("a"), answer("b")], True, False),
        ([USER, called("a.b"), answer("a.b")], True, False),
        ([USER, called("")], False, False),
        ([USER, called("a", arguments=" "), answer("a")], True, True),
        ([USER, called("a", arguments='{"x":0.5}'), answer("a")], True, True),
        ([USER, called("a", arguments='{"x":1e400}'), answer("a")], True, False),
        ([USER, called("a", arguments='{"x":'), answer("a")], True, False),
        ([USER, called("a", arguments="{} {}"), answer("a")], True, False),
        ([USER, called("a", reasoning_content="hm"), answer("a")], True, False),
        ([USER, called("a", reasoning_content=None, audio=None), answer("a")], True, True),
        ([USER, called("a", content="behind"), answer("a")], True, False),
        ([USER, called("a"), answer("a", [{"type": "text", "text": "1"}] * 2)], True, False),
        ([USER, called("a"), answer("a", [{"type": "text", "text": "1"}])], True, True),
        ([USER, called("a"), answer("a", None)], True, True),
        ([USER, {"role": "assistant", "content": "So"}], True, False),
        ([{"role": "assistant", "content": "So"}, USER], True, False),
        ([USER, {"role": "system", "content": "Now"}, USER], True, False),
        ([{"role": "user", "content": " \n\t"}], True, False),
        ([{"role": "user", "content": "\u3000"}, USER], True, False),
        ([{"role": "user", "content": "\u3042"}, USER], True, True),
        ([{"role": "user", "content": None}], False, False),
        ([USER | {"name": "ann"}], False, False),
        ([{"role": "system", "content": "Be"}], False, False),
        ([{"role": "function", "content": "Be"}], False, False),
    ],
)
def test_what_is_taken(messages: Sequence[Any], is_read: bool, is_written: bool) -> None:
    for ascii_only in (True, False):
        text = json.dumps({"messages": messages}, ensure_ascii=ascii_only)
        assert agree(text.encode()) == (is_read, is_written)


def test_an_agents_conversation_is_written() -> None:
    assert all(agree(agent_body("openai-chat", size)) == (True, True) for size in (2_000, 70_000))


def test_nothing_is_written_of_a_trailing_assistant() -> None:
    """The target may refuse it, which the careful writer says."""
    body = json.dumps({"messages": [USER, {"role": "assistant", "content": "So"}]}).encode()
    opened = native_messages(body)
    assert opened is not None
    with pytest.raises(CannotTranslate):
        write_messages(opened[1][1], RequestShape(prefill=False), {})
