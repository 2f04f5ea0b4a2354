"""An upstream's own answer, to the same answer under the model name the client asked for.

For `server.echo_requested_model` where client and target speak the same dialect; everywhere else
the answer is written with that name. Only what names the model is read: of a stream of Messages or
Responses the few events that hold the whole answer, of Chat every chunk, once more decoded and
joined (every value byte for byte).

>>> echo_answer(b'{"id":"c","model":"gpt-5-mini-2026"}', "mini")
b'{"id":"c","model":"mini"}'
"""

import msgspec

from lynkrc_runtime.protocol import sse
from lynkrc_runtime.protocol.outside import NOT_JSON

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_INSIDE = ("message", "response")
"""Members of an event that hold an answer (Messages, Responses)."""


def echo_answer(body: bytes, model: str) -> bytes:
    """A whole answer; one that cannot be read stays as it is."""
    try:
        members = _members(body)
        if "model" not in members:
            return body
        members["model"] = _named(model)
        return sse.to_json(members)
    except NOT_JSON:
        return body


def echo_event(piece: bytes, model: str) -> bytes:
    """One event of a stream, as it came where it does not name the model."""
    if b'"model"' not in piece:
        return piece
    events = sse.SseParser().feed(piece.rstrip(b"\r\n") + b"\n\n")
    if len(events) != 1:
        return piece
    name, payload = events[0]
    try:
        members = _members(payload)
        if not _rename(members, model):
            return piece
        return sse.event_bytes(name, members) if name else sse.data_bytes(members)
    except NOT_JSON:
        return piece


def _rename(members: dict[str, msgspec.Raw], model: str) -> bool:
    if "model" in members:
        members["model"] = _named(model)
        return True
    for name in _INSIDE:
        if name in members and bytes(members[name]).startswith(b"{"):
            answer = _members(members[name])
            if "model" in answer:
                answer["model"] = _named(model)
                members[name] = msgspec.Raw(msgspec.json.encode(answer))
                return True
    return False


def _named(model: str) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(model))
