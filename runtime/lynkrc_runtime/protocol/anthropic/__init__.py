"""The Anthropic Messages dialect (wire reference A.1): the records of its functions."""

from lynkrc_runtime.protocol.anthropic.answer import read_answer, write_answer
from lynkrc_runtime.protocol.anthropic.counting import COUNTING
from lynkrc_runtime.protocol.anthropic.errors import write_problem
from lynkrc_runtime.protocol.anthropic.pass_request import pass_request
from lynkrc_runtime.protocol.anthropic.read_blocks import NAME
from lynkrc_runtime.protocol.anthropic.read_request import read_request, require_max_tokens
from lynkrc_runtime.protocol.anthropic.stream_reader import MessagesReader
from lynkrc_runtime.protocol.anthropic.stream_writer import MessagesWriter
from lynkrc_runtime.protocol.anthropic.write_request import write_request
from lynkrc_runtime.protocol.dialect import SSE, ClientDialect, TargetDialect
from lynkrc_runtime.protocol.failures import read_failure

__all__ = ["CLIENT", "TARGET", "require_max_tokens"]

CLIENT = ClientDialect(
    name=NAME,
    read_request=read_request,
    write_answer=write_answer,
    stream_writer=MessagesWriter,
    write_problem=write_problem,
)

TARGET = TargetDialect(
    name=NAME,
    stream_types=SSE,
    pass_request=pass_request,
    write_request=write_request,
    read_answer=read_answer,
    stream_reader=MessagesReader,
    read_failure=read_failure,
    counting=COUNTING,
)
