"""The OpenAI Responses dialect: the records of its readers and writers."""

from lynkrc_runtime.protocol.dialect import ClientDialect
from lynkrc_runtime.protocol.openai_chat.errors import write_problem
from lynkrc_runtime.protocol.openai_responses.answer_writer import write_answer
from lynkrc_runtime.protocol.openai_responses.read_items import DIALECT_NAME
from lynkrc_runtime.protocol.openai_responses.read_request import read_request
from lynkrc_runtime.protocol.openai_responses.stream_writer import ResponsesStreamWriter

__all__ = ["CLIENT"]

CLIENT = ClientDialect(
    name=DIALECT_NAME,
    read_request=read_request,
    write_answer=write_answer,
    stream_writer=ResponsesStreamWriter,
    write_problem=write_problem,
)
