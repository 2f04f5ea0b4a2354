"""What a scripted model hears: a request of any target dialect, to the little that scripts need.

Written apart from the gateway's own readers, and far simpler: a model that both sides agree with
only because they share code would prove nothing.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Turn:
    """What one speaker said: texts, pictures, calls by name, and what tools returned."""

    role: str
    texts: tuple[str, ...] = ()
    images: int = 0
    calls: tuple[str, ...] = ()
    results: tuple[str, ...] = ()


@dataclass(frozen=True)
class Heard:
    """A request. `since` is what tools returned after the last thing the user wrote."""

    turns: tuple[Turn, ...]
    tools: tuple[str, ...]

    @property
    def ask(self) -> str:
        """The last user text that holds a script."""
        asks = [text for _, text in self._asks()]
        return asks[-1] if asks else ""

    @property
    def results(self) -> list[str]:
        """What tools returned after the script was said."""
        places = [place for place, _ in self._asks()]
        after = self.turns[places[-1] :] if places else self.turns
        return [result for turn in after for result in turn.results]

    @property
    def images(self) -> int:
        return sum(turn.images for turn in self.turns)

    @property
    def characters(self) -> int:
        return sum(len(text) for turn in self.turns for text in turn.texts)

    def _asks(self) -> Iterator[tuple[int, str]]:
        for place, turn in enumerate(self.turns):
            for text in turn.texts if turn.role == "user" else ():
                if "[[" in text:
                    yield place, text


def hear_messages(body: Json) -> Heard:
    turns = [_messages_turn(message) for message in body["messages"]]
    return Heard(tuple(turns), tuple(tool["name"] for tool in body.get("tools", ())))


def _messages_turn(message: Json) -> Turn:
    blocks = _blocks(message["content"])
    results = [block for block in blocks if block["type"] == "tool_result"]
    inner = [part for block in results for part in _blocks(block.get("content") or "")]
    return Turn(
        role=message["role"],
        texts=tuple(block["text"] for block in blocks if block["type"] == "text"),
        images=sum(block["type"] == "image" for block in [*blocks, *inner]),
        calls=tuple(block["name"] for block in blocks if block["type"] == "tool_use"),
        results=tuple(_texts(_blocks(block.get("content") or "")) for block in results),
    )


def hear_chat(body: Json) -> Heard:
    turns = []
    for message in body["messages"]:
        blocks = _blocks(message.get("content") or "")
        text = _texts(blocks)
        is_result = message["role"] == "tool"
        turns.append(
            Turn(
                role=message["role"],
                texts=() if is_result else tuple(b["text"] for b in blocks if "text" in b),
                images=sum(block["type"] == "image_url" for block in blocks),
                calls=tuple(
                    (call.get("function") or call.get("custom"))["name"]
                    for call in message.get("tool_calls") or ()
                ),
                results=(text,) if is_result else (),
            )
        )
    tools = [(tool.get("function") or tool.get("custom"))["name"] for tool in body.get("tools", ())]
    return Heard(tuple(turns), tuple(tools))


def hear_responses(body: Json) -> Heard:
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    turns = []
    for item in items:
        kind = item.get("type", "message")
        if kind == "message":
            parts = _blocks(item["content"])
            texts = tuple(part["text"] for part in parts if "text" in part)
            images = sum(part["type"] == "input_image" for part in parts)
            turns.append(Turn(role=item["role"], texts=texts, images=images))
        elif kind in ("function_call", "custom_tool_call"):
            turns.append(Turn(role="assistant", calls=(item["name"],)))
        elif kind in ("function_call_output", "custom_tool_call_output"):
            parts = _blocks(item["output"])
            images = sum(part["type"] == "input_image" for part in parts)
            turns.append(Turn(role="tool", results=(_texts(parts),), images=images))
    return Heard(tuple(turns), tuple(_response_tools(body.get("tools", ()))))


def _response_tools(tools: Sequence[Json]) -> Iterator[str]:
    for tool in tools:
        if tool["type"] == "namespace":
            yield from _response_tools(tool["tools"])
        elif "name" in tool:
            yield tool["name"]


def hear_gemini(body: Json) -> Heard:
    turns = []
    for content in body["contents"]:
        parts = content["parts"]
        answers = [part["functionResponse"] for part in parts if "functionResponse" in part]
        turns.append(
            Turn(
                role="user" if content["role"] == "user" else "assistant",
                texts=tuple(p["text"] for p in parts if "text" in p and not p.get("thought")),
                images=_gemini_images(parts),
                calls=tuple(p["functionCall"]["name"] for p in parts if "functionCall" in p),
                results=tuple(json.dumps(answer["response"]) for answer in answers),
            )
        )
    declared = [d for tool in body.get("tools", ()) for d in tool.get("functionDeclarations", ())]
    return Heard(tuple(turns), tuple(one["name"] for one in declared))


def _gemini_images(parts: Sequence[Json]) -> int:
    inner = [p for part in parts for p in part.get("functionResponse", {}).get("parts", ())]
    return sum("inlineData" in part or "fileData" in part for part in [*parts, *inner])


def hear_converse(body: Json) -> Heard:
    turns = []
    for message in body["messages"]:
        blocks = message["content"]
        results = [block["toolResult"] for block in blocks if "toolResult" in block]
        inner = [part for result in results for part in result["content"]]
        turns.append(
            Turn(
                role=message["role"],
                texts=tuple(block["text"] for block in blocks if "text" in block),
                images=sum("image" in block for block in [*blocks, *inner]),
                calls=tuple(b["toolUse"]["name"] for b in blocks if "toolUse" in b),
                results=tuple(
                    "".join(
                        p.get("text", "") or json.dumps(p.get("json", "")) for p in r["content"]
                    )
                    for r in results
                ),
            )
        )
    tools = body.get("toolConfig", {}).get("tools", ())
    return Heard(tuple(turns), tuple(t["toolSpec"]["name"] for t in tools if "toolSpec" in t))


def _converse_text(content: Sequence[Json]) -> str:
    return "".join(part.get("text") or json.dumps(part.get("json", "")) for part in content)


def hear_ollama(body: Json) -> Heard:
    turns = []
    for message in body["messages"]:
        is_result = message["role"] == "tool"
        text = message.get("content") or ""
        turns.append(
            Turn(
                role=message["role"],
                texts=() if is_result or not text else (text,),
                images=len(message.get("images") or ()),
                calls=tuple(c["function"]["name"] for c in message.get("tool_calls") or ()),
                results=(text,) if is_result else (),
            )
        )
    return Heard(tuple(turns), tuple(tool["function"]["name"] for tool in body.get("tools", ())))


HEAR: Mapping[str, Callable[[Json], Heard]] = {
    "anthropic-messages": hear_messages,
    "openai-chat": hear_chat,
    "openai-responses": hear_responses,
    "gemini": hear_gemini,
    "bedrock-converse": hear_converse,
    "ollama-chat": hear_ollama,
}


def _blocks(content: Any) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _texts(blocks: Sequence[Json]) -> str:
    return "".join(block.get("text", "") for block in blocks)
