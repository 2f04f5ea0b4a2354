"""What the gateway answers by itself: models, probes, refusals of who may not come in."""

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.e2e.gateway import refused
from tests.e2e.socket_lab import CHAT, MESSAGES, Lab, connect

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
TIERS = ["SIMPLE", "MEDIUM", "COMPLEX", "REASONING"]
TARGETS = ["opus", "haiku", "veteran", "sonnet", "mini", "open", "llama", "gone", "again"]


def test_both_sdks_list_the_models(lab: Lab) -> None:
    theirs = [model.id for model in lab.anthropic.models.list(limit=1000)]
    ours = [model.id for model in lab.openai.models.list()]
    assert theirs == ours
    pins = [f"{prefix}{name}" for prefix in ("lynkr/", "claude-lynkr-") for name in TIERS + TARGETS]
    assert set(ours) == {"auto", *pins, "team-default", "claude-opus-5-5", "gpt-4o-mini"}
    assert ours[0] == "auto"
    assert [face.seen for face in lab.faces if face.seen] == []


def test_the_anthropic_list_has_pages(lab: Lab) -> None:
    first = lab.anthropic.models.list(limit=5)
    assert len(first.data) == 5
    assert first.has_more is True
    paged = [model.id for model in first]
    assert paged == [model.id for model in lab.openai.models.list()], "iterating turns the pages"


def test_one_model(lab: Lab) -> None:
    assert lab.anthropic.models.retrieve("lynkr/haiku").id == "lynkr/haiku"
    assert lab.openai.models.retrieve("claude-lynkr-SIMPLE").object == "model"
    with pytest.raises(anthropic.NotFoundError):
        lab.anthropic.models.retrieve("nobody")
    with pytest.raises(openai.NotFoundError):
        lab.openai.models.retrieve("nobody")


@pytest.mark.parametrize("name", ["auto", "claude-of-tomorrow", "gpt-9", "any thing", "lynkr-x"])
def test_an_unknown_model_is_routed(lab: Lab, name: str) -> None:
    message = lab.anthropic.messages.create(model=name, max_tokens=100, messages=HELLO)
    assert message.model == "qwen3-coder", "a greeting goes to the cheapest tier"
    completion = lab.openai.chat.completions.create(model=name, messages=HELLO)
    assert completion.model == "qwen3-coder"


@pytest.mark.parametrize("prefix", ["lynkr/", "claude-lynkr-"])
def test_pins_and_mapped_names(lab: Lab, prefix: str) -> None:
    for name, model in (
        (f"{prefix}mini", "gpt-4o-mini"),
        (f"{prefix}MEDIUM", "claude-sonnet-5-5"),
        ("team-default", "gpt-4o-mini"),
        ("claude-haiku-5-5", "claude-haiku-5-5"),
        ("claude-haiku-9", "claude-haiku-5-5"),
    ):
        body = {"model": name, "messages": HELLO}
        answer = lab.send(CHAT, body)
        assert answer.json["model"] == model, name
        assert answer.headers["x-lynkr-model"] == model
        assert lab.gateway.request(answer.request_id)["model"] == name


def test_a_pin_that_names_nothing_is_a_name_like_any_other(lab: Lab) -> None:
    answer = lab.send(MESSAGES, {"model": "lynkr/minni", "max_tokens": 99, "messages": HELLO})
    line = lab.gateway.request(answer.request_id)
    assert answer.status == 200
    assert (line["rule"], line["model"]) == ("builtin/greetings", "lynkr/minni")


def test_the_root(lab: Lab) -> None:
    head = lab.send("/", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    found = lab.send("/", method="GET").json
    assert found["name"] == "lynkrc-runtime"


def test_a_websocket_is_declined_at_once(lab: Lab) -> None:
    """Codex falls back to HTTP on 426, and on nothing else as fast."""
    answer = lab.send(
        "/v1/responses",
        method="GET",
        headers={
            "upgrade": "websocket",
            "connection": "Upgrade",
            "sec-websocket-version": "13",
            "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
            "openai-beta": "responses_websockets=2026-02-06",
        },
    )
    assert answer.status == 426
    assert answer.headers["upgrade"]
    assert "upgrade" in answer.headers["connection"].lower()
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}


def test_both_listeners_answer_the_probes(lab: Lab) -> None:
    for admin in (False, True):
        assert lab.send("/health/live", method="GET", admin=admin).status == 200
        ready = lab.send("/health/ready", method="GET", admin=admin)
        assert ready.status == 200
        assert ready.json["bundle"] == lab.gateway.ready["bundle"]
    assert lab.send("/metrics", method="GET").status == 404, "operators' only"
    table = lab.send("/routing/table", method="GET", admin=True).body.decode()
    assert "at-home" in table


FOREIGN: list[Mapping[str, str]] = [
    {"host": "evil.example"},
    {"host": "127.0.0.1.evil.example:8081"},
    {"host": "localhost.evil.example"},
    {"host": "10.0.0.1:8081"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_only_programs_of_this_machine_come_in(lab: Lab, headers: Mapping[str, str]) -> None:
    body = {"model": "auto", "max_tokens": 9, "messages": HELLO}
    assert lab.send(MESSAGES, body, headers=headers).status == 403
    assert lab.send("/routing/analyze", body, admin=True, headers=headers).status == 403
    assert lab.send("/metrics", method="GET", admin=True, headers=headers).status == 403
    assert [face.seen for face in lab.faces if face.seen] == []


@pytest.mark.parametrize("host", ["localhost", "localhost:1234", "127.0.0.1", "[::1]:8081"])
def test_the_names_of_this_machine_do(lab: Lab, host: str) -> None:
    body = {"model": "auto", "max_tokens": 9, "messages": HELLO}
    assert lab.send(MESSAGES, body, headers={"host": host}).status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_form_is_no_request(lab: Lab, kind: str) -> None:
    """What a web page may send without asking first."""
    body = json.dumps({"model": "auto", "max_tokens": 9, "messages": HELLO}).encode()
    answer = lab.send(MESSAGES, body, headers={"content-type": kind})
    assert answer.status == 415


BROKEN_BODIES = [b"", b"{", b"[]", b"null", b'"text"', b'{"model": "auto"}', b"\xff\xfe", b"{" * 50]


@pytest.mark.parametrize("path", [MESSAGES, CHAT, f"{MESSAGES}/count_tokens"])
@pytest.mark.parametrize("body", BROKEN_BODIES)
def test_a_broken_body_is_the_client_s_mistake(lab: Lab, path: str, body: bytes) -> None:
    answer = lab.send(path, body)
    assert answer.status == 400
    error = answer.json["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert answer.headers["request-id"]
    if body == b'{"model": "auto"}':
        assert "messages" in error["message"]


def test_a_header_the_spec_reads_comes_once(lab: Lab) -> None:
    connection = connect(lab.gateway.url)
    body = json.dumps({"model": "auto", "max_tokens": 9, "messages": HELLO}).encode()
    connection.putrequest("POST", MESSAGES)
    for name, value in (
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
        ("x-team", "fine"),
        ("x-team", "banned"),
    ):
        connection.putheader(name, value)
    connection.endheaders(body)
    answer: http.client.HTTPResponse = connection.getresponse()
    said = json.loads(answer.read())
    connection.close()
    assert answer.status == 400
    assert "x-team" in said["error"]["message"]


def test_the_paths_users_get_wrong(lab: Lab) -> None:
    for path in ("/v1/v1/messages", "/messages", f"{MESSAGES}?beta=true"):
        body = {"model": "auto", "max_tokens": 9, "messages": HELLO}
        assert lab.send(path, body).status == 200
    assert lab.send("/v1/chat/completions/", {"model": "auto", "messages": HELLO}).status == 404


def test_a_provider_without_its_variable_does_not_start(
    lab: Lab, sockets_bundle: Path, tmp_path: Path
) -> None:
    known = {name: "http://127.0.0.1:9" for name in ("CLAUDE_URL", "GPT_URL", "HOUSE_URL")}
    said = refused(sockets_bundle, environ=known)
    for provider, variable in (("claude", "CLAUDE_KEY"), ("nowhere", "NOWHERE_URL")):
        assert f"provider {provider}: environment variable {variable} is not set" in said


def test_answers_and_log_hold_no_text_of_anybody(lab: Lab) -> None:
    secret = "zebra-crossing-at-midnight"
    body: dict[str, Any] = {
        "model": "lynkr/SIMPLE",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": secret}],
    }
    lab.face("gpt-like").behaviours = ["fail:400"]
    lab.send(MESSAGES, body)
    lab.send(MESSAGES, body)
    lab.send(MESSAGES, body | {"temperature": {"is": secret}})
    log = lab.gateway.log.read_text(encoding="utf-8")
    assert secret not in log
    for face in lab.faces:
        assert f"key-of-the-{face.name}-provider" not in log
