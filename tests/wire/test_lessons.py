"""Lessons from the trackers of other gateways: each is a test that says it by its name.

Every one is tried over all client dialects and all target dialects it is about.
"""

import asyncio
import json
from functools import partial
from typing import Any

import msgspec
import pytest

from lynkrc_runtime.protocol.carrier import GEMINI as GEMINI_CARRIER
from lynkrc_runtime.protocol.carrier import OPENAI as OPENAI_CARRIER
from lynkrc_runtime.protocol.carrier import seal
from lynkrc_runtime.protocol.conversation import (
    Block,
    MessageEnd,
    Stop,
    StreamError,
    Text,
    Thinking,
    ToolCall,
)
from lynkrc_runtime.protocol.dialect import ANY_TARGET, Written
from lynkrc_runtime.protocol.failures import broken, stream_problem
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from lynkrc_runtime.server.count_tokens import TokenCounter
from lynkrc_runtime.server.headers import upstream_headers
from tests.runtime.by_hand import (
    Said,
    Script,
    Scripted,
    dispatch,
    gateway,
    policy,
    provider,
)
from tests.runtime.by_hand import target as target_row
from tests.runtime.virtual_time import run
from tests.wire.lesson_turns import (
    CALLS,
    CHAT,
    CONVERSE,
    GEMINI,
    MESSAGES,
    OLLAMA,
    PAIRS,
    RESPONSES,
    TEXT,
    UPSTREAMS,
    USAGE,
    context_of,
    data_of,
    events_of,
    history,
    read,
    refused_or_sent,
    relayed,
    said,
    sent,
    to_client,
    tool,
)

EVERY_PAIR = pytest.mark.parametrize(("target", "client"), PAIRS)


def heard(client: str, body: bytes) -> tuple[Block, ...]:
    return TARGET_DIALECTS[client].read_answer(body, ANY_TARGET).blocks


def heard_stream(client: str, stream: bytes) -> Any:
    reader = TARGET_DIALECTS[client].stream_reader(ANY_TARGET)
    return fold(reader.feed(stream) + reader.close())


def calls_of(blocks: tuple[Block, ...]) -> list[tuple[str, Any]]:
    found = [block for block in blocks if isinstance(block, ToolCall)]
    return [(call.name, json.loads(call.arguments or "{}")) for call in found]


MADE = [(name, json.loads(arguments)) for name, arguments in CALLS]


@EVERY_PAIR
def test_a_stream_equals_the_whole_answer_after_folding(target: str, client: str) -> None:
    body, stream = relayed(target, client, said())
    whole = TARGET_DIALECTS[client].read_answer(body, ANY_TARGET)
    folded = heard_stream(client, stream)
    plain = [block for block in whole.blocks if isinstance(block, Text)]
    assert plain == [Text(text=TEXT)]
    assert [b for b in folded.blocks if isinstance(b, Text)] == plain
    assert calls_of(folded.blocks) == calls_of(whole.blocks)
    assert (folded.stop, folded.usage) == (whole.stop, whole.usage)


@EVERY_PAIR
def test_tools_in_are_tools_out(target: str, client: str) -> None:
    names = ["look", "stop", "mcp__server__tool"]
    request = read(client, tools=[tool(client, name) for name in names])
    body, transforms = sent(target, request)
    text = json.dumps(body)
    for name in names:
        assert f'"name": "{name}"' in text and f"Does {name}." in text
    assert text.count('"at"') == len(names)
    assert not [name for name in transforms if "tools" in name]


@EVERY_PAIR
def test_parallel_calls_keep_their_indices_and_whole_arguments(target: str, client: str) -> None:
    body, stream = relayed(target, client, said(), step=3)
    assert calls_of(heard(client, body)) == MADE
    assert calls_of(heard_stream(client, stream).blocks) == MADE
    if client == CHAT:
        seen = [
            call["index"]
            for chunk in data_of(stream)
            for choice in chunk["choices"]
            for call in choice["delta"].get("tool_calls", ())
            if call.get("id")
        ]
        assert seen == [0, 1, 2]


@EVERY_PAIR
def test_a_call_without_arguments_still_closes(target: str, client: str) -> None:
    _, stream = relayed(target, client, said())
    events = data_of(stream)
    if client == MESSAGES:
        opened = [e["index"] for e in events if e["type"] == "content_block_start"]
        assert [e["index"] for e in events if e["type"] == "content_block_stop"] == opened
    elif client == RESPONSES:
        done = [e for e in events if e["type"] == "response.function_call_arguments.done"]
        assert json.loads(done[-1]["arguments"]) == {}
    else:
        pieces = [
            call["function"]["arguments"]
            for chunk in events
            for choice in chunk["choices"]
            for call in choice["delta"].get("tool_calls", ())
            if call["index"] == 2
        ]
        assert json.loads("".join(pieces)) == {}


@EVERY_PAIR
def test_ids_are_stable_and_made_where_there_are_none(target: str, client: str) -> None:
    streams = [relayed(target, client, said(), step=step)[1] for step in (0, 1, 7)]
    found = []
    for stream in streams:
        calls = [b for b in heard_stream(client, stream).blocks if isinstance(b, ToolCall)]
        found.append([call.id for call in calls])
    assert found[0] == found[1] == found[2]
    assert all(found[0]) and len(set(found[0])) == len(CALLS)
    if target not in (GEMINI, OLLAMA):
        assert found[0] == ["call_0", "call_1", "call_2"]


SIGNED = {
    MESSAGES: ("Hm. \u2028", "EqQB/+="),
    CONVERSE: ("Hm. \u2028", "EqQB/+="),
    GEMINI: ("", seal(GEMINI_CARRIER, "c2lnbg==", f"kind/{GEMINI}")),
    RESPONSES: ("Hm.", seal(OPENAI_CARRIER, '{"encrypted_content":"gAAA"}', f"kind/{RESPONSES}")),
}
HELD = {MESSAGES: "EqQB/+=", CONVERSE: "EqQB/+=", GEMINI: "c2lnbg==", RESPONSES: "gAAA"}


@pytest.mark.parametrize("target", SIGNED)
@pytest.mark.parametrize("client", CLIENT_DIALECTS)
def test_thinking_replays_byte_for_byte_to_its_maker(target: str, client: str) -> None:
    text, signature = SIGNED[target]
    thought = Thinking(text=text, signature=signature)
    answer = msgspec.structs.replace(said(), blocks=(thought, *said().blocks[1:2]))
    turn = json.loads(CLIENT_DIALECTS[client].write_answer(answer, context_of(client)))
    if client == MESSAGES:
        # Members nobody sends: the block is as it was, and nothing annotates it.
        assert set(turn["content"][0]) == {"type", "thinking", "signature"}
        turns = history(client, ["call_0"], ["call_0"])
        turns[1] = {"role": "assistant", "content": turn["content"]}
    elif client == CHAT:
        turns = history(client, ["call_0"], ["call_0"])
        turns[1] = turn["choices"][0]["message"]
    else:
        turns = history(client, ["call_0"], ["call_0"])
        turns[1:2] = turn["output"]
    member = "input" if client == RESPONSES else "messages"
    body, transforms = sent(target, read(client, **{member: turns}))
    assert "stripped=thinking" not in transforms
    sent_text = json.dumps(body, ensure_ascii=False)
    assert HELD[target] in sent_text and "gw1." not in sent_text
    if target in (MESSAGES, CONVERSE):
        assert json.dumps(text, ensure_ascii=False) in sent_text


@EVERY_PAIR
def test_an_answer_with_a_call_stops_for_the_tool(target: str, client: str) -> None:
    body, stream = relayed(target, client, said())
    assert TARGET_DIALECTS[client].read_answer(body, ANY_TARGET).stop is Stop.TOOL_USE
    assert heard_stream(client, stream).stop is Stop.TOOL_USE
    ends = {MESSAGES: b'"stop_reason":"tool_use"', CHAT: b'"finish_reason":"tool_calls"'}
    assert ends.get(client, b'"type":"response.completed"') in stream


@pytest.mark.parametrize("target", [MESSAGES, CONVERSE, GEMINI])
@pytest.mark.parametrize("client", [CHAT, RESPONSES, MESSAGES])
def test_results_in_any_order_are_one_turn_of_the_user(target: str, client: str) -> None:
    ids = ["call_1", "call_2", "call_3"]
    member = "input" if client == RESPONSES else "messages"
    turns = history(client, ids, ["call_3", "call_1", "call_2"])
    body, _ = sent(target, read(client, **{member: turns}))
    listed = body["contents" if target == GEMINI else "messages"]
    held = [json.dumps(turn) for turn in listed if "saw call_" in json.dumps(turn)]
    assert len(held) == 1, "one turn"
    assert [held[0].count(f"saw {one}") for one in ids] == [1, 1, 1]
    assert '"role": "user"' in held[0]


@EVERY_PAIR
def test_usage_is_counted_once_and_present_in_streams(target: str, client: str) -> None:
    body, stream = relayed(target, client, said())
    counted = heard_stream(client, stream).usage
    assert counted == TARGET_DIALECTS[client].read_answer(body, ANY_TARGET).usage
    assert counted.output == USAGE.output
    writes = 0 if target in (GEMINI, OLLAMA) else USAGE.cache_write
    reads = 0 if target == OLLAMA else USAGE.cache_read
    assert (counted.input, counted.cache_read, counted.cache_write) == (9, reads, writes)
    if client == MESSAGES:
        (last,) = [e for e in data_of(stream) if e["type"] == "message_delta"]
        assert last["usage"]["input_tokens"] == 9, "the input so far is repeated"
        assert last["usage"]["cache_read_input_tokens"] == reads


@pytest.mark.parametrize("target", TARGET_DIALECTS)
@pytest.mark.parametrize(
    ("client", "members"),
    [
        (MESSAGES, {"system": "Be terse."}),
        (MESSAGES, {"system": [{"type": "text", "text": "Be terse."}]}),
        (CHAT, {"messages": ["system"]}),
        (CHAT, {"messages": ["developer"]}),
        (CHAT, {"messages": ["system", "blocks"]}),
        (RESPONSES, {"instructions": "Be terse."}),
        (RESPONSES, {"input": ["system"]}),
        (RESPONSES, {"input": ["developer", "blocks"]}),
        (MESSAGES, {"messages": ["user", "late"]}),
        (CHAT, {"messages": ["user", "late"]}),
        (RESPONSES, {"input": ["user", "late"]}),
    ],
)
def test_system_as_text_as_blocks_and_as_a_role_arrives(
    target: str, client: str, members: dict[str, Any]
) -> None:
    asked = dict(members)
    for name in ("messages", "input"):
        if name in asked:
            role, *how = asked[name]
            kind = "input_text" if client == RESPONSES else "text"
            content: Any = [{"type": kind, "text": "Be terse."}] if "blocks" in how else "Be terse."
            hi = {"role": "user", "content": "Hi"}
            late = [hi, {"role": "system", "content": "Be terse."}, hi]
            asked[name] = late if "late" in how else [{"role": role, "content": content}, hi]
    body, transforms = sent(target, read(client, **asked))
    assert json.dumps(body).count("Be terse.") == 1
    assert not [name for name in transforms if name.startswith("dropped=")]


PICTURE = "iVBORw0KGgoAAAANSUhEUg=="
WISHES: dict[str, dict[str, dict[str, Any]]] = {
    "stop": {MESSAGES: {"stop_sequences": ["WISH"]}, CHAT: {"stop": ["WISH"]}},
    "tool_choice": {
        MESSAGES: {"tool_choice": {"type": "tool", "name": "look"}},
        CHAT: {"tool_choice": {"type": "function", "function": {"name": "look"}}},
        RESPONSES: {"tool_choice": {"type": "function", "name": "look"}},
    },
    "response_format": {
        CHAT: {"response_format": {"type": "json_object"}},
        RESPONSES: {"text": {"format": {"type": "json_object"}}},
    },
    "image": {
        MESSAGES: {
            "messages": {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": PICTURE},
            }
        },
        CHAT: {
            "messages": {
                "type": "image_url",
                "image_url": {"url": f"data:image/png;base64,{PICTURE}"},
            }
        },
        RESPONSES: {
            "input": {"type": "input_image", "image_url": f"data:image/png;base64,{PICTURE}"}
        },
    },
    "seed": {CHAT: {"seed": 7331}},
}
ARRIVED = {
    "stop": ('"WISH"',),
    "tool_choice": ('"tool_choice":', '"toolChoice":', '"functionCallingConfig":'),
    "response_format": ("json_object", '"format":"json"', "application/json", "JSON object only"),
    "image": (PICTURE,),
    "seed": ("7331",),
}
NAMES = {
    "stop": ("enforced=stop",),
    "tool_choice": ("tool_choice",),
    "response_format": ("response_format",),
    "image": ("image",),
    "seed": ("dropped=seed",),
}


@pytest.mark.parametrize("target", TARGET_DIALECTS)
@pytest.mark.parametrize(
    ("wish", "client"), [(wish, client) for wish, clients in WISHES.items() for client in clients]
)
def test_what_a_client_wishes_arrives_or_is_refused_by_name(
    target: str, wish: str, client: str
) -> None:
    members = dict(WISHES[wish][client])
    for name in ("messages", "input"):
        if name in members:
            members[name] = [{"role": "user", "content": [members[name]]}]
    request = read(client, tools=[tool(client, "look")], **members)
    body, listed = refused_or_sent(target, request)
    has_arrived = any(mark in body for mark in ARRIVED[wish])
    is_named = any(name in listed for name in NAMES[wish])
    assert has_arrived or is_named, (body, listed)
    if wish in ("image", "stop"):
        assert has_arrived or "enforced=stop" in listed


@EVERY_PAIR
def test_an_empty_list_of_tools_is_not_sent(target: str, client: str) -> None:
    body, _ = sent(target, read(client, tools=[]))
    if target == client == MESSAGES:
        assert body["tools"] == [], "which is legal there, and the client's own"
    else:
        assert "tools" not in body and "toolConfig" not in body


@EVERY_PAIR
def test_a_stream_may_be_split_anywhere(target: str, client: str) -> None:
    answer = said()
    whole = relayed(target, client, answer)[1]
    for step in (1, 2, 3, 5, 11):
        assert relayed(target, client, answer, step=step)[1] == whole


@EVERY_PAIR
def test_separators_of_lines_are_escaped_in_what_we_send(target: str, client: str) -> None:
    for data in relayed(target, client, said()):
        text = data.decode()
        assert not {"\u2028", "\u2029", "\u0085"} & set(text)
        assert "\\u2028" in text and "\\u2029" in text and "\\u0085" in text
    assert heard_stream(client, relayed(target, client, said())[1]).blocks[0] == Text(text=TEXT)


@pytest.mark.parametrize("target", [MESSAGES, RESPONSES, GEMINI])
@pytest.mark.parametrize("client", CLIENT_DIALECTS)
def test_done_is_tolerated_where_it_does_not_belong(target: str, client: str) -> None:
    _, stream = UPSTREAMS[target](said())
    plain = to_client(client, events_of(target, stream))
    assert to_client(client, events_of(target, stream + b"data: [DONE]\n\n")) == plain


@pytest.mark.parametrize("target", TARGET_DIALECTS)
def test_codex_s_free_form_namespaced_and_additional_tools_survive(target: str) -> None:
    later = {"type": "additional_tools", "role": "developer", "tools": [tool(RESPONSES, "later")]}
    request = read(
        RESPONSES,
        tools=[
            {"type": "custom", "name": "apply_patch", "description": "Edits."},
            {"type": "namespace", "name": "mcp", "tools": [tool(RESPONSES, "search")]},
        ],
        input=[later, {"role": "user", "content": "Hi"}],
    )
    body, transforms = sent(target, request)
    text = json.dumps(body)
    for name in ("apply_patch", "search", "later"):
        assert name in text
    assert not [name for name in transforms if name.startswith("dropped=tools")]


def test_counting_tokens_never_falls_back_out_of_the_trust_class() -> None:
    table = dispatch(
        [provider("house", "anthropic", trust="local"), provider("cloud", "anthropic")],
        [target_row("house", 0), target_row("cloud", 1)],
    )
    failed = Script(steps=[b"{}"], status=500, headers={"content-type": "application/json"})
    upstream = Scripted({"house": [failed] * 5, "cloud": [failed] * 5})
    asked = b'{"model":"auto","messages":[{"role":"user","content":"Hello there"}]}'

    async def main() -> Any:
        counter = partial(TokenCounter().count, gateway(policy(table), Said(), http=upstream))
        return await asyncio.gather(*(counter({}, frozenset(), asked) for _ in range(26)))

    counts = run(main())
    assert all(count.estimated and count.tokens > 0 for count in counts)
    assert set(upstream.called) == {"house"}


@EVERY_PAIR
def test_a_field_of_the_gateway_never_reaches_a_provider(target: str, client: str) -> None:
    given = {
        "x-lynkr-explain": "1",
        "x-lynkr-key": "secret",
        "x-lynkr-simulate": "a=b",
        "x-lynkr-deadline-ms": "5",
        "authorization": "Bearer client",
        "cookie": "a=b",
    }
    headers = upstream_headers(
        given,
        same_dialect=target == client,
        dialect=target,
        written=Written(body=b"", headers={}, transforms=()),
        provider={"x-own": "1"},
        accept="application/json",
    )
    assert not [name for name in headers if name.lower().startswith("x-lynkr")]
    assert not {"authorization", "cookie"} & {name.lower() for name in headers}
    foreign = seal(GEMINI_CARRIER, "c2lnbg==", "another/model")
    thought = Thinking(text="Hm.", signature=foreign)
    answer = msgspec.structs.replace(said(), blocks=(thought, Text(text="Hi")))
    turn = json.loads(CLIENT_DIALECTS[client].write_answer(answer, context_of(client)))
    hi = {"role": "user", "content": "Hi"}
    own = {
        MESSAGES: lambda: {"messages": [hi, {"role": "assistant", "content": turn["content"]}, hi]},
        CHAT: lambda: {"messages": [hi, turn["choices"][0]["message"], hi]},
        RESPONSES: lambda: {"input": [hi, *turn["output"], hi]},
    }[client]()
    assert "gw1." in json.dumps(own)
    body, _ = sent(target, read(client, **own))
    assert "gw1." not in json.dumps(body) and "lynkr" not in json.dumps(body)


ENDS = {MESSAGES: b"message_stop", CHAT: b"[DONE]", RESPONSES: b'"response.completed"'}


@EVERY_PAIR
def test_a_clean_end_is_never_sent_after_an_upstream_cut(target: str, client: str) -> None:
    _, stream = UPSTREAMS[target](said(calls=False))
    cuts = 0
    for size in range(len(stream)):
        events = events_of(target, stream[:size])
        if isinstance(events[-1], MessageEnd):
            # All that says how the answer ended has come: no word of it is lost.
            assert "".join(e.text for e in events if hasattr(e, "text")) == TEXT
            continue
        cuts += 1
        assert isinstance(events[-1], StreamError)
        assert ENDS[client] not in to_client(client, events)
    assert cuts > len(stream) // 2
    problem = stream_problem(StreamError(failure=broken("cut")), "req_1")
    writer = CLIENT_DIALECTS[client].stream_writer(context_of(client))
    assert ENDS[client] not in writer.fail(problem)
