"""A server that answers as Ollama does: its paths, its refusals, its lines (wire reference B.10).

It says what it was asked, calls the first tool it is offered, and thinks where that is asked for.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from ollama._types import ChatRequest, EmbedRequest

TIME = "2026-11-21T06:00:00.123456789Z"
PLAIN = "gemma:2b"
"""A model that can neither think nor call tools."""
MODELS = ("qwen3:8b", "nomic-embed-text", PLAIN)
DEFAULT_CONTEXT = 4096


@dataclass
class OllamaServer:
    """`seen` are the bodies that came, by path; `sleepy` gives no counts for prompts."""

    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    busy: int = 0
    """How many requests are still turned away."""
    breaks: bool = False
    """Streams end with an error line."""
    cached: bool = False
    """Counts of prompts are left out."""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/chat", self._chat)
        app.router.add_post("/api/embed", self._embed)
        return app

    async def _read(self, request: web.Request) -> dict[str, Any] | web.Response:
        body: dict[str, Any] = await request.json()
        self.seen.append((request.path, body))
        if self.busy:
            self.busy -= 1
            return _error(503, "server busy, please try again.  maximum pending requests exceeded")
        if body["model"] not in MODELS:
            return _error(404, f"model {body['model']!r} not found, try pulling it first")
        return body

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await self._read(request)
        if isinstance(body, web.Response):
            return body
        ChatRequest.model_validate(body)
        if body["model"] == PLAIN and body.get("tools"):
            return _error(400, f"registry.ollama.ai/library/{PLAIN} does not support tools")
        if body["model"] == PLAIN and body.get("think"):
            return _error(400, f'"{PLAIN}" does not support thinking')
        words = sum(len(str(message["content"]).split()) for message in body["messages"])
        if words > body.get("options", {}).get("num_ctx", DEFAULT_CONTEXT):
            if body.get("truncate") is False:
                return _error(400, "the input length exceeds the context length")
            body["messages"] = body["messages"][-1:]
        lines = [self._line(said) for said in _answer(body)]
        if self.breaks:
            lines = [*lines[:1], {"error": "an error was encountered while running the model"}]
        else:
            lines.append(self._line({"content": ""}) | self._end(words))
        if body.get("stream", True):
            response = web.StreamResponse(headers={"content-type": "application/x-ndjson"})
            await response.prepare(request)
            for line in lines:
                await response.write(json.dumps(line).encode() + b"\n")
            return response
        message: dict[str, Any] = {"role": "assistant", "content": ""}
        for line in lines[:-1]:
            for name, value in line["message"].items():
                if name != "role":
                    message[name] = message[name] + value if name in message else value
        return web.json_response(lines[-1] | {"message": message})

    def _line(self, said: dict[str, Any]) -> dict[str, Any]:
        message = {"role": "assistant", "content": ""} | said
        return {"model": "qwen3:8b", "created_at": TIME, "message": message, "done": False}

    def _end(self, words: int) -> dict[str, Any]:
        counts = {} if self.cached else {"prompt_eval_count": words}
        return {"done": True, "done_reason": "stop", "eval_count": 5, **counts}

    async def _embed(self, request: web.Request) -> web.Response:
        body = await self._read(request)
        if isinstance(body, web.Response):
            return body
        EmbedRequest.model_validate(body)
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        if any(len(text.split()) > DEFAULT_CONTEXT for text in texts) and not body.get(
            "truncate", True
        ):
            return _error(400, "the input length exceeds the context length")
        vectors = [vector(text)[: body.get("dimensions")] for text in texts]
        count = sum(len(text.split()) for text in texts)
        return web.json_response(
            {"model": body["model"], "embeddings": vectors, "prompt_eval_count": count}
        )


def vector(text: str) -> list[float]:
    """Three numbers that float32 holds exactly."""
    return [len(text) / 8, -0.5, text.count(" ") / 4]


def _answer(body: dict[str, Any]) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    if body.get("think"):
        said.append({"thinking": "Hm."})
    last = body["messages"][-1]
    if body.get("tools") and last["role"] != "tool":
        name = body["tools"][0]["function"]["name"]
        call = {"function": {"name": name, "arguments": {"city": "Oslo"}}}
        return [*said, {"tool_calls": [call]}]
    return [*said, {"content": "You said: "}, {"content": str(last["content"])}]


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
