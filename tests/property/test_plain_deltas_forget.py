"""One thing changes among deltas spelled alike: what follows is the same as read with care.

Every change a server may make to its next event, or to what stands between two, is tried amid
deltas that are known by their spelling.
"""

import pytest

from tests.property.test_plain_deltas_agree import (
    FIRST,
    PADDINGS,
    SINKS,
    TEXTS,
    USAGES,
    named,
    outcome,
    with_care,
)
from tests.runtime.by_hand import CHAT, MESSAGES, RESPONSES

MESSAGE = (
    '{"type":"content_block_delta","index":INDEX,"delta":{"type":"KIND","text":TEXT}MORE}',
    {
        "INDEX": ("0", "1", "null"),
        "KIND": ("text_delta", "thinking_delta", "signature_delta"),
        "TEXT": TEXTS,
        "MORE": ("", " ", ',"text":"b"', ',"usage":{"output_tokens":7}'),
    },
)
CHUNK = (
    '{"id":"c","model":"m","choices":[{"index":INDEX,"delta":{"MEMBER":TEXT},'
    '"finish_reason":FINISH}]USAGEPADDING}',
    {
        "INDEX": ("0", "1"),
        "MEMBER": ("content", "refusal", "reasoning_content", "reasoning"),
        "TEXT": TEXTS,
        "FINISH": ("null", '"stop"', '"content_filter"'),
        "USAGE": USAGES,
        "PADDING": (PADDINGS[1], *PADDINGS),
    },
)
DELTA = (
    '{"type":"response.KIND","sequence_number":NUMBER,"item_id":"i","output_index":PLACE,'
    '"content_index":PART,"delta":TEXT,"logprobs":[]PADDING}',
    {
        "KIND": ("output_text.delta", "refusal.delta", "reasoning_text.delta", "next.delta"),
        "NUMBER": ("12", "3", "0", "07", "1e1", "", '"4"', "-1"),
        "PLACE": ("0", "1"),
        "PART": ("0", "1"),
        "TEXT": TEXTS,
        "PADDING": (PADDINGS[1], *PADDINGS),
    },
)
BETWEEN = {
    MESSAGES: [
        named(payload)
        for payload in (
            '{"type":"content_block_stop","index":0}',
            '{"type":"content_block_start","index":0,"content_block":{"type":"text"}}',
            '{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{}}',
            '{"type":"message_stop"}',
            '{"type":"ping"}',
        )
    ],
    CHAT: [
        b"data: [DONE]\n\n",
        b'data: {"choices":[],"usage":{"prompt_tokens":3}}\n\n',
        b'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":'
        b'{"name":"look","arguments":"{"}}]}}]}\n\n',
    ],
    RESPONSES: [
        named('{"type":"response.content_part.done","output_index":0,"content_index":0,"part":{}}'),
        named('{"type":"response.output_item.done","output_index":0,"item":{"type":"message"}}'),
        named('{"type":"response.completed","response":{"id":"r"}}'),
    ],
}


def usual(shape: str, parts: dict[str, tuple[str, ...]], **changed: str) -> str:
    """The event with the first of all choices, but for what changed."""
    for name, choices in parts.items():
        shape = shape.replace(name, changed.get(name, choices[0]))
    return shape


def spelled(source: str, payload: str) -> bytes:
    if source != CHAT:
        return named(payload)
    return f"data: {payload}\n\n".encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize(
    ("source", "form"), [(MESSAGES, MESSAGE), (CHAT, CHUNK), (RESPONSES, DELTA)]
)
def test_a_change_is_seen(
    source: str, form: tuple[str, dict[str, tuple[str, ...]]], sink: str
) -> None:
    shape, parts = form
    one = spelled(source, usual(shape, parts))
    changes = [
        spelled(source, usual(shape, parts, **{name: choice}))
        for name, choices in parts.items()
        for choice in choices
    ]
    for change in [*changes, *BETWEEN[source], b": noise\n\n", b"id: 7\n", b"\n"]:
        events = [FIRST[source], one, one, one, change, one, one, change, change, one]
        for chunks in (events, [b"".join(events)], [b"".join(events[:5]), b"".join(events[5:])]):
            assert outcome(source, sink, chunks) == with_care(source, sink, chunks), change
