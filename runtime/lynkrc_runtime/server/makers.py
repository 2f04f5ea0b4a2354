"""Signatures of reasoning, to the targets that made it: a memory of hashes, without any text.

Reasoning goes back to the target that made it and to no other (design: "Thinking blocks"). What an
answer signs is remembered for a day; on the way to another target such blocks are left out. What
is not known was made before this gateway started, or elsewhere: it is sent, and an upstream that
cannot read it says so (`server/fix_ups.py`). Where gateways share a store they also share this
memory: what one of them learns is written to the store behind the answer, and read by another when
a request comes with signatures it does not know. A store that is down, or slow, is done without.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import blake2b
from typing import final

import msgspec

from lynkrc_runtime.protocol.carrier import (
    CLAUDE,
    CLAUDE_REDACTED,
    OPENAI,
    sealed_content,
    unseal,
)
from lynkrc_runtime.protocol.conversation import (
    Block,
    RedactedThinking,
    Request,
    Text,
    Thinking,
)
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.late_messages import may_reason
from lynkrc_runtime.state.interface import Store, StoreDown

TTL = 24 * 3600.0
"""Seconds a signature is remembered."""
LIMIT = 32_768
"""Signatures remembered, the oldest forgotten first: about 6 MB."""
ASKED = 256
"""Signatures of one request that the store is asked for; the last ones, which count most."""
ASKED_WITHIN = 0.5
"""Seconds a request waits for that."""
ROOM = 16 * 1024 * 1024
"""Bytes of signatures in a shared store."""

_REASONING = (Thinking, RedactedThinking)


@final
class Makers:
    """The memory of one gateway; `clock` gives seconds that never run backwards.

    `store` is one that others read too; None where nobody does.
    """

    __slots__ = ("_clock", "_known", "_limit", "_store", "_unwritten", "_writing", "is_shared")

    def __init__(
        self, clock: Callable[[], float], *, limit: int = LIMIT, store: Store | None = None
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._store = store
        self.is_shared = store is not None
        """Whether `learn` may find something."""
        self._unwritten: dict[str, bytes] = {}
        self._writing: asyncio.Task[None] | None = None
        # In the order they were last seen, so what is too old stands first.
        self._known: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def remember(self, signatures: Iterable[str], target: str) -> None:
        """`target` (its name) made these."""
        made = [_key(signature) for signature in signatures]
        if not made:
            return
        self._know(dict.fromkeys(made, target))
        if self._store is not None:
            self._unwritten |= {_shared(key): target.encode() for key in made}
            if self._writing is None or self._writing.done():
                self._writing = asyncio.get_running_loop().create_task(self._write(self._store))

    def learn_from(self, blocks: Sequence[Block], target: str) -> None:
        """`target` (its name) answered so."""
        for block in blocks:
            if type(block) is not Text:  # as most are
                self.remember(signatures_of(blocks), target)
                return

    def _know(self, made: Mapping[bytes, str]) -> None:
        now = self._clock()
        for key, target in made.items():
            self._known[key] = (target, now)
            self._known.move_to_end(key)
        while self._known:
            oldest, (_, seen) = next(iter(self._known.items()))
            if len(self._known) <= self._limit and now - seen < TTL:
                return
            del self._known[oldest]

    async def learn(self, request: Request) -> None:
        """Ask the store for those signatures of the history that are not known here.

        At most the last `ASKED`, and within `ASKED_WITHIN`: a request does not fail for this.
        """
        if self._store is None:
            return
        unknown = {
            _shared(key): key
            for signature in signatures_of(_reasoning(request))
            if (key := _key(signature)) not in self._known
        }
        if unknown:
            asked = list(unknown)[-ASKED:]
            with suppress(StoreDown, TimeoutError):
                async with asyncio.timeout(ASKED_WITHIN):
                    found = await self._store.get(asked)
                self._know({unknown[key]: value.decode() for key, value in found.items()})

    async def _write(self, store: Store) -> None:
        """Write what there is to write, also what comes meanwhile."""
        while self._unwritten:
            values, self._unwritten = self._unwritten, {}
            with suppress(StoreDown):
                await store.put(values, TTL, ROOM)

    async def flush(self) -> None:
        """Wait until all is written, or lost with a store that is down."""
        if self._writing is not None:
            await self._writing

    def maker_of(self, signature: str) -> str | None:
        """The target that made it; None where that is not known, or no longer."""
        known = self._known.get(_key(signature))
        if known is None or self._clock() - known[1] >= TTL:
            return None
        return known[0]

    def foreign(self, request: Request, target: str) -> frozenset[str]:
        """The signatures in the history that another target than this one is known to have made."""
        if not self._known:
            return frozenset()
        return frozenset(
            signature
            for signature in signatures_of(_reasoning(request))
            if self.maker_of(signature) not in (None, target)
        )


def _reasoning(request: Request) -> list[Block]:
    # A long history has thousands of blocks, and most have none that reasons.
    if not may_reason(request.messages):
        return []
    return [
        block
        for message in request.messages
        for block in message.blocks
        if isinstance(block, _REASONING)
    ]


def signatures_of(blocks: Iterable[Block]) -> Iterator[str]:
    """What the makers of the reasoning among these blocks know it by."""
    for block in blocks:
        if type(block) is Text:
            continue  # as most are
        match block:
            case Thinking(signature=str(signature)) if signature:
                yield signature
            case RedactedThinking(data=data):
                yield data
            case _:
                pass


def without_foreign(
    request: Request, facts: TargetFacts, foreign: frozenset[str], *, passing: bool
) -> tuple[Request, TargetFacts, tuple[str, ...]]:
    """(request, facts, transforms) that leave out reasoning with these signatures.

    A pass-through sends the client's own bytes, so there the facts tell the dialect what to cut
    out of them; it lists that itself.
    """
    if not foreign:
        return request, facts, ()
    if passing:
        return request, replace(facts, foreign=foreign), ()
    kept = []
    for message in request.messages:
        blocks = tuple(b for b in message.blocks if foreign.isdisjoint(signatures_of((b,))))
        if blocks or not message.blocks:
            kept.append(msgspec.structs.replace(message, blocks=blocks))
    stripped = msgspec.structs.replace(request, messages=tuple(kept))
    return stripped, facts, ("stripped=thinking",)


def _key(signature: str) -> bytes:
    """Sixteen bytes; what Claude signed or OpenAI sealed has one key, however it travels."""
    carried = unseal(signature)
    if carried is not None and carried.kind in (CLAUDE, CLAUDE_REDACTED):
        signature = carried.data
    elif carried is not None and carried.kind == OPENAI:
        signature = sealed_content(carried.data) or signature
    return blake2b(signature.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _shared(key: bytes) -> str:
    return f"maker:{key.hex()}"
