"""What every dialect provides: readers and writers of requests, answers, streams and errors.

A dialect that clients speak is a `ClientDialect`, one that targets speak a `TargetDialect`; some
are both. `tables.py` lists them. All of it is sans-IO: bytes in, values or bytes out; any split of
the bytes gives the same events.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, final

from msgspec import Struct

from lynkrc_runtime.protocol.conversation import (
    Answer,
    Delta,
    Event,
    Failure,
    Options,
    Request,
)
from lynkrc_runtime.protocol.plain_deltas import PlainDeltas
from lynkrc_runtime.protocol.shapes import RequestShape


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """What the writers and readers of a target must know of it.

    `maker` names who makes its reasoning (provider kind and model), for carriers: what another
    made cannot be replayed to it. '' where nothing is known.
    """

    model: str
    max_output: int
    capabilities: frozenset[str]
    shape: RequestShape
    maker: str = ""
    context: int = 0
    """Tokens of its context, 0 where that is not known."""
    without_thinking: bool = False
    """Leave out all reasoning of the history, and the wish for more: the target refused it."""
    foreign: frozenset[str] = frozenset()
    """Signatures, and data of redacted reasoning, that another target made: `pass_request` leaves
    such reasoning out. A translated request comes without it already."""


def hides_reasoning(options: Options, facts: TargetFacts) -> bool:
    """Whether the client asked to read reasoning of a model that has none."""
    return options.show_reasoning and "thinking" not in facts.capabilities


ANY_TARGET = TargetFacts(
    model="", max_output=1 << 30, capabilities=frozenset(), shape=RequestShape()
)
"""A target of which nothing is known."""


@final
class Written(Struct, frozen=True, kw_only=True):
    """An upstream request: the body, headers the dialect needs, and every change made.

    `transforms` are short stable names for ``x-lynkr-transforms``, such as
    ``max_tokens=64000``, ``dropped=top_k``, ``folded=mid-system``.
    """

    body: bytes
    headers: Mapping[str, str]
    transforms: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error of ours or one to re-shape for the client, before it has a dialect's form.

    `kind` is one of: invalid, authentication, billing, permission, not_found, too_large,
    rate_limited, spent, overloaded, timeout, internal, bad_gateway, misconfigured,
    context_overflow. `param` names the offending field. `resets_at` (Unix seconds) is when what is
    spent begins anew.
    """

    status: int
    kind: str
    message: str
    param: str | None = None
    code: str | None = None
    resets_at: int | None = None
    request_id: str = ""


class StreamReader(Protocol):
    """Upstream bytes to events. After `MessageEnd` or `StreamError` it returns nothing more."""

    @property
    def deltas(self) -> PlainDeltas:
        """How those that `plain` takes are spelled, and what they are like."""
        ...

    @property
    def is_plain(self) -> bool:
        """Whether deltas of that spelling that come next need not be fed at all."""
        ...

    def feed(self, data: bytes) -> list[Event]:
        """Events completed by these bytes."""
        ...

    def plain(self, data: bytes, texts: list[str]) -> int:
        """How many bytes at the head of `data` are events that only say more of the text before.

        They are read by that, and each adds its text, which is not empty, to `texts`. What else
        they are, reasoning or the arguments of a call, is what the event before them was.
        """
        ...

    def close(self) -> list[Event]:
        """The upstream ended: MessageEnd if that was a proper end, else StreamError."""
        ...


class StreamWriter(Protocol):
    """Events to client bytes. `write` may return b'' while it holds something back."""

    def write(self, event: Event) -> bytes:
        """The bytes this event adds."""
        ...

    def pen(self, like: Delta) -> Callable[[str], bytes] | None:
        """What writes the text, not empty, of deltas like that one, until `write` is called again.

        None where a delta is more than its text now, or may be: then `write` knows.
        """
        ...

    def keep_alive(self) -> bytes:
        """What may be sent in silence at this point of the stream."""
        ...

    def fail(self, problem: Problem) -> bytes:
        """The error that ends the stream at this point; b'' behind its end."""
        ...

    def passed(self, piece: bytes, events: list[Event], /) -> None:
        """An upstream's event went to the client as it came; `events` is what it says.

        On a pass-through nothing is written until `fail` or `keep_alive`, which must fit.
        """
        ...

    def passed_plain(self, count: int, /) -> None:
        """So many events went to the client as they came, and said more of a text each."""
        ...


@final
class AnswerContext(Struct, frozen=True, kw_only=True):
    """What a writer of answers must know: the request, ids and the estimate of input tokens.

    The estimate is worked out where the upstream reports no number: it reads the whole request.
    `id` is the gateway's id of the answer without prefix (24 characters); `model` what served;
    `created` Unix seconds; `request_id` goes into errors.
    """

    request: Request
    id: str
    model: str
    created: int
    input_estimate: Callable[[], int]
    request_id: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDialect:
    """The functions of a dialect that clients speak to us.

    - read_request(body, headers): raises MalformedRequest
    - write_answer(answer, context)
    - stream_writer(context)
    - write_problem(problem): the error envelope (status and body); in a stream its writer's `fail`
    `headers` maps lower-case names to values.
    """

    name: str
    read_request: Callable[[bytes, Mapping[str, str]], Request]
    write_answer: Callable[[Answer, AnswerContext], bytes]
    stream_writer: Callable[[AnswerContext], StreamWriter]
    write_problem: Callable[[Problem], tuple[int, bytes]]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How a target counts the tokens of a request without answering it.

    - write(request, facts, headers): the request to the counting address; raises CannotTranslate
    - read(body): input tokens; raises BrokenAnswer
    """

    write: Callable[[Request, TargetFacts, Mapping[str, str]], Written]
    read: Callable[[bytes], int]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TargetDialect:
    """The functions of a dialect that we speak to targets.

    - pass_request(request, facts, headers): the client speaks it too, edits by shape only; raises
      CannotTranslate where the model refuses what the client means. None: no client speaks it
    - write_request(request, facts, headers): from another dialect; raises CannotTranslate
    - read_answer(body, facts): raises BrokenAnswer
    - stream_reader(facts)
    - read_failure(status, headers, body): classify an upstream error answer
    `stream_types` are the content types a stream may have, the first is asked for.
    """

    name: str
    stream_types: tuple[str, ...]
    pass_request: Callable[[Request, TargetFacts, Mapping[str, str]], Written] | None
    write_request: Callable[[Request, TargetFacts, Mapping[str, str]], Written]
    read_answer: Callable[[bytes, TargetFacts], Answer]
    stream_reader: Callable[[TargetFacts], StreamReader]
    read_failure: Callable[[int, Mapping[str, str], bytes], Failure]
    counting: Counting | None = None


SSE = ("text/event-stream",)
"""`stream_types` of the dialects with server-sent events."""
