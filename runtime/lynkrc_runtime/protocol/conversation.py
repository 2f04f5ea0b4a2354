"""The neutral vocabulary: a conversation of typed blocks, answers, stream events, failures.

Every dialect reads into these and writes from these; no dialect knows another. All values are
frozen. JSON that a model wrote (tool arguments) is kept as text, so nothing is re-spelled.

They are structs, not dataclasses, because a long request makes thousands of them: a struct is made
in a fifth of the time, and `gc=False` keeps the collector from walking them (no value can be part
of a cycle).
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, TypeAlias, final

from msgspec import Struct


class Role(Enum):
    """Who speaks. SYSTEM stands only inside `messages`; leading instructions are `system`."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


# -- blocks ----------------------------------------------------------------------------------


@final
class Text(Struct, frozen=True, kw_only=True, gc=False):
    """Plain text. `extra` holds members of the dialect's block that have no neutral name
    (``cache_control``, ``citations``), for writing back to the same dialect or reporting as lost.
    """

    text: str
    extra: Mapping[str, Any] = {}


@final
class Image(Struct, frozen=True, kw_only=True, gc=False):
    """A picture: base64 `data` with its media type, or a `url`, or a provider's `file_id`."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    extra: Mapping[str, Any] = {}


@final
class Document(Struct, frozen=True, kw_only=True, gc=False):
    """A document: base64 `data`, plain `text`, a `url` or a provider's `file_id`."""

    media_type: str | None = None
    data: str | None = None
    text: str | None = None
    url: str | None = None
    file_id: str | None = None
    title: str | None = None
    extra: Mapping[str, Any] = {}


@final
class ToolCall(Struct, frozen=True, kw_only=True, gc=False):
    """The model calls a tool; `arguments` is the JSON text of the input, as the model wrote it."""

    id: str
    name: str
    arguments: str
    custom: bool = False
    """A free-form tool: `arguments` is its raw input, not JSON."""
    extra: Mapping[str, Any] = {}


@final
class ToolResult(Struct, frozen=True, kw_only=True, gc=False):
    """What a tool returned; `content` holds Text, Image, Document or Opaque."""

    call_id: str
    content: tuple["Block", ...]
    is_error: bool | None = None
    extra: Mapping[str, Any] = {}


@final
class Thinking(Struct, frozen=True, kw_only=True, gc=False):
    """Reasoning text with what its maker needs back (`protocol/carrier.py`), if it needs any."""

    text: str
    signature: str | None = None


@final
class RedactedThinking(Struct, frozen=True, kw_only=True, gc=False):
    """Reasoning its maker keeps to itself."""

    data: str


@final
class Refusal(Struct, frozen=True, kw_only=True, gc=False):
    """The model declines, in words."""

    text: str


@final
class Opaque(Struct, frozen=True, kw_only=True, gc=False):
    """A block only its own dialect understands; dropped, and listed, anywhere else."""

    dialect: str
    type: str
    value: Mapping[str, Any]


Block: TypeAlias = (
    Text | Image | Document | ToolCall | ToolResult | Thinking | RedactedThinking | Refusal | Opaque
)


@final
class Message(Struct, frozen=True, kw_only=True, gc=False):
    """One turn of the conversation, in the order of the request."""

    role: Role
    blocks: tuple[Block, ...]
    extra: Mapping[str, Any] = {}


@final
class Tool(Struct, frozen=True, kw_only=True, gc=False):
    """A tool on offer. `kind` is function, custom (free-form) or the dialect's own type name.

    `parameters` is a JSON Schema object (None for other kinds); `value` the whole entry as sent.
    `namespace` is the group it was offered in (OpenAI Responses): `name` is unique over all
    groups then, and the name inside the group stands in `value`.
    """

    kind: str
    name: str
    description: str | None
    parameters: Mapping[str, Any] | None
    strict: bool | None
    value: Mapping[str, Any]
    namespace: str | None = None


class ChoiceKind(Enum):
    """How the model may choose tools."""

    AUTO = "auto"
    REQUIRED = "required"
    NONE = "none"
    NAMED = "named"


@final
class ToolChoice(Struct, frozen=True, kw_only=True, gc=False):
    """The client's wish; `name` with NAMED, `allowed` limits the tools where the dialect can."""

    kind: ChoiceKind
    name: str | None = None
    allowed: tuple[str, ...] | None = None


class ThinkingKind(Enum):
    """The four forms of asking for reasoning."""

    DISABLED = "disabled"
    BETWEEN_TOOLS = "between_tools"
    ADAPTIVE = "adaptive"
    ENABLED = "enabled"


@final
class ThinkingWish(Struct, frozen=True, kw_only=True, gc=False):
    """`budget` is tokens, with ENABLED; `display` as Anthropic spells it."""

    kind: ThinkingKind
    budget: int | None = None
    display: str | None = None


@final
class JsonFormat(Struct, frozen=True, kw_only=True, gc=False):
    """The answer must be JSON; `schema` None asks for any object."""

    schema: Mapping[str, Any] | None
    name: str | None = None
    strict: bool | None = None


@final
class Options(Struct, frozen=True, kw_only=True, gc=False):
    """Everything else that has a neutral name; None was not given."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    thinking: ThinkingWish | None = None
    effort: str | None = None
    show_reasoning: bool = False
    """The client asked to read a summary of the reasoning (OpenAI Responses)."""
    format: JsonFormat | None = None
    parallel_tools: bool | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    verbosity: str | None = None
    """low, medium or high (OpenAI)."""
    user: str | None = None
    stream: bool = False
    include_usage: bool = False
    """The client asked for usage in the stream (OpenAI Chat)."""


@final
class Request(Struct, frozen=True, kw_only=True, gc=False):
    """A request as read: neutral parts, and `members`, the body's top-level members as raw JSON.

    `members` keep the client's order and spelling, for pass-through; that of the messages may be a
    view of the body, which joins, decodes and compares as bytes do. `rest` names the members
    that have no neutral part (they travel to the same dialect and are listed as lost elsewhere).
    `metadata` holds the body's metadata object as parsed ({} without one). `bound` names members
    that only a target of the same dialect can honour (state it keeps): elsewhere a misfit.
    `body` is the whole body where each of its members is known to stand there once, so that whoever
    reads it reads these `members`; None where that is not known.
    """

    dialect: str
    model: str
    system: tuple[Text, ...]
    messages: Sequence[Message]
    tools: tuple[Tool, ...]
    tool_choice: ToolChoice | None
    options: Options
    metadata: Mapping[str, Any]
    members: Mapping[str, bytes]
    rest: tuple[str, ...]
    bound: tuple[str, ...] = ()
    body: bytes | None = None


# -- answers ---------------------------------------------------------------------------------


class Stop(Enum):
    """Why an answer ended."""

    END = "end"
    LENGTH = "length"
    STOP_SEQUENCE = "stop_sequence"
    TOOL_USE = "tool_use"
    PAUSE = "pause"
    REFUSAL = "refusal"
    CONTEXT = "context"


@final
class Usage(Struct, frozen=True, kw_only=True, gc=False):
    """Tokens, each counted once: `input` leaves out what the cache read or wrote."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int | None = None
    """Part of `output`; None when not reported."""
    cache_write_1h: int | None = None
    """Part of `cache_write` that is kept for an hour; None when not reported."""
    reported: bool = True
    """False where the upstream gave none."""


@final
class Answer(Struct, frozen=True, kw_only=True, gc=False):
    """A whole answer. `created` is Unix seconds where the dialect gives it."""

    id: str
    model: str
    blocks: tuple[Block, ...]
    stop: Stop
    stop_sequence: str | None
    usage: Usage
    lost: tuple[str, ...] = ()
    """Names of members of the upstream answer without a neutral part."""


# -- stream events ---------------------------------------------------------------------------


@final
class MessageStart(Struct, frozen=True, kw_only=True, gc=False):
    """Once, first. `usage` is what is known so far."""

    id: str
    model: str
    usage: Usage


@final
class TextDelta(Struct, frozen=True, kw_only=True, gc=False):
    """More of the current text block (a new one when the last block was of another kind)."""

    text: str


@final
class RefusalDelta(Struct, frozen=True, kw_only=True, gc=False):
    """More of a refusal."""

    text: str


@final
class ThinkingDelta(Struct, frozen=True, kw_only=True, gc=False):
    """More reasoning text (may be empty: an empty block still opens)."""

    text: str


@final
class ThinkingEnd(Struct, frozen=True, kw_only=True, gc=False):
    """The reasoning block is whole; its signature."""

    signature: str | None


@final
class RedactedThinkingBlock(Struct, frozen=True, kw_only=True, gc=False):
    """A whole redacted block."""

    data: str


@final
class ToolCallStart(Struct, frozen=True, kw_only=True, gc=False):
    """A call begins; `index` counts calls of this answer from 0.

    `custom`: the pieces of a free-form tool's raw input follow, no JSON.
    """

    index: int
    id: str
    name: str
    custom: bool = False


@final
class ToolCallDelta(Struct, frozen=True, kw_only=True, gc=False):
    """A piece of the text of call `index`. Pieces of different calls may interleave."""

    index: int
    json: str


@final
class ToolCallEnd(Struct, frozen=True, kw_only=True, gc=False):
    """Call `index` is whole (its pieces may be none: no arguments)."""

    index: int


Delta: TypeAlias = TextDelta | ThinkingDelta | ToolCallDelta
"""More of a text, of reasoning or of a call: most of a stream."""


@final
class BlockEnd(Struct, frozen=True, kw_only=True, gc=False):
    """The current text block ends and the next delta opens a new one."""


@final
class OpaqueEvent(Struct, frozen=True, kw_only=True, gc=False):
    """An event or block only its own dialect understands; `type` names it, for the loss list."""

    dialect: str
    type: str


@final
class MessageEnd(Struct, frozen=True, kw_only=True, gc=False):
    """Once, last, and only when the upstream ended properly. `usage` is cumulative and final."""

    stop: Stop
    stop_sequence: str | None
    usage: Usage


@final
class StreamError(Struct, frozen=True, kw_only=True, gc=False):
    """The stream broke: an error event, malformed data, or an end without a terminal sign."""

    failure: "Failure"


Event: TypeAlias = (
    MessageStart
    | TextDelta
    | RefusalDelta
    | ThinkingDelta
    | ThinkingEnd
    | RedactedThinkingBlock
    | ToolCallStart
    | ToolCallDelta
    | ToolCallEnd
    | BlockEnd
    | OpaqueEvent
    | MessageEnd
    | StreamError
)

# -- failures --------------------------------------------------------------------------------


class FailureClass(Enum):
    """What an upstream failure means for the chain (design: runtime.md, "Attempts")."""

    TRANSIENT = "transient"
    THROTTLED = "throttled"
    MISFIT = "misfit"
    OURS = "ours"
    CALLERS = "callers"
    SPENT = "spent"
    """No upstream's: a budget of ours is spent."""


@final
class Failure(Struct, frozen=True, kw_only=True, gc=False):
    """An upstream failure, classified once.

    `status` is the upstream's HTTP status, 0 where there was none (connect, time-out, cut).
    `message` is fit for the client: no secrets, at most 2,000 characters. `retry_after` is
    seconds. `code` and `param` are the upstream's own words, for re-shaping.
    """

    kind: FailureClass
    status: int
    message: str
    code: str | None = None
    param: str | None = None
    retry_after: float | None = None
    resets_at: int | None = None
    """Unix seconds: when a budget of ours that is spent begins anew."""
    context_overflow: bool = False
    unreadable_thinking: bool = False
    """The upstream refuses reasoning: a signature another made, or a model that has none."""


@final
class MalformedRequest(Exception):
    """The body cannot be read: `field` names the place (``messages.0.role``), `message` why."""

    def __init__(self, field: str | None, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@final
class CannotTranslate(Exception):
    """The request cannot mean the same in the target's dialect; a misfit, not an error of ours.

    `context_overflow`: it is longer than the target's context.
    """

    def __init__(self, feature: str, message: str, *, context_overflow: bool = False) -> None:
        super().__init__(message)
        self.feature = feature
        self.message = message
        self.context_overflow = context_overflow


@final
class BrokenAnswer(Exception):
    """An upstream's 200 that is no answer: error body, HTML, empty, invalid JSON."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure
