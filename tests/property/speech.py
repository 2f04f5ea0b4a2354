"""What an upstream says, and how a dialect of upstreams is described; pieces of their spelling."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from lynkrc_runtime.protocol.conversation import Block, Stop, ToolCall, Usage

Json = dict[str, Any]

USAGE = Usage(input=21, output=12, cache_read=4, reasoning=5)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What an upstream says; a stream is cut into pieces of `step` characters.

    `mixed`: pieces of parallel calls come by turns, where the dialect can do that.
    """

    blocks: tuple[Block, ...]
    stop: Stop
    sequence: str | None = None
    usage: Usage = USAGE
    step: int = 5
    mixed: bool = False

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(block for block in self.blocks if isinstance(block, ToolCall))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How an upstream speaks, and what it has words for.

    `one_of_each`: reasoning, text, calls, in this order. `without`: blocks it never says.
    """

    whole: Callable[[Speech], bytes]
    stream: Callable[[Speech], bytes]
    stops: Mapping[Stop, str]
    one_of_each: bool = False
    without: tuple[type[Block], ...] = ()
    signs: bool = True
    ids: tuple[str, ...] = ()
    counts: frozenset[str] = frozenset(("cache_read", "cache_write", "reasoning"))
    """Kinds of tokens beside input and output."""

    def sayable(self, usage: Usage) -> Usage:
        """The usage without the kinds this dialect does not count."""
        unsaid: Json = {
            name: None if name == "reasoning" else 0
            for name in ("cache_read", "cache_write", "reasoning")
            if name not in self.counts
        }
        if "cache_write_1h" not in self.counts:
            unsaid["cache_write_1h"] = None
        return replace_usage(usage, unsaid)


def replace_usage(usage: Usage, members: Json) -> Usage:
    """The usage with other counts."""
    given = {name: getattr(usage, name) for name in usage.__struct_fields__}
    return Usage(**(given | members))


def to_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def to_sse(items: Sequence[Any], end: str = "\n") -> bytes:
    pieces = []
    for item in items:
        name = f"event: {item['type']}{end}" if isinstance(item, dict) and "type" in item else ""
        data = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
        pieces.append(f"{name}data: {data}{end}{end}")
    return "".join(pieces).encode()


def pieces_of(text: str, step: int) -> Iterator[str]:
    for at in range(0, len(text), step):
        yield text[at : at + step]


def prompt_of(usage: Usage) -> int:
    return usage.input + usage.cache_read + usage.cache_write
