"""A server that behaves like Vertex: tokens and keys, Gemini and Claude paths, and OAuth's own.

It mints access tokens for a service account's signed grant, as Google's token server does.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from pydantic import TypeAdapter

from tests.wire.anthropic_lint import load, to_sse
from tests.wire.anthropic_send import force

TOKEN, MINTED, KEY = "ya29.token-of-tests", "ya29.minted-for-tests", "AIza-key-of-tests"
COUNT = 78
SAID = "Hello from Vertex."

_MESSAGES: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsNonStreaming)
_MESSAGE = {
    "id": "msg_vrtx_01",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5-5",
    "content": [{"type": "text", "text": SAID}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 21, "output_tokens": 12},
}
_GENERATED = {
    "candidates": [
        {"content": {"role": "model", "parts": [{"text": SAID}]}, "finishReason": "STOP"}
    ],
    "usageMetadata": {"promptTokenCount": 21, "candidatesTokenCount": 12, "totalTokenCount": 33},
    "modelVersion": "gemini-3.8-flash",
    "responseId": "r1",
}


@dataclass
class Vertex:
    """What came: (path with its query, body); `minted` counts tokens given out."""

    seen: list[tuple[str, Any]] = field(default_factory=list)
    minted: int = 0
    has_quota: bool = True

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 26)
        place = "/v1/projects/acme/locations/us-east5"
        app.router.add_post(place + "/publishers/anthropic/models/{call}", self._claude)
        app.router.add_post(place + "/publishers/google/models/{call}", self._gemini)
        app.router.add_post("/v1/publishers/google/models/{call}", self._express)
        app.router.add_post("/token", self._token)
        return app

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form["grant_type"] != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        assert str(form["assertion"]).count(".") == 2
        self.minted += 1
        return web.json_response({"access_token": MINTED, "expires_in": 3599})

    async def _claude(self, request: web.Request) -> web.Response:
        refused = await self._refused(request, ("Bearer " + TOKEN, "Bearer " + MINTED))
        if refused is not None:
            return refused
        model, _, call = request.match_info["call"].rpartition(":")
        body = self.seen[-1][1]
        if body.pop("anthropic_version") not in ("vertex-2023-10-16", "2026-10-21"):
            return _error(400, "INVALID_ARGUMENT", "anthropic_version")
        if model == "count-tokens":
            assert body["model"].startswith("claude")
            return web.json_response({"input_tokens": COUNT})
        streams = body.pop("stream", False)
        if "model" in body or streams != (call == "streamRawPredict"):
            return _error(400, "INVALID_ARGUMENT", "model: Extra inputs are not permitted")
        force(_MESSAGES.validate_python({**body, "model": model}))
        if not streams:
            return web.json_response(_MESSAGE)
        return web.Response(body=to_sse(load("streams")["text"]), content_type="text/event-stream")

    async def _gemini(self, request: web.Request) -> web.Response:
        refused = await self._refused(request, ("Bearer " + TOKEN, "Bearer " + MINTED))
        return refused or self._generated(request)

    async def _express(self, request: web.Request) -> web.Response:
        refused = await self._refused(request, (KEY,), "x-goog-api-key")
        return refused or self._generated(request)

    def _generated(self, request: web.Request) -> web.Response:
        if request.match_info["call"].endswith(":generateContent"):
            return web.json_response(_GENERATED)
        if request.query.get("alt") != "sse":
            return _error(400, "INVALID_ARGUMENT", "a JSON array is not what was wanted")
        data = f"data: {json.dumps(_GENERATED)}\r\n\r\n"
        return web.Response(body=data.encode(), content_type="text/event-stream")

    async def _refused(
        self, request: web.Request, keys: tuple[str, ...], header: str = "authorization"
    ) -> web.Response | None:
        self.seen.append((request.path_qs, await request.json()))
        if request.headers.get(header) not in keys:
            return _error(401, "UNAUTHENTICATED", "invalid authentication credentials")
        if not self.has_quota:
            # Vertex wraps it in a list.
            text = "Resource exhausted. Please try again later."
            error = {"code": 429, "message": text, "status": "RESOURCE_EXHAUSTED"}
            return web.json_response([{"error": error}], status=429)
        return None


def _error(code: int, status: str, message: str) -> web.Response:
    error = {"code": code, "message": message, "status": status}
    return web.json_response({"error": error}, status=code)
