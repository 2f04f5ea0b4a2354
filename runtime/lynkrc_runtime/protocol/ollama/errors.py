"""Ollama's error answers, ``{"error": "text"}``, to failures (wire reference B.10, D).

>>> refused = read_failure(400, {}, b'{"error":"gemma:2b does not support thinking"}')
>>> refused.unreadable_thinking
True
"""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from lynkrc_runtime.protocol import failures
from lynkrc_runtime.protocol.conversation import Failure, FailureClass

_NO_THINKING = re.compile(r"does not support thinking|think value .{0,40}not supported")


def read_failure(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """The failure; a model that cannot think is asked once more without any reasoning."""
    failure = failures.read_failure(status, headers, body)
    if failure.kind is FailureClass.MISFIT and _NO_THINKING.search(failure.message):
        return replace(failure, unreadable_thinking=True)
    return failure
