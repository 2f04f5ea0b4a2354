"""Requests of the shape Claude Code sends, in our own words: about 50 kB each.

Facts: a billing block first in `system`, cache marks, a `system` role inside `messages` (blocks on
the first turn, a string with a sibling `output_config` later), adaptive thinking, twelve tools with
a deferred placeholder, `metadata.user_id` as a JSON string, tool results in completion order.
"""

import json
from typing import Any

USER_AGENT = "claude-cli/2.1.329 (external, sdk-cli)"
BETAS = (
    "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,"
    "per-turn-control-2026-07-01,mid-conversation-tool-changes-2026-07-01,"
    "thinking-token-count-2026-05-13,advanced-tool-use-2025-11-20,effort-2025-11-24"
)
HEADERS = {
    "user-agent": USER_AGENT,
    "x-app": "cli",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": BETAS,
    "anthropic-dangerous-direct-browser-access": "true",
    "x-claude-code-session-id": "5f0f6a0c-0000-4000-8000-000000000001",
    "x-stainless-timeout": "600",
    "x-stainless-retry-count": "0",
    "x-api-key": "client-key-that-must-not-travel",
    "content-type": "application/json",
}
TOOLS = (
    "Agent",
    "Bash",
    "Edit",
    "ListAgents",
    "Read",
    "ReportFindings",
    "ScheduleWakeup",
    "Skill",
    "ToolSearch",
    "Workflow",
    "DeferredToolPlaceholder",
    "Write",
)
ASK = "Rename the helper in app/dates.py and fix its callers."
CACHED = {"cache_control": {"type": "ephemeral"}}


def prose(topic: str, size: int) -> str:
    """About `size` characters of dull, deterministic instructions on a topic."""
    sentence = (
        f"When you work on {topic}, read what is there first, change one thing at a time, "
        f"and say plainly what you did and what you left. "
    )
    return (sentence * (size // len(sentence) + 1))[:size].rstrip()


def tool(name: str) -> dict[str, Any]:
    """One tool as the client offers it."""
    entry: dict[str, Any] = {
        "name": name,
        "description": prose(f"the {name} tool", 2000),
        "input_schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "An absolute path"},
                "limit": {"type": "integer", "minimum": -9007199254740991},
            },
            "required": ["path"],
            "additionalProperties": False,
        },
    }
    if name == "DeferredToolPlaceholder":
        entry["defer_loading"] = True
    return entry


def first_turn(ask: str = ASK, model: str = "claude-opus-5-5") -> dict[str, Any]:
    """The first request of a session."""
    return {
        "model": model,
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "text",
                        "text": "<system-reminder>\nproof architecture review security audit: "
                        + prose("the project's notes", 1500)
                        + "\n</system-reminder>",
                    },
                    {"type": "text", "text": ask},
                ],
            },
            {
                "role": "system",
                "content": [
                    {"type": "text", "text": "# Environment\n" + prose("this machine", 9000)}
                    | CACHED
                ],
            },
        ],
        "system": [
            {
                "type": "text",
                "text": "x-anthropic-billing-header: cc_version=2.1.329; cc_entrypoint=sdk-cli;",
            },
            {"type": "text", "text": "You are an agent in a terminal."} | CACHED,
            {"type": "text", "text": prose("somebody's code", 12000)} | CACHED,
        ],
        "tools": [tool(name) for name in TOOLS],
        "metadata": {
            "user_id": json.dumps(
                {
                    "device_id": "d" * 64,
                    "account_uuid": "",
                    "session_id": "5f0f6a0c-0000-4000-8000-000000000001",
                }
            )
        },
        "max_tokens": 128000,
        "thinking": {"type": "adaptive", "display": "omitted"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "output_config": {"effort": "medium"},
        "stream": True,
    }


def second_turn(ask: str = ASK, model: str = "claude-opus-5-5") -> dict[str, Any]:
    """The request after two parallel tool calls, their results in completion order."""
    body = first_turn(ask, model)
    user, environment = body["messages"]
    environment = {
        "role": "system",
        "content": environment["content"][0]["text"],
        "output_config": {"effort": "medium"},
    }
    body["messages"] = [
        user,
        environment,
        {
            "role": "assistant",
            "content": [
                {
                    "type": "thinking",
                    "thinking": "",
                    "signature": "c2lnbmF0dXJlIG9mIGl0cyBtYWtlcg==",
                },
                {"type": "text", "text": "I look at both files."},
                {
                    "type": "tool_use",
                    "id": "toolu_01A0000000000000000001",
                    "name": "Read",
                    "input": {"path": "app/dates.py"},
                },
                {
                    "type": "tool_use",
                    "id": "toolu_01A0000000000000000002",
                    "name": "Bash",
                    "input": {"path": "grep -rn helper app"},
                },
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_01A0000000000000000002",
                    "content": "app/main.py:3: from app.dates import helper",
                    "is_error": False,
                },
                {
                    "tool_use_id": "toolu_01A0000000000000000001",
                    "type": "tool_result",
                    "content": [{"type": "text", "text": "def helper(): ..."}],
                }
                | CACHED,
            ],
        },
    ]
    return body


def retry_unstreamed(ask: str = ASK, model: str = "claude-opus-5-5") -> dict[str, Any]:
    """How the client repeats a turn whose stream broke."""
    return first_turn(ask, model) | {"stream": False, "max_tokens": 64000}


def older_turn(ask: str = ASK, model: str = "claude-sonnet-4-5-20250929") -> dict[str, Any]:
    """The first turn as the client writes it for the older generation."""
    body = first_turn(ask, model)
    user, environment = body["messages"]
    reminder = f"<system-reminder>\n{environment['content'][0]['text']}\n</system-reminder>"
    content = [{"type": "text", "text": reminder}, *user["content"]]
    del body["output_config"]
    return body | {
        "messages": [{"role": "user", "content": content}],
        "max_tokens": 32000,
        "thinking": {"type": "enabled", "budget_tokens": 31999, "display": "omitted"},
    }


def count_tokens_bodies(number: int = 26) -> list[dict[str, Any]]:
    """What ``/context`` sends at once: one word and a subset of the tools each."""
    return [
        {
            "model": "claude-opus-5-5",
            "messages": [{"role": "user", "content": "foo"}],
            "tools": [tool(name) for name in TOOLS[: index % len(TOOLS) + 1]],
        }
        for index in range(number)
    ]


UPDATES = "thinking-display-updates-2026-08-18"
INTERACTIVE = f"{BETAS},{UPDATES},dangerous-tool-use-2026-09-03,afk-mode-2026-01-31"
OLDER_BETAS = (
    "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,"
    "thinking-token-count-2026-05-13,advanced-tool-use-2025-11-20"
)
UNKNOWN_BETAS = BETAS.replace("per-turn-control-2026-07-01,", "")
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
SUMMARISE = "Write a summary of this conversation so far. Use no tools."


def headers_of(betas: str) -> dict[str, str]:
    """The client's headers with these betas."""
    return HEADERS | {"anthropic-beta": betas}


def older_second_turn(ask: str = ASK, model: str = "claude-sonnet-4-5-20250929") -> dict[str, Any]:
    """The tool turn as the client writes it for the older generation: reasoning first."""
    body = older_turn(ask, model)
    turns = second_turn(ask, model)["messages"]
    return body | {"messages": [body["messages"][0], *turns[2:]]}


def unknown_turn(ask: str = ASK, model: str = "house-model") -> dict[str, Any]:
    """The first turn for a model name the client does not know."""
    return first_turn(ask, model) | {"max_tokens": 32000}


def unknown_second_turn(ask: str = ASK, model: str = "house-model") -> dict[str, Any]:
    """Its tool turn: without per-turn control the mid-conversation system has no effort."""
    body = second_turn(ask, model) | {"max_tokens": 32000}
    body["messages"][1].pop("output_config")
    return body


def picture_turn(ask: str = ASK, model: str = "claude-opus-5-5") -> dict[str, Any]:
    """A picture pasted by the user, and one that a tool returned."""
    body = second_turn(ask, model)
    picture = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
    }
    user, *turns, results = body["messages"]
    first, second = results["content"]
    second = {name: value for name, value in second.items() if name != "cache_control"}
    return body | {
        "messages": [
            user | {"content": [*user["content"], picture]},
            *turns,
            {"role": "user", "content": [first, second | {"content": [picture]}]},
        ]
    }


def long_turn(ask: str = ASK, model: str = "claude-opus-5-5") -> dict[str, Any]:
    """Several steps on: reasoning in each, one of them redacted."""
    body = second_turn(ask, model)
    thinking = body["messages"][2]["content"][0]
    step = [
        {
            "role": "assistant",
            "content": [
                thinking | {"signature": "YW5vdGhlciBvZiBpdHM="},
                {"type": "redacted_thinking", "data": "cmVkYWN0ZWQ="},
                {"type": "tool_use", "id": "toolu_01A0000000000000000003", "name": "Edit",
                 "input": {"path": "app/dates.py"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_01A0000000000000000003",
                 "content": "no such text", "is_error": True},
                {"type": "text", "text": "<system-reminder>\nBe brief.\n</system-reminder>"},
            ],
        },
    ]  # fmt: skip
    return body | {"messages": [*body["messages"], *step]}


def compact_turn(ask: str = ASK, model: str = "claude-opus-5-5") -> dict[str, Any]:
    """``/compact``: an ordinary request with all the tools and one more user turn."""
    body = second_turn(ask, model)
    said = [
        {"role": "assistant", "content": [{"type": "text", "text": "Renamed."}]},
        {"role": "user", "content": [{"type": "text", "text": SUMMARISE}]},
    ]
    return body | {"messages": [*body["messages"], *said]}


def interactive_turn(ask: str = ASK, model: str = "claude-opus-5-5") -> dict[str, Any]:
    """The first turn in a terminal: updates of the reasoning, and safeguards."""
    return first_turn(ask, model) | {
        "thinking": {"type": "adaptive", "display": "updates"},
        "output_config": {"effort": "high"},
        "safeguards": [{"type": "dangerous_tool_use", "classifier_context": {"mode": "default"}}],
    }
