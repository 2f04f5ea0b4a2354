"""Messages that the kernel reads in place are those that are decoded, and so is what they say."""

import ctypes
import json
import shlex
import subprocess
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.protocol.anthropic.fast_message import fast_messages
from lynkrc_runtime.protocol.anthropic.native_messages import native_messages
from lynkrc_runtime.protocol.conversation import Message, ToolCall
from lynkrc_runtime.protocol.late_messages import LateMessages, calls_since
from lynkrc_runtime.repeats import repeats
from lynkrc_runtime.scan.engines import native_turns
from tests.bench.agent_bodies import body as agent_body
from tests.json_speller import JsonSpeller
from tests.native_tools import needs_compiler
from tests.property.effort import tried

pytestmark = pytest.mark.skipif(native_turns is None, reason="the native kernel is not built")

SCAN = Path(__file__).resolve().parents[2] / "runtime" / "lynkrc_runtime" / "scan"
SEEDS = st.integers(0, 1 << 32)
NAMES = ("look", "find", "löök")
VALUES: tuple[Any, ...] = (
    {},
    {"path": "a/b.py", "limit": 200},
    {"path": "a/b.py", "limit": 200.0},
    {"path": "a/b.py", "limit": [200, -0.0, 0, 1 << 63, 1 << 64, 12345678901234567890123]},
    {"old": "x\ny\t\u001b[0m", "new": 'é "中" 😀', "all": True},
    {"deep": [{"a": {"b": [[], {}, None, False]}}], "b": {"a": 1}},
    {"deep": [{"a": {"b": [[], {}, None, True]}}], "b": {"a": 1}},
    {"b": {"path": 1}, "path": {"b": 1}},
)


class Speller(JsonSpeller):
    """Writes messages."""

    def marked(self, given: list[tuple[str, str]]) -> str:
        chance = self.chance
        if self.rarely():
            mark = {"type": "ephemeral", "ttl": "5m"}
            spell = self.value if self.rarely() else json.dumps
            given.append(("cache_control", spell(mark if chance.random() < 0.8 else None)))
        if self.rarely():
            chance.shuffle(given)
        if self.rarely() and self.rarely():
            given.pop(chance.randrange(len(given)))
        if self.rarely() and self.rarely():
            name = chance.choice(("text", "type", "is_error", "data", "cache_control", "other"))
            given.append((name, self.value(chance.choice(("x", 1, None, {}, [], True, 1e400)))))
        return self.members(given)

    def said(self) -> str:
        return self.marked([("type", '"text"'), ("text", self.text())])

    def block(self) -> str:
        chance = self.chance
        match chance.randrange(6):
            case 0 | 1:
                called, value = chance.choice(NAMES), chance.choice(VALUES)
                if self.rarely() and self.rarely():
                    value = chance.choice((None, [], "x", {"n": [[[]]] * 40}))
                given = [("id", '"c"'), ("name", self.string(called)), ("input", self.value(value))]
                return self.marked([("type", '"tool_use"'), *given])
            case 2 | 3:
                given = [("tool_use_id", self.text())]
                parts = self.within("[", [self.said() for _ in range(chance.randrange(3))], "]")
                content = chance.choice((self.text(), parts, "null", None))
                given += [] if content is None else [("content", content)]
                if self.rarely():
                    given.append(("is_error", chance.choice(("true", "false", "null"))))
                return self.marked([("type", '"tool_result"'), *given])
            case 4:
                if self.rarely():
                    return self.marked([("type", '"redacted_thinking"'), ("data", self.text())])
                signature = [("signature", chance.choice((self.text(), "null")))]
                return self.marked([("type", '"thinking"'), ("thinking", self.text()), *signature])
            case _:
                return self.said()

    def message(self) -> str:
        chance = self.chance
        role = chance.choice(("user", "assistant", "system" if self.rarely() else "user"))
        blocks = self.within("[", [self.block() for _ in range(chance.randrange(4))], "]")
        content = blocks if chance.random() < 0.8 else self.text()
        given = [("role", json.dumps(role)), ("content", content)]
        return self.members(given[::-1] if self.rarely() else given)

    def body(self) -> bytes:
        messages = [self.message() for _ in range(1 + self.chance.randrange(5))]
        around = [("model", '"m"'), ("messages", self.within("[", messages, "]")), ("n", "1")]
        return self.members(around).encode()


def slow_repeats(messages: Sequence[Message]) -> int:
    """As the feature is told: by what each call says, or how, where that cannot be read."""

    def canonical(arguments: str) -> bytes:
        try:
            return msgspec.json.encode(msgspec.json.decode(arguments), order="sorted")
        except msgspec.DecodeError:
            return arguments.encode()

    calls = [
        (block.name, canonical(block.arguments))
        for message in messages
        for block in message.blocks
        if isinstance(block, ToolCall)
    ]
    return len(calls) - len(set(calls))


def agree(body: bytes) -> bool:
    """Whether it is read in place; then all that is said of it is what decoding it says."""
    opened = native_messages(body)
    if opened is None:
        return False
    whole = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    assert list(opened.members) == list(whole)
    assert opened.spelled == bytes(whole["messages"])
    wanted = fast_messages(whole["messages"])
    found = opened.messages
    assert isinstance(wanted, LateMessages) and wanted
    assert (found.course, found.tokens) == (wanted.course, wanted.tokens)
    assert [found[index] for index in range(len(found))] == list(wanted)
    assert found[1:] == wanted[1:] and found == tuple(wanted)
    for first in range(len(found) + 1):
        times = slow_repeats(wanted[first:])
        assert repeats(calls_since(found, first)) == times
        assert repeats(calls_since(wanted, first)) == times
        assert repeats(calls_since(tuple(wanted), first)) == times
    return True


@given(seed=SEEDS, odd=st.sampled_from((0, 5, 30)))
@tried(350)
def test_any_messages(seed: int, odd: int) -> None:
    assert agree(Speller(seed, odd).body()) or odd > 0


BYTES = tuple(b'"\\{}[],: 01-+.eEu\x00\x1f\x7f\x80\xe4\xed\xf0\xff') + tuple(b"dDtfnlsra89")


@given(seed=SEEDS)
@tried(500)
def test_damaged_messages(seed: int) -> None:
    chance, body = Random(seed), bytearray(Speller(seed, 10).body())
    for _ in range(1 + chance.randrange(3)):
        place = chance.randrange(len(body))
        body[place : place + chance.randrange(3)] = bytes(
            chance.choices(BYTES, k=chance.choice((1, 1, 2)))
        )
    agree(bytes(body))


CALL = '{"type":"tool_use","id":"c","name":"n","input":%s}'


@pytest.mark.parametrize(
    ("blocks", "is_taken"),
    [
        (CALL % '{"a":1}', True),
        (CALL % "[1]", False),
        (CALL % '{"a":01}', False),
        (CALL % '{"a":1.}', False),
        (CALL % '{"a":-}', False),
        (CALL % '{"a":1e+}', False),
        (CALL % '{"a":-0.5E+10}', True),
        (CALL % '{"a":nul}', False),
        (CALL % '{"a":"\\ud83d"}', False),
        (CALL % '{"a":"\\ud83d\\ude00"}', True),
        (CALL % '{"a":"\\ude00"}', False),
        (CALL % '{"a":"\\x"}', False),
        (CALL % ('{"a":' * 60 + "1" + "}" * 60), True),
        (CALL % ('{"a":' * 70 + "1" + "}" * 70), False),
        (CALL % '{"a":1,}', False),
        (CALL % "{,}", False),
        (CALL.replace("name", "n\\u0061me") % "{}", False),
        ('{"type":"image","source":{"type":"url","url":"u"}}', False),
        ('{"type":"text","text":"a"},', False),
        ('{"type":"text","text":"a"} ', True),
        ('{"type":"text","text":"a","cache_control":{"n":1e400}}', False),
        ('{"type":"redacted_thinking","data":"abcde"}', True),
        ('{"type":"redacted_thinking","data":"\u00e9"}', False),
    ],
)
def test_what_is_taken(blocks: str, is_taken: bool) -> None:
    body = f'{{"messages":[{{"role":"user","content":[{blocks}]}}]}}'
    assert agree(body.encode()) == is_taken


def test_an_agents_messages_are_taken() -> None:
    assert all(agree(agent_body("anthropic-messages", size)) for size in (2_000, 70_000))


def test_calls_that_surely_differ_are_left_out() -> None:
    found = native_messages(agent_body("anthropic-messages", 20_000))
    assert found is not None
    assert calls_since(found.messages, 0) == []


def test_places_outside_are_refused() -> None:
    assert native_turns is not None
    for begin in (-1, 3, 1 << 40):
        with pytest.raises(ValueError, match=r"not read here|before the body"):
            native_turns(b"[]", begin)
    turns = native_turns(b'[{"role":"user","content":""}]', 0)
    for index in (-1, 1):
        with pytest.raises(IndexError):
            turns.turn(index)


class _Turns(ctypes.Structure):
    _fields_ = (
        ("pointers", ctypes.c_void_p * 4),
        ("counts", ctypes.c_size_t * 4),
        ("rooms", ctypes.c_size_t * 4),
        ("end", ctypes.c_size_t),
        ("tokens", ctypes.c_uint64),
        ("has_reasoning", ctypes.c_int),
        ("is_ascii", ctypes.c_int),
    )


@pytest.fixture(scope="module")
def plain(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[bytes, int], tuple[int, int] | None]:
    """As it is built for machines without vectors: the end of the list, and the tokens."""
    made = tmp_path_factory.mktemp("turns") / "turns.so"
    strict = ("-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-U__SSE2__")
    sources = [str(SCAN / name) for name in ("json_text.c", "own_words.c", "turns.c")]
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
    subprocess.run([*compiler, *strict, "-o", str(made), *sources], check=True)
    library = ctypes.CDLL(str(made))
    pointer = ctypes.POINTER(_Turns)
    library.lk_read_turns.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, pointer)
    library.lk_release_turns.argtypes = (pointer,)

    def read(body: bytes, begin: int) -> tuple[int, int] | None:
        turns = _Turns()
        done = library.lk_read_turns(body, begin, len(body), turns)
        told = (turns.end, turns.tokens) if done == 1 else None
        library.lk_release_turns(turns)
        return told

    return read


@needs_compiler
@given(seed=SEEDS)
@tried(150)
def test_the_form_without_vectors(
    plain: Callable[[bytes, int], tuple[int, int] | None], seed: int
) -> None:
    assert native_turns is not None
    speller = Speller(seed, 10)
    body = f"[{speller.message()},{speller.message()}]".encode()
    try:
        turns = native_turns(body, 0)
    except ValueError:
        assert plain(body, 0) is None
    else:
        assert plain(body, 0) == (turns.end, turns.tokens)
