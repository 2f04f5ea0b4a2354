"""A request that has ended to what is remembered of its session: numbers and names of the spec.

Targets and tiers are remembered by name, so a reload or another replica reads them as its own
bundle has them; what a bundle does not have is not among what it decides.
"""

from collections.abc import Sequence
from typing import Annotated, TypeAlias, final

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from lynkrc_runtime.cost import Prices, prices_of
from lynkrc_runtime.dispatch import Dispatch, Target
from lynkrc_runtime.protocol.conversation import (
    Block,
    Message,
    Opaque,
    Role,
    ToolResult,
    Usage,
)
from lynkrc_runtime.protocol.late_messages import ASSISTANT, RESULT, USER, LateMessages, course_of
from lynkrc_runtime.telemetry.outcome import Ending, Outcome

CACHE_TIME = 300.0
"""Seconds a provider's cache is thought to hold a prompt: the shortest time that providers give
for theirs (Anthropic's; it begins anew with each use)."""
LONG_CACHE_TIME = 3600.0
"""Where the provider says it wrote for an hour."""
_ANSWERS = ("_call_output", "_approval_response")
"""Ends of the types of items that answer a call: of a shell, a patch, a computer."""

Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]


@final
class Memory(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What is remembered of a conversation.

    `turns` it has had, the last `tier` decided, the `target` that served last (None: it `failed`)
    and `held`, the tier in which that target was chosen. `prompt` and `output` are tokens of the
    last request, `warm` of them the target's cache is thought to hold `until` (Unix seconds).
    `messages` is how long the conversation was.
    """

    turns: Count = 0
    tier: str | None = None
    target: str | None = None
    held: str | None = None
    failed: bool = False
    prompt: Count = 0
    output: Count = 0
    warm: Count = 0
    until: float = 0.0
    messages: Count = 0

    def warm_at(self, now: float) -> int:
        """Tokens that are warm still."""
        return self.warm if now < self.until else 0


_DECODER = msgspec.msgpack.Decoder(Memory)
_ENCODER = msgspec.msgpack.Encoder()


def pack(memory: Memory) -> bytes:
    """For the store."""
    return _ENCODER.encode(memory)


def unpack(data: bytes) -> Memory | None:
    """From the store; None where that is not what `pack` made.

    >>> unpack(pack(Memory(turns=3, target="sonnet"))).turns
    3
    >>> unpack(b"rust") is None
    True
    """
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


@final
class Seen(Struct, frozen=True, kw_only=True, gc=False):
    """What a request is to its conversation: one more `step` of a turn, or the turn's beginning.

    `again`: it stands where the last one stood, so it does not begin another turn. `messages` is
    their number.
    """

    step: bool
    again: bool
    messages: int


@final
class Costs(Struct, frozen=True, kw_only=True, gc=False):
    """Of a target: its prices (None: not known), and whether it caches prompts for less."""

    prices: Prices | None
    caches: bool


def costs_of(target: Target) -> Costs:
    """What a bundle says of it. A cache that is no cheaper saves nothing, so it counts as none."""
    prices = prices_of(target.price)
    caches = "prompt_cache" in target.capabilities
    return Costs(
        prices=prices,
        caches=caches and (prices is None or prices.cache_read < prices.input),
    )


def is_step(messages: Sequence[Message]) -> bool:
    """Whether the last user message holds tool results: the turn began before.

    >>> from lynkrc_runtime.protocol.conversation import Text
    >>> is_step([Message(role=Role.USER, blocks=(Text(text="go on"),))])
    False
    """
    if type(messages) is LateMessages:
        course = messages.course
        last = max(course.kinds.rfind(RESULT), course.kinds.rfind(USER))
        if course.results and course.results[-1] == last:
            return True  # known without the message
    for message in reversed(messages):
        if message.role is Role.USER:
            return any(map(_is_result, message.blocks))
    return False


def _is_result(block: Block) -> bool:
    """Whether a block answers a call, or one of the tools that Responses alone has."""
    match block:
        case ToolResult():
            return True
        case Opaque(type=kind):
            return kind.endswith(_ANSWERS)
        case _:
            return False


def begins(messages: Sequence[Message]) -> bool:
    """Whether nothing has been answered yet."""
    return ASSISTANT not in course_of(messages).kinds


_FAILED = frozenset({Ending.TRANSIENT, Ending.THROTTLED, Ending.OURS, Ending.BROKEN})
"""Endings that are the targets' failure, not the request's."""
_REMEMBERED = frozenset({Ending.SERVED, Ending.ABORTED})
"""Endings of which the target is remembered that was called."""


def remember(
    memory: Memory | None,
    seen: Seen,
    outcome: Outcome,
    *,
    dispatch: Dispatch,
    costs: Sequence[Costs],
    kept: bool,
    now: float,
) -> Memory | None:
    """What is remembered next; None where the request changes nothing.

    `kept`: the target was tried first because of this session. `now` is in Unix seconds.
    """
    before = Memory() if memory is None else memory
    if outcome.ending in _FAILED:
        return replace(before, target=None, held=None, failed=True, warm=0)
    if outcome.target is None or outcome.ending not in _REMEMBERED:
        return None
    name = dispatch.targets[outcome.target].name
    is_same = name == before.target
    charge = outcome.attempts[-1].charge if outcome.attempts else None
    prompt, output, until = before.prompt, before.output, before.until
    warm = before.warm if is_same else 0
    if outcome.ending is not Ending.ABORTED and charge is not None:
        usage = charge.usage
        prompt, output = _prompt(usage), usage.output
        lives = LONG_CACHE_TIME if usage.cache_write_1h else CACHE_TIME
        # What was written for an hour is held that long, however the next request is written.
        until = max(now + lives, until if warm else 0.0)
        warm = warm_tokens(usage, costs[outcome.target])
    return Memory(
        turns=max(1, before.turns) if seen.step or seen.again else before.turns + 1,
        tier=outcome.tier,
        target=name,
        held=before.held if kept and is_same else outcome.tier,
        failed=False,
        prompt=prompt,
        output=output,
        warm=warm,
        until=until,
        messages=seen.messages,
    )


def warm_tokens(usage: Usage, costs: Costs) -> int:
    """Tokens of a prompt that the target's cache holds after it.

    Where writing costs more than reading anew, only what the provider says it wrote or read;
    elsewhere it caches of itself, and all of it is thought to be there.
    """
    if not costs.caches:
        return 0
    if costs.prices is not None and costs.prices.cache_write > costs.prices.input:
        return usage.cache_read + usage.cache_write
    return _prompt(usage)


def _prompt(usage: Usage) -> int:
    return usage.input + usage.cache_read + usage.cache_write
