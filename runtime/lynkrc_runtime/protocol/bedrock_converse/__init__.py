"""The Bedrock Converse dialect (wire reference B.5, C.2): the record of its functions."""

from lynkrc_runtime.protocol.bedrock_converse.answer import read_answer
from lynkrc_runtime.protocol.bedrock_converse.counting import COUNTING
from lynkrc_runtime.protocol.bedrock_converse.errors import read_failure
from lynkrc_runtime.protocol.bedrock_converse.families import NAME
from lynkrc_runtime.protocol.bedrock_converse.stream_reader import ConverseReader
from lynkrc_runtime.protocol.bedrock_converse.write_request import write_request
from lynkrc_runtime.protocol.dialect import TargetDialect
from lynkrc_runtime.protocol.event_stream import CONTENT_TYPES

__all__ = ["TARGET"]

TARGET = TargetDialect(
    name=NAME,
    stream_types=CONTENT_TYPES,
    pass_request=None,
    write_request=write_request,
    read_answer=read_answer,
    stream_reader=ConverseReader,
    read_failure=read_failure,
    counting=COUNTING,
)
