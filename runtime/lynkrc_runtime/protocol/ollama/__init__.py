"""The native Ollama dialect (``/api/chat``): the record of its writer and readers.

No client of ours speaks it. Newer servers also speak Chat, Messages and Responses; what those lack
is told in `providers/table.py`.
"""

from lynkrc_runtime.protocol.dialect import TargetDialect
from lynkrc_runtime.protocol.ollama.answer import read_answer
from lynkrc_runtime.protocol.ollama.errors import read_failure
from lynkrc_runtime.protocol.ollama.stream_reader import OllamaStreamReader
from lynkrc_runtime.protocol.ollama.write_request import write_request

__all__ = ["TARGET"]

TARGET = TargetDialect(
    name="ollama-chat",
    stream_types=("application/x-ndjson",),
    pass_request=None,
    write_request=write_request,
    read_answer=read_answer,
    stream_reader=OllamaStreamReader,
    read_failure=read_failure,
)
