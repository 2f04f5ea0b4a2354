"""Providers of every kind that speaks Chat or Messages, as their documents describe them.

Where it is called, with which credentials, how it spells reasoning, usage and errors, and what it
refuses (`kind_judges`). Nothing here is read from our own table of kinds.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.e2e import kind_judges as judges
from tests.e2e.kind_judges import Check
from tests.e2e.scripted_answers import (
    SSE,
    Raw,
    Said,
    completion,
    completion_chunks,
    render,
)

CHAT, MESSAGES = "openai-chat", "anthropic-messages"
BEARER = {"authorization": "Bearer "}


@dataclass(frozen=True)
class OwnError:
    """An error as the provider words it, and the status the clients get."""

    status: int
    body: Any
    openai: int
    anthropic: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class KindServer:
    """One provider. `base` is the path of the base URL users write; paths are whole.

    `passes`: Messages clients are served at its Messages endpoint without being told to.
    `reasoning` is the member its reasoning stands in, parts or tags for inside the content.
    """

    model: str
    base: str
    paths: Mapping[str, str]
    auth: Mapping[str, str] = field(default_factory=lambda: BEARER)
    passes: bool = False
    judge: Check | None = None
    messages_judge: Check = judges.plain_messages
    reasoning: str | None = None
    usage: str = "asked"
    comment: str = ""
    error: OwnError = OwnError(
        429, {"error": {"message": "Rate limit", "type": "rate_limit_error"}}, 429, 429
    )
    refusal: int = 400


def _chat(base: str, prefix: str, **more: Any) -> KindServer:
    """A server of Chat alone; `prefix` is the path before ``/chat/completions``."""
    checks = [judges.pairs, *([more.pop("judge")] if "judge" in more else [])]
    paths = {f"{prefix}/chat/completions": CHAT} | more.pop("paths", {})
    return KindServer(
        model=more.pop("model", "some-model"),
        base=base,
        paths=paths,
        judge=judges.first_of(*checks),
        **more,
    )


MISTRAL_KNOWS = """
    model messages temperature top_p max_tokens stream stop random_seed metadata response_format
    tools tool_choice presence_penalty frequency_penalty n prediction parallel_tool_calls
    reasoning_effort prompt_mode prompt_cache_key service_tier safe_prompt guardrails min_tokens
    top_k repetition_penalty logprobs top_logprobs
"""
"""Every member of a request there (mistralai 3.7.0)."""

SERVERS: Mapping[str, KindServer] = {
    "anthropic": KindServer(
        model="claude-other-1",
        base="",
        paths={"/v1/messages": MESSAGES},
        auth={"x-api-key": ""},
        reasoning="blocks",
    ),
    "anthropic-compatible": KindServer(
        model="claude-like-1",
        base="/gw",
        paths={"/gw/v1/messages": MESSAGES},
        auth={"x-api-key": ""},
        reasoning="blocks",
    ),
    "azure-anthropic": KindServer(
        model="my-deployment",
        base="/anthropic",
        paths={"/anthropic/v1/messages": MESSAGES},
        auth={"x-api-key": "", "api-key": ""},
        reasoning="blocks",
    ),
    "openai": _chat("/v1", "/v1"),
    "openai-compatible": _chat("/api", "/api", judge=judges.refuses("max_completion_tokens")),
    "azure-openai": _chat(
        "",
        "/openai/v1",
        auth={"api-key": ""},
        error=OwnError(404, {"statusCode": 404, "message": "DeploymentNotFound"}, 424, 424),
    ),
    "databricks": _chat(
        "",
        "/serving-endpoints",
        paths={"/serving-endpoints/anthropic/v1/messages": MESSAGES},
        judge=judges.first_of(
            judges.refuses("stream_options", "parallel_tool_calls"), judges.no_strict
        ),
        reasoning="parts",
        usage="always",
        error=OwnError(
            429,
            {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "Exceeded workspace rate limit."},
            429,
            429,
            {"retry-after": "3"},
        ),
    ),
    "openrouter": _chat(
        "/api/v1",
        "/api/v1",
        model="vendor/model",
        paths={"/api/v1/messages": MESSAGES},
        passes=True,
        judge=judges.efforts("none", "minimal", "low", "medium", "high", "xhigh"),
        reasoning="details",
        comment=": OPENROUTER PROCESSING",
        error=OwnError(
            402,
            {"error": {"code": 402, "message": "Insufficient credits"}, "user_id": "user_1"},
            429,
            429,
        ),
    ),
    "deepseek": _chat(
        "",
        "",
        model="deepseek-flash",
        paths={"/anthropic/v1/messages": MESSAGES},
        passes=True,
        judge=judges.first_of(
            judges.CLASSIC_ROLES,
            judges.refuses("max_completion_tokens"),
            judges.efforts("low", "high", "max"),
            judges.formats("json_object"),
            judges.keeps_reasoning,
        ),
        reasoning="reasoning_content",
        comment=": keep-alive",
        error=OwnError(402, {"error": {"message": "Insufficient Balance"}}, 429, 429),
    ),
    "fireworks": _chat(
        "/inference/v1",
        "/inference/v1",
        paths={"/inference/v1/messages": MESSAGES},
        reasoning="reasoning_content",
        usage="last",
    ),
    "groq": _chat(
        "/openai/v1",
        "/openai/v1",
        judge=judges.first_of(
            judges.refuses("logprobs", "logit_bias", "top_logprobs", "top_k"),
            judges.message_knows("role", "content", "tool_calls", "tool_call_id", "reasoning"),
        ),
        reasoning="reasoning",
        usage="x_groq",
        error=OwnError(
            400,
            {
                "error": {
                    "message": "Failed to call a function.",
                    "type": "invalid_request_error",
                    "code": "tool_use_failed",
                    "failed_generation": "<function=f>",
                }
            },
            400,
            400,
        ),
    ),
    "mistral": _chat(
        "/v1",
        "/v1",
        judge=judges.first_of(
            judges.knows(*MISTRAL_KNOWS.split()),
            judges.message_knows("role", "content", "tool_calls", "tool_call_id", "name", "prefix"),
            judges.CLASSIC_ROLES,
            judges.call_ids(r"[a-zA-Z0-9]{9}"),
            judges.choices("auto", "none", "any", "named"),
        ),
        reasoning="chunks",
        usage="last",
        refusal=422,
        error=OwnError(401, {"message": "Unauthorized"}, 424, 424),
    ),
    "moonshot": _chat(
        "/v1",
        "/v1",
        model="kimi-k3",
        paths={"/anthropic/v1/messages": MESSAGES},
        passes=True,
        judge=judges.first_of(
            judges.CLASSIC_ROLES,
            judges.refuses("temperature", "top_p", "presence_penalty", "frequency_penalty"),
            judges.efforts("low", "high", "max"),
            judges.choices("auto", "none"),
            judges.stops(5),
            judges.no_strict,
            judges.keeps_reasoning,
        ),
        reasoning="reasoning_content",
        usage="choice",
        error=OwnError(
            429,
            {
                "error": {
                    "message": "Your account reached max organization concurrency: 50, please "
                    "try again after 1 seconds",
                    "type": "rate_limit_reached_error",
                }
            },
            429,
            429,
        ),
    ),
    "together": _chat("/v1", "/v1", reasoning="reasoning"),
    "xai": _chat(
        "/v1",
        "/v1",
        model="grok-4.7",
        paths={"/v1/messages": MESSAGES},
        judge=judges.first_of(
            judges.refuses("presence_penalty", "frequency_penalty", "stop"),
            judges.refuses("reasoning_effort"),
        ),
        reasoning="reasoning_content",
    ),
    "zai": _chat(
        "/api/paas/v4",
        "/api/paas/v4",
        model="glm-5.2",
        paths={"/api/anthropic/v1/messages": MESSAGES},
        passes=True,
        judge=judges.first_of(
            judges.CLASSIC_ROLES,
            judges.refuses(
                "max_completion_tokens", "stream_options", "presence_penalty", "frequency_penalty"
            ),
            judges.message_knows(
                "role", "content", "tool_calls", "tool_call_id", "reasoning_content"
            ),
            judges.choices("auto"),
            judges.temperature(1.0),
            judges.formats("json_object"),
            judges.no_strict,
        ),
        reasoning="reasoning_content",
        usage="last",
        error=OwnError(
            429, {"error": {"code": "1302", "message": "High concurrency usage"}}, 429, 429
        ),
    ),
    "ollama": _chat(
        "",
        "/v1",
        model="qwen3:8b",
        paths={"/v1/messages": MESSAGES},
        judge=judges.first_of(judges.refuses("logit_bias"), judges.pictures_with_data),
        reasoning="reasoning",
        error=OwnError(404, {"error": {"message": "model not found"}}, 424, 424),
    ),
    "llamacpp": _chat(
        "",
        "/v1",
        paths={"/v1/messages": MESSAGES},
        judge=judges.first_of(judges.CLASSIC_ROLES, judges.alternates),
        reasoning="reasoning_content",
        comment=": ping",
        refusal=500,
        error=OwnError(
            503,
            {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
            503,
            529,
        ),
    ),
    "lmstudio": _chat(
        "/v1",
        "/v1",
        paths={"/v1/messages": MESSAGES},
        judge=judges.first_of(judges.CLASSIC_ROLES, judges.pictures_with_data),
        reasoning="tags",
    ),
    "mlx": _chat(
        "/v1",
        "/v1",
        judge=judges.first_of(judges.CLASSIC_ROLES, judges.alternates, judges.formats()),
        reasoning="tags",
        refusal=500,
    ),
    "vllm": _chat(
        "/v1",
        "/v1",
        paths={"/v1/messages": MESSAGES},
        reasoning="reasoning",
        error=OwnError(
            400,
            {
                "error": {
                    "message": "This model's maximum context length is 8192 tokens.",
                    "type": "BadRequestError",
                    "param": "input_tokens",
                    "code": 400,
                }
            },
            400,
            400,
        ),
    ),
}


def spell(server: KindServer, said: Said, dialect: str, request: dict[str, Any]) -> Raw:
    """The answer as this provider spells it."""
    if dialect == MESSAGES:
        return render(said, dialect, request)
    if request.get("stream") is not True:
        return _json(_whole(server, said, request))
    wanted = bool((request.get("stream_options") or {}).get("include_usage"))
    assert wanted or server.usage != "asked"
    chunks = completion_chunks(said, request["model"], with_usage=True)
    *chunks, last = chunks
    for chunk in chunks:
        chunk.pop("usage")
    chunks[1:1] = [
        chunks[0] | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in _thought_deltas(server, said)
    ]
    match server.usage:
        case "asked":
            chunks.append(last)
        case "choice":
            chunks[-1]["choices"][0]["usage"] = last["usage"]
        case "x_groq":
            chunks[-1]["x_groq"] = {"id": "req_1", "usage": last["usage"]}
        case _:
            chunks[-1]["usage"] = last["usage"]
    opening = f"{server.comment}\n\n" * 2 if server.comment else ""
    text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    data = (opening + text + "data: [DONE]\n\n").encode()
    pieces = tuple(data[at : at + 53] for at in range(0, len(data), 53))
    return Raw(pieces=pieces, headers=dict(SSE))


def own_error(server: KindServer) -> Raw:
    """The provider's error in its own words."""
    return _json(server.error.body, server.error.status, server.error.headers)


def refusal(server: KindServer, message: str) -> Raw:
    """What it says of a request its judge refuses."""
    if server.refusal == 422:
        detail = [{"type": "extra_forbidden", "loc": ["body"], "msg": message}]
        body: Any = {"object": "error", "message": {"detail": detail}, "type": "invalid_request"}
    else:
        body = {"error": {"message": message, "type": "invalid_request_error", "code": None}}
    return _json(body, server.refusal)


def _json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Raw:
    sent = {"content-type": "application/json"} | dict(headers or {})
    return Raw(pieces=(json.dumps(body).encode(),), status=status, headers=sent)


def _whole(server: KindServer, said: Said, request: dict[str, Any]) -> dict[str, Any]:
    answer = completion(said, request["model"])
    message = answer["choices"][0]["message"]
    if server.usage == "choice":
        answer["choices"][0]["usage"] = answer["usage"]
    if said.thinking is None:
        return answer
    text, signature = said.thinking
    parts = _parts(server, text, signature)
    if parts is not None:
        message["content"] = [*parts, *([{"type": "text", "text": said.text}] if said.text else [])]
    elif server.reasoning == "tags":
        message["content"] = f"<think>\n{text}\n</think>\n\n{said.text}"
    elif server.reasoning == "details":
        message["reasoning"] = text
        message["reasoning_details"] = [_detail(text, signature)]
    elif server.reasoning is not None:
        message[server.reasoning] = text
    return answer


def _thought_deltas(server: KindServer, said: Said) -> list[dict[str, Any]]:
    if said.thinking is None:
        return []
    text, signature = said.thinking
    parts = _parts(server, text, signature)
    if parts is not None:
        return [{"content": parts}]
    if server.reasoning == "tags":
        tagged = f"<think>\n{text}</think>\n\n"
        return [{"content": tagged[at : at + 3]} for at in range(0, len(tagged), 3)]
    pieces = [text[at : at + 5] for at in range(0, len(text), 5)]
    if server.reasoning == "details":
        head = [{"reasoning": one, "reasoning_details": [_detail(one, None)]} for one in pieces]
        return [*head, {"reasoning_details": [_detail("", signature)]}]
    return [{server.reasoning: piece} for piece in pieces] if server.reasoning else []


def _detail(text: str, signature: str | None) -> dict[str, Any]:
    entry = {"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}
    return entry | ({} if signature is None else {"signature": signature})


def _parts(server: KindServer, text: str, signature: str) -> list[dict[str, Any]] | None:
    match server.reasoning:
        case "chunks":
            return [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]
        case "parts":
            summary = {"type": "summary_text", "text": text, "signature": signature}
            return [{"type": "reasoning", "summary": [summary]}]
        case _:
            return None
