"""The OpenAI Responses dialect: the record of its target side."""

from lynkrc_runtime.protocol.dialect import SSE, TargetDialect
from lynkrc_runtime.protocol.failures import read_failure
from lynkrc_runtime.protocol.openai_responses.counting import COUNTING
from lynkrc_runtime.protocol.openai_responses.names import NAME
from lynkrc_runtime.protocol.openai_responses.pass_request import pass_request
from lynkrc_runtime.protocol.openai_responses.read_answer import read_answer
from lynkrc_runtime.protocol.openai_responses.stream_reader import ResponsesReader
from lynkrc_runtime.protocol.openai_responses.write_request import write_request

__all__ = ["TARGET"]

TARGET = TargetDialect(
    name=NAME,
    stream_types=SSE,
    pass_request=pass_request,
    write_request=write_request,
    read_answer=read_answer,
    stream_reader=ResponsesReader,
    read_failure=read_failure,
    counting=COUNTING,
)
