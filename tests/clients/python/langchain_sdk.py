"""LangChain's chat models; `task["provider"]` is anthropic, chat or responses."""

from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI
from task import MOST_TURNS, PNG, RUN, main

Json = dict[str, Any]


def _model(task: Json) -> Any:
    if task["provider"] == "anthropic":
        return ChatAnthropic(
            model=task["model"], base_url=task["url"], api_key="local", max_tokens=1000
        )
    return ChatOpenAI(
        model=task["model"],
        base_url=task["url"] + "/v1",
        api_key="local",
        use_responses_api=task["provider"] == "responses",
        stream_usage=True,
    )


def _text(message: Any) -> str:
    content = message.content
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if isinstance(part, dict))


def _gather(model: Any, messages: list[Any]) -> Any:
    whole = None
    for chunk in model.stream(messages):
        whole = chunk if whole is None else whole + chunk
    return whole


def _done(message: Any, **more: Any) -> Json:
    return {"text": _text(message), "usage": message.usage_metadata, **more}


def whole(task: Json) -> Json:
    return _done(_model(task).invoke([HumanMessage(task["ask"])]))


def stream(task: Json) -> Json:
    return _done(_gather(_model(task), [HumanMessage(task["ask"])]))


def image(task: Json) -> Json:
    part = {"type": "image", "source_type": "base64", "mime_type": "image/png", "data": PNG}
    content = [part, {"type": "text", "text": task["ask"]}]
    return _done(_gather(_model(task), [HumanMessage(content)]))


def cancel(task: Json) -> Json:
    running = _model(task).stream([HumanMessage(task["ask"])])
    next(chunk for chunk in running if _text(chunk))
    running.close()
    return {"cancelled": True}


def _read(path: str) -> str:
    """Reads a file"""
    return RUN["read"](path)


def _add(a: float, b: float) -> str:
    """Adds two numbers"""
    return RUN["add"](a, b)


def tools(task: Json) -> Json:
    offered = {
        "read": StructuredTool.from_function(_read, name="read"),
        "add": StructuredTool.from_function(_add, name="add"),
    }
    model = _model(task).bind_tools(list(offered.values()))
    messages: list[Any] = [HumanMessage(task["ask"])]
    calls: list[Any] = []
    for _ in range(MOST_TURNS):
        message = _gather(model, messages)
        if not message.tool_calls:
            return _done(message, calls=calls)
        messages.append(
            AIMessage(
                content=message.content,
                tool_calls=message.tool_calls,
                additional_kwargs=message.additional_kwargs,
                response_metadata=message.response_metadata,
            )
        )
        for call in message.tool_calls:
            calls.append([call["name"], call["args"]])
            content = offered[call["name"]].invoke(call["args"])
            messages.append(ToolMessage(content=content, tool_call_id=call["id"]))
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
