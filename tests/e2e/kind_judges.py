"""What each provider of a kind refuses, written from its documents and not from our table.

A judge gets a request's body and returns the message of the refusal, or None.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Body: TypeAlias = Mapping[str, Any]
Check: TypeAlias = Callable[[Body], str | None]


def first_of(*checks: Check) -> Check:
    """The first refusal of several checks."""

    def judge(body: Body) -> str | None:
        return next((text for check in checks if (text := check(body)) is not None), None)

    return judge


def refuses(*names: str) -> Check:
    """These members are not known."""

    def judge(body: Body) -> str | None:
        found = [name for name in names if body.get(name) is not None]
        return f"{found[0]}: extra fields not permitted" if found else None

    return judge


def knows(*names: str) -> Check:
    """No other member is known."""

    def judge(body: Body) -> str | None:
        unknown = sorted(set(body) - set(names))
        return f"{unknown[0]}: extra_forbidden" if unknown else None

    return judge


def message_knows(*names: str) -> Check:
    """No other member of a message is known."""

    def judge(body: Body) -> str | None:
        for message in body["messages"]:
            unknown = sorted(set(message) - set(names))
            if unknown:
                return f"messages: property '{unknown[0]}' is unsupported"
        return None

    return judge


def roles(*names: str) -> Check:
    """No other role is known."""

    def judge(body: Body) -> str | None:
        odd = [message["role"] for message in body["messages"] if message["role"] not in names]
        return f"messages: unknown role {odd[0]}" if odd else None

    return judge


CLASSIC_ROLES = roles("system", "user", "assistant", "tool")


def pairs(body: Body) -> str | None:
    """Every server: calls are answered at once, once each, by text."""
    open_calls: list[str] = []
    for message in body["messages"]:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                return "messages: tool result without its call"
            open_calls.remove(message["tool_call_id"])
            continue
        if open_calls:
            return "messages: a call without its result"
        open_calls = [call["id"] for call in message.get("tool_calls") or ()]
    return "messages: a call without its result" if open_calls else None


def call_ids(pattern: str) -> Check:
    """The form of tool call ids."""

    def judge(body: Body) -> str | None:
        for message in body["messages"]:
            ids = [call["id"] for call in message.get("tool_calls") or ()]
            ids += [message["tool_call_id"]] if message["role"] == "tool" else []
            for one in ids:
                if not re.fullmatch(pattern, one):
                    return f"Tool call id was {one} but must match {pattern}"
        return None

    return judge


def choices(*words: str) -> Check:
    """The words of `tool_choice`; `named` allows an object."""

    def judge(body: Body) -> str | None:
        choice = body.get("tool_choice")
        word = "named" if isinstance(choice, dict) else choice
        return None if word is None or word in words else f"tool_choice: {word} is not supported"

    return judge


def no_strict(body: Body) -> str | None:
    """`strict` of a tool is not known."""
    found = any("strict" in tool.get("function", {}) for tool in body.get("tools") or ())
    return "tools: strict: extra fields not permitted" if found else None


def stops(most: int) -> Check:
    """How many stop sequences are taken."""

    def judge(body: Body) -> str | None:
        given = body.get("stop")
        return "stop: too many" if isinstance(given, list) and len(given) > most else None

    return judge


def temperature(most: float) -> Check:
    """The highest temperature."""

    def judge(body: Body) -> str | None:
        return "temperature: out of range" if (body.get("temperature") or 0) > most else None

    return judge


def efforts(*words: str) -> Check:
    """The words of `reasoning_effort`."""

    def judge(body: Body) -> str | None:
        word = body.get("reasoning_effort")
        known = word is None or word in words
        return None if known else f"reasoning_effort: {word} is not supported"

    return judge


def formats(*kinds: str) -> Check:
    """The types of `response_format`."""

    def judge(body: Body) -> str | None:
        kind = (body.get("response_format") or {}).get("type", "text")
        return None if kind in ("text", *kinds) else f"response_format: {kind} is not supported"

    return judge


def keeps_reasoning(body: Body) -> str | None:
    """DeepSeek, Moonshot: turns with calls bring their reasoning, though it be empty."""
    for message in body["messages"]:
        if message.get("tool_calls") and not isinstance(message.get("reasoning_content"), str):
            return "The reasoning_content in the thinking mode must be passed back to the API."
    return None


def alternates(body: Body) -> str | None:
    """A template that wants roles in turn, and instructions at the head alone."""
    before = None
    for place, message in enumerate(body["messages"]):
        role = message["role"]
        if role == "system" and place:
            return "System message must be at the beginning."
        if role == before and role in ("user", "assistant"):
            return "Conversation roles must alternate user/assistant/user/assistant/..."
        before = role
    return None


def pictures_with_data(body: Body) -> str | None:
    """Pictures by address are not fetched."""
    for message in body["messages"]:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            url = part.get("image_url", {}).get("url", "data:")
            if not url.startswith("data:"):
                return "image_url: only base64 is supported"
    return None


def plain_messages(body: Body) -> str | None:
    """A Messages endpoint of another maker: none of our carriers, ids and texts legal."""
    for message in body["messages"]:
        if message["role"] not in ("user", "assistant"):
            return f"messages: unknown role {message['role']}"
        content = message["content"]
        for block in content if isinstance(content, list) else ():
            if str(block.get("signature", "")).startswith("gw1."):
                return "messages: invalid signature"
            if block["type"] == "text" and not block["text"]:
                return "messages: empty text"
    return None
