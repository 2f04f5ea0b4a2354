"""The official OpenAI SDK for Python; `task["provider"]` is chat or responses."""

import json
from typing import Any

from openai import OpenAI
from task import MOST_TURNS, PNG, RUN, SCHEMAS, main

Json = dict[str, Any]
URL = "data:image/png;base64," + PNG


def _client(task: Json) -> OpenAI:
    return OpenAI(base_url=task["url"] + "/v1", api_key="local")


def _asked(task: Json, *parts: Json) -> list[Json]:
    kind = "text" if task["provider"] == "chat" else "input_text"
    content = [*parts, {"type": kind, "text": task["ask"]}] if parts else task["ask"]
    return [{"role": "user", "content": content}]


def _done(task: Json, answer: Any, **more: Any) -> Json:
    if task["provider"] == "chat":
        [choice] = answer.choices
        text, stop = choice.message.content or "", choice.finish_reason
    else:
        text, stop = answer.output_text, answer.status
    return {"text": text, "usage": answer.usage.to_dict(), "stop": stop, **more}


def _stream(task: Json, given: list[Json], **more: Any) -> Any:
    client, model = _client(task), task["model"]
    if task["provider"] == "chat":
        more["stream_options"] = {"include_usage": True}
        with client.chat.completions.stream(model=model, messages=given, **more) as running:
            return running.get_final_completion()
    with client.responses.stream(model=model, input=given, store=False, **more) as running:
        return running.get_final_response()


def whole(task: Json) -> Json:
    client, model, asked = _client(task), task["model"], _asked(task)
    if task["provider"] == "chat":
        return _done(task, client.chat.completions.create(model=model, messages=asked))
    return _done(task, client.responses.create(model=model, input=asked, store=False))


def stream(task: Json) -> Json:
    return _done(task, _stream(task, _asked(task)))


def image(task: Json) -> Json:
    if task["provider"] == "chat":
        part: Json = {"type": "image_url", "image_url": {"url": URL}}
    else:
        part = {"type": "input_image", "detail": "auto", "image_url": URL}
    return _done(task, _stream(task, _asked(task, part)))


def cancel(task: Json) -> Json:
    client, model, asked = _client(task), task["model"], _asked(task)
    if task["provider"] == "chat":
        with client.chat.completions.create(model=model, messages=asked, stream=True) as running:
            next(chunk for chunk in running if chunk.choices and chunk.choices[0].delta.content)
    else:
        with client.responses.create(model=model, input=asked, stream=True) as running:
            next(event for event in running if event.type == "response.output_text.delta")
    return {"cancelled": True}


def tools(task: Json) -> Json:
    return _chat_tools(task) if task["provider"] == "chat" else _response_tools(task)


def _chat_tools(task: Json) -> Json:
    offered = [
        {"type": "function", "function": {"name": name, "parameters": schema}}
        for name, schema in SCHEMAS.items()
    ]
    messages, calls = _asked(task), []
    for _ in range(MOST_TURNS):
        answer = _stream(task, messages, tools=offered)
        message = answer.choices[0].message
        if not message.tool_calls:
            return _done(task, answer, calls=calls)
        messages.append(message)
        for call in message.tool_calls:
            given = json.loads(call.function.arguments)
            calls.append([call.function.name, given])
            content = RUN[call.function.name](**given)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": content})
    return {"calls": calls}


def _response_tools(task: Json) -> Json:
    offered = [
        {"type": "function", "name": name, "parameters": schema, "strict": True}
        for name, schema in SCHEMAS.items()
    ]
    items, calls = _asked(task), []
    for _ in range(MOST_TURNS):
        answer = _stream(task, items, tools=offered)
        wanted = [item for item in answer.output if item.type == "function_call"]
        if not wanted:
            return _done(task, answer, calls=calls)
        items += [item.to_dict() for item in answer.output]
        for item in items:
            item.pop("parsed_arguments", None)
        for call in wanted:
            given = json.loads(call.arguments)
            calls.append([call.name, given])
            output = RUN[call.name](**given)
            items.append(
                {"type": "function_call_output", "call_id": call.call_id, "output": output}
            )
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
