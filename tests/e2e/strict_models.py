"""What real upstreams refuse, model by model, written from their documents and not from our code.

`refuse_messages` and `refuse_chat` return the message of the 400 an upstream would send, or None.
They are the judge in "nothing is refused": the gateway's catalog and writers must satisfy them.
"""

import re
from collections.abc import Mapping
from typing import Any

TOP_LEVEL = {
    "model", "messages", "system", "tools", "tool_choice", "metadata", "max_tokens", "thinking",
    "context_management", "output_config", "stream", "stop_sequences", "temperature", "top_p",
    "top_k", "service_tier", "speed", "cache_control", "container", "inference_geo", "diagnostics",
    "mcp_servers", "compaction", "thread", "fallbacks",
}  # fmt: skip

NEW_EFFORTS = {"low", "medium", "high", "xhigh", "max"}

RULES: dict[str, dict[str, Any]] = {
    "claude-opus-5-5": {"thinking": {"adaptive"}, "forced": False, "efforts": NEW_EFFORTS,
                        "sampling": False, "prefill": False, "system": True, "max": 128_000},
    "claude-sonnet-5-5": {"thinking": {"adaptive", "between_tools"}, "forced": True,
                          "efforts": NEW_EFFORTS, "sampling": False, "prefill": False,
                          "system": True, "max": 128_000},
    "claude-haiku-5-5": {"thinking": {"adaptive", "disabled"}, "forced": True,
                         "efforts": NEW_EFFORTS, "sampling": False, "prefill": False,
                         "system": True, "max": 128_000},
    "claude-sonnet-4-5": {"thinking": {"enabled", "disabled"}, "forced": True, "efforts": set(),
                          "sampling": True, "prefill": True, "system": False, "max": 64_000},
}  # fmt: skip

OLD_BETAS = {
    "claude-code-20250219",
    "interleaved-thinking-2025-05-14",
    "context-management-2025-06-27",
    "thinking-token-count-2026-05-13",
    "advanced-tool-use-2025-11-20",
    "token-counting-2024-11-01",
}
"""What Claude Code itself sends for the older model."""


def refuse_messages(body: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """The 400 of the Messages API, or None. `headers` have lower-case names."""
    model = str(body.get("model"))
    rules = next((r for name, r in RULES.items() if model.startswith(name)), None)
    if rules is None:
        return f"model: {model}"
    unknown = set(body) - TOP_LEVEL
    if unknown:
        return f"{sorted(unknown)[0]}: extra inputs are not permitted"
    version = headers.get("anthropic-version")
    if version not in ("2023-06-01", "2026-10-21"):
        return "anthropic-version: header is required"
    if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] > rules["max"]:
        return "max_tokens: above the model's limit"
    sampling = {"temperature", "top_p", "top_k"} & set(body)
    if sampling and (not rules["sampling"] or version == "2026-10-21"):
        return f"{sorted(sampling)[0]}: not supported"
    choice = (body.get("tool_choice") or {}).get("type", "auto")
    if choice in ("any", "tool") and not rules["forced"]:
        return "tool_choice: forced tool use is not supported"
    return (
        _refuse_thinking(body, rules)
        or _refuse_betas(body, headers, rules)
        or _refuse_turns(body, rules)
    )


def _refuse_thinking(body: Mapping[str, Any], rules: dict[str, Any]) -> str | None:
    thinking = body.get("thinking")
    if thinking is not None:
        if thinking["type"] not in rules["thinking"]:
            return f"thinking.type.{thinking['type']} is not supported for this model"
        if thinking["type"] == "enabled" and not (
            1024 <= thinking.get("budget_tokens", 0) < body["max_tokens"]
        ):
            return "thinking.enabled.budget_tokens: must be >= 1024 and below max_tokens"
    effort = (body.get("output_config") or {}).get("effort")
    if effort is not None and effort not in rules["efforts"]:
        return "output_config.effort: not supported by this model"
    edits = (body.get("context_management") or {}).get("edits", [])
    on = thinking is not None and thinking["type"] != "disabled"
    default_on = "adaptive" in rules["thinking"]
    if any(e["type"].startswith("clear_thinking") for e in edits) and not (on or default_on):
        return "context_management: clear_thinking requires thinking"
    return None


def _refuse_betas(
    body: Mapping[str, Any], headers: Mapping[str, str], rules: dict[str, Any]
) -> str | None:
    betas = {b.strip() for b in headers.get("anthropic-beta", "").split(",") if b.strip()}
    if not rules["system"] and betas - OLD_BETAS:
        return f"anthropic-beta: unsupported {sorted(betas - OLD_BETAS)[0]}"
    if "context_management" in body and "context-management-2025-06-27" not in betas:
        return "context_management: extra inputs are not permitted"
    if any("defer_loading" in t for t in body.get("tools", [])) and not any(
        b.startswith("advanced-tool-use") for b in betas
    ):
        return "tools: defer_loading needs a beta"
    return None


def _refuse_turns(body: Mapping[str, Any], rules: dict[str, Any]) -> str | None:
    messages = body["messages"]
    marks = sum(
        1
        for holder in [body.get("system") or [], body.get("tools") or []]
        + [m["content"] for m in messages]
        if isinstance(holder, list)
        for block in holder
        if "cache_control" in block
    )
    if marks > 4:
        return "a maximum of 4 blocks with cache_control may be provided"
    open_calls: set[str] = set()
    for index, message in enumerate(messages):
        extra = (
            set(message) - {"role", "content"} - ({"output_config"} if rules["system"] else set())
        )
        if extra:
            return f"messages.{index}.{sorted(extra)[0]}: extra inputs are not permitted"
        if message["role"] == "system":
            if not rules["system"]:
                return 'messages: Unexpected role "system"'
            continue
        blocks = message["content"]
        if isinstance(blocks, str):
            blocks = [{"type": "text", "text": blocks}]
        results = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
        if set(results) != open_calls:
            return f"messages.{index}: tool_use ids without tool_result, or the other way round"
        if any(b["type"] == "tool_result" for b in blocks[len(results) :]):
            return f"messages.{index}: tool_result blocks must come first"
        open_calls = {b["id"] for b in blocks if b["type"] == "tool_use"}
        for block in blocks:
            if block["type"] == "text" and not block["text"].strip():
                return f"messages.{index}: text content blocks must be non-empty"
            if block["type"] == "thinking" and block["signature"].startswith("gw1."):
                return f"messages.{index}: invalid signature in thinking block"
            if block["type"] == "tool_use" and not re.fullmatch(r"[a-zA-Z0-9_-]+", block["id"]):
                return f"messages.{index}: tool_use.id has illegal characters"
    if open_calls:
        return "tool_use ids were found without tool_result blocks"
    if messages and messages[-1]["role"] == "assistant" and not rules["prefill"]:
        return "This model does not support assistant message prefill"
    return None


CHAT_TOP_LEVEL = {
    "model", "messages", "tools", "tool_choice", "parallel_tool_calls", "max_tokens",
    "max_completion_tokens", "temperature", "top_p", "stop", "stream", "stream_options", "seed",
    "response_format", "reasoning_effort", "user", "metadata", "presence_penalty", "n",
    "frequency_penalty", "logit_bias", "logprobs", "top_logprobs", "store", "service_tier",
    "prompt_cache_key", "safety_identifier", "verbosity",
}  # fmt: skip


def refuse_chat(body: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """The 400 of Chat Completions for gpt-4o-mini, or None."""
    unknown = set(body) - CHAT_TOP_LEVEL
    if unknown:
        return f"Unrecognized request argument supplied: {sorted(unknown)[0]}"
    if any(name.startswith("anthropic-") for name in headers):
        return "another dialect's headers"
    limit = body.get("max_completion_tokens", body.get("max_tokens", 0))
    if limit > 16_384:
        return "max_tokens is too large"
    if "reasoning_effort" in body:
        return "Unrecognized request argument supplied: reasoning_effort"
    for entry in body.get("tools", []):
        if entry["type"] != "function" or not re.fullmatch(
            r"[a-zA-Z0-9_-]{1,64}", entry["function"]["name"]
        ):
            return "tools: invalid"
    if "tools" in body and not body["tools"]:
        return "tools: [] is too short"
    open_calls: list[str] = []
    for index, message in enumerate(body["messages"]):
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls or not isinstance(message["content"], str):
                return f"messages.{index}: tool message without its call"
            open_calls.remove(message["tool_call_id"])
            continue
        if open_calls:
            return "an assistant message with tool_calls must be followed by tool messages"
        open_calls = [call["id"] for call in message.get("tool_calls", [])]
        if any(len(call) > 40 for call in open_calls):
            return f"messages.{index}: tool_call id too long"
        extra = set(message) - {"role", "content", "tool_calls", "name", "refusal"}
        if extra:
            return f"messages.{index}: unknown member {sorted(extra)[0]}"
        content = message.get("content")
        if content is None and not open_calls:
            return f"messages.{index}.content: expected a string, got null"
        for part in content if isinstance(content, list) else []:
            if "cache_control" in part:
                return f"messages.{index}: unknown member cache_control"
    return None
