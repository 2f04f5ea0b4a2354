"""Chains over real sockets: what moves on to the next target, what does not, and who is told.

Chains of the spec: SIMPLE open, mini, haiku; MEDIUM sonnet, mini, veteran; COMPLEX gone, haiku,
llama; REASONING opus, again (which retries once).
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.e2e.scripted_answers import SSE, Raw, Said, render, stopped_after
from tests.e2e.socket_lab import CHAT, MESSAGES, Answer, Lab
from tests.e2e.upstream_server import Behaviour
from tests.wire import anthropic_lint, openai_chat_lint

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
SAID = Said(text="At last.")
PATHS = (MESSAGES, CHAT)


def ask(lab: Lab, path: str, model: str, *, stream: bool, **more: Any) -> Answer:
    body: dict[str, Any] = {"model": model, "messages": HELLO, "stream": stream}
    if path == MESSAGES:
        body["max_tokens"] = 100
    elif stream:
        body["stream_options"] = {"include_usage": True}
    return lab.send(path, body | more)


def said_by(answer: Answer, path: str, *, stream: bool) -> str:
    """The text of a whole, legal answer."""
    if path == MESSAGES:
        message = (
            anthropic_lint.fold_stream(anthropic_lint.lint_stream(answer.body))
            if stream
            else anthropic_lint.lint_message(answer.body)
        )
        return "".join(block["text"] for block in message["content"])
    if stream:
        chunks = openai_chat_lint.lint_stream(answer.body, with_usage=True)
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    return str(openai_chat_lint.lint_completion(answer.body).choices[0].message.content)


def agree(lab: Lab, answer: Answer) -> Mapping[str, Any]:
    """The request's log line, which must tell what the headers told."""
    line = lab.gateway.request(answer.request_id)
    told = answer.headers
    assert line["status"] == answer.status
    assert line["rule"] == told["x-lynkr-rule"]
    assert line["tier"] == told.get("x-lynkr-tier")
    assert str(line["score"]) == told["x-lynkr-score"]
    assert str(line["calls"]) == told["x-lynkr-attempts"] == str(len(line["attempts"]))
    assert line["provider"] == told.get("x-lynkr-provider")
    assert line["served_model"] == told.get("x-lynkr-model")
    if line["target"] is not None:
        assert str(line["fallback"]).lower() == told["x-lynkr-fallback"]
        assert line["target"] == line["attempts"][-1]["target"]
    return line


def html(status: int) -> Raw:
    page = b"<html><body>It works!</body></html>"
    return Raw(pieces=(page,), status=status, headers={"content-type": "text/html"})


def started(dialect: str) -> Raw:
    """A stream cut before it said anything."""
    whole = render(SAID, dialect, {"model": "m", "stream": True})
    mark = b"message_start" if dialect == "anthropic-messages" else b'"role"'
    return stopped_after(whole, mark, held=False)


def failing_first(dialect: str) -> dict[str, Behaviour]:
    """An error in the first event of a stream."""
    if dialect == "anthropic-messages":
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        data = b"event: error\ndata: " + json.dumps(error).encode() + b"\n\n"
    else:
        data = b'data: {"error": {"message": "Overloaded", "type": "server_error"}}\n\n'
    return {"error first": Raw(pieces=(data,), headers=SSE)}


FAILURES: dict[str, Behaviour] = {
    "500": "fail:500",
    "503": "fail:503",
    "529": "fail:529",
    "429": "fail:429:9",
    "429 without a wait": "fail:429",
    "401": "fail:401",
    "404": "fail:404",
    "408": "fail:408",
    "a page": html(200),
    "half a body": Raw(pieces=(b'{"id": "x", "cho',), cut=True),
    "no JSON": Raw(pieces=(b"{]",)),
    "nothing": Raw(pieces=()),
    "another API's answer": Raw(pieces=(b'{"status": "ok"}',)),
    "redirect": Raw(pieces=(), status=307, headers={"location": "http://127.0.0.1:1/"}),
}
STREAM_FAILURES = {"empty stream", "cut at the start", "error first"}
FIRSTS = {"lynkr/SIMPLE": ("open", "gpt-like"), "lynkr/MEDIUM": ("sonnet", "claude-like")}


CASES = [(name, stream) for name in sorted(FAILURES) for stream in (False, True)]
CASES += [(name, True) for name in sorted(STREAM_FAILURES)]


@pytest.mark.parametrize(("failure", "stream"), CASES)
@pytest.mark.parametrize("model", sorted(FIRSTS))
@pytest.mark.parametrize("path", PATHS)
def test_a_failure_moves_on(lab: Lab, model: str, path: str, failure: str, stream: bool) -> None:
    target, name = FIRSTS[model]
    dialect = "anthropic-messages" if name == "claude-like" else "openai-chat"
    failures = FAILURES | failing_first(dialect)
    failures |= {
        "empty stream": Raw(pieces=(), headers=SSE),
        "cut at the start": started(dialect),
    }
    lab.face(name).behaviours = [failures[failure]]
    lab.face("gpt").behaviours = [SAID]
    answer = ask(lab, path, model, stream=stream)
    assert answer.status == 200, answer.body
    assert said_by(answer, path, stream=stream) == SAID.text
    assert answer.headers["x-lynkr-provider"] == "gpt"
    assert answer.headers["x-lynkr-fallback"] == "true"
    assert answer.headers["x-lynkr-attempts"] == "2"
    line = agree(lab, answer)
    assert line["class"] == "served"
    first, second = line["attempts"]
    assert (first["target"], first["result"]) == (target, "failed")
    assert (second["target"], second["result"]) == ("mini", "served")
    assert first["class"] in {"throttled"} if "429" in failure else {"transient", "ours"}
    assert line["usage"]["input"] == SAID.fresh, "the last attempt's, and counted once"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_nobody_listens(lab: Lab, path: str, stream: bool) -> None:
    """COMPLEX begins with a provider whose port is closed."""
    lab.face("claude").behaviours = [SAID]
    answer = ask(lab, path, "lynkr/COMPLEX", stream=stream)
    assert said_by(answer, path, stream=stream) == SAID.text
    first, second = agree(lab, answer)["attempts"]
    assert (first["target"], first["fault"], first["class"]) == ("gone", "connect", "transient")
    assert (second["target"], second["result"]) == ("haiku", "served")


HANGS_UP = Raw(pieces=(), cut=True)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_kept_connection_that_died(lab: Lab, path: str, stream: bool) -> None:
    """Nobody's fault the first time: the same target gets it once more, on a new connection."""
    face = lab.face("gpt-like")
    ask(lab, path, "lynkr/open", stream=False)
    face.behaviours = [HANGS_UP, SAID]
    answer = ask(lab, path, "lynkr/SIMPLE", stream=stream)
    assert said_by(answer, path, stream=stream) == SAID.text
    line = agree(lab, answer)
    assert [(a["target"], a.get("fault")) for a in line["attempts"]] == [
        ("open", "stale"),
        ("open", None),
    ]
    assert answer.headers["x-lynkr-fallback"] == "false"

    ask(lab, path, "lynkr/open", stream=False)
    face.behaviours = [HANGS_UP, HANGS_UP]
    lab.face("gpt").behaviours = [SAID]
    answer = ask(lab, path, "lynkr/SIMPLE", stream=stream)
    assert said_by(answer, path, stream=stream) == SAID.text
    line = agree(lab, answer)
    assert [(a["target"], a.get("fault")) for a in line["attempts"]] == [
        ("open", "stale"),
        ("open", "broken"),
        ("mini", None),
    ]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_the_same_target_is_tried_again(lab: Lab, path: str, stream: bool) -> None:
    lab.face("claude").behaviours = ["fail:503"]
    lab.face("stubborn").behaviours = ["fail:503", SAID]
    answer = ask(lab, path, "lynkr/REASONING", stream=stream)
    assert said_by(answer, path, stream=stream) == SAID.text
    line = agree(lab, answer)
    assert [attempt["target"] for attempt in line["attempts"]] == ["opus", "again", "again"]
    assert answer.headers["x-lynkr-attempts"] == "3"


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_s_own_retry_is_not_multiplied(lab: Lab, stream: bool) -> None:
    lab.face("stubborn").behaviours = ["fail:503"]
    body = {"model": "lynkr/again", "max_tokens": 9, "messages": HELLO, "stream": stream}
    answer = lab.send(MESSAGES, body, headers={"x-stainless-retry-count": "1"})
    assert answer.status == 529
    assert len(lab.face("stubborn").seen) == 1
    assert agree(lab, answer)["class"] == "transient"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_the_whole_chain_fails(lab: Lab, path: str, stream: bool) -> None:
    """The most useful failure is told: here the shortest wait."""
    lab.face("gpt-like").behaviours = ["fail:429:40"]
    lab.face("gpt").behaviours = ["fail:401"]
    lab.face("claude").behaviours = ["fail:429:20"]
    answer = ask(lab, path, "lynkr/SIMPLE", stream=stream)
    assert answer.status == 429
    assert answer.headers["retry-after"] == "20"
    assert answer.headers["x-lynkr-attempts"] == "3"
    line = agree(lab, answer)
    assert line["class"] == "throttled"
    assert [a["class"] for a in line["attempts"]] == ["throttled", "ours", "throttled"]
    error = answer.json["error"]
    assert error["type"] == "rate_limit_error"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("model", sorted(FIRSTS))
def test_a_break_after_the_first_words_is_an_error(lab: Lab, path: str, model: str) -> None:
    """What the client has read cannot be taken back: no other target goes on, no clean end."""
    _, name = FIRSTS[model]
    dialect = "anthropic-messages" if name == "claude-like" else "openai-chat"
    face = lab.face(name)
    # Held: who reads a cut connection may lose what came just before the cut.
    whole = render(SAID, dialect, {"model": "m", "stream": True})
    face.behaviours = [stopped_after(whole, b"At last")]
    answer = lab.send_streamed(path, body_of(path, model), until=b"At last")
    lab.background.let_go(face)
    rest = answer.finish()
    assert rest.status == 200
    assert lab.face("gpt").seen == []
    assert b"[DONE]" not in rest.body
    assert b"message_stop" not in rest.body
    assert b'finish_reason":"' not in rest.body
    if path == MESSAGES:
        events = anthropic_lint.lint_stream(rest.body, ends="error")
        assert events[-1]["error"]["type"] == "overloaded_error"
        assert events[-1]["request_id"] == rest.request_id
    else:
        last = json.loads(openai_chat_lint.split_data(rest.body)[-1])
        assert last["error"]["message"]
    line = agree(lab, rest)
    assert line["class"] == "broken"
    assert [a["result"] for a in line["attempts"]] == ["broken"]


def body_of(path: str, model: str) -> dict[str, Any]:
    body: dict[str, Any] = {"model": model, "messages": HELLO, "stream": True}
    return body | ({"max_tokens": 100} if path == MESSAGES else {})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_the_caller_s_mistake_stops_the_chain(lab: Lab, path: str, stream: bool) -> None:
    """Another target would only say the same again."""
    lab.face("gpt-like").behaviours = ["fail:400"]
    answer = ask(lab, path, "lynkr/SIMPLE", stream=stream)
    assert answer.status == 400
    assert lab.face("gpt").seen == []
    assert agree(lab, answer)["class"] == "callers"


def test_the_metrics_count_what_happened(lab: Lab) -> None:
    served = {"surface": "chat", "tier": "SIMPLE", "target": "mini", "class": "served"}
    failed = {"target": "open", "result": "failed", "class": "transient"}
    tokens = {"target": "mini", "kind": "input"}

    def counts() -> list[float]:
        return [
            lab.metric("lynkr_requests_total", **served),
            lab.metric("lynkr_attempts_total", **failed),
            lab.metric("lynkr_tokens_total", **tokens),
        ]

    before = counts()
    lab.face("gpt-like").behaviours = ["fail:503"]
    lab.face("gpt").behaviours = [SAID]
    ask(lab, CHAT, "lynkr/SIMPLE", stream=True)
    grown = [after - was for after, was in zip(counts(), before, strict=True)]
    assert grown == [1, 1, SAID.fresh]
    assert lab.metric("lynkr_requests_in_flight") == 0
