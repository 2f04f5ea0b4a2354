"""The Gemini API as a small server: it takes what Gemini takes, and says what it is told."""

import json
import re
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.providers.scripted_http import Asked, Reply, ScriptedServer
from tests.wire.gemini_lint import lint_request, lint_response, to_sse

KEY = "key-of-the-gemini-provider"
COUNT = 77
"""What every token count says."""

_PATH = re.compile(r"/v1beta/models/([\w.-]+):(\w+)(\?alt=sse)?")
_JSON = "application/json; charset=UTF-8"


@dataclass(frozen=True)
class Said:
    """An answer by its parts; a stream sends one response for each. `cut`: it breaks off there."""

    parts: tuple[dict[str, Any], ...]
    finish: str = "STOP"
    prompt: int = 21
    candidates: int = 12
    thoughts: int = 0
    cached: int = 0
    cut: bool = False


@dataclass(frozen=True)
class Fault:
    """An error answer; `midway`: inside a stream, behind these parts."""

    code: int
    status: str
    message: str
    details: tuple[dict[str, Any], ...] = ()
    midway: tuple[dict[str, Any], ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        """Google's form of it."""
        error = {"code": self.code, "message": self.message, "status": self.status}
        return {"error": error | ({"details": list(self.details)} if self.details else {})}


GeminiServer: TypeAlias = ScriptedServer[Said | Fault]


def gemini_server() -> GeminiServer:
    """The server; its script is empty."""
    return ScriptedServer(answering=_answer)


def called(part: str, /, *, id: str | None = None, sign: str | None = None, **args: Any) -> Any:
    """A part that calls the function `part`."""
    call = ({"id": id} if id is not None else {}) | {"name": part, "args": args}
    return {"functionCall": call} | ({"thoughtSignature": sign} if sign is not None else {})


def _answer(server: GeminiServer, asked: Asked) -> Reply:
    path = _PATH.fullmatch(asked.path)
    if path is None:
        return _refuse(server, Fault(404, "NOT_FOUND", f"no such address: {asked.path}"))
    if asked.headers.get("x-goog-api-key") != KEY or "authorization" in asked.headers:
        return _refuse(server, Fault(400, "INVALID_ARGUMENT", "API key not valid."))
    verb = path[2]
    try:
        if verb == "countTokens":
            inner = json.loads(asked.body)["generateContentRequest"]
            assert inner.pop("model") == f"models/{path[1]}"
            lint_request(json.dumps(inner).encode())
            return _json(200, {"totalTokens": COUNT})
        lint_request(asked.body, signed=path[1].startswith("gemini-3"))
    except (AssertionError, KeyError, ValueError) as error:
        return _refuse(server, Fault(400, "INVALID_ARGUMENT", f"invalid request: {error!r}"))
    if not server.script:
        return _refuse(server, Fault(500, "INTERNAL", "nothing is left to be said"))
    said = server.script.pop(0)
    if verb == "generateContent":
        return _whole(said, path[1])
    if path[3] is None:
        return _refuse(server, Fault(400, "INVALID_ARGUMENT", "the test wants alt=sse"))
    return _stream(said, path[1])


def _whole(said: Said | Fault, model: str) -> Reply:
    if isinstance(said, Fault):
        return _json(said.code, said.body)
    return _json(200, _response(said, model, said.parts, last=True))


def _stream(said: Said | Fault, model: str) -> Reply:
    if isinstance(said, Fault):
        if not said.midway:
            # Google wraps an error of a stream in a list.
            return _json(said.code, [said.body])
        begun = Said(parts=said.midway, cut=True)
        items = [*_responses(begun, model), said.body]
        return Reply(200, "text/event-stream", tuple(to_sse([item]) for item in items))
    pieces = tuple(to_sse([item]) for item in _responses(said, model))
    return Reply(200, "text/event-stream", pieces, cut=said.cut)


def _responses(said: Said, model: str) -> list[dict[str, Any]]:
    single = [(part,) for part in said.parts] or [()]
    return [
        _response(said, model, one, last=place == len(single) - 1 and not said.cut)
        for place, one in enumerate(single)
    ]


def _response(
    said: Said, model: str, parts: tuple[dict[str, Any], ...], *, last: bool
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": list(parts)}}
    usage = {"promptTokenCount": said.prompt, "totalTokenCount": said.prompt}
    if last:
        candidate["finishReason"] = said.finish
        usage["candidatesTokenCount"] = said.candidates
        usage["totalTokenCount"] = said.prompt + said.candidates + said.thoughts
    for name, count in (
        ("thoughtsTokenCount", said.thoughts),
        ("cachedContentTokenCount", said.cached),
    ):
        if count:
            usage[name] = count
    made = {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": f"{model}-001",
        "responseId": "Resp1",
    }
    lint_response(made)
    return made


def _json(status: int, body: Any) -> Reply:
    return Reply(status, _JSON, (json.dumps(body).encode(),))


def _refuse(server: GeminiServer, fault: Fault) -> Reply:
    server.refused.append(fault.message)
    return _json(fault.code, fault.body)
