"""What happens to answers on the way to the client: cut, renamed, losses recorded."""

import json
from typing import Any

import msgspec
import pytest

from lynkrc_runtime.server.echo import echo_event
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.settings import Server
from lynkrc_runtime.settings import Settings as Declared
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    RESPONSES,
    Recorder,
    Said,
    Script,
    Scripted,
    ask,
    body,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)
from tests.runtime.virtual_time import run

JSON = {"content-type": "application/json"}
MADE = "up-model-2026"


def chat_stream(*texts: str, tail: float = 0.0) -> Script:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": MADE}
    deltas = [{"delta": {"content": text}, "finish_reason": None, "index": 0} for text in texts]
    deltas.append({"delta": {}, "finish_reason": "stop", "index": 0})
    chunks = [f"data: {json.dumps(head | {'choices': [one]})}\n\n".encode() for one in deltas]
    steps: list[bytes | float] = [*chunks[:-1], tail, chunks[-1], b"data: [DONE]\n\n"]
    return Script(steps=steps)


def chat_whole(text: str, **members: Any) -> Script:
    message = {"role": "assistant", "content": text} | members
    completion = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": MADE,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 30, "total_tokens": 37},
    }
    return Script(steps=[json.dumps(completion).encode()], headers=JSON)


MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": MADE,
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 7, "output_tokens": 1},
}
SEARCH = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}}


def messages_stream() -> Script:
    def event(name: str, **members: Any) -> bytes:
        return f"event: {name}\ndata: {json.dumps({'type': name} | members)}\n\n".encode()

    return Script(
        steps=[
            event("message_start", message=MESSAGE),
            event("content_block_start", index=0, content_block=SEARCH),
            event("content_block_stop", index=0),
            event("content_block_start", index=1, content_block={"type": "text", "text": ""}),
            event("content_block_delta", index=1, delta={"type": "text_delta", "text": "Hi"}),
            event("content_block_stop", index=1),
            event(
                "message_delta",
                delta={"stop_reason": "end_turn", "stop_sequence": None},
                usage={"output_tokens": 3},
            ),
            event("message_stop"),
        ]
    )


def messages_whole() -> Script:
    content = [SEARCH, {"type": "text", "text": "Hi"}]
    answer = MESSAGE | {"content": content, "stop_reason": "end_turn"}
    return Script(steps=[json.dumps(answer).encode()], headers=JSON)


def served(
    kind: str, script: Script, said: Said | None = None, *, echoes: bool = False
) -> tuple[Gateway, Scripted]:
    table = dispatch([provider("p", kind)], [target("one", 0)])
    declared = Declared(server=Server(echo_requested_model=echoes))
    upstream = Scripted({"one": [script]})
    changed = msgspec.structs.replace(table, settings=declared)
    return gateway(policy(changed), said or Said(), http=upstream), upstream


def asked(gate: Gateway, dialect: str, **members: Any) -> Recorder:
    async def main() -> Recorder:
        return await ask(gate, body(dialect, **members), dialect)

    return run(main())


# -- stop sequences ----------------------------------------------------------------------------

STOPS = ["a1", "a2", "a3", "a4", "END"]


def text_of(stream: bytes) -> str:
    found = ""
    for line in stream.split(b"\n"):
        if line.startswith(b"data: {"):
            value = json.loads(line[6:])
            found += value.get("delta", {}).get("text", "")
            for choice in value.get("choices", ()):
                found += choice["delta"].get("content") or ""
    return found


@pytest.mark.parametrize(
    "texts",
    [("One END two",), ("One E", "ND two"), ("One ", "E", "N", "D"), tuple("One END two")],
    ids=["one piece", "split", "letters", "all letters"],
)
def test_a_stream_ends_at_the_stop_the_target_was_not_sent(texts: tuple[str, ...]) -> None:
    said = Said()
    gate, upstream = served("openai", chat_stream(*texts, tail=60.0), said)
    client = asked(gate, MESSAGES, stream=True, stop_sequences=STOPS)
    assert json.loads(upstream.requests[0].body)["stop"] == STOPS[:4]
    assert text_of(client.body) == "One "
    assert b'"stop_reason":"stop_sequence","stop_sequence":"END"' in client.body
    assert client.body.rstrip().endswith(b'{"type":"message_stop"}')
    assert client.headers["x-lynkr-transforms"].endswith("enforced=stop")
    assert client.writes[-1][0] < 60.0, "the rest of the upstream's answer is not waited for"
    assert upstream.closed == 1
    line = said.request
    assert (line["class"], line["estimated"]) == ("served", True)
    assert line["attempts"][0]["result"] == "served"


def test_what_only_began_like_a_stop_is_said() -> None:
    gate, _ = served("openai", chat_stream("One E", "N", "TER", " EN"))
    client = asked(gate, MESSAGES, stream=True, stop_sequences=STOPS)
    assert text_of(client.body) == "One ENTER EN"
    assert b'"stop_reason":"end_turn"' in client.body


def test_a_whole_answer_is_cut() -> None:
    gate, _ = served("openai", chat_whole("One END two"))
    client = asked(gate, MESSAGES, stop_sequences=STOPS)
    assert client.json["content"] == [{"type": "text", "text": "One "}]
    assert (client.json["stop_reason"], client.json["stop_sequence"]) == ("stop_sequence", "END")
    assert client.json["usage"]["output_tokens"] == 30, "the model said it all"


def test_a_target_without_stops_has_them_all_enforced() -> None:
    answer = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": MADE,
        "status": "completed",
        "output": [
            {
                "type": "message",
                "id": "m",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "One END", "annotations": []}],
            }
        ],
        "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    }
    script = Script(steps=[json.dumps(answer).encode()], headers=JSON)
    table = dispatch([provider("p", "openai")], [target("one", 0, dialect=RESPONSES)])
    gate = gateway(policy(table), Said(), http=Scripted({"one": [script]}))
    client = asked(gate, CHAT, stop="END")
    assert client.json["choices"][0]["message"]["content"] == "One "
    assert client.json["choices"][0]["finish_reason"] == "stop"


# -- the model's name --------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("kind", "dialect"),
    [
        ("openai", MESSAGES),
        ("openai", CHAT),
        ("anthropic", MESSAGES),
        ("anthropic", CHAT),
        ("anthropic", RESPONSES),
    ],
)
def test_answers_name_the_model_that_was_asked_for(kind: str, dialect: str, stream: bool) -> None:
    if kind == "openai":
        script = chat_stream("Hi") if stream else chat_whole("Hi")
    else:
        script = messages_stream() if stream else messages_whole()
    gate, _ = served(kind, script, echoes=True)
    client = asked(gate, dialect, stream=stream)
    assert client.status == 200
    assert b'"model":"auto"' in client.body
    assert MADE.encode() not in client.body and b"model-one" not in client.body
    assert client.headers["x-lynkr-model"] == "model-one"


def test_without_the_setting_they_name_what_served() -> None:
    gate, _ = served("openai", chat_whole("Hi"))
    assert asked(gate, CHAT).json["model"] == MADE
    gate, _ = served("openai", chat_whole("Hi"))
    assert asked(gate, MESSAGES).json["model"] == "model-one"


@pytest.mark.parametrize(
    ("piece", "renamed"),
    [
        (
            b'event: response.created\ndata: {"type":"t","response":{"id":"r","model":"m"}}\n\n',
            b'event: response.created\ndata: {"type":"t","response":{"id":"r","model":"x"}}\n\n',
        ),
        (b'data: {"delta":"say \\"model\\""}\n\n', b'data: {"delta":"say \\"model\\""}\n\n'),
        (b'data: {"delta":"\\"model\\":"', b'data: {"delta":"\\"model\\":"'),
        (b": comment\n\n", b": comment\n\n"),
    ],
)
def test_only_what_names_the_model_is_touched(piece: bytes, renamed: bytes) -> None:
    assert echo_event(piece, "x") == renamed


# -- losses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", [CHAT, RESPONSES])
@pytest.mark.parametrize("stream", [False, True])
def test_what_an_answer_loses_is_recorded_and_told_where_it_can_be(
    stream: bool, dialect: str
) -> None:
    said = Said()
    gate, _ = served("anthropic", messages_stream() if stream else messages_whole(), said)
    client = asked(gate, dialect, stream=stream)
    assert "server_tool_use" in said.request["losses"]
    told = client.headers.get("x-lynkr-losses", "")
    assert ("server_tool_use" in told) != stream
    assert b'lynkr_lossy_answers_total{target="one"} 1.0' in gate.metrics.render()


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_passes_loses_nothing(stream: bool) -> None:
    said = Said()
    gate, _ = served("anthropic", messages_stream() if stream else messages_whole(), said)
    client = asked(gate, MESSAGES, stream=stream)
    assert said.request["losses"] == [] and "x-lynkr-losses" not in client.headers
    assert b"server_tool_use" in client.body
