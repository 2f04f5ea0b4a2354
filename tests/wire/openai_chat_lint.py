"""Judges of what Chat clients get: the SDK's types, and rules the SDK does not check.

Also the short notation of the data files: blocks as ``kind:...`` strings, streams as items.
"""

import json
from pathlib import Path
from typing import Any, TypeVar

from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

from lynkrc_runtime.protocol.conversation import (
    Answer,
    Block,
    Event,
    RedactedThinking,
    Refusal,
    Request,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from lynkrc_runtime.protocol.dialect import AnswerContext
from lynkrc_runtime.protocol.openai_chat import CLIENT, TARGET

DATA = Path(__file__).parent / "data" / "openai-chat"
EXTENSIONS = {"reasoning_content", "reasoning_details"}
"""Members clients read that the SDK's types do not declare."""

_M = TypeVar("_M", bound=BaseModel)


def load(name: str) -> dict[str, Any]:
    return dict(json.loads((DATA / f"{name}.json").read_text(encoding="utf-8")))


def to_sse(items: list[Any], line_end: str = "\n") -> bytes:
    """Items as an upstream sends them: comments, raw data, or chunks (separators unescaped)."""
    pieces = []
    for item in items:
        if isinstance(item, str) and item.startswith(":"):
            pieces.append(f"{item}{line_end}{line_end}")
        else:
            data = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
            pieces.append(f"data: {data}{line_end}{line_end}")
    return "".join(pieces).encode()


def read_stream(data: bytes, *sizes: int) -> list[Event]:
    """The events of a stream that arrives in pieces of these sizes, the last one repeated."""
    reader = TARGET.stream_reader()
    events: list[Event] = []
    position, step = 0, len(data)
    pending = list(sizes)
    while position < len(data):
        step = max(1, pending.pop(0)) if pending else step
        events += reader.feed(data[position : position + step])
        position += step
    return events + reader.close()


def notation(blocks: tuple[Block, ...]) -> list[str]:
    """Blocks in the notation of the data files."""
    return [_note(block) for block in blocks]


def _note(block: Block) -> str:
    match block:
        case Text():
            return f"text:{block.text}"
        case Refusal():
            return f"refusal:{block.text}"
        case Thinking():
            return f"thinking:{block.text}" + (f":{block.signature}" if block.signature else "")
        case RedactedThinking():
            return f"redacted:{block.data}"
        case ToolCall():
            kind = "custom" if block.custom else "call"
            return f"{kind}:{block.id}:{block.name}:{block.arguments}"
        case _:
            return repr(block)


def check_answer(answer: Answer, want: dict[str, Any]) -> None:
    """The answer is the one the data file describes; an id ``*`` stands for one made here."""
    found = notation(answer.blocks)
    assert len(found) == len(want["blocks"]), found
    for note, wanted in zip(found, want["blocks"], strict=True):
        kind, _, rest = wanted.partition(":*:")
        if rest:
            assert note.startswith(f"{kind}:call_"), note
            assert note.endswith(f":{rest}"), note
            assert len(note.split(":")[1]) == len("call_") + 24
        else:
            assert note == wanted
    assert answer.stop.value == want["stop"]
    assert answer.stop_sequence == want.get("sequence")
    usage = want["usage"]
    assert answer.usage == (Usage(reported=False) if usage is None else Usage(**usage))


def request_of(**members: Any) -> Request:
    """A Chat request with these members beside model and messages."""
    body = {"model": "asked", "messages": [{"role": "user", "content": "Hi"}], **members}
    return CLIENT.read_request(json.dumps(body).encode(), {})


def context_of(**members: Any) -> AnswerContext:
    return AnswerContext(
        request=request_of(**members),
        id="A" * 24,
        model="served-1",
        created=1795240000,
        input_estimate=lambda: 17,
        request_id="req_1",
    )


def strict(model: type[_M], value: Any) -> _M:
    """The value as the SDK parses it; a member the SDK does not declare is a mistake."""
    parsed = model.model_validate(value, strict=True)
    _no_extras(parsed, model.__name__)
    return parsed


def _no_extras(value: Any, where: str) -> None:
    if isinstance(value, BaseModel):
        unknown = set(value.model_extra or {}) - EXTENSIONS
        assert not unknown, f"{where}: {unknown}"
        for name in type(value).model_fields:
            _no_extras(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, list):
        for item in value:
            _no_extras(item, where)


def lint_completion(body: bytes) -> ChatCompletion:
    """A completion that breaks no rule."""
    completion = strict(ChatCompletion, json.loads(body))
    [choice] = completion.choices
    message = choice.message
    assert choice.index == 0
    calls = message.tool_calls or []
    assert (choice.finish_reason == "tool_calls") <= bool(calls)
    assert message.content is not None or calls or message.refusal is not None
    assert message.tool_calls != []
    for call in calls:
        if call.type == "function":
            json.loads(call.function.arguments)
    assert len({call.id for call in calls}) == len(calls)
    return completion


def split_data(stream: bytes) -> list[str]:
    """The data of each event; no event name, no unescaped separator, nothing but data lines."""
    text = stream.decode()
    assert not {"\u0085", "\u2028", "\u2029"} & set(text)
    blocks = text.split("\n\n")
    assert blocks.pop() == ""
    found = []
    for block in blocks:
        if block.startswith(":"):
            continue
        assert block.startswith("data: "), block
        assert "\n" not in block, block
        found.append(block.removeprefix("data: "))
    return found


def lint_stream(stream: bytes, *, with_usage: bool = False) -> list[ChatCompletionChunk]:
    """The chunks of a whole stream that breaks no rule."""
    data = split_data(stream)
    assert data.pop() == "[DONE]"
    values = [json.loads(item) for item in data]
    chunks = [strict(ChatCompletionChunk, value) for value in values]
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
    if with_usage:
        assert chunks[-1].choices == []
        assert chunks[-1].usage is not None
        assert all("usage" in v and v["usage"] is None for v in values[:-1])
    else:
        assert all("usage" not in value for value in values)
    _lint_deltas(chunks[:-1] if with_usage else chunks)
    return chunks


def _lint_deltas(chunks: list[ChatCompletionChunk]) -> None:
    assert chunks[0].choices[0].delta.role == "assistant"
    finishes = [chunk.choices[0].finish_reason for chunk in chunks]
    assert finishes[-1] is not None
    assert all(finish is None for finish in finishes[:-1])
    arguments: list[str] = []
    for chunk in chunks:
        for call in chunk.choices[0].delta.tool_calls or []:
            assert call.function is not None
            if call.index == len(arguments):
                assert call.id, "a call begins with its id"
                assert call.function.name, "a call begins with its name"
                arguments.append(call.function.arguments or "")
            else:
                assert call.index < len(arguments), "indices have no gaps"
                assert call.id is None, "an id comes once"
                assert call.function.name is None, "a name comes once"
                arguments[call.index] += call.function.arguments or ""
    if finishes[-1] == "tool_calls":
        for text in arguments:
            json.loads(text)
