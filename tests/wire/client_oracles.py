"""Judges of the answers we write, one for each client dialect: whole, and streamed.

Both are checked with the official types and the rules of the dialect's `*_lint`; a stream comes
back as the whole answer a client adds it up to.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

from tests.wire import anthropic_lint, openai_chat_lint, openai_responses_lint

Json = dict[str, Any]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """`whole` and `stream` raise where the dialect's rules are broken, and return the answer.

    `calls`: (id, name, arguments) of its calls; free-form input stays a text. `replay`: the
    messages or items of the next request that say the answer again, and then a result of each
    call by its id. `turns` is the member they go to.
    """

    whole: Callable[[bytes], Json]
    stream: Callable[[bytes], Json]
    calls: Callable[[Json], list[tuple[str, str, Any]]]
    replay: Callable[[Json, Mapping[str, str]], list[Json]]
    turns: str


# -- Anthropic Messages ----------------------------------------------------------------------


def _messages_stream(data: bytes) -> Json:
    return anthropic_lint.fold_stream(anthropic_lint.lint_stream(data))


def _messages_calls(answer: Json) -> list[tuple[str, str, Any]]:
    return [
        (block["id"], block["name"], block["input"])
        for block in answer["content"]
        if block["type"] == "tool_use"
    ]


def _messages_replay(answer: Json, results: Mapping[str, str]) -> list[Json]:
    blocks = [
        {"type": "tool_result", "tool_use_id": given, "content": text}
        for given, text in results.items()
    ]
    said = [{"role": "assistant", "content": answer["content"]}] if answer["content"] else []
    return [*said, {"role": "user", "content": [*blocks, {"type": "text", "text": "Go on."}]}]


# -- OpenAI Chat -----------------------------------------------------------------------------


def _chat_whole(body: bytes) -> Json:
    openai_chat_lint.lint_completion(body)
    return dict(json.loads(body))


def _chat_stream(data: bytes) -> Json:
    chunks = [json.loads(item) for item in openai_chat_lint.split_data(data)[:-1]]
    is_told = bool(chunks[-1]["usage"])
    if not is_told:
        # The upstream told none, so the one that was asked for never comes.
        assert all(chunk.pop("usage") is None for chunk in chunks)
    known = "".join(f"data: {json.dumps(_as_functions(chunk))}\n\n" for chunk in chunks)
    assert data.endswith(b"data: [DONE]\n\n")
    openai_chat_lint.lint_stream(f"{known}data: [DONE]\n\n".encode(), with_usage=is_told)
    message: Json = {"role": "assistant", "content": None, "refusal": None}
    finish = None
    for chunk in chunks:
        for choice in chunk["choices"]:
            finish = choice["finish_reason"]
            for name, value in choice["delta"].items():
                if name == "tool_calls":
                    _add_calls(message.setdefault("tool_calls", []), value)
                elif name == "reasoning_details":
                    message.setdefault(name, []).extend(value)
                elif name != "role" and (value or name != "content"):
                    message[name] = (message.get(name) or "") + value
    if message["content"] is None and not (message.get("tool_calls") or message["refusal"]):
        message["content"] = ""
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    head = {name: chunks[0][name] for name in ("id", "created", "model")}
    whole = head | {"object": "chat.completion", "choices": [choice]}
    return whole | ({"usage": chunks[-1]["usage"]} if is_told else {})


def _as_functions(chunk: Json) -> Json:
    """The chunk with calls of free-form tools as functions: the SDK's deltas know no others."""
    choices = []
    for choice in chunk["choices"]:
        calls = choice["delta"].get("tool_calls", ())
        known = [_as_function(call) if "custom" in call else call for call in calls]
        more = {"tool_calls": known} if known else {}
        choices.append(choice | {"delta": choice["delta"] | more})
    return chunk | {"choices": choices}


def _as_function(call: Json) -> Json:
    custom = call["custom"]
    function = {"name": custom["name"]} if "name" in custom else {}
    text = "" if function else json.dumps(custom["input"])
    assert custom["input"] == "" or not function, "the name comes first, the input behind it"
    given = {name: value for name, value in call.items() if name != "custom"}
    kind = {"type": "function"} if "type" in call else {}
    return given | kind | {"function": function | {"arguments": text}}


def _add_calls(calls: list[Json], entries: list[Json]) -> None:
    for entry in entries:
        index = entry["index"]
        given = {name: value for name, value in entry.items() if name != "index"}
        if index == len(calls):
            calls.append(given)
            continue
        for name in ("function", "custom"):
            for member, value in given.get(name, {}).items():
                calls[index][name][member] = calls[index][name].get(member, "") + value


def _chat_calls(answer: Json) -> list[tuple[str, str, Any]]:
    found: list[tuple[str, str, Any]] = []
    for call in answer["choices"][0]["message"].get("tool_calls", ()):
        if call["type"] == "custom":
            found.append((call["id"], call["custom"]["name"], call["custom"]["input"]))
        else:
            function = call["function"]
            found.append((call["id"], function["name"], json.loads(function["arguments"])))
    return found


def _chat_replay(answer: Json, results: Mapping[str, str]) -> list[Json]:
    given = answer["choices"][0]["message"]
    message = {name: value for name, value in given.items() if value is not None}
    tools = [
        {"role": "tool", "tool_call_id": call, "content": text} for call, text in results.items()
    ]
    return [message, *tools, {"role": "user", "content": "Go on."}]


# -- OpenAI Responses ------------------------------------------------------------------------


def _responses_stream(data: bytes) -> Json:
    return dict(openai_responses_lint.lint_stream(data)[-1]["response"])


def _responses_calls(answer: Json) -> list[tuple[str, str, Any]]:
    found: list[tuple[str, str, Any]] = []
    for item in answer["output"]:
        if item["type"] == "custom_tool_call":
            found.append((item["call_id"], item["name"], item["input"]))
        elif item["type"] == "function_call":
            found.append((item["call_id"], item["name"], json.loads(item["arguments"])))
    return found


def _responses_replay(answer: Json, results: Mapping[str, str]) -> list[Json]:
    kinds = {item.get("call_id"): f"{item['type']}_output" for item in answer["output"]}
    outputs = [
        {"type": kinds[call], "call_id": call, "output": text} for call, text in results.items()
    ]
    return [*answer["output"], *outputs, {"role": "user", "content": "Go on."}]


JUDGES: Mapping[str, Judge] = {
    "anthropic-messages": Judge(
        whole=anthropic_lint.lint_message,
        stream=_messages_stream,
        calls=_messages_calls,
        replay=_messages_replay,
        turns="messages",
    ),
    "openai-chat": Judge(
        whole=_chat_whole,
        stream=_chat_stream,
        calls=_chat_calls,
        replay=_chat_replay,
        turns="messages",
    ),
    "openai-responses": Judge(
        whole=openai_responses_lint.lint_response,
        stream=_responses_stream,
        calls=_responses_calls,
        replay=_responses_replay,
        turns="input",
    ),
}
"""By client dialect."""
