"""A wire message to one like it with another value somewhere: JSON stays JSON, lines stay lines.

Random edits of bytes mostly make text that no parser takes; what lies behind the parser is reached
by messages that are well formed and mean nonsense.
"""

import json
import random
from typing import Any

from tests.fuzz.mutations import mutated

DEEP = "[" * 1_500 + "]" * 1_500
HUGE = "9" * 4_500
"""More digits than Python turns into a number."""
ATOMS: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 7, 2**31, 2**53 + 1, 2**63, 2**64, 2**80, -(2**63), 0.5, 1e300),
    *(
        "",
        "a",
        "0",
        "-1",
        "null",
        "é\u2028",
        "\x00",
        "{}",
        '{"a":1}',
        '{"a',
        "gw1.",
        "====",
        "AAAA",
    ),
    *([], {}, [[]], [{}], [None], {"": None}, {"type": "text"}, {"error": {}}, "x" * 300),
)
_WORDS = tuple(
    piece.encode()
    for piece in (
        *("{", "}", "[", "]", '"', ",", ":", "\n", "\r", "\r\n", "\n\n", "data: ", "event: ", "\\"),
        *("data: [DONE]\n\n", "event: error\n", "id: 1\n", ": ping\n\n", "\ufeff", "\u2028", "\0"),
        *(
            "1e999",
            "NaN",
            "-0",
            "1" * 40,
            HUGE,
            DEEP,
            '{"a":' * 300,
            "\\ud800",
            "null",
            "-1",
            "gw1.",
        ),
    )
)
PIECES = (*_WORDS, b"\xff", b"\xc3", b"\x00\x00\x00\x10", b"\x80")


def mutated_wire(data: bytes, chance: random.Random, other: bytes) -> bytes:
    """`data` after one to four changes, mostly of values inside the JSON of its lines."""
    for _ in range(chance.randint(1, 4)):
        kind = chance.randrange(8)
        if kind == 0:
            data = mutated(data, chance, other, PIECES)
        elif kind == 1:
            data = _lines_moved(data, chance, other)
        else:
            data = _value_changed(data, chance, other)
    return data


def _lines_moved(data: bytes, chance: random.Random, other: bytes) -> bytes:
    """A line or an event left out, said twice, in another place, or taken from `other`."""
    end = b"\n\n" if b"\n\n" in data else b"\n"
    lines = data.split(end)
    at = chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            del lines[at]
        case 1:
            lines.insert(chance.randint(0, len(lines)), lines[at])
        case 2:
            lines.insert(chance.randint(0, len(lines)), lines.pop(at))
        case _:
            lines.insert(at, chance.choice(other.split(end)))
    return end.join(lines)


def _value_changed(data: bytes, chance: random.Random, other: bytes) -> bytes:
    lines = data.split(b"\n")
    places = [at for at, line in enumerate(lines) if b"{" in line or b"[" in line]
    if not places:
        return mutated(data, chance, other, PIECES)
    at = chance.choice(places)
    line = lines[at]
    start = min(found for found in (line.find(b"{"), line.find(b"[")) if found >= 0)
    try:
        value = json.loads(line[start:])
        lines[at] = line[:start] + json.dumps(_changed(value, chance)).encode()
    except (ValueError, RecursionError):
        return mutated(data, chance, other, PIECES)
    return b"\n".join(lines)


def _changed(value: Any, chance: random.Random) -> Any:
    """`value` with something in it replaced, taken out, renamed or said twice."""
    if not isinstance(value, dict | list) or not value or chance.random() < 0.1:
        return chance.choice(ATOMS)
    if isinstance(value, list):
        at = chance.randrange(len(value))
        kind = chance.randrange(8)
        if kind == 0:
            return value[:at] + value[at + 1 :]
        if kind == 1:
            return [*value, value[at]]
        return [*value[:at], _changed(value[at], chance), *value[at + 1 :]]
    name = chance.choice(list(value))
    kind = chance.randrange(10)
    if kind == 0:
        return {key: one for key, one in value.items() if key != name}
    if kind == 1:
        return value | {chance.choice(list(value)): value[name]}
    if kind == 2:
        return value | {chance.choice(_MEMBERS): chance.choice(ATOMS)}
    return value | {name: _changed(value[name], chance)}


_MEMBERS = (
    *("type", "index", "id", "name", "error", "usage", "content", "delta", "input", "arguments"),
    *("text", "thinking", "signature", "data", "message", "role", "choices", "tool_calls", "item"),
    *("reasoning_details", "reasoning", "reasoning_content", "output", "response", "output_index"),
    *("parts", "functionCall", "thoughtSignature", "promptFeedback", "done", "done_reason", "code"),
    *("encrypted_content", "summary", "refusal", "annotations", "content_index", "stop_reason"),
)
