"""The OpenAI Responses dialect: the records of its readers and writers."""

from lynkrc_runtime.protocol.dialect import SSE, ClientDialect, TargetDialect
from lynkrc_runtime.protocol.failures import read_failure
from lynkrc_runtime.protocol.openai_chat.errors import write_problem
from lynkrc_runtime.protocol.openai_responses.answer_writer import write_answer
from lynkrc_runtime.protocol.openai_responses.counting import COUNTING
from lynkrc_runtime.protocol.openai_responses.pass_request import pass_request
from lynkrc_runtime.protocol.openai_responses.read_answer import read_answer
from lynkrc_runtime.protocol.openai_responses.read_items import DIALECT_NAME
from lynkrc_runtime.protocol.openai_responses.read_request import read_request
from lynkrc_runtime.protocol.openai_responses.stream_reader import ResponsesReader
from lynkrc_runtime.protocol.openai_responses.stream_writer import ResponsesStreamWriter
from lynkrc_runtime.protocol.openai_responses.write_request import write_request

__all__ = ["CLIENT", "TARGET"]

CLIENT = ClientDialect(
    name=DIALECT_NAME,
    read_request=read_request,
    write_answer=write_answer,
    stream_writer=ResponsesStreamWriter,
    write_problem=write_problem,
)

TARGET = TargetDialect(
    name=DIALECT_NAME,
    stream_types=SSE,
    pass_request=pass_request,
    write_request=write_request,
    read_answer=read_answer,
    stream_reader=ResponsesReader,
    read_failure=read_failure,
    counting=COUNTING,
)
