"""A Responses request that relies on kept answers, to one that says everything itself, and back.

`previous_response_id` and references to items are replaced by the items themselves before anything
is routed: no target ever needs to know an earlier answer. The answer on its way to the client is
kept, and says so.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, final

import msgspec
from msgspec.structs import replace

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.protocol import sse
from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.dialect import Problem
from lynkrc_runtime.protocol.outside import NOT_JSON
from lynkrc_runtime.protocol.pieces import EventSplitter
from lynkrc_runtime.server.exchange import Client, Incoming
from lynkrc_runtime.server.gateway import Gateway, refuse_repeated
from lynkrc_runtime.server.http import body_limit
from lynkrc_runtime.server.problems import kind_of
from lynkrc_runtime.server.response_store import Kept, ResponseStore
from lynkrc_runtime.server.serve import serve
from lynkrc_runtime.state.interface import StoreDown

_CALLERS = ("x-lynkr-key", "x-api-key", "authorization", "api-key")
"""Headers that say who calls, the first one found counts (design: runtime.md, "Security")."""

_encode = msgspec.json.encode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
UNKEPT: Final = " Answers are not kept here: the policy has no section `responses_store`."
"""What is added where nothing could have been found."""
UNREACHABLE: Final = "kept answers cannot be reached now; try again in a moment"
"""What is said where the store is down and the policy does not serve without it."""
_NULL = b"null"
_HEADS = (b'"response.created"', b'"response.in_progress"', b'"response.queued"')
_ENDS = (b'"response.completed"', b'"response.incomplete"', b'"response.failed"')


@final
class RefusedState(Exception):
    """A request for state that is not there; carries what the client is told."""

    def __init__(
        self, message: str, param: str | None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.param = param
        self.code = code
        self.status = status

    def problem(self, request_id: str) -> Problem:
        """The problem of a request with this id."""
        return Problem(
            status=self.status,
            kind=kind_of(self.status),
            message=str(self),
            param=self.param,
            code=self.code,
            request_id=request_id,
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A request that relies on nothing kept.

    `input` are its items; `keep`: the client wants the answer kept; `previous` is the id it named.
    """

    body: bytes = field(repr=False)
    input: tuple[bytes, ...] = field(default=(), repr=False)
    keep: bool = False
    previous: str | None = None


async def serve_responses(gateway: Gateway, incoming: Incoming, client: Client) -> None:
    """`serve` for the Responses API: with what was kept, and keeping the answer."""
    store, scope = gateway.responses, scope_of(incoming.headers, incoming.caller)
    try:
        settled = await settle(gateway, incoming.body, scope)
    except RefusedState as refused:
        problem = refused.problem(incoming.request_id)
        await serve(gateway, replace(incoming, refused=problem), client)
        return
    if store is not None and (settled.keep or settled.previous is not None):
        client = Keeper(client, store, scope, settled)
    await serve(gateway, replace(incoming, body=settled.body), client)


async def settle(gateway: Gateway, body: bytes, scope: str) -> Settled:
    """`settle_state`, but for a body that is to be refused as it came. Raises RefusedState."""
    try:
        refuse_repeated(gateway, body)
    except MalformedRequest:
        # Written anew it would have each member once, and nobody would hear of it.
        return Settled(body=body)
    try:
        return await settle_state(body, gateway.responses, scope, limit=body_limit(gateway))
    except StoreDown as fault:
        raise RefusedState(UNREACHABLE, None, status=503) from fault


def scope_of(headers: Mapping[str, str], caller: Caller | None) -> str:
    """Whose answers a caller may see: those of its key, however it is shown or renewed.

    In open mode those of the same credential, of which only a digest is kept.

    >>> scope_of({}, None), scope_of({"x-api-key": "k"}, Caller(name="ci"))
    ('', 'key:ci')
    >>> scope_of({"x-api-key": "k"}, None) == scope_of({"authorization": "k"}, None)
    True
    """
    if caller is not None:
        return f"key:{caller.name}"
    for name in _CALLERS:
        if headers.get(name):
            return sha256(headers[name].encode("utf-8", "surrogateescape")).hexdigest()
    return ""


async def settle_state(
    body: bytes, store: ResponseStore | None, scope: str, *, limit: int
) -> Settled:
    """The request with all it refers to put in its place. Raises RefusedState, StoreDown.

    With what was kept its items may have `limit` bytes: one that is named again and again is soon
    more than anybody could send. A body that cannot be read stays as it is: who reads it says what
    is wrong.
    """
    try:
        members = _members(body)
        wanted = members.get("input")
        # Nothing is kept without a store, and nothing can be referred to.
        is_asked = store is not None or wanted is None or not bytes(wanted).startswith(b"[")
        given = _input_items(wanted) if is_asked else ()
        keep = store is not None and _value(members.get("store")) is not False
        previous = _value(members.get("previous_response_id"))
        background = _value(members.get("background"))
        conversation = _value(members.get("conversation"))
        items = list(given)
        if store is not None:
            items = await _resolved(items, store, scope, limit)
    except NOT_JSON:
        return Settled(body=body)
    if background is True:
        raise RefusedState("background: answers are not made in the background here", "background")
    if conversation is not None:
        raise RefusedState("conversation: conversations are not kept here", "conversation")
    if previous is not None:
        kept = await store.get(scope, previous) if store and isinstance(previous, str) else None
        if kept is None:
            raise RefusedState(
                f"Previous response with id '{previous}' not found." + ("" if store else UNKEPT),
                "previous_response_id",
                "previous_response_not_found",
            )
        items = [*kept.input, *kept.output, *items]
        if sum(map(len, items)) > limit:
            raise _larger("previous_response_id", limit)
        del members["previous_response_id"]
    if previous is not None or items != list(given):
        members["input"] = msgspec.Raw(_encode([msgspec.Raw(item) for item in items]))
        body = _encode(members)
    return Settled(
        body=body,
        input=tuple(items),
        keep=keep,
        previous=previous if isinstance(previous, str) else None,
    )


def _value(raw: msgspec.Raw | None) -> Any:
    return None if raw is None else msgspec.json.decode(raw)


def _input_items(raw: msgspec.Raw | None) -> tuple[bytes, ...]:
    """The items of `input`; a string is one message."""
    if raw is None or bytes(raw) == _NULL:
        return ()
    if bytes(raw).lstrip().startswith(b'"'):
        content = msgspec.json.decode(raw)
        return (_encode({"type": "message", "role": "user", "content": content}),)
    return tuple(bytes(item) for item in _items(raw))


async def _resolved(
    items: Sequence[bytes], store: ResponseStore, scope: str, limit: int
) -> list[bytes]:
    """The items, with those in the place of references to them. Raises RefusedState, StoreDown."""
    found: dict[str, bytes] = {}
    resolved: list[bytes] = []
    size = 0
    for item in items:
        name = _named(item)
        if name is not None and name not in found:
            found[name] = await _referred(name, store, scope)
        resolved.append(item if name is None else found[name])
        size += len(resolved[-1])
        if found and size > limit:
            raise _larger("input", limit)
    return resolved


def _named(item: bytes) -> str | None:
    """The id of another where an item is only a reference to it, which need not say its type."""
    if b"item_reference" not in item and (b'"type"' in item or b'"role"' in item):
        return None
    value = msgspec.json.decode(item)
    if not isinstance(value, dict):
        return None
    if value.get("type") != "item_reference" and value.keys() != {"id"}:
        return None
    return str(value.get("id"))


async def _referred(name: str, store: ResponseStore, scope: str) -> bytes:
    item = await store.item(scope, name)
    if item is None:
        raise RefusedState(f"Item with id '{name}' not found.", "input")
    return item


def _larger(param: str, limit: int) -> RefusedState:
    message = f"{param}: with what it refers to, the request is larger than {limit} bytes"
    return RefusedState(message, param, status=413)


@final
class Keeper:
    """The way back to a client; keeps the answer that goes by, and writes into it that it is."""

    __slots__ = ("_client", "_keeping", "_scope", "_settled", "_store")

    def __init__(self, client: Client, store: ResponseStore, scope: str, settled: Settled) -> None:
        self._client = client
        self._store = store
        self._scope = scope
        self._settled = settled
        self._keeping: asyncio.Task[None] | None = None
        """Writes an event that is kept first; nothing is written before it has."""

    async def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """See `Client.answer`."""
        if status == 200:
            body = await self._kept(body, is_end=True)
        await self._client.answer(status, headers, body)

    async def start(self, headers: Mapping[str, str]) -> None:
        """See `Client.start`."""
        await self._client.start(headers)

    async def write(self, data: bytes) -> None:
        """See `Client.write`; what is written are whole events.

        Whoever stops waiting while the store is asked must lose nothing either, so it is asked,
        and then written, in a task of its own.
        """
        if self._keeping is not None:
            await asyncio.shield(self._keeping)
            self._keeping = None
        if any(mark in data for mark in (*_HEADS, *_ENDS)):
            self._keeping = asyncio.create_task(self._keep(data))
            self._keeping.add_done_callback(_looked_at)
            await asyncio.shield(self._keeping)
            self._keeping = None
        else:
            await self._client.write(data)

    async def _keep(self, data: bytes) -> None:
        splitter = EventSplitter()
        pieces = [*splitter.feed(data), splitter.rest]
        await self._client.write(b"".join([await self._event(piece) for piece in pieces if piece]))

    async def _event(self, piece: bytes) -> bytes:
        is_end = any(mark in piece for mark in _ENDS)
        if not is_end and not any(mark in piece for mark in _HEADS):
            return piece
        events = sse.SseParser().feed(piece.rstrip(b"\r\n") + b"\n\n")
        if len(events) != 1:
            return piece
        name, payload = events[0]
        try:
            event = _members(payload)
            if "response" not in event:
                return piece
            body = await self._kept(bytes(event["response"]), is_end=is_end)
            event["response"] = msgspec.Raw(body)
        except NOT_JSON:
            return piece
        return sse.event_bytes(name, event) if name else sse.data_bytes(event)

    async def _kept(self, body: bytes, *, is_end: bool) -> bytes:
        """The response with what we know better than who made it; kept if it is the last word."""
        response = _members(body)
        settled = self._settled
        response["store"] = msgspec.Raw(_encode(settled.keep))
        response["previous_response_id"] = msgspec.Raw(_encode(settled.previous))
        body = sse.to_json(response)
        identity = _value(response.get("id"))
        if is_end and settled.keep and isinstance(identity, str) and _is_answer(response):
            output = tuple(bytes(item) for item in _items(response["output"]))
            kept = Kept(id=identity, body=body, input=settled.input, output=output)
            try:
                await self._store.put(self._scope, kept)
            except StoreDown:
                response["store"] = msgspec.Raw(b"false")
                body = sse.to_json(response)
        return body


def _looked_at(task: asyncio.Task[None]) -> None:
    """Nobody may be left to hear that the client has gone."""
    if not task.cancelled():
        task.exception()


def _is_answer(response: Mapping[str, msgspec.Raw]) -> bool:
    return "output" in response and _value(response.get("status")) in ("completed", "incomplete")
