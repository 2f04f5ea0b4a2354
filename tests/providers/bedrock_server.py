"""A server that behaves like Bedrock: it checks credentials, paths and bodies, and answers.

Keys are checked as they come, signatures by working them out again from what arrived on the wire.
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from pydantic import TypeAdapter

from tests.wire.anthropic_send import force
from tests.wire.bedrock_frames import check_input, frame, frames, load

KEY = "bedrock-api-key-of-tests"
ACCESS, SECRET, REGION = "AKIDOFTESTS", "secret-of-tests", "us-east-1"
COUNT = 77
EVENT_STREAM = "application/vnd.amazon.eventstream"

_MESSAGES: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsNonStreaming)
_ANSWERS, _STREAMS = load("answers"), load("streams")
SAID = "Hello there."
_MESSAGE = {
    "id": "msg_bdrk_01",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": SAID}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 21, "output_tokens": 12},
}
_COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": SAID, "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 21, "completion_tokens": 12, "total_tokens": 33},
}
_CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1}
_CHOICES: tuple[dict[str, Any], ...] = (
    {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None},
    *({"index": 0, "delta": {"content": piece}, "finish_reason": None} for piece in SAID),
    {"index": 0, "delta": {}, "finish_reason": "stop"},
)


@dataclass
class Bedrock:
    """What came: (raw path, how it was authorised, body). `throttles` breaks the next stream."""

    seen: list[tuple[str, str, Any]] = field(default_factory=list)
    throttles: bool = False

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/model/{model}/{call}", self._model)
        app.router.add_post("/openai/v1/chat/completions", self._chat)
        return app

    async def _model(self, request: web.Request) -> web.Response:
        try:
            body = await self._read(request)
            return self._answer(request.match_info["model"], request.match_info["call"], body)
        except PermissionError as refused:
            return _error(403, "AccessDeniedException", str(refused))
        except (AssertionError, ValueError) as wrong:
            return _error(400, "ValidationException", f"{type(wrong).__name__}: {wrong}")

    async def _chat(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await self._read(request))
        except PermissionError as refused:
            return _error(403, "AccessDeniedException", str(refused))
        if not body.get("stream"):
            return web.json_response(_COMPLETION | {"model": body["model"]})
        events = [_CHUNK | {"model": body["model"], "choices": [one]} for one in _CHOICES]
        if body.get("stream_options", {}).get("include_usage"):
            events.append(
                _CHUNK | {"model": body["model"], "choices": [], "usage": _COMPLETION["usage"]}
            )
        lines = [*(json.dumps(event) for event in events), "[DONE]"]
        text = "".join(f"data: {line}\n\n" for line in lines)
        return web.Response(text=text, content_type="text/event-stream")

    async def _read(self, request: web.Request) -> bytes:
        body = await request.read()
        how = _check_credentials(request, body)
        self.seen.append((request.raw_path, how, json.loads(body)))
        return body

    def _answer(self, model: str, call: str, body: bytes) -> web.Response:
        match call:
            case "converse":
                given = check_input(body, model=model)
                return web.json_response(_ANSWERS[_wanted(given)])
            case "converse-stream":
                given = check_input(body, "ConverseStream", model)
                name = "throttled_mid" if self.throttles else _wanted(given)
                return web.Response(body=frames(_STREAMS[name]), content_type=EVENT_STREAM)
            case "invoke":
                _check_invoke(body)
                return web.json_response(_MESSAGE)
            case "invoke-with-response-stream":
                _check_invoke(body)
                return web.Response(body=self._chunks(), content_type=EVENT_STREAM)
            case "count-tokens":
                check_input(body, "CountTokens", model)
                return web.json_response({"inputTokens": COUNT})
            case _:
                raise ValueError(f"no such call: {call}")

    def _chunks(self) -> bytes:
        rows = _STREAMS["invoke_anthropic_stream"]
        parts = [
            frame(
                "event",
                "chunk",
                {"bytes": base64.b64encode(json.dumps(row[2]).encode()).decode(), "p": "abc"},
            )
            for row in (rows[:3] if self.throttles else rows)
        ]
        if self.throttles:
            parts.append(frame("exception", "throttlingException", {"message": "too many"}))
        return b"".join(parts)


def _wanted(body: dict[str, Any]) -> str:
    """Calls where tools are offered and none was answered yet."""
    answered = any("toolResult" in part for turn in body["messages"] for part in turn["content"])
    return "parallel_tools" if "toolConfig" in body and not answered else "text"


def _check_invoke(body: bytes) -> None:
    """The body of Messages, without what the address says and with the version."""
    given = json.loads(body)
    assert not {"model", "stream"} & given.keys(), "extraneous key"
    assert given.pop("anthropic_version") in ("bedrock-2023-05-31", "2026-10-21")
    betas = given.pop("anthropic_beta", [])
    assert isinstance(betas, list)
    force(_MESSAGES.validate_python({**given, "model": "m"}))


def _check_credentials(request: web.Request, body: bytes) -> str:
    given = request.headers.get("authorization", "")
    if given == f"Bearer {KEY}":
        return "bearer"
    if not given.startswith("AWS4-HMAC-SHA256 "):
        raise PermissionError("Authentication failed: Please make sure your API Key is valid.")
    names = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    again = AWSRequest(
        method="POST",
        url=f"http://{request.host}{request.raw_path}",
        data=body,
        headers={name: request.headers[name] for name in names if name != "host"},
    )
    again.context["timestamp"] = request.headers["x-amz-date"]
    auth = SigV4Auth(Credentials(ACCESS, SECRET), "bedrock", REGION)
    wanted = auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
    if not given.endswith(f"Signature={wanted}"):
        raise PermissionError("The request signature we calculated does not match.")
    return "signed"


def _error(status: int, kind: str, message: str) -> web.Response:
    return web.json_response(
        {"message": message}, status=status, headers={"x-amzn-errortype": f"{kind}:http://x/"}
    )
