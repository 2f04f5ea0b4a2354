"""The side routes of the Responses API: kept answers, their input, token counts, and refusals.

`add_response_routes` puts them into the application for clients. What is not served is refused by
name, in the dialect's shape.
"""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.openai_responses import CLIENT
from lynkrc_runtime.server.count_tokens import TokenCounter
from lynkrc_runtime.server.http import (
    ARRIVAL,
    canonical,
    read_body,
    refusal,
)
from lynkrc_runtime.server.problems import malformed
from lynkrc_runtime.server.response_store import Kept, item_id
from lynkrc_runtime.server.responses import (
    UNKEPT,
    UNREACHABLE,
    RefusedState,
    scope_of,
    settle,
)
from lynkrc_runtime.state.interface import StoreDown

_encode = msgspec.json.encode
_PAGE, _MAX_PAGE = 20, 100

_PARTS = {"user": "input_text", "system": "input_text", "developer": "input_text"}
_PREFIXES = {"function_call": "fc", "custom_tool_call": "ctc", "message": "msg", "reasoning": "rs"}
_WORD = re.compile(r"[a-z_]+")


def add_response_routes(
    app: web.Application, prefixes: Iterable[str], counter: TokenCounter
) -> None:
    """Serve them below each prefix; `counter` counts tokens."""
    add = app.router.add_route
    for prefix in prefixes:
        base = f"{prefix}/responses"
        add("POST", f"{base}/input_tokens", _count_tokens(counter))
        add("POST", f"{base}/compact", _not_served("responses cannot be compacted here"))
        add("GET", f"{base}/{{id}}", get_response)
        add("DELETE", f"{base}/{{id}}", delete_response)
        add("GET", f"{base}/{{id}}/input_items", list_input_items)
        add("POST", f"{base}/{{id}}/cancel", cancel_response)
        add("*", f"{prefix}/conversations", _not_served("conversations are not kept here"))
        add(
            "*",
            f"{prefix}/conversations/{{rest:.+}}",
            _not_served("conversations are not kept here"),
        )


async def get_response(request: web.Request) -> web.Response:
    """`GET /v1/responses/{id}`: the answer as it was given."""
    kept = await _kept(request)
    if isinstance(kept, web.Response):
        return kept
    if request.query.get("stream") == "true":
        return refusal(request, 400, "stream: kept responses are not streamed again")
    return _json(request, kept.body)


async def delete_response(request: web.Request) -> web.Response:
    """`DELETE /v1/responses/{id}`: forget it."""
    kept = await _kept(request)
    if isinstance(kept, web.Response):
        return kept
    store = request[ARRIVAL].gateway.responses
    assert store is not None, "it was kept"
    headers = request[ARRIVAL].headers
    try:
        await store.delete(scope_of(headers, request[ARRIVAL].caller), kept.id)
    except StoreDown:
        return refusal(request, 503, UNREACHABLE)
    return _json(request, _encode({"id": kept.id, "object": "response", "deleted": True}))


async def list_input_items(request: web.Request) -> web.Response:
    """`GET /v1/responses/{id}/input_items`: a page of what the model was given, newest first."""
    kept = await _kept(request, "/input_items")
    if isinstance(kept, web.Response):
        return kept
    try:
        page = items_page(kept, request.query)
    except ValueError as error:
        return refusal(request, 400, str(error))
    return _json(request, _encode(page))


async def cancel_response(request: web.Request) -> web.Response:
    """`POST /v1/responses/{id}/cancel`: nothing runs in the background, so nothing can be ended."""
    kept = await _kept(request, "/cancel")
    if isinstance(kept, web.Response):
        return kept
    return refusal(request, 400, "Cannot cancel a synchronous response.")


def items_page(kept: Kept, query: Mapping[str, str]) -> Mapping[str, Any]:
    """A page of an answer's input (`limit`, `order`, `after`). Raises ValueError, fit to show."""
    limit_text, order = query.get("limit", str(_PAGE)), query.get("order", "desc")
    if not (limit_text.isdecimal() and 1 <= int(limit_text) <= _MAX_PAGE):
        raise ValueError(f"limit: must be a number from 1 to {_MAX_PAGE}")
    if order not in ("asc", "desc"):
        raise ValueError("order: must be asc or desc")
    items = [_listed(item, kept.id, number) for number, item in enumerate(kept.input)]
    if order == "desc":
        items.reverse()
    after = query.get("after")
    if after is not None:
        places = [place for place, item in enumerate(items) if item["id"] == after]
        if not places:
            raise ValueError(f"after: there is no item {after!r}")
        items = items[places[0] + 1 :]
    page = items[: int(limit_text)]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else "",
        "last_id": page[-1]["id"] if page else "",
        "has_more": len(items) > len(page),
    }


def _listed(item: bytes, response_id: str, number: int) -> dict[str, Any]:
    """An input item as a list shows it: with an id, a type, a status, and content as parts."""
    value: dict[str, Any] = msgspec.json.decode(item)
    kind = value.setdefault("type", "message")
    if item_id(item) is None:
        digest = sha256(f"{response_id}|{number}".encode()).hexdigest()[:24]
        word = _WORD.match(str(kind))
        value["id"] = f"{_PREFIXES.get(kind, word[0] if word else 'item')}_{digest}"
    if kind in ("message", "function_call", "function_call_output"):
        value.setdefault("status", "completed")
    content = value.get("content")
    if kind == "message" and isinstance(content, str):
        part = {"type": _PARTS.get(value.get("role", ""), "output_text"), "text": content}
        if part["type"] == "output_text":
            value["content"] = [part | {"annotations": []}]
        else:
            value["content"] = [part]
    return value


def _count_tokens(counter: TokenCounter) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        canonical(request, "/v1/responses/input_tokens")
        body = await read_body(request)
        if isinstance(body, web.Response):
            return body
        arrival = request[ARRIVAL]
        try:
            scope = scope_of(arrival.headers, arrival.caller)
            settled = await settle(arrival.gateway, body, scope)
            count = await counter.count(
                arrival.gateway,
                arrival.headers,
                arrival.repeated,
                settled.body,
                surface="responses",
                dialect=CLIENT.name,
                caller=arrival.caller,
            )
        except MalformedRequest as error:
            return refusal(request, 400, malformed(error, "").message, param=error.field)
        except RefusedState as refused:
            status, answer = CLIENT.write_problem(refused.problem(request[ARRIVAL].request_id))
            return _json(request, answer, status=status)
        found = {"object": "response.input_tokens", "input_tokens": count.tokens}
        return _json(request, _encode(found), count.headers)

    return handle


def _not_served(message: str) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return refusal(request, 404, f"{request.method} {request.path}: {message}")

    return handle


async def _kept(request: web.Request, below: str = "") -> Kept | web.Response:
    """The answer the path names, or the refusal of one that is not kept."""
    identity = request.match_info["id"]
    canonical(request, "/v1/responses", f"/{identity}{below}")
    store, headers = request[ARRIVAL].gateway.responses, request[ARRIVAL].headers
    scope = scope_of(headers, request[ARRIVAL].caller)
    try:
        kept = None if store is None else await store.get(scope, identity)
    except StoreDown:
        return refusal(request, 503, UNREACHABLE)
    if kept is None:
        why = UNKEPT if store is None else ""
        return refusal(request, 404, f"Response with id '{identity}' not found.{why}")
    return kept


def _json(
    request: web.Request,
    body: bytes,
    extra: Mapping[str, str] | None = None,
    *,
    status: int = 200,
) -> web.Response:
    identity = request[ARRIVAL].request_id
    headers = {
        "content-type": "application/json",
        "request-id": identity,
        "x-request-id": identity,
        "x-lynkr-request-id": identity,
    }
    return web.Response(status=status, headers=headers | dict(extra or {}), body=body)
