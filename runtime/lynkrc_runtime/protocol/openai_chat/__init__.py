"""The OpenAI Chat Completions dialect: one record of its readers and writers."""

from lynkrc_runtime.protocol.dialect import Dialect
from lynkrc_runtime.protocol.failures import read_failure
from lynkrc_runtime.protocol.openai_chat.answer import read_answer, write_answer
from lynkrc_runtime.protocol.openai_chat.errors import error_event, write_problem
from lynkrc_runtime.protocol.openai_chat.pass_request import pass_request
from lynkrc_runtime.protocol.openai_chat.read_messages import DIALECT_NAME
from lynkrc_runtime.protocol.openai_chat.read_request import read_request
from lynkrc_runtime.protocol.openai_chat.stream_reader import ChatStreamReader
from lynkrc_runtime.protocol.openai_chat.stream_writer import ChatStreamWriter
from lynkrc_runtime.protocol.openai_chat.usage_chunk import strip_usage_chunk
from lynkrc_runtime.protocol.openai_chat.write_request import write_request

__all__ = ["DIALECT", "strip_usage_chunk"]

DIALECT = Dialect(
    name=DIALECT_NAME,
    path="/chat/completions",
    read_request=read_request,
    pass_request=pass_request,
    write_request=write_request,
    read_answer=read_answer,
    write_answer=write_answer,
    stream_reader=ChatStreamReader,
    stream_writer=ChatStreamWriter,
    read_failure=read_failure,
    write_problem=write_problem,
    error_event=error_event,
)
