"""The official Anthropic SDK for Python."""

from typing import Any

from anthropic import Anthropic
from task import MOST_TURNS, PNG, RUN, SCHEMAS, main

Json = dict[str, Any]


def _client(task: Json) -> Anthropic:
    return Anthropic(base_url=task["url"], api_key="local")


def _stream(task: Json, messages: list[Json], **more: Any) -> Any:
    head = {"model": task["model"], "max_tokens": 1000, "messages": messages}
    with _client(task).messages.stream(**head, **more) as stream:
        return stream.get_final_message()


def _done(message: Any, **more: Any) -> Json:
    text = "".join(block.text for block in message.content if block.type == "text")
    return {"text": text, "usage": message.usage.to_dict(), "stop": message.stop_reason, **more}


def _asked(task: Json) -> list[Json]:
    return [{"role": "user", "content": task["ask"]}]


def whole(task: Json) -> Json:
    head = {"model": task["model"], "max_tokens": 1000}
    return _done(_client(task).messages.create(messages=_asked(task), **head))


def stream(task: Json) -> Json:
    return _done(_stream(task, _asked(task)))


def image(task: Json) -> Json:
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    content = [{"type": "image", "source": source}, {"type": "text", "text": task["ask"]}]
    return _done(_stream(task, [{"role": "user", "content": content}]))


def cancel(task: Json) -> Json:
    head = {"model": task["model"], "max_tokens": 1000, "messages": _asked(task)}
    with _client(task).messages.stream(**head) as running:
        next(iter(running.text_stream))
    return {"cancelled": True}


def tools(task: Json) -> Json:
    offered = [{"name": name, "input_schema": schema} for name, schema in SCHEMAS.items()]
    messages, calls = _asked(task), []
    for _ in range(MOST_TURNS):
        message = _stream(task, messages, tools=offered)
        wanted = [block for block in message.content if block.type == "tool_use"]
        if not wanted:
            return _done(message, calls=calls)
        calls += [[call.name, call.input] for call in wanted]
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": RUN[call.name](**call.input)}
            for call in wanted
        ]
        messages += [
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": results},
        ]
    return {"calls": calls}


if __name__ == "__main__":
    main(
        {
            "whole": whole,
            "error": whole,
            "stream": stream,
            "cut": stream,
            "image": image,
            "cancel": cancel,
            "tools": tools,
        }
    )
