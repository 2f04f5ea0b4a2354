"""`POST /v1/feedback`: what a caller says of one of its own requests, to a line of the usage log.

No text is taken: what people say of an answer is as private as what they asked.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import msgspec
from aiohttp import web

from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.repeated import repeated_member
from lynkrc_runtime.server.http import (
    ARRIVAL,
    SITE,
    canonical,
    identified,
    read_body,
    refusal,
)
from lynkrc_runtime.server.security import request_id
from lynkrc_runtime.server.usage_routes import used
from lynkrc_runtime.telemetry.recent import MOST

PATH = "/v1/feedback"
MOST_JUDGEMENTS = 5
"""Of one request: people change their minds, programs that go on for ever are stopped."""
LONGEST = 4_096
"""Bytes of a judgement: an id and a number."""
_SHOWN = 100
"""Characters of a client's member name that are told back."""

_TEXTS = frozenset({"comment", "text", "reason", "message"})
"""What people would like to say beside the score."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A caller's: `score` from 0, bad, to 1, good."""

    request_id: str
    score: float


@final
class NotJudgement(Exception):
    """What is wrong with a body, and the member in which."""

    def __init__(self, message: str, field: str | None) -> None:
        super().__init__(message if field is None else f"{field}: {message}")
        self.field = field


def read_judgement(body: bytes) -> Judgement:
    """The judgement in a body. Raises NotJudgement.

    >>> read_judgement(b'{"request_id": "req_1", "score": 1}').score
    1.0
    """
    if len(body) > LONGEST:
        raise NotJudgement(f"the body has more than {LONGEST} bytes", None)
    try:
        members = msgspec.json.decode(body)
        twice = repeated_member(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, MalformedRequest):
        raise NotJudgement("the body is not JSON", None) from None
    if twice is not None:
        raise NotJudgement("the member is repeated", twice[:_SHOWN])
    if not isinstance(members, dict):
        raise NotJudgement("the body is to be an object", None)
    for name in members:
        if name not in ("request_id", "score"):
            kept = "no text is kept" if name in _TEXTS else "there is no such member"
            raise NotJudgement(f"{kept}; there are request_id and score", name[:_SHOWN])
    return Judgement(request_id=_id(members), score=_score(members))


def _id(members: dict[str, Any]) -> str:
    found = members.get("request_id")
    if not isinstance(found, str) or request_id(found) != found:
        raise NotJudgement("must be the x-lynkr-request-id of an answer", "request_id")
    return found


def _score(members: dict[str, Any]) -> float:
    found = members.get("score")
    # A bool is a number to Python, and an answer to another question.
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 1:
        raise NotJudgement("must be a number from 0 (bad) to 1 (good)", "score")
    return float(found)


@final
class Said:
    """How often each request was judged at this worker; the oldest are forgotten."""

    __slots__ = ("_most", "_times")

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._times: OrderedDict[tuple[str | None, str], int] = OrderedDict()

    def may_say(self, key: str | None, request_id: str) -> bool:
        """Whether the caller may judge the request once more."""
        return self._times.get((key, request_id), 0) < MOST_JUDGEMENTS

    def said(self, key: str | None, request_id: str) -> None:
        """It did."""
        identity = key, request_id
        self._times[identity] = self._times.pop(identity, 0) + 1
        if len(self._times) > self._most:
            self._times.popitem(last=False)


SAID = web.AppKey("said", Said)


def add_feedback_routes(app: web.Application, prefixes: Sequence[str]) -> None:
    """Have an application answer it, below each of the prefixes."""
    app[SAID] = Said()
    for prefix in prefixes:
        app.router.add_post(f"{prefix}/feedback", _feedback)


async def _feedback(request: web.Request) -> web.Response:
    canonical(request, PATH)
    body = await read_body(request)
    if isinstance(body, web.Response):
        return body
    try:
        judgement = read_judgement(body)
    except NotJudgement as error:
        return refusal(request, 400, str(error), param=error.field)
    gateway = request[ARRIVAL].gateway
    usage_log = gateway.usage_log
    if usage_log is None:
        message = "nothing is recorded here: start the gateway with --usage-log FILE, or declare"
        return refusal(request, 409, f"{message} `observability.usage` in the policy")
    caller = request[ARRIVAL].caller
    key, identity = None if caller is None else caller.name, judgement.request_id
    found = await used(request.app[SITE], key, identity)
    if found is None:
        # Another caller's request is not told from one that never was.
        message = "there is no such request of yours, it has not ended, or it was too long ago"
        return refusal(request, 404, message, param="request_id")
    said = request.app[SAID]
    if not said.may_say(key, identity):
        message = f"the request was judged {MOST_JUDGEMENTS} times; the last one counts"
        return refusal(request, 429, message, {"x-should-retry": "false"}, param="request_id")
    if not usage_log.judged(identity, found["bundle"], key, judgement.score):
        message = "the usage log is behind; try again in a moment"
        return refusal(request, 503, message, {"retry-after": "1"})
    said.said(key, identity)
    gateway.metrics.judged("caller")
    return web.json_response({"recorded": True}, headers=identified(request))
