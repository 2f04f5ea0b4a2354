"""A whole Ollama answer, to a neutral `Answer` (wire reference B.10, C.4)."""

import msgspec
from msgspec.structs import replace

from lynkrc_runtime.protocol.carrier import mark
from lynkrc_runtime.protocol.conversation import Answer, Block, BrokenAnswer, Text, Thinking
from lynkrc_runtime.protocol.dialect import ANY_TARGET, TargetFacts
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.ollama.wire import (
    Line,
    Said,
    read_call,
    read_line,
    read_stop,
    read_usage,
)
from lynkrc_runtime.protocol.outside import NOT_JSON

_names = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_READ = frozenset((*Line.__struct_fields__, "prompt_eval_count", "eval_count"))
_READ_OF_MESSAGE = frozenset((*Said.__struct_fields__, "role"))


def read_answer(body: bytes, facts: TargetFacts = ANY_TARGET) -> Answer:
    """The answer of an upstream's 200; BrokenAnswer where that is no answer, or not a whole one."""
    line = read_line(body)
    if line.message is None or not line.done:
        raise BrokenAnswer(broken("upstream answered without a whole message"))
    said = line.message
    blocks: list[Block] = []
    if said.thinking:
        blocks.append(Thinking(text=said.thinking, signature=mark(facts.maker)))
    if said.content:
        blocks.append(Text(text=said.content))
    taken: set[str] = set()
    answer = (line.model, line.created_at)
    for number, call in enumerate(said.tool_calls or ()):
        read = read_call(call, answer, number)
        if read.id in taken:
            read = replace(read, id=f"{read.id}__{number}")
        taken.add(read.id)
        blocks.append(read)
    return Answer(
        id="",
        model=line.model,
        blocks=tuple(blocks),
        stop=read_stop(line.done_reason, has_calls=bool(said.tool_calls)),
        stop_sequence=None,
        usage=read_usage(line),
        lost=_lost(body),
    )


def _lost(body: bytes) -> tuple[str, ...]:
    try:
        members = _names(body)
        inner = _names(members["message"])
    except NOT_JSON as error:
        raise BrokenAnswer(broken("upstream sent something else than an answer")) from error
    names = [name for name in members if name not in _READ]
    return (*names, *(name for name in inner if name not in _READ_OF_MESSAGE))
