"""Upstream stream bytes to client stream bytes, sans-IO, with what was learnt on the way.

Same dialect on both sides: whole events pass as the bytes they came in, and a reader beside them
sees usage, errors and the end. Otherwise every event is written anew. Any split of the upstream's
bytes gives the same client bytes.
"""

from collections.abc import Callable, Sequence
from typing import assert_never, final

from msgspec.structs import replace

from lynkrc_runtime.protocol.conversation import (
    BlockEnd,
    Event,
    Failure,
    MessageEnd,
    MessageStart,
    OpaqueEvent,
    RedactedThinkingBlock,
    RefusalDelta,
    Stop,
    StreamError,
    TextDelta,
    ThinkingDelta,
    ThinkingEnd,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
)
from lynkrc_runtime.protocol.dialect import (
    ANY_TARGET,
    AnswerContext,
    ClientDialect,
    Problem,
    TargetDialect,
    TargetFacts,
)
from lynkrc_runtime.protocol.estimate import tokens_of, weigh
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.openai_chat.usage_chunk import unasked
from lynkrc_runtime.protocol.pieces import EventSplitter
from lynkrc_runtime.protocol.plain_deltas import PlainDeltas, deltas
from lynkrc_runtime.protocol.sse import EventTooLarge, has_separators
from lynkrc_runtime.protocol.stops import StopGuard
from lynkrc_runtime.providers.frames import Unwrapper
from lynkrc_runtime.server.answers import is_empty
from lynkrc_runtime.server.echo import echo_event

MAX_STREAM = 256 * 1024 * 1024
"""Bytes of a stream: readers and writers remember of each what its end must repeat."""


@final
class Flow:
    """One stream. After `failure` is set or `has_ended`, nothing more is to be fed."""

    __slots__ = (
        "_deltas",
        "_echo",
        "_guard",
        "_passed",
        "_passing",
        "_pen",
        "_plain",
        "_reader",
        "_respelled",
        "_size",
        "_speller",
        "_splitter",
        "_strips_usage",
        "_unwrapper",
        "_weight",
        "_writer",
        "failure",
        "has_content",
        "has_ended",
        "lost",
        "signatures",
        "stop",
        "usage",
    )

    def __init__(
        self,
        source: TargetDialect,
        sink: ClientDialect,
        context: AnswerContext,
        facts: TargetFacts = ANY_TARGET,
        unwrapper: Unwrapper | None = None,
        *,
        stops: Sequence[str] = (),
        echoes: bool = False,
    ) -> None:
        """`source` is what the upstream speaks, `sink` the client; `facts` are the target's.

        `unwrapper` takes the upstream's stream out of what it travels in. `stops` end the answer
        here, and then every event is written anew. `echoes`: an answer that passes is given the
        model name of the context.
        """
        self._unwrapper = unwrapper
        self._guard = StopGuard(stops) if stops else None
        self._passing = source.name == sink.name and self._guard is None
        self._echo = context.model if echoes else None
        self._reader = source.stream_reader(facts)
        # On a pass-through the writer only knows what may be put in: keep-alives, an error.
        self._writer = sink.stream_writer(context)
        self._passed = self._writer.passed
        self._splitter = EventSplitter()
        self._strips_usage = (
            self._passing
            and sink.name == "openai-chat"
            and not context.request.options.include_usage
        )
        self._deltas: PlainDeltas | None = None
        """What comes next is compared with, where that is enough."""
        self._pen: Callable[[str], bytes] | None = None
        """What then writes its text, unless it passes."""
        self._speller: Callable[[bytes], bytes] | None = None
        """What then spells it in another way, where it does not pass as it came."""
        self._respelled: tuple[tuple[bytes, ...], Callable[[bytes], bytes] | None] = ((), None)
        """The last spelling that passed as another, and what does that."""
        self.failure: Failure | None = None
        """Why the stream broke."""
        self.has_content = False
        """Whether anything came that an answer consists of; a proper end counts."""
        self.has_ended = False
        """Whether the proper end has come."""
        self.usage: Usage | None = None
        """The latest the upstream reported."""
        self.stop: Stop | None = None
        """Why it ended, when the proper end has come."""
        self.signatures: list[str] = []
        """By which the target will know its reasoning again, as they came."""
        self.lost: dict[str, None] = {}
        """Names of what the client's dialect has no place for, each once."""
        self._weight = 0
        self._plain = 0
        """Deltas that passed, of which the writer has not been told."""
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Client bytes, one whole event or more each; b'' is the upstream's end.

        An event that tells of a failure is not passed: who relays writes its own.
        """
        out: list[bytes] = []
        self._size += len(chunk)
        if self._size > MAX_STREAM:
            self.failure = broken(f"the stream is longer than {MAX_STREAM} bytes")
            return out
        try:
            if chunk and self._unwrapper is not None:
                chunk = self._unwrapper.feed(chunk)
                if not chunk:
                    return out
            rest = self._take_plain(chunk, out)
            if chunk and not rest:
                return out
            if self._passing:
                self._pass(rest, out)
            else:
                self._rewrite(rest, out)
        except EventTooLarge as error:
            self.failure = broken(str(error))
        self._know()
        return out

    @property
    def is_cut(self) -> bool:
        """Whether the answer ended here, at a stop sequence, and the upstream goes on."""
        return self._guard is not None and self._guard.matched is not None

    @property
    def streamed(self) -> int:
        """Tokens of the answer so far, by our estimate."""
        return tokens_of(self._weight)

    def keep_alive(self) -> bytes:
        """What may be sent to the client in silence now."""
        return self._writer.keep_alive()

    def fail(self, problem: Problem) -> bytes:
        """The error that ends the client's stream now."""
        self._writer.passed_plain(self._plain)
        self._plain = 0
        return self._writer.fail(problem)

    def _pass(self, chunk: bytes, out: list[bytes]) -> None:
        splitter = self._splitter
        pieces = splitter.feed(chunk) if chunk else [splitter.rest]
        for piece in pieces:
            events = self._reader.feed(piece) if piece else []
            if not chunk:
                events += self._reader.close()
            for event in events:
                self._note(event)
            if self.failure is not None:
                return
            wanted = self._edit(piece)
            if wanted:
                out.append(wanted)
                self._passed(wanted, events)
            if self.has_ended:
                # What stands behind the end is no part of the answer.
                return

    def one(self, chunk: bytes) -> bytes | None:
        """What `feed` gives for a chunk that is one delta, spelled as the one before it was.

        None where it is not, or may not be: then it must be fed. This is most of every stream.
        """
        if self._deltas is None:
            return None
        text = self._deltas.only(chunk)
        size = self._size + len(chunk)
        if not text or size > MAX_STREAM:
            return None
        if self._speller is not None and not text.isascii() and has_separators(chunk):
            # An event that is spelled anew has these escaped.
            return None
        self._size = size
        self._weight += weigh(text)
        if self._pen is not None:
            return self._pen(text)
        self._plain += 1
        return chunk if self._speller is None else self._speller(chunk)

    def _know(self) -> None:
        """What came was read with care: whether what comes next need be."""
        reader = self._reader
        self._deltas = self._pen = self._speller = None
        if reader.is_plain and self._unwrapper is None and self._guard is None:
            known = reader.deltas
            is_edited = (self._strips_usage and known.spells(b'"usage"')) or (
                self._echo is not None and known.spells(b'"model"')
            )
            if not self._passing:
                self._pen = self._writer.pen(known.like)
                self._deltas = None if self._pen is None else known
            elif self._splitter.is_between:
                if is_edited:
                    self._respell(known)
                else:
                    self._deltas = known

    def _respell(self, known: PlainDeltas) -> None:
        """Deltas pass with another spelling around their texts, worked out once."""
        spelling, speller = self._respelled
        if spelling != known.spelling:
            speller = known.respelled(self._edit)
            self._respelled = known.spelling, speller
        self._deltas = None if speller is None else known
        self._speller = speller

    def _take_plain(self, chunk: bytes, out: list[bytes]) -> bytes:
        """Take the deltas at the head that are known by their spelling; what is left."""
        if self._passing:
            is_edited = (self._strips_usage and b'"usage"' in chunk) or (
                self._echo is not None and b'"model"' in chunk
            )
            may_be = not is_edited and self._splitter.is_between
        else:
            may_be = self._guard is None
        texts: list[str] = []
        end = self._reader.plain(chunk, texts) if may_be else 0
        if not end:
            return chunk
        self.has_content = True
        self._weight += weigh(texts[0] if len(texts) == 1 else "".join(texts))
        like = self._reader.deltas.like
        if self._passing:
            out.append(chunk[:end])
            self._plain += len(texts)
        elif (pen := self._writer.pen(like)) is not None:
            out += map(pen, texts)
        else:
            out += filter(None, map(self._writer.write, deltas(like, texts)))
        return chunk[end:]

    def _edit(self, piece: bytes) -> bytes | None:
        """An event as the client is to have it, which is nearly always as it came."""
        wanted = unasked(piece) if self._strips_usage else piece
        return echo_event(wanted, self._echo) if wanted and self._echo is not None else wanted

    def _rewrite(self, chunk: bytes, out: list[bytes]) -> None:
        events = self._reader.feed(chunk) if chunk else self._reader.close()
        if self._guard is not None:
            events = self._guard.feed(events)
            if self.is_cut:
                events[-1] = self._end_of_cut(events)
        write = self._writer.write
        for event in events:
            if type(event) is TextDelta:
                self.has_content = self.has_content or bool(event.text)
                self._weight += weigh(event.text)
            else:
                self._note(event)
                if self.failure is not None:
                    return
            data = write(event)
            if data:
                out.append(data)

    def _end_of_cut(self, events: list[Event]) -> Event:
        """The end with what the answer used so far: the upstream has not said how much that is."""
        end = events[-1]
        assert isinstance(end, MessageEnd)
        said = sum(weigh(event.text) for event in events if isinstance(event, TextDelta))
        output = max(end.usage.output, tokens_of(self._weight + said))
        return replace(end, usage=replace(end.usage, output=output))

    def _note(self, event: Event) -> None:
        match event:
            # The many first: cases are tried one after the other.
            case TextDelta(text=text) | ThinkingDelta(text=text) | RefusalDelta(text=text):
                self.has_content = self.has_content or bool(text)
                self._weight += weigh(text)
            case ToolCallDelta(json=text) | ToolCallStart(name=text):
                self.has_content = True
                self._weight += weigh(text)
            case StreamError():
                self.failure = event.failure
            case MessageStart():
                self.usage = event.usage
            case MessageEnd():
                if not self._passing and is_empty(self.has_content, event.stop, event.usage):
                    self.failure = broken("the answer is empty")
                    return
                self.usage, self.stop = event.usage, event.stop
                self.has_content = self.has_ended = True
            case ThinkingEnd(signature=signature):
                self.has_content = True
                if signature:
                    self.signatures.append(signature)
            case RedactedThinkingBlock(data=data):
                self.has_content = True
                self.signatures.append(data)
            case OpaqueEvent(type=name):
                self.has_content = True
                if not self._passing:
                    self.lost[name] = None
            case ToolCallEnd():
                self.has_content = True
            case BlockEnd():
                pass
            case _:
                assert_never(event)
