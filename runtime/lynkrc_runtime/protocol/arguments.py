"""A call's arguments as a model wrote them, to the object that dialects without JSON text want."""

from typing import Any

import msgspec

from lynkrc_runtime.protocol.conversation import ToolCall
from lynkrc_runtime.protocol.json_prefix import closed
from lynkrc_runtime.protocol.outside import NOT_JSON


def call_input(call: ToolCall) -> Any:
    """The input object; JSON a model cut short is closed, other text wrapped (C.1.4).

    >>> call_input(ToolCall(id="a", name="n", arguments='{"city": "Os'))
    {'city': 'Os'}
    >>> call_input(ToolCall(id="a", name="n", arguments="[1]"))
    {'value': [1]}
    """
    if call.custom:
        return {"input": call.arguments}
    text = call.arguments.strip()
    if not text:
        return {}
    value = _parse(text)
    if value is None and text != "null":
        value = _parse(closed(text))
        return value if isinstance(value, dict) else {"_raw": call.arguments}
    if value is None:
        return {}
    # As the model wrote it: numbers and white space are not spelled anew.
    return msgspec.Raw(text) if isinstance(value, dict) else {"value": value}


def _parse(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except NOT_JSON:
        return None
