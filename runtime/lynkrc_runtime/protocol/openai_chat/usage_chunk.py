"""A chunk of a Chat stream, to the chunk a client that did not ask for usage sees.

`pass_request` asks for usage in every stream; a pass-through relay runs each event's data through
`strip_usage_chunk` where `Request.options.include_usage` is false.

>>> strip_usage_chunk(b'{"choices":[],"usage":{"prompt_tokens":1}}') is None
True
"""

import msgspec

from lynkrc_runtime.protocol.outside import NOT_JSON


class _Chunk(msgspec.Struct):
    choices: list[msgspec.Raw] | None = None
    usage: dict[str, msgspec.Raw] | None = None


_decode = msgspec.json.Decoder(_Chunk).decode


def strip_usage_chunk(data: bytes) -> bytes | None:
    """None for the chunk made for usage alone (no choices, a usage object), else `data` itself.

    Data that is no chunk (``[DONE]``, an error, bytes nobody understands) is not ours to judge.
    """
    if b'"usage"' not in data:
        return data
    try:
        chunk = _decode(data)
    except NOT_JSON:
        return data
    return None if chunk.choices == [] and chunk.usage is not None else data
