"""A body whose outline came before is read as any body is, and goes on as what was read of it."""

import importlib
import json
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.protocol.conversation import JsonFormat, MalformedRequest, Options, Request
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.in_place import find_in_place
from lynkrc_runtime.protocol.outlines import MOST, MOST_OF_ONE, Outlines
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from lynkrc_runtime.scan.engines import native_outlined
from tests.property.effort import tried

READERS = {
    name: importlib.import_module(f"lynkrc_runtime.protocol.{folder}.read_request")
    for name, folder in (("anthropic-messages", "anthropic"), ("openai-chat", "openai_chat"))
}
SEEDS = st.integers(0, 1 << 32)
LEFT_OUT = {
    "messages": (
        '[{"role":"user","content":"Hi"}]',
        '[{"role":"user","content":"\u00e9"} ,{"role":"assistant","content":"]}"}]',
        '[ {"role":"user","content":"a \\"tools\\":[1] b"}]',
        "[]",
        "null",
        '[{"role":"user"}]',
        '[{"role":"user","content":"\\ud83d"}]',
    ),
    "system": (
        '"be brief"',
        '[{"type":"text","text":"be \u00e9","cache_control":{"type":"ephemeral"}}]',
        '[{"type":"text","text":"a"}, {"type":"text","text":"\\"}"}]',
        "null",
        '""',
        "[]",
        "7",
        '[{"type":"image"}]',
        '"\\ud83d"',
        '["a"}',
    ),
    "tools": (
        '[{"name":"look","input_schema":{"type":"object"}}]',
        '[{"type":"function","function":{"name":"l\u00f6\u00f6k","parameters":{}}}]',
        "[ ]",
        "null",
        '{"name":"look"}',
        "[1 2]",
        '[{"name":"\\ud83d"}]',
        "[01]",
    ),
}
"""Values of the members an outline leaves out, right and wrong."""
STATED = {
    "model": ('"m"', '"m"', '"m"', '"\\u006d"', '""', "1"),
    "max_tokens": ("9", " 9 ", "0", "-1", "9.5", "null", '"9"'),
    "stream": ("true", "false", "null", "1"),
    "temperature": ("1", "0.5", "null", "true", "1e400"),
    "metadata": ('{"user_id":"u"}', "{}", "null", "[]", '{"a":{"b":"c"}}'),
    "stop_sequences": ('["END", "\\n"]', "[]", "[1]"),
    "stop": ('"END"', '["a"]', "1"),
    "thinking": ('{"type":"enabled","budget_tokens":2000}', '{"type":"odd"}', "{}", "null"),
    "output_config": ('{"effort":"low"}', '{"format":{"type":"json_schema","schema":{}}}'),
    "tool_choice": ('{"type":"auto"}', '"auto"', '{"type":"any","a":[}]'),
    "service_tier": ('"auto"', '"flex"'),
    "functions": ("[]", '[{"name":"f"}]'),
    "n": ("1", "2"),
    "unknown": ('{"messages":[{"role":"user"}]}', '"x"', "1e400", '"\\ud83d"', "nul", "01"),
    "mod\\u0065l": ('"other"',),
    "syst\\u0065m": ('"other"',),
    "l\u00e9": ("1",),
}
"""Those it holds."""

Members = list[tuple[str, str]]


def outline(chance: Random) -> Members:
    """Members in some order; the values left out are chosen later."""
    names = ["model", "messages"] if chance.random() < 0.95 else ["messages"]
    names += [name for name in ("system", "tools") if chance.random() < 0.6]
    names += chance.sample(sorted(STATED), chance.choice((0, 0, 1, 2, 4)))
    if chance.random() < 0.1:
        names.append(chance.choice(names))
    elif chance.random() < 0.8:
        names = list(dict.fromkeys(names))
    chance.shuffle(names)
    usual = chance.random() < 0.7
    return [
        (name, STATED[name][0] if usual else chance.choice(STATED[name]))
        if name in STATED
        else (name, "")
        for name in names
    ]


def filled(members: Members, chance: Random, seam: str) -> bytes:
    """A body with that outline; it may be damaged."""
    wrong = chance.random() < 0.4
    parts = []
    for name, value in members:
        choices = LEFT_OUT.get(name, (value,))
        chosen = chance.choice(choices if wrong else choices[:3])
        parts.append(f'"{name}"{seam}:{seam}{chosen}')
    body = bytearray(("{" + f"{seam},".join(parts) + "}" + seam).encode())
    if chance.random() < 0.1:
        place = chance.randrange(len(body))
        body[place : place + chance.randrange(3)] = chance.choice((b"", b"\xff", b"}", b'"', b","))
    return bytes(body)


def read(dialect: str, body: bytes) -> Request | tuple[str | None, str]:
    try:
        return CLIENT_DIALECTS[dialect].read_request(body, {})
    except MalformedRequest as error:
        return error.field, error.message


def with_care(dialect: str, body: bytes) -> Request | tuple[str | None, str]:
    try:
        found: Request = READERS[dialect]._read(body, None)
        return found
    except MalformedRequest as error:
        return error.field, error.message


def passes(dialect: str, request: Request, facts: TargetFacts) -> bytes:
    write = TARGET_DIALECTS[dialect].pass_request
    assert write is not None
    return write(request, facts, {}).body


def agree(dialect: str, body: bytes) -> None:
    found, wanted = read(dialect, body), with_care(dialect, body)
    if not isinstance(found, Request) or not isinstance(wanted, Request):
        assert found == wanted
        return
    assert wanted.body is None
    assert msgspec.structs.replace(found, body=None) == wanted
    assert list(found.members) == list(wanted.members)
    facts = TargetFacts(
        model=found.model, max_output=1 << 30, capabilities=frozenset(), shape=RequestShape()
    )
    written = passes(dialect, found, facts)
    told = msgspec.json.decode(written, type=dict[str, msgspec.Raw])
    joined = msgspec.json.decode(passes(dialect, wanted, facts), type=dict[str, msgspec.Raw])
    assert [(name, bytes(raw)) for name, raw in told.items()] == [
        (name, bytes(raw)) for name, raw in joined.items()
    ]
    # Whatever counts for others of a name that is repeated: none is.
    stated = json.loads(written, object_pairs_hook=lambda pairs: [name for name, _ in pairs])
    assert len(stated) == len(set(stated))
    if found.body is not None:
        assert found.body is body
        stated = json.loads(body, object_pairs_hook=lambda pairs: [name for name, _ in pairs])
        assert len(stated) == len(set(stated)) == len(found.members)


@pytest.mark.parametrize("dialect", READERS)
@given(seed=SEEDS)
@tried(200)
def test_bodies_of_one_outline(dialect: str, seed: int) -> None:
    chance = Random(seed)
    members, seam = outline(chance), chance.choice(("", "", " ", "\n\t"))
    for _ in range(4):
        agree(dialect, filled(members, chance, seam))


@pytest.mark.skipif(native_outlined is None, reason="the native kernel is not built")
@pytest.mark.parametrize("dialect", READERS)
def test_one_that_came_before_is_not_read_again(
    dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'{"model":"m","max_tokens":7,"messages":[{"role":"user","content":"%d"}],"tools":[]}'
    read(dialect, body % 1)

    def fail(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(READERS[dialect], "_read", fail)
    found = read(dialect, body % 2)
    assert isinstance(found, Request)
    assert found.body == body % 2
    assert found.options.max_tokens == 7
    assert found.messages[0].blocks == with_text("2")


def with_text(text: str) -> Any:
    return (
        READERS["openai-chat"]
        .read_request(
            json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode(), {}
        )
        .messages[0]
        .blocks
    )


@pytest.mark.skipif(native_outlined is None, reason="the native kernel is not built")
def test_tools_that_may_come_again_are_found_where_they_are() -> None:
    tools = '[{"name":"l\u00f6\u00f6k","input_schema":{}}]'.encode()
    body = b'{"messages":[{"role":"user","content":"a"}],"tools": %b , "system":"b"}'
    for given_tools in (tools, tools[:-1] + b",{}]", b"[]", b"7"):
        whole = body % given_tools
        plain, known = find_in_place(whole), find_in_place(whole, tools=tools)
        assert plain is not None
        assert known is not None
        assert known[1:5] == plain[1:5]
        assert (known[4] is tools) == (given_tools == tools)


def request(members: dict[str, bytes], **options: Any) -> Request:
    body = b"{%b}" % b",".join(b'"%b":%b' % (name.encode(), one) for name, one in members.items())
    return Request(
        dialect="d",
        model="m",
        system=(),
        messages=(),
        tools=(),
        tool_choice=None,
        options=Options(**options),
        metadata={},
        members=members,
        rest=(),
        body=body,
    )


def test_what_is_kept_is_bounded_and_holds_no_text() -> None:
    known = Outlines(frozenset(("model", "messages", "system", "tools", "n")))
    members = {"model": b'"m"', "system": b'"s"', "messages": b"[]", "tools": b"[1]"}
    for number in range(MOST + 10):
        known.keep(b"%d" % number, request({**members, "n": b"%d" % number}))
    assert len(known) == MOST
    assert known.get(b"9") is None
    kept = known.get(b"10")
    assert kept is not None
    assert kept.members == {
        "model": b'"m"',
        "system": b"",
        "messages": b"",
        "tools": b"",
        "n": b"10",
    }
    assert (kept.system, kept.messages, kept.tools, kept.body) == ((), (), (), None)


def test_what_may_hold_text_is_not_kept() -> None:
    known = Outlines(frozenset(("model", "messages")))
    sound = request({"model": b'"m"', "messages": b"[]"})
    known.keep(b"x" * (MOST_OF_ONE + 1), sound)
    known.keep(b"unknown", request({"model": b'"m"', "prompt": b'"p"'}))
    known.keep(b"schema", request({"model": b'"m"'}, format=JsonFormat(schema={})))
    known.keep(b"repeated", msgspec.structs.replace(sound, body=None))
    assert len(known) == 0
    known.keep(b"x" * MOST_OF_ONE, sound)
    assert len(known) == 1
