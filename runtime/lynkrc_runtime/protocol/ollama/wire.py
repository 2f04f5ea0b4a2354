"""One JSON object of an answer, whole or a line of a stream, to its parts (wire reference B.10).

>>> read_line(b'{"model":"m","message":{"content":"Hi"},"done":true,"eval_count":1}').done
True
"""

import base64
import hashlib
from typing import Any, final

import msgspec
from msgspec import Struct

from lynkrc_runtime.protocol.conversation import BrokenAnswer, Stop, ToolCall, Usage
from lynkrc_runtime.protocol.failures import broken, dig_message, failure_of
from lynkrc_runtime.protocol.outside import NOT_JSON, count


@final
class Function(Struct, frozen=True):
    """`arguments` keeps the spelling; some servers behind the dialect send a text."""

    name: str
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


@final
class Call(Struct, frozen=True):
    """A whole call; older servers give no id."""

    function: Function
    id: str | None = None


@final
class Said(Struct, frozen=True):
    """A message, or a piece of one."""

    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Call] | None = None


@final
class Line(Struct, frozen=True):
    """What is read of an answer's object."""

    model: str = ""
    created_at: str = ""
    message: Said | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(Line).decode


def read_line(data: bytes) -> Line:
    """The object. BrokenAnswer for an error in its place, and for what is no answer at all."""
    try:
        line = _decode(data)
    except NOT_JSON as error:
        raise BrokenAnswer(broken(_no_answer(data))) from error
    if line.error:
        message, code, kind, param = dig_message(data)
        raise BrokenAnswer(failure_of(200, message or "upstream error", code, kind, param))
    return line


def read_call(call: Call, answer: tuple[str, str], number: int) -> ToolCall:
    """A call; without an id it gets one that depends on the answer and its place alone.

    BrokenAnswer where its arguments are not UTF-8.

    `answer` is the model and the time of the answer's first line.
    """
    made = call.id or made_id(*answer, number)
    try:
        arguments = _arguments(call.function)
    except NOT_JSON as error:
        raise BrokenAnswer(broken("upstream sent arguments that are no text")) from error
    return ToolCall(id=made, name=call.function.name, arguments=arguments)


def made_id(model: str, created: str, number: int) -> str:
    """The id of call `number` of an answer whose server gave none.

    >>> made_id("qwen3:8b", "2026-11-21T06:00:00Z", 0)
    'call_yuht2jzwihlckjhj7v643qhm'
    """
    digest = hashlib.sha256(f"{model}|{created}|{number}".encode()).digest()
    return "call_" + base64.b32encode(digest).decode()[:24].lower()


def read_stop(reason: str | None, *, has_calls: bool) -> Stop:
    """Why it ended; `done_reason` stays ``stop`` beside calls."""
    if reason == "length":
        return Stop.LENGTH
    return Stop.TOOL_USE if has_calls else Stop.END


def read_usage(line: Line) -> Usage:
    """The counts. Older servers leave out `prompt_eval_count` where all of it was cached."""
    prompt, output = count(line.prompt_eval_count), count(line.eval_count) or 0
    if prompt is None:
        return Usage(output=output, reported=False)
    return Usage(input=prompt, output=output)


def _arguments(function: Function) -> str:
    text = bytes(function.arguments).decode().strip()
    if text.startswith('"'):
        text = msgspec.json.decode(text, type=str).strip()
    return "{}" if text in ("", "null") else text


def _no_answer(data: bytes) -> str:
    start = data.lstrip()[:1]
    if not start:
        return "upstream answered with an empty body"
    if start == b"<":
        return "upstream answered with a web page, not JSON"
    return "upstream sent something else than an answer"
