"""The OpenAI Chat Completions dialect: the records of its readers and writers."""

from lynkrc_runtime.protocol.dialect import SSE, ClientDialect, TargetDialect
from lynkrc_runtime.protocol.failures import read_failure
from lynkrc_runtime.protocol.openai_chat.answer import read_answer, write_answer
from lynkrc_runtime.protocol.openai_chat.errors import write_problem
from lynkrc_runtime.protocol.openai_chat.pass_request import pass_request
from lynkrc_runtime.protocol.openai_chat.read_messages import DIALECT_NAME
from lynkrc_runtime.protocol.openai_chat.read_request import read_request
from lynkrc_runtime.protocol.openai_chat.stream_reader import ChatStreamReader
from lynkrc_runtime.protocol.openai_chat.stream_writer import ChatStreamWriter
from lynkrc_runtime.protocol.openai_chat.write_request import write_request

__all__ = ["CLIENT", "TARGET"]

CLIENT = ClientDialect(
    name=DIALECT_NAME,
    read_request=read_request,
    write_answer=write_answer,
    stream_writer=ChatStreamWriter,
    write_problem=write_problem,
)

TARGET = TargetDialect(
    name=DIALECT_NAME,
    stream_types=SSE,
    pass_request=pass_request,
    write_request=write_request,
    read_answer=read_answer,
    stream_reader=ChatStreamReader,
    read_failure=read_failure,
)
