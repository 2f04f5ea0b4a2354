"""A request of each client for each feature of the pair table: what the writers are asked to write.

A piece holds members of the body; lists are added to, objects merged. Its `+` are messages that
follow the first turn, `last` ones that end the conversation.
"""

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, TypeAlias

Piece: TypeAlias = dict[str, Any]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"
PDF = "JVBERi0xLjQK"
URL = "https://files.example.com/one"
MARK = {"type": "ephemeral"}
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
EITHER = {"anyOf": [SCHEMA, {"type": "object", "properties": {"b": {"type": "string"}}}]}


def body_of(client: str, pieces: Iterable[Piece]) -> bytes:
    """The request that asks for all of the pieces."""
    base = deepcopy(BASES[client])
    turns = "input" if client == "openai-responses" else "messages"
    last: list[Any] = []
    for piece in deepcopy(list(pieces)):
        base[turns] += piece.pop("+", [])
        last += piece.pop("last", [])
        for name in piece.pop("-", []):
            base.pop(name, None)
        for name, value in piece.items():
            if isinstance(value, list) and isinstance(base.get(name), list):
                base[name] += value
            elif isinstance(value, dict) and isinstance(base.get(name), dict):
                base[name] |= value
            else:
                base[name] = value
    base[turns] += last
    return json.dumps(base).encode()


# -- Anthropic Messages ----------------------------------------------------------------------


def _tool(name: str = "look", **members: Any) -> Piece:
    return {"tools": [{"name": name, "input_schema": SCHEMA, **members}]}


def _user(*blocks: Any) -> Piece:
    return {"+": [{"role": "user", "content": list(blocks)}]}


def _said(*blocks: Any) -> list[Any]:
    return [{"role": "assistant", "content": list(blocks)}, {"role": "user", "content": "Go on."}]


def _document(**source: Any) -> Piece:
    return {"type": "document", "source": source}


def _called(*content: Any, **members: Any) -> list[Any]:
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": list(content), **members}
    return [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]


_TEXT = {"type": "text", "text": "Look."}
_IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
_CALL = {"type": "tool_use", "id": "toolu_2", "name": "look", "input": {}}
_RESULT = {"type": "tool_result", "tool_use_id": "toolu_2", "content": "seen"}

MESSAGES: Mapping[str, Piece] = {
    "cache_control": {"system": [{"type": "text", "text": "Be kind.", "cache_control": MARK}]},
    "billing header": {
        "system": [{"type": "text", "text": "x-anthropic-billing-header: cc_version=1"}]
    },
    "text": _user(_TEXT),
    "images": _user(_IMAGE),
    "image urls": _user({"type": "image", "source": {"type": "url", "url": f"{URL}.png"}}),
    "image transformations": _user({**_IMAGE, "transformations": {"oversized_image": "error"}}),
    "documents": _user(_document(type="base64", media_type="application/pdf", data=PDF)),
    "text documents": _user(_document(type="text", media_type="text/plain", data="Once.")),
    "document urls": _user(_document(type="url", url=f"{URL}.pdf")),
    "document context": _user(
        {**_document(type="text", media_type="text/plain", data="Once."), "context": "old"}
    ),
    "file ids": _user(_document(type="file", file_id="file_1")),
    "citations": _user(
        {
            **_document(type="text", media_type="text/plain", data="Once."),
            "citations": {"enabled": True},
        }
    ),
    "pictures elsewhere": {"+": _said(_IMAGE)},
    "reasoning": {"+": _said({"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}, _TEXT)},
    "redacted_thinking": {"+": _said({"type": "redacted_thinking", "data": "c2VjcmV0"}, _TEXT)},
    "is_error": {**_tool(), "+": _called(_TEXT, is_error=True)},
    "images in tool results": {**_tool(), "+": _called(_TEXT, _IMAGE)},
    "mid-conversation system": {
        "+": [*_said(_TEXT), {"role": "system", "content": "Be brief."}, *_said(_TEXT)]
    },
    "prefill": {"last": [{"role": "assistant", "content": "It is"}]},
    "text after calls": {
        **_tool(),
        "+": [
            {"role": "assistant", "content": [_CALL, _TEXT]},
            {"role": "user", "content": [_RESULT]},
        ],
    },
    "calls without a result": {**_tool(), "+": _said(_CALL)},
    "results without a call": {"+": [{"role": "user", "content": [_RESULT]}]},
    "no first user turn": {"-": ["messages"], "messages": _said(_TEXT)},
    "calls of other makers": {**_tool(), "+": _called(_TEXT)},
    "server tool blocks": {
        "+": _said(
            {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}}, _TEXT
        )
    },
    "tools": _tool(),
    "tool names": _tool("mcp__" + "long" * 20),
    "schema forms": {"tools": [{"name": "either", "input_schema": EITHER}]},
    "strict tools": _tool(strict=True),
    "server tools": {"tools": [{"type": "web_search_20260318", "name": "web_search"}]},
    "defer_loading": _tool(defer_loading=True),
    "allowed_callers": _tool(allowed_callers=["direct"]),
    "tool hints": _tool(input_examples=[{"a": "b"}], eager_input_streaming=True),
    "history of calls without tools": {"+": _called(_TEXT)},
    "callers": {
        "+": [
            {"role": "assistant", "content": [{**_CALL, "caller": {"type": "direct"}}]},
            {"role": "user", "content": [_RESULT]},
        ],
        **_tool(),
    },
    "forced tool_choice": {**_tool(), "tool_choice": {"type": "any"}},
    "tool_choice: none": {**_tool(), "tool_choice": {"type": "none"}},
    "parallel_tool_calls: false": {
        **_tool(),
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    },
    "max_tokens": {"max_tokens": 50},
    "max_tokens: 0": {"max_tokens": 0},
    "temperature": {"temperature": 0.5},
    "top_p": {"top_p": 0.5},
    "top_k": {"top_k": 5},
    "stop sequences": {"stop_sequences": ["END"]},
    "many stop sequences": {"stop_sequences": ["A", "B", "C", "D", "E", "F"]},
    "effort": {"output_config": {"effort": "high"}, "thinking": {"type": "adaptive"}},
    "thinking": {"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 9000},
    "thinking.display": {"thinking": {"type": "adaptive", "display": "omitted"}},
    "json_schema": {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    "user": {"metadata": {"user_id": "someone"}},
    "service_tier": {"service_tier": "standard_only"},
    "container": {"container": "container_1"},
    "mcp_servers": {"mcp_servers": [{"type": "url", "name": "docs", "url": URL}]},
    "speed": {"speed": "fast"},
    "inference_geo": {"inference_geo": "eu"},
    "diagnostics": {"diagnostics": {"previous_message_id": "msg_1"}},
    "fallbacks": {"fallbacks": [{"model": "other"}]},
    "fallback_credit_token": {"fallback_credit_token": "token"},
    "billing_policy": {"billing_policy": "strict"},
    "compaction": {"compaction": {"type": "auto"}},
    "output_config.task_budget": {
        "output_config": {"task_budget": {"type": "tokens", "total": 50000}}
    },
    "thread": {"thread": {"type": "continue", "id": "thread_1"}},
    "context_management": {"context_management": {"edits": [{"type": "clear_thinking_20251015"}]}},
    "other members": {"of_tomorrow": 1},
}

# -- OpenAI Chat Completions -----------------------------------------------------------------


def _function(name: str = "look", **members: Any) -> Piece:
    function = {"name": name, "parameters": SCHEMA, **members}
    return {"tools": [{"type": "function", "function": function}]}


def _part(kind: str, **value: Any) -> Piece:
    return {"+": [{"role": "user", "content": [{"type": kind, kind: value}]}]}


def _calls(id: str, name: str = "look") -> Piece:
    function = {"name": name, "arguments": "{}"}
    calls = [{"id": id, "type": "function", "function": function}]
    return {"role": "assistant", "content": None, "tool_calls": calls}


_ANSWER = {"role": "assistant", "content": "Yes."}
_NEXT = {"role": "user", "content": "Go on."}
_DATA_URL = f"data:image/png;base64,{PNG}"
_CUSTOM = {"type": "custom", "custom": {"name": "patch", "description": "Patch."}}
_GRAMMAR = {"type": "grammar", "grammar": {"definition": "start: /a/", "syntax": "lark"}}

CHAT: Mapping[str, Piece] = {
    "cache_control": {
        "+": [{"role": "user", "content": [{**_TEXT, "cache_control": MARK}]}],
    },
    "prompt_cache_breakpoint": {
        "+": [
            {
                "role": "user",
                "content": [{**_TEXT, "prompt_cache_breakpoint": {"mode": "explicit"}}],
            }
        ],
    },
    "names of participants": {"+": [{"role": "user", "name": "ann", "content": "Hi."}]},
    "text": {"+": [_ANSWER, _NEXT]},
    "refusals": {"+": [{"role": "assistant", "content": None, "refusal": "No."}, _NEXT]},
    "images": _part("image_url", url=_DATA_URL),
    "images of other types": _part("image_url", url=f"data:image/tiff;base64,{PDF}"),
    "image urls": _part("image_url", url=f"{URL}.png"),
    "image detail": _part("image_url", url=_DATA_URL, detail="low"),
    "documents": _part("file", filename="a.pdf", file_data=f"data:application/pdf;base64,{PDF}"),
    "files of other types": _part(
        "file", filename="a.docx", file_data=f"data:application/msword;base64,{PDF}"
    ),
    "file ids": _part("file", file_id="file-1"),
    "audio input": _part("input_audio", data="AAAA", format="wav"),
    "audio of earlier answers": {"+": [{**_ANSWER, "audio": {"id": "audio_1"}}, _NEXT]},
    "pictures elsewhere": {
        "+": [
            _ANSWER,
            {"role": "system", "content": [{"type": "image_url", "image_url": {"url": _DATA_URL}}]},
            _NEXT,
        ]
    },
    "reasoning": {"+": [{**_ANSWER, "reasoning_content": "Hm."}, _NEXT]},
    "images in tool results": {
        **_function(),
        "+": [
            _calls("call_3"),
            {
                "role": "tool",
                "tool_call_id": "call_3",
                "content": [{"type": "image_url", "image_url": {"url": _DATA_URL}}],
            },
        ],
    },
    "mid-conversation system": {
        "+": [_ANSWER, {"role": "developer", "content": "Be brief."}, _ANSWER, _NEXT]
    },
    "prefill": {"last": [_ANSWER]},
    "calls without a result": {**_function(), "+": [_calls("call_4"), _NEXT]},
    "results without a call": {"+": [{"role": "tool", "tool_call_id": "gone", "content": "x"}]},
    "no first user turn": {"-": ["messages"], "messages": [_ANSWER, _NEXT]},
    "calls of other makers": {
        **_function(),
        "+": [_calls("call_5"), {"role": "tool", "tool_call_id": "call_5", "content": "x"}],
    },
    "tools": _function(),
    "tool names": _function("mcp__" + "long" * 20),
    "schema forms": _function("either", parameters=EITHER),
    "strict tools": _function(strict=True),
    "custom tools": {"tools": [_CUSTOM]},
    "custom tool grammars": {
        "tools": [{"type": "custom", "custom": {"name": "patch", "format": _GRAMMAR}}]
    },
    "hosted tools": {"tools": [{"type": "web_search"}]},
    "history of calls without tools": {
        "+": [_calls("call_6"), {"role": "tool", "tool_call_id": "call_6", "content": "x"}]
    },
    "forced tool_choice": {**_function(), "tool_choice": "required"},
    "tool_choice: none": {**_function(), "tool_choice": "none"},
    "allowed tools": {
        "tools": [*_function()["tools"], *_function("other")["tools"]],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "auto",
                "tools": [{"type": "function", "function": {"name": "look"}}],
            },
        },
    },
    "parallel_tool_calls: false": {**_function(), "parallel_tool_calls": False},
    "max_tokens": {"max_tokens": 50},
    "no max_tokens": {"-": ["max_tokens"]},
    "temperature": {"temperature": 0.5},
    "top_p": {"top_p": 0.5},
    "top_k": {"top_k": 5},
    "stop sequences": {"stop": ["END"]},
    "seed": {"seed": 7},
    "presence_penalty": {"presence_penalty": 0.5},
    "frequency_penalty": {"frequency_penalty": 0.5},
    "logit_bias": {"logit_bias": {"50256": -100}},
    "logprobs": {"logprobs": True, "top_logprobs": 2},
    "n": {"n": 2},
    "effort": {"reasoning_effort": "high"},
    "json_schema": {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "a", "schema": SCHEMA, "strict": True},
        }
    },
    "json_object": {"response_format": {"type": "json_object"}},
    "verbosity": {"verbosity": "low"},
    "user": {"user": "someone"},
    "metadata": {"metadata": {"ticket": "7"}},
    "service_tier": {"service_tier": "flex"},
    "stream_options.include_obfuscation": {
        "stream": True,
        "stream_options": {"include_obfuscation": False},
    },
    "audio": {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}},
    "prediction": {"prediction": {"type": "content", "content": "a"}},
    "store": {"store": True},
    "safety_identifier": {"safety_identifier": "someone"},
    "prompt_cache_key": {"prompt_cache_key": "a"},
    "prompt_cache_retention": {"prompt_cache_retention": "24h"},
    "prompt_cache_options": {"prompt_cache_options": {"mode": "explicit"}},
    "moderation": {"moderation": {"mode": "auto"}},
    "web_search_options": {"web_search_options": {"search_context_size": "low"}},
    "other members": {"of_tomorrow": 1},
}

# -- OpenAI Responses ------------------------------------------------------------------------


def _flat(name: str = "look", **members: Any) -> Piece:
    tool = {"type": "function", "name": name, "parameters": SCHEMA, "strict": False, **members}
    return {"tools": [tool]}


def _input(kind: str, **members: Any) -> Piece:
    return {"+": [{"role": "user", "content": [{"type": kind, **members}]}]}


def _item(id: str) -> Piece:
    return {"type": "function_call", "call_id": id, "name": "look", "arguments": "{}"}


def _output(id: str, output: Any = "seen") -> Piece:
    return {"type": "function_call_output", "call_id": id, "output": output}


_SAID = {"role": "assistant", "content": "Yes."}
_PICTURE = {"type": "input_image", "image_url": _DATA_URL}

RESPONSES: Mapping[str, Piece] = {
    "text": {"+": [_SAID, _NEXT]},
    "images": {"+": [{"role": "user", "content": [_PICTURE]}]},
    "image urls": _input("input_image", image_url=f"{URL}.png"),
    "image detail": _input("input_image", detail="low", image_url=_DATA_URL),
    "documents": _input(
        "input_file", filename="a.pdf", file_data=f"data:application/pdf;base64,{PDF}"
    ),
    "files of other types": _input(
        "input_file", filename="a.docx", file_data=f"data:application/msword;base64,{PDF}"
    ),
    "document urls": _input("input_file", file_url=f"{URL}.pdf"),
    "file ids": _input("input_file", file_id="file-1"),
    "images in tool results": {**_flat(), "+": [_item("call_3"), _output("call_3", [_PICTURE])]},
    "mid-conversation system": {
        "+": [_SAID, {"role": "developer", "content": "Be brief."}, _SAID, _NEXT]
    },
    "prefill": {"last": [_SAID]},
    "calls without a result": {**_flat(), "+": [_item("call_4"), _NEXT]},
    "results without a call": {"+": [_output("gone")]},
    "calls of other makers": {**_flat(), "+": [_item("call_5"), _output("call_5")]},
    "tools": _flat(),
    "tool names": _flat("mcp__" + "long" * 20),
    "schema forms": _flat("either", parameters=EITHER),
    "strict tools": _flat(strict=True),
    "custom tools": {"tools": [{"type": "custom", "name": "patch", "description": "Patch."}]},
    "hosted tools": {"tools": [{"type": "web_search"}]},
    "history of calls without tools": {"+": [_item("call_6"), _output("call_6")]},
    "forced tool_choice": {**_flat(), "tool_choice": "required"},
    "tool_choice: none": {**_flat(), "tool_choice": "none"},
    "parallel_tool_calls: false": {**_flat(), "parallel_tool_calls": False},
    "max_tokens": {"max_output_tokens": 50},
    "no max_tokens": {"-": ["max_output_tokens"]},
    "temperature": {"temperature": 0.5},
    "top_p": {"top_p": 0.5},
    "logprobs": {"top_logprobs": 2},
    "effort": {"reasoning": {"effort": "high"}},
    "json_schema": {
        "text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA, "strict": True}}
    },
    "json_object": {"text": {"format": {"type": "json_object"}}},
    "verbosity": {"text": {"verbosity": "low"}},
    "user": {"user": "someone"},
    "metadata": {"metadata": {"ticket": "7"}},
    "service_tier": {"service_tier": "flex"},
    "safety_identifier": {"safety_identifier": "someone"},
    "prompt_cache_key": {"prompt_cache_key": "a"},
    "truncation": {"truncation": "auto"},
    "max_tool_calls": {"max_tool_calls": 3},
    "other members": {"of_tomorrow": 1},
}

BASES: Mapping[str, Piece] = {
    "anthropic-messages": {
        "model": "m",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Hi."}],
    },
    "openai-chat": {
        "model": "m",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Hi."}],
    },
    "openai-responses": {
        "model": "m",
        "max_output_tokens": 100,
        "input": [{"role": "user", "content": "Hi."}],
    },
}

PIECES: Mapping[str, Mapping[str, Piece]] = {
    "anthropic-messages": MESSAGES,
    "openai-chat": CHAT,
    "openai-responses": RESPONSES,
}
"""By client, then by the name of a feature of the pair table."""
