"""A server that makes embeddings as OpenAI and as Gemini do (wire reference A.2.5, B.8)."""

import base64
import struct
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.providers.ollama_server import vector

KEYS = {
    "openai": ("authorization", "Bearer secret-key"),
    "gemini": ("x-goog-api-key", "secret-key"),
}


@dataclass
class EmbeddingsServer:
    """`seen` are the bodies that came; `failures` are statuses answered before any vector."""

    seen: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/embeddings", self._openai)
        app.router.add_post("/v1beta/models/{call}", self._gemini)
        return app

    async def _read(self, request: web.Request, form: str) -> web.Response | None:
        self.seen.append(await request.json())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        name, value = KEYS[form]
        assert request.headers[name] == value
        if self.failures:
            status = self.failures.pop(0)
            error = {"message": f"failure {status}", "type": "x", "param": None, "code": None}
            return web.json_response({"error": error}, status=status)
        return None

    async def _openai(self, request: web.Request) -> web.Response:
        refused = await self._read(request, "openai")
        if refused is not None:
            return refused
        body = self.seen[-1]
        given = body["input"]
        if isinstance(given, str) or isinstance(given[0], int):
            given = [given]
        data = []
        for index, one in enumerate(given):
            made: Any = vector(one if isinstance(one, str) else " ".join(map(str, one)))
            made = made[: body.get("dimensions")]
            if body.get("encoding_format") == "base64":
                made = base64.b64encode(struct.pack(f"<{len(made)}f", *made)).decode()
            data.append({"object": "embedding", "index": index, "embedding": made})
        usage = {"prompt_tokens": 7, "total_tokens": 7}
        answer = {"object": "list", "data": data, "model": body["model"], "usage": usage}
        return web.json_response(answer, headers={"x-request-id": "req_up"})

    async def _gemini(self, request: web.Request) -> web.Response:
        refused = await self._read(request, "gemini")
        if refused is not None:
            return refused
        model, _, method = request.match_info["call"].rpartition(":")
        assert method == "batchEmbedContents"
        made = []
        for entry in self.seen[-1]["requests"]:
            assert entry["model"] == f"models/{model}"
            text = entry["content"]["parts"][0]["text"]
            made.append({"values": vector(text)[: entry.get("outputDimensionality")]})
        return web.json_response({"embeddings": made})
