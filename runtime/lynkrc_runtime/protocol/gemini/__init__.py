"""The Gemini `generateContent` dialect (wire reference B.8, C.3): targets alone speak it."""

from lynkrc_runtime.protocol.dialect import SSE, TargetDialect
from lynkrc_runtime.protocol.failures import read_failure
from lynkrc_runtime.protocol.gemini.answer import read_answer
from lynkrc_runtime.protocol.gemini.counting import COUNTING
from lynkrc_runtime.protocol.gemini.response import NAME
from lynkrc_runtime.protocol.gemini.stream_reader import GeminiStreamReader
from lynkrc_runtime.protocol.gemini.write_request import write_request

__all__ = ["TARGET"]

TARGET = TargetDialect(
    name=NAME,
    stream_types=SSE,
    pass_request=None,
    write_request=write_request,
    read_answer=read_answer,
    stream_reader=GeminiStreamReader,
    read_failure=read_failure,
    counting=COUNTING,
)
