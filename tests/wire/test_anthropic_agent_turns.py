"""A coding agent's turns, passed to models that take other forms: nothing illegal is left.

The shape: a billing block first in `system`, cache marks, a `system` role inside `messages`,
adaptive thinking with `display`, per-turn `output_config`, deferred tools, results in completion
order.
"""

import json
from typing import Any

import pytest

from lynkrc_runtime.protocol.anthropic import CLIENT, TARGET
from lynkrc_runtime.protocol.conversation import Role, ToolResult
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.estimate import estimate_tokens
from lynkrc_runtime.protocol.shapes import RequestShape

MARK = {"cache_control": {"type": "ephemeral"}}
HEADERS = {
    "anthropic-version": "2023-06-01",
    "anthropic-beta": (
        "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,"
        "per-turn-control-2026-07-01,effort-2025-11-24"
    ),
}
NEWEST = RequestShape(
    thinking=["adaptive"],
    efforts=["low", "medium", "high", "xhigh", "max"],
    sampling=["stop"],
    tool_choice=["auto", "none"],
    prefill=False,
)
OLDER = RequestShape(
    thinking=["enabled", "disabled"],
    efforts=[],
    mid_system=False,
    betas=[
        "claude-code-20250219",
        "interleaved-thinking-2025-05-14",
        "context-management-2025-06-27",
    ],
)


def turn() -> dict[str, Any]:
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    tools: list[dict[str, Any]] = [
        {"name": f"Tool{n}", "description": "does one thing " * 40, "input_schema": schema}
        for n in range(12)
    ]
    tools[-1]["defer_loading"] = True
    calls = [
        {"type": "thinking", "thinking": "", "signature": "EqAgent=="},
        {"type": "tool_use", "id": "toolu_01", "name": "Tool1", "input": {"path": "a"}},
        {"type": "tool_use", "id": "toolu_02", "name": "Tool2", "input": {"path": "b"}},
    ]
    results = [
        {"type": "tool_result", "tool_use_id": "toolu_02", "content": "b", "is_error": False},
        {"tool_use_id": "toolu_01", "type": "tool_result", "content": [
            {"type": "text", "text": "a"},
            {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        ]} | MARK,
    ]  # fmt: skip
    return {
        "model": "claude-asked-for",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Rename the function."}]},
            {"role": "system", "content": [{"type": "text", "text": "# Environment"} | MARK]},
            {"role": "assistant", "content": calls},
            {"role": "user", "content": results},
            {"role": "system", "content": "# Changed", "output_config": {"effort": "high"}},
        ],
        "system": [
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1;"},
            {"type": "text", "text": "You are an agent."} | MARK,
            {"type": "text", "text": "word " * 2000} | MARK,
        ],
        "tools": tools,
        "metadata": {"user_id": '{"device_id":"d","session_id":"s"}'},
        "max_tokens": 128000,
        "thinking": {"type": "adaptive", "display": "omitted"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "output_config": {"effort": "medium"},
        "stream": True,
    }  # fmt: skip


def send(shape: RequestShape, model: str, max_output: int) -> tuple[Any, Any, Any]:
    request = CLIENT.read_request(json.dumps(turn()).encode(), HEADERS)
    facts = TargetFacts(model=model, max_output=max_output, capabilities=frozenset(), shape=shape)
    written = TARGET.pass_request(request, facts, HEADERS)
    return json.loads(written.body), written.headers, written.transforms


def test_a_model_of_the_same_generation_gets_it_unchanged() -> None:
    sent, headers, transforms = send(NEWEST, "claude-newest", 128_000)
    assert sent == turn() | {"model": "claude-newest"}
    assert headers == HEADERS
    assert transforms == ()


def test_an_older_model_gets_its_own_forms() -> None:
    sent, headers, transforms = send(OLDER, "claude-older", 64_000)
    given = turn()
    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "user"]
    environment = sent["messages"][0]["content"][1]
    assert environment["text"] == "<system-reminder>\n# Environment\n</system-reminder>"
    assert environment["cache_control"] == MARK["cache_control"]
    assert sent["messages"][1] == given["messages"][2]
    assert sent["messages"][2]["content"][:2] == given["messages"][3]["content"]
    assert sent["messages"][2]["content"][2]["text"].startswith("<system-reminder>")
    assert all(set(message) == {"role", "content"} for message in sent["messages"])
    assert sent["thinking"] == {"type": "enabled", "budget_tokens": 8192, "display": "omitted"}
    assert "output_config" not in sent
    assert sent["max_tokens"] == 64_000
    for name in ("system", "tools", "metadata", "context_management", "stream"):
        assert sent[name] == given[name]
    assert headers["anthropic-beta"] == ",".join(OLDER.betas or ())
    assert set(transforms) == {
        "dropped=beta:per-turn-control-2026-07-01",
        "dropped=beta:effort-2025-11-24",
        "max_tokens=64000",
        "thinking=enabled",
        "dropped=effort",
        "dropped=messages.output_config",
        "folded=mid-system",
    }


@pytest.mark.parametrize("shape", [NEWEST, OLDER])
def test_what_was_sent_reads_as_the_same_conversation(shape: RequestShape) -> None:
    sent, _, _ = send(shape, "claude-other", 64_000)
    request = CLIENT.read_request(json.dumps(sent).encode(), {})
    results = [
        block.call_id
        for message in request.messages
        for block in message.blocks
        if isinstance(block, ToolResult)
    ]
    assert results == ["toolu_02", "toolu_01"]
    assert any(message.role is Role.SYSTEM for message in request.messages) == (shape is NEWEST)


def test_its_tokens_are_estimated_locally() -> None:
    request = CLIENT.read_request(json.dumps(turn()).encode(), HEADERS)
    assert 4000 < estimate_tokens(request) < 7000
