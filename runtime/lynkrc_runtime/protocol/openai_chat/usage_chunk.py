"""A chunk of a Chat stream, to the chunk a client that did not ask for usage sees.

`pass_request` asks for usage in every stream. Where the client did not, the chunk made for usage
alone is taken out again, and from the others the ``"usage":null`` that asking brings.

>>> unasked(b'data: {"choices":[],"usage":{"prompt_tokens":1}}\\n\\n') is None
True
>>> unasked(b'data: {"id":"c","choices":[{"index":0}],"usage":null}\\n\\n')
b'data: {"id":"c","choices":[{"index":0}]}\\n\\n'
"""

import msgspec

from lynkrc_runtime.protocol.outside import NOT_JSON
from lynkrc_runtime.protocol.sse import SseParser

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_USAGE = "usage"


def unasked(piece: bytes) -> bytes | None:
    """A whole event without the usage nobody asked for; None where nothing else is in it.

    Every other value keeps its bytes. An event that is no chunk (``[DONE]``, an error, bytes nobody
    understands), or one with more than its data, is not ours to judge.
    """
    if b'"usage"' not in piece:
        return piece
    events = SseParser().feed(piece)
    if len(events) != 1:
        return piece
    try:
        chunk = _members(events[0][1])
    except NOT_JSON:
        return piece
    usage = chunk.get(_USAGE)
    if usage is None:
        return piece
    if bytes(usage) == b"null":
        del chunk[_USAGE]
        return b"data: " + msgspec.json.encode(chunk) + b"\n\n"
    is_alone = bytes(chunk.get("choices", b"")).replace(b" ", b"") == b"[]"
    return None if is_alone and bytes(usage)[:1] == b"{" else piece
