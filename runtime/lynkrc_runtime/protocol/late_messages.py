"""Messages as a dialect decoded them, to the neutral ones, each made when somebody wants it.

A decision needs little of a long conversation: the user's last words, how often who spoke, what
tools said and how long it all is. A reader notes that while it checks the messages (`Course`, and
the estimate of their tokens), and a request that is passed as it came needs few of them made.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, SupportsIndex, TypeAlias, final, overload

import msgspec
from msgspec import Struct

from lynkrc_runtime.protocol.conversation import (
    Document,
    Image,
    Message,
    RedactedThinking,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

SYSTEM: Final = b"s"[0]
ASSISTANT: Final = b"a"[0]
USER: Final = b"u"[0]
RESULT: Final = b"r"[0]
"""Results of tools and nothing else, as most of an agent's user messages are."""

WORDS: Final = b"w"[0]
"""A user message that surely holds words of the user's own, and is known to be `USER` otherwise."""
NOTHING: Final = b"n"[0]
"""One that surely holds nothing of the user's own."""

GivenCall: TypeAlias = tuple[str, str | bytes]
"""The name of a called tool, and what it is given, as it was written."""

ForChat: TypeAlias = Callable[[bytes, bool, bool, bool], tuple[bytes, bytes] | None]
"""What opens the list, and what the target wants, to the list and the letters of its losses."""

Told: TypeAlias = Callable[[bytes, int, int, Callable[[bytes], str]], list[str | int] | None]
"""See `told_beside`; the last is what decodes a JSON string."""

_text: Final = msgspec.json.Decoder(str).decode
_KINDS: Final = {Role.SYSTEM: SYSTEM, Role.ASSISTANT: ASSISTANT, Role.USER: USER}


@final
class Course(Struct, frozen=True, kw_only=True, gc=False):
    """What happens in a conversation, message by message.

    `kinds` has a byte for each message (`SYSTEM`, `ASSISTANT`, `USER`, `RESULT`); `results` has
    the index of the message of each tool result, in order, `errors` those of the ones that failed.
    `images` and `documents` are counted inside tool results too. `has_reasoning` tells whether
    any block is reasoning.
    """

    kinds: bytes
    results: Sequence[int] = ()
    errors: Sequence[int] = ()
    images: int = 0
    documents: int = 0
    has_reasoning: bool = False


@final
class LateMessages(Sequence[Message]):
    """A tuple of messages in all but its time; equal to one of equal messages.

    Message `i` is what `build` makes of `entries[starts[i]:starts[i + 1]]`, where the last ends
    with the entries; `build` must not fail. `tokens` is their estimate, `course` theirs. `calls`
    gives the tool calls in entries from an index on, in order; it may leave out those that surely
    equal no other one. `for_messages` gives them as the JSON text of what the writer for the
    Messages API would make of them without a loss; None where that takes its care. `for_chat` is
    the same for Chat (see `Turns.for_chat`).

    `own` gives the kinds with `WORDS` or `NOTHING` in the place of `USER` where that is known
    without a message; it is given the prefixes of clients, as `Markers` have them `spelled`.
    `words` gives the text of a message that is `WORDS`, not trimmed; None where it holds more than
    one. `told` is what `told_beside` asks.
    """

    __slots__ = (
        "_alone",
        "_build",
        "_calls",
        "_entries",
        "_made",
        "_starts",
        "course",
        "for_chat",
        "for_messages",
        "own",
        "tokens",
        "told",
        "words",
    )

    def __init__(
        self,
        entries: Sequence[Any],
        starts: Sequence[int],
        build: Callable[[Sequence[Any]], Message],
        course: Course,
        tokens: int,
        calls: Callable[[int], list[GivenCall]],
        *,
        for_messages: Callable[[], bytes | None] = lambda: None,
        own: Callable[[bytes], bytes] | None = None,
        words: Callable[[int], str | None] = lambda _: None,
        for_chat: ForChat = lambda *_: None,
        told: Told = lambda *_: None,
    ) -> None:
        self._entries = entries
        self._starts = starts
        self._build = build
        self._calls = calls
        self._alone: dict[int, Message] = {}
        self._made: tuple[Message, ...] | None = None
        self.course = course
        self.tokens = tokens
        self.for_messages = for_messages
        self.own = own
        self.words = words
        self.for_chat = for_chat
        self.told = told

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: SupportsIndex) -> Message: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Message, ...]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Message | tuple[Message, ...]:
        if self._made is not None or isinstance(index, slice):
            return self._all()[index]
        starts = self._starts
        place = range(len(starts))[index]
        # The first and the last ones are asked for several times.
        made = self._alone.get(place)
        if made is None:
            end = starts[place + 1] if place + 1 < len(starts) else len(self._entries)
            made = self._alone[place] = self._build(self._entries[starts[place] : end])
        return made

    def __reversed__(self) -> Iterator[Message]:
        return map(self.__getitem__, range(len(self._starts) - 1, -1, -1))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LateMessages | tuple):
            return NotImplemented
        return self._all() == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # messages hold dicts

    def __repr__(self) -> str:
        return repr(self._all())

    def calls_since(self, first: int) -> list[GivenCall]:
        """See the function of that name; no message is made for it."""
        starts = self._starts
        return self._calls(starts[first]) if first < len(starts) else []

    def _all(self) -> tuple[Message, ...]:
        if self._made is None:
            # All at once: they may be decoded only now.
            entries, starts, build = self._entries[:], self._starts, self._build
            ends = (*starts[1:], len(entries))
            self._made = tuple(
                [build(entries[start:end]) for start, end in zip(starts, ends, strict=False)]
            )
        return self._made


def may_reason(messages: Sequence[Message]) -> bool:
    """Whether there may be reasoning among the blocks: False where it is known without a look."""
    return type(messages) is not LateMessages or messages.course.has_reasoning


def own_kinds(messages: Sequence[Message], prefixes: bytes) -> bytes:
    """The kinds of these messages, with `WORDS` or `NOTHING` in the place of `USER` where it is
    known without a look at the message. What begins with one of the prefixes, which are as
    `Markers` have them `spelled`, is no user's.
    """
    if type(messages) is LateMessages and messages.own is not None:
        return messages.own(prefixes)
    return course_of(messages).kinds


def words_of(messages: Sequence[Message], index: int) -> str | None:
    """The one text of a message that is `WORDS`, not trimmed; None where it holds others."""
    return messages.words(index) if type(messages) is LateMessages else None


def told_beside(
    messages: Sequence[Message], known: bytes, first: int, last: int
) -> list[str | int] | None:
    """What assistants said, and users but for the messages from `first` to `last`: texts in order.

    Those of users are their own words, trimmed. The index of a message stands for one that must be
    looked at; None where all must be. `known` is what `own_kinds` says of the messages.
    """
    return messages.told(known, first, last, _text) if type(messages) is LateMessages else None


def calls_since(messages: Sequence[Message], first: int) -> list[GivenCall]:
    """The tool calls in these messages from the index `first` on.

    Those that surely say something else than every other one may be left out.
    """
    if type(messages) is LateMessages:
        return messages.calls_since(first)
    return [
        (block.name, block.arguments)
        for message in messages[first:]
        for block in message.blocks
        if type(block) is ToolCall
    ]


def course_of(messages: Sequence[Message]) -> Course:
    """What happens in these messages."""
    if type(messages) is LateMessages:
        return messages.course
    kinds = bytearray()
    results: list[int] = []
    errors: list[int] = []
    images = documents = 0
    has_reasoning = False
    for index, message in enumerate(messages):
        blocks = message.blocks
        before = len(results)
        for block in blocks:
            if type(block) is Text or type(block) is ToolCall:
                continue
            if type(block) is ToolResult:
                results.append(index)
                if block.is_error:
                    errors.append(index)
                for part in block.content:
                    if type(part) is not Text:
                        images += type(part) is Image
                        documents += type(part) is Document
            elif type(block) is Thinking or type(block) is RedactedThinking:
                has_reasoning = True
            else:
                images += type(block) is Image
                documents += type(block) is Document
        kind = _KINDS[message.role]
        has_results_alone = kind == USER and len(results) - before == len(blocks) > 0
        kinds.append(RESULT if has_results_alone else kind)
    return Course(
        kinds=bytes(kinds),
        results=results,
        errors=errors,
        images=images,
        documents=documents,
        has_reasoning=has_reasoning,
    )
