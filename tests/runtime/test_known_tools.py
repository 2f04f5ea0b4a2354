"""Tools that were read before are read no second time; what is kept is bounded and stays."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lynkrc_runtime.protocol.conversation import CannotTranslate, MalformedRequest
from lynkrc_runtime.protocol.dialect import ANY_TARGET
from lynkrc_runtime.protocol.estimate import close_text, estimate_tokens
from lynkrc_runtime.protocol.known_tools import MOST_BYTES, MOST_OF_ONE, MOST_SETS, Known
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS

DIALECTS = ("anthropic-messages", "openai-chat", "openai-responses")
SCHEMA = {"type": "object", "properties": {"path": {"type": "string", "format": "uri"}}}


def counted() -> tuple[Known[object], list[bytes]]:
    """Reads anything, and what it was asked to read."""
    asked: list[bytes] = []

    def read(data: bytes) -> object:
        if data == b"wrong":
            raise ValueError(data)
        asked.append(data)
        return object()

    return Known(read), asked


def test_equal_bytes_are_read_once() -> None:
    known, asked = counted()
    assert known.read(b"a" * 100) is known.read(bytearray(b"a" * 100).decode().encode())
    assert asked == [b"a" * 100]


def test_another_byte_is_read_anew_wherever_it_stands() -> None:
    known, _ = counted()
    whole = b"[" + b"x" * 500 + b"]"
    made = known.read(whole)
    for at in (0, 200, 501):
        assert known.read(whole[:at] + b"y" + whole[at + 1 :]) is not made
        assert known.size <= 3 * len(whole)


def test_the_last_is_one_that_is_kept() -> None:
    known, asked = counted()
    assert known.last == b""
    first, alike = b"[1" + b" " * 100 + b"]", b"[2" + b" " * 100 + b"]"
    made = known.read(first)
    assert known.last is first
    assert known.read(known.last) is made
    known.read(alike)
    assert known.last is alike
    assert known.read(first) is not made
    known.read(b"x" * (MOST_OF_ONE + 1))
    assert known.last is first
    assert asked == [first, alike, first, b"x" * (MOST_OF_ONE + 1)]


def test_one_that_had_to_go_is_not_the_last() -> None:
    def read(data: bytes) -> object:
        if data.startswith(b"wrong"):
            raise ValueError(data)
        return object()

    known = Known(read)
    known.read(b"sound" + b" " * 100)
    with pytest.raises(ValueError, match="wrong"):
        known.read(b"wrong" + b" " * 100)
    assert (known.last, known.size) == (b"", 0)


def test_what_cannot_be_read_is_not_kept() -> None:
    known, _ = counted()
    for _ in range(2):
        with pytest.raises(ValueError, match="wrong"):
            known.read(b"wrong")
    assert known.size == 0


def test_the_longest_unused_goes_first() -> None:
    known, asked = counted()
    sets = [b"%d" % number for number in range(MOST_SETS)]
    for one in sets:
        known.read(one)
    known.read(sets[0])
    known.read(b"one more")
    assert known.size == sum(map(len, sets)) - len(sets[1]) + len(b"one more")
    known.read(sets[0])
    assert len(asked) == MOST_SETS + 1
    known.read(sets[1])
    assert len(asked) == MOST_SETS + 2


def test_bytes_are_bounded_whatever_comes() -> None:
    known, asked = counted()
    for number in range(40):
        known.read(b"x" * (MOST_OF_ONE - 100) + b"%d" % number)
        assert known.size <= MOST_BYTES
    assert known.size > MOST_BYTES // 2
    size = known.size
    for _ in range(2):
        known.read(b"x" * (MOST_OF_ONE + 1))
    assert known.size == size
    assert len(asked) == 42


def tool(dialect: str, name: str) -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, "description": f"Does {name}."}
    if dialect == "anthropic-messages":
        return {**told, "input_schema": SCHEMA}
    told |= {"parameters": SCHEMA}
    if dialect == "openai-chat":
        return {"type": "function", "function": told}
    return {"type": "function", **told}


def body(dialect: str, tools: list[Any]) -> bytes:
    words = [{"role": "user", "content": "Hi"}]
    talk = {"input": words} if dialect == "openai-responses" else {"messages": words}
    return json.dumps({"model": "m", "max_tokens": 9, **talk, "tools": tools}).encode()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_changed_set_is_seen(dialect: str) -> None:
    read = CLIENT_DIALECTS[dialect].read_request
    one, two = tool(dialect, "alpha"), tool(dialect, "omega")
    for tools, names in (
        ([one], ["alpha"]),
        ([one, two], ["alpha", "omega"]),
        ([two, one], ["omega", "alpha"]),
        ([one], ["alpha"]),
        ([], []),
    ):
        assert [known.name for known in read(body(dialect, tools), {}).tools] == names


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_same_mistake_is_told_again(dialect: str) -> None:
    wrong = body(dialect, [tool(dialect, "alpha"), 7])
    for _ in range(2):
        with pytest.raises(MalformedRequest) as told:
            CLIENT_DIALECTS[dialect].read_request(wrong, {})
        assert told.value.field == "tools.1"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_target_changes_what_is_shared(dialect: str) -> None:
    data = body(dialect, [tool(dialect, "alpha"), tool(dialect, "omega")])
    request = CLIENT_DIALECTS[dialect].read_request(data, {})
    before = copy.deepcopy([(one.parameters, one.value) for one in request.tools])
    for target in TARGET_DIALECTS.values():
        for write in (target.write_request, target.pass_request):
            if write is None or (write is target.pass_request) != (target.name == dialect):
                continue
            try:
                first = write(request, ANY_TARGET, {})
            except CannotTranslate:
                continue
            again = CLIENT_DIALECTS[dialect].read_request(data, {})
            assert again.tools is request.tools
            assert write(again, ANY_TARGET, {}).body == first.body
    assert [(one.parameters, one.value) for one in request.tools] == before


@pytest.mark.parametrize("count", [None, close_text])
def test_the_estimate_of_known_tools_is_theirs(count: Callable[[str], int] | None) -> None:
    dialect = "anthropic-messages"
    read = CLIENT_DIALECTS[dialect].read_request
    for tools in ([tool(dialect, "alpha")], [tool(dialect, "alpha"), tool(dialect, "b" * 400)]):
        request = read(body(dialect, tools), {})
        bare = read(body(dialect, []), {})
        args = () if count is None else (count,)
        told = [estimate_tokens(request, *args) - estimate_tokens(bare, *args) for _ in range(2)]
        each = count or (lambda text: -(-len(text) // 4))
        by_hand = sum(each(json.dumps(one, separators=(",", ":"))) for one in tools)
        assert told == [by_hand, by_hand]


@pytest.mark.parametrize("target", ["anthropic-messages", "openai-chat"])
def test_known_tools_are_written_as_new_ones_are(target: str) -> None:
    """For each way a target takes them, whatever was written before, with the same losses."""
    closed = {"type": "object", "properties": {}, "additionalProperties": False}
    tools = [
        {"type": "function", "name": name, "strict": True, "parameters": closed}
        for name in ("look", f"find it for {target}")
    ]
    body: dict[str, Any] = {"model": "m", "input": "Hi", "tools": tools}
    chosen = [{"type": "function", "name": "look"}]
    some = body | {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": chosen}}
    loose = replace(
        ANY_TARGET, shape=RequestShape(structured_output=False, tool_choice=["auto", "none"])
    )
    read = CLIENT_DIALECTS["openai-responses"].read_request
    write = TARGET_DIALECTS[target].write_request
    ways = [(body, ANY_TARGET), (body, loose), (some, ANY_TARGET), (some, loose)]
    fresh = []
    for number, (one, facts) in enumerate(ways):
        # Tools spelled as never before.
        spelled = json.dumps(one, separators=(" " * number + ",", ":")).encode()
        fresh.append(write(read(spelled, {}), facts, {}))
    again = [write(read(json.dumps(one).encode(), {}), facts, {}) for one, facts in ways * 2]
    assert again == fresh * 2
    assert len({written.body for written in fresh}) == 4
