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
    "mcp_servers", "compaction", "thread", "fallbacks", "safeguards",
}  # fmt: skip

NEW_EFFORTS = {"low", "medium", "high", "xhigh", "max"}
MID_EFFORTS = {"low", "medium", "high", "max"}


def _rules(thinking: str, efforts: set[str], limit: int, **differs: bool | str) -> dict[str, Any]:
    """What a model takes; the defaults are those of the newest generation."""
    usual = {"forced": True, "sampling": False, "prefill": False, "system": True, "betas": True}
    return {"thinking": set(thinking.split()), "efforts": efforts, "max": limit} | usual | differs


OLD = {"sampling": True, "prefill": True, "system": False, "betas": False}

RULES: dict[str, dict[str, Any]] = {
    "claude-fable-5-2": _rules("adaptive", NEW_EFFORTS, 128_000, forced=False),
    "claude-fable-5-1": _rules("adaptive", NEW_EFFORTS, 128_000, forced=False),
    "claude-opus-5-5": _rules("adaptive", NEW_EFFORTS, 128_000, forced=False),
    "claude-sonnet-5-5": _rules("adaptive between_tools", NEW_EFFORTS, 128_000),
    "claude-haiku-5-5": _rules("adaptive disabled", NEW_EFFORTS, 128_000, off_up_to="high"),
    "claude-opus-5": _rules("adaptive disabled", NEW_EFFORTS, 128_000, off_up_to="high"),
    "claude-sonnet-5": _rules("adaptive disabled", NEW_EFFORTS, 128_000),
    "claude-opus-4-6": _rules(
        "adaptive enabled disabled", MID_EFFORTS, 128_000, sampling=True, system=False
    ),
    "claude-sonnet-4-6": _rules(
        "adaptive enabled disabled", MID_EFFORTS, 128_000, sampling=True, system=False
    ),
    "claude-opus-4-5": _rules("enabled disabled", {"low", "medium", "high"}, 64_000, **OLD),
    "claude-sonnet-4-5": _rules("enabled disabled", set(), 64_000, **OLD),
    "claude-haiku-4-5": _rules("enabled disabled", set(), 64_000, **OLD),
}
"""By the start of the id; the longest that fits counts."""

OLD_BETAS = {
    "claude-code-20250219",
    "interleaved-thinking-2025-05-14",
    "context-management-2025-06-27",
    "thinking-token-count-2026-05-13",
    "advanced-tool-use-2025-11-20",
    "token-counting-2024-11-01",
    "effort-2025-11-24",
}
"""What Claude Code itself sends for the older generation; and effort, which one of it has."""

BETA_OF = {
    "context_management": "context-management-2025-06-27",
    "safeguards": "dangerous-tool-use-",
    "mcp_servers": "mcp-client-",
    "fallbacks": "server-side-fallback-",
    "thread": "message-threads-",
}
"""Members that only a beta makes legal."""


def refuse_messages(body: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """The 400 of the Messages API, or None. `headers` have lower-case names."""
    model = str(body.get("model"))
    known = [name for name in RULES if model.removeprefix("anthropic.").startswith(name)]
    if not known:
        return f"model: {model}"
    rules = RULES[max(known, key=len)]
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
    if choice in ("any", "tool"):
        if not rules["forced"]:
            return "tool_choice: forced tool use is not supported"
        if (body.get("thinking") or {}).get("type") == "enabled":
            return "Thinking may not be enabled when tool_choice forces tool use"
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
        if thinking["type"] != "enabled" and "budget_tokens" in thinking:
            return "thinking.budget_tokens: extra inputs are not permitted"
        if thinking["type"] in ("disabled", "between_tools") and "display" in thinking:
            return "thinking.display: extra inputs are not permitted"
    effort = (body.get("output_config") or {}).get("effort")
    if effort is not None and effort not in rules["efforts"]:
        return "output_config.effort: not supported by this model"
    is_off = thinking is not None and thinking["type"] == "disabled"
    if is_off and effort in ("xhigh", "max") and rules.get("off_up_to") == "high":
        return "thinking.type.disabled is not supported above effort high"
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
    if not rules["betas"] and betas - OLD_BETAS:
        return f"anthropic-beta: unsupported {sorted(betas - OLD_BETAS)[0]}"
    for name, beta in BETA_OF.items():
        if name in body and not any(given.startswith(beta) for given in betas):
            return f"{name}: extra inputs are not permitted"
    updates = any(given.startswith("thinking-display-updates-") for given in betas)
    if (body.get("thinking") or {}).get("display") == "updates" and not updates:
        return "thinking.display: must be summarized or omitted"
    per_turn = any(given.startswith("per-turn-control-") for given in betas)
    if any("output_config" in turn for turn in body["messages"]) and not per_turn:
        return "messages.output_config: extra inputs are not permitted"
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
    if (body.get("thinking") or {}).get("type") == "enabled":
        spoken = [m["content"] for m in messages if m["role"] == "assistant"]
        last = spoken[-1] if spoken and isinstance(spoken[-1], list) else []
        calls = any(block["type"] == "tool_use" for block in last)
        if calls and last[0]["type"] not in ("thinking", "redacted_thinking"):
            return "messages: Expected `thinking` or `redacted_thinking`, but found `tool_use`"
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


_REASONING = {"sampling": set[str](), "limit": "max_completion_tokens", "parallel": True}
_O_SERIES = _REASONING | {
    "efforts": {"low", "medium", "high"},
    "stop": False,
    "parallel": False,
    "system": "developer",
    "max": 100_000,
}
_GPT_5_6 = _REASONING | {
    "efforts": {"none", *NEW_EFFORTS},
    "effort_with_tools": "none",
    "max": 128_000,
}
_CLASSIC = {
    "sampling": {"temperature", "top_p", "presence_penalty", "frequency_penalty"},
    "efforts": set[str](),
    "parallel": True,
    "max": 16_384,
}
_DEEPSEEK = {
    "sampling": {"temperature", "top_p"},
    "limit": "max_tokens",
    "parallel": True,
    "max": 393_216,
    "schema": False,
}

CHAT_RULES: dict[str, dict[str, Any]] = {
    "gpt-6": _GPT_5_6,
    "gpt-5.6": _GPT_5_6,
    "gpt-5.4": _REASONING | {"efforts": {"none", "low", "medium", "high", "xhigh"},
                             "max": 128_000},
    "o3": _O_SERIES,
    "o4": _O_SERIES,
    "gpt-4o": _CLASSIC,
    "deepseek": _DEEPSEEK,
}  # fmt: skip
"""By the start of the id: what a model refuses on Chat Completions."""


def refuse_chat_model(body: Mapping[str, Any]) -> str | None:
    """The 400 a model gives for its own sake, or None."""
    rules = next(r for name, r in CHAT_RULES.items() if body["model"].startswith(name))
    given = {"max_tokens", "max_completion_tokens"} & set(body)
    if len(given) > 1 or (given and rules.get("limit") not in (None, *given)):
        return f"Unsupported parameter: {sorted(given)[0]}"
    if any(body[name] > rules["max"] for name in given):
        return "max_tokens is too large"
    sampling = {"temperature", "top_p", "presence_penalty", "frequency_penalty"} & set(body)
    if sampling - rules["sampling"]:
        return f"Unsupported value: {sorted(sampling)[0]}"
    if "stop" in body and not rules.get("stop", True):
        return "Unsupported parameter: stop"
    if "parallel_tool_calls" in body and not (rules["parallel"] and body.get("tools")):
        return "Unsupported parameter: parallel_tool_calls"
    effort = body.get("reasoning_effort")
    if effort is not None and effort not in rules.get("efforts", {effort}):
        return f"Unsupported value: reasoning_effort {effort}"
    needed = rules.get("effort_with_tools")
    if needed is not None and body.get("tools") and effort != needed:
        return "Function tools with reasoning_effort are not supported"
    if any(m["role"] == "system" for m in body["messages"]) and rules.get("system") == "developer":
        return "messages: role system is not supported"
    wanted = (body.get("response_format") or {}).get("type")
    if wanted == "json_schema" and not rules.get("schema", True):
        return "response_format: json_schema is not supported"
    return None


def refuse_chat(body: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """The 400 of Chat Completions for gpt-4o-mini, or None."""
    limit = body.get("max_completion_tokens", body.get("max_tokens", 0))
    if limit > 16_384:
        return "max_tokens is too large"
    if "reasoning_effort" in body:
        return "Unrecognized request argument supplied: reasoning_effort"
    return refuse_any_chat(body, headers)


def refuse_any_chat(body: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """The 400 of Chat Completions for any model, or None."""
    unknown = set(body) - CHAT_TOP_LEVEL
    if unknown:
        return f"Unrecognized request argument supplied: {sorted(unknown)[0]}"
    if any(name.startswith("anthropic-") for name in headers):
        return "another dialect's headers"
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
