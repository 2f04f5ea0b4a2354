"""Random answers, and the bytes an upstream of each dialect sends of them: whole, and as a stream.

Spelled after the wire formats, apart from the project's own writers; a dialect is only asked to
say what it has words for (`DIALECTS`). Reasoning that its maker needs back is signed by `SIGNED`.
"""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import strategies as st

from lynkrc_runtime.protocol.conversation import (
    Block,
    RedactedThinking,
    Refusal,
    Stop,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from tests.property.speech import Dialect, Speech, to_json
from tests.property.upstreams_of_clouds import (
    CONVERSE_STOPS,
    GEMINI_STOPS,
    OLLAMA_STOPS,
    converse_stream,
    converse_whole,
    gemini_stream,
    gemini_whole,
    ollama_stream,
    ollama_whole,
)
from tests.property.upstreams_over_sse import (
    CHAT_STOPS,
    MESSAGES_STOPS,
    chat_stream,
    chat_whole,
    messages_stream,
    messages_value,
    responses_stream,
    responses_value,
)

SIGNED = "c2lnbmVkLWJ5LWl0cy1tYWtlcg=="
"""What the maker of the reasoning wants back."""
REDACTED = "cmVkYWN0ZWQtYnktaXRzLW1ha2Vy"

WORDS = st.sampled_from(
    [
        "Hello",
        "晨 \u2028 und \u0085\u2029",
        " ",
        "\n\n",
        "e\u0301 \U0001f469\u200d\U0001f680",
        '{"a": "\\u0041',
        "data: [DONE]\r\n\r\nevent: x\n",
        "\u0000\u001f",
        "ab" * 40,
    ]
)
INPUTS = st.sampled_from(
    [
        "{}",
        '{"city":"Zür\\u0069ch \u2028","n":1.5}',
        '{"a": {"b": [1, null, true, "\\u0085\\\\"]}, "": "\\""}',
        '{"text":"' + "long " * 30 + '"}',
    ]
)
FREE = '{"input":"*** Begin Patch\\n+\u2028"}'
"""What a model answers for a free-form tool it was offered as a function."""


@st.composite
def speeches(draw: st.DrawFn, target: str) -> Speech:
    """Any answer that this target could give."""
    dialect = DIALECTS[target]
    kinds = [kind for kind in (Thinking, RedactedThinking, Text, ToolCall, Refusal)
             if kind not in dialect.without]  # fmt: skip
    if dialect.one_of_each:
        drawn = [kind for kind in kinds if draw(st.booleans())]
        if ToolCall in drawn:
            drawn += [ToolCall] * draw(st.integers(0, 2))
    else:
        drawn = draw(st.lists(st.sampled_from(kinds), max_size=5))
    blocks: list[Block] = []
    for kind in drawn:
        calls = sum(isinstance(block, ToolCall) for block in blocks)
        blocks.append(_block(draw, kind, calls, dialect))
    has_calls = any(isinstance(block, ToolCall) for block in blocks)
    stops = [stop for stop in dialect.stops if has_calls == (stop is Stop.TOOL_USE)]
    if has_calls:
        stops.append(Stop.LENGTH)
    stop = draw(st.sampled_from(stops))
    if any(isinstance(block, Refusal) for block in blocks) and stop is Stop.END:
        stop = Stop.REFUSAL
    return Speech(
        blocks=tuple(blocks),
        stop=stop,
        sequence="END" if stop is Stop.STOP_SEQUENCE else None,
        usage=dialect.sayable(Usage(input=21, output=12, cache_read=4, cache_write=2, reasoning=5)),
        step=draw(st.sampled_from([1, 3, 1000])),
        mixed=draw(st.booleans()),
    )


def _block(draw: st.DrawFn, kind: type[Block], calls: int, dialect: Dialect) -> Block:
    if kind is Thinking:
        signature = draw(st.sampled_from([None, SIGNED])) if dialect.signs else None
        return Thinking(text=draw(WORDS), signature=signature)
    if kind is RedactedThinking:
        return RedactedThinking(data=REDACTED)
    if kind is Text:
        return Text(text=draw(WORDS))
    if kind is Refusal:
        return Refusal(text=draw(WORDS))
    given = draw(st.sampled_from(dialect.ids))
    name = draw(st.sampled_from(["look", "unknown", "patch"]))
    arguments = FREE if name == "patch" else draw(INPUTS)
    return ToolCall(id=given and f"{given}{calls}", name=name, arguments=arguments)


DIALECTS: Mapping[str, Dialect] = {
    "anthropic-messages": Dialect(
        whole=lambda speech: to_json(messages_value(speech)),
        stream=messages_stream,
        stops=MESSAGES_STOPS,
        without=(Refusal,),
        ids=("toolu_01", "toolu_x"),
        counts=frozenset(("cache_read", "cache_write", "reasoning", "cache_write_1h")),
    ),
    "openai-chat": Dialect(
        whole=chat_whole,
        stream=chat_stream,
        stops=CHAT_STOPS,
        one_of_each=True,
        without=(RedactedThinking,),
        signs=False,
        ids=("call_", "functions.look:"),
    ),
    "openai-responses": Dialect(
        whole=lambda speech: to_json(responses_value(speech)),
        stream=responses_stream,
        stops={stop: stop.value for stop in (Stop.END, Stop.LENGTH, Stop.TOOL_USE, Stop.REFUSAL)},
        without=(RedactedThinking,),
        ids=("call_",),
    ),
    "gemini": Dialect(
        whole=gemini_whole,
        stream=gemini_stream,
        stops=GEMINI_STOPS,
        without=(RedactedThinking, Refusal),
        ids=("", "fc"),
        counts=frozenset(("cache_read", "reasoning")),
    ),
    "bedrock-converse": Dialect(
        whole=converse_whole,
        stream=converse_stream,
        stops=CONVERSE_STOPS,
        without=(Refusal,),
        ids=("tooluse_",),
        counts=frozenset(("cache_read", "cache_write", "cache_write_1h")),
    ),
    "ollama-chat": Dialect(
        whole=ollama_whole,
        stream=ollama_stream,
        stops=OLLAMA_STOPS,
        one_of_each=True,
        without=(RedactedThinking, Refusal),
        signs=False,
        ids=("", "call_"),
        counts=frozenset(),
    ),
}
"""By target dialect."""


def speech_of(target: str, usage: Usage) -> Speech:
    """The plainest answer, with this usage."""
    said = DIALECTS[target].sayable(usage)
    return replace(Speech(blocks=(Text(text="Hi"),), stop=Stop.END), usage=said)
