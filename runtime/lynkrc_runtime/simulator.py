"""A request to an answer without a model: the provider kind `simulator`, and `serve --dry-run`.

It speaks the dialect it is asked in, streamed or not, and says in the text that no model was
called. What it does is a *behaviour*, from the provider's `simulate`, or under `--dry-run` from
the request header ``x-lynkr-simulate: small=fail:503, mid=tool``:

| behaviour | does |
|---|---|
| ``echo`` | answers; calls the tool the ask names, as in "use the Read tool" (default) |
| ``tool`` | calls the first tool on offer (unless the last message brings its result) |
| ``length`` | answers, and stops at the output limit |
| ``empty`` | ends properly without saying anything |
| ``fail:STATUS[:SECONDS]`` | answers with that error, and ``retry-after`` |
| ``error`` | breaks with an error event before any content (not streamed: as ``fail:529``) |
| ``break`` | cuts the answer off after some content |
| ``stall`` | takes the request and never answers |
| ``hang`` | streams some content and then nothing (not streamed: as ``stall``) |

A tool is also called where the request demands one, and never where it forbids or the last
message brings a tool's result. Arguments are the smallest that fit the tool's schema.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from types import MappingProxyType
from typing import Any, final

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.protocol.conversation import (
    BlockEnd,
    ChoiceKind,
    Event,
    MalformedRequest,
    MessageEnd,
    MessageStart,
    Request,
    Role,
    Stop,
    Text,
    TextDelta,
    Tool,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    ToolResult,
    Usage,
)
from lynkrc_runtime.protocol.dialect import AnswerContext, ClientDialect, Problem
from lynkrc_runtime.protocol.embeddings.request import EmbeddingRequest
from lynkrc_runtime.protocol.embeddings.request import read_request as read_embedding_request
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.sse import to_json
from lynkrc_runtime.upstream import UpstreamFault, UpstreamRequest

SIMULATED = "x-lynkr-simulated"
"""The header every simulated answer carries."""

_QUOTED = 200
"""Characters of the ask an echo repeats."""
_DEPTH = 8
"""Levels of a schema that are filled in."""
# The look behind keeps it linear: a long word is tried once, not from each of its letters.
_NAMED_TOOL = re.compile(r"(?<![\w-])([\w-]+) tool\b", re.IGNORECASE)
_DIMENSIONS, _MOST_DIMENSIONS = 8, 4096
"""Of a simulated embedding, unasked and at most: nobody is served while one is made."""
_DIGITS = re.compile(r"[0-9]{1,9}")


class Act(Enum):
    """What a behaviour does."""

    ECHO = "echo"
    TOOL = "tool"
    LENGTH = "length"
    EMPTY = "empty"
    FAIL = "fail"
    ERROR = "error"
    BREAK = "break"
    STALL = "stall"
    HANG = "hang"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """An act; `status` and `retry_after` (seconds) belong to FAIL."""

    act: Act = Act.ECHO
    status: int = 503
    retry_after: int | None = None


@final
class UnknownBehaviour(Exception):
    """The text names no behaviour; says what would."""


def parse_behaviour(text: str) -> Behaviour:
    """Read a behaviour. Raises UnknownBehaviour.

    >>> parse_behaviour("fail:429:2")
    Behaviour(act=<Act.FAIL: 'fail'>, status=429, retry_after=2)
    """
    word, *arguments = (part.strip() for part in text.strip().split(":"))
    try:
        act = Act(word)
    except ValueError:
        names = ", ".join(act.value for act in Act)
        raise UnknownBehaviour(f"no simulator behaviour {word!r}; there are {names}") from None
    if act is not Act.FAIL:
        if arguments:
            raise UnknownBehaviour(f"the simulator behaviour {word} takes no argument")
        return Behaviour(act=act)
    numbers = [int(part) for part in arguments if _DIGITS.fullmatch(part)]
    if len(numbers) != len(arguments) or not 1 <= len(numbers) <= 2 or not 400 <= numbers[0] <= 599:
        raise UnknownBehaviour("write fail:STATUS or fail:STATUS:SECONDS, with STATUS 400 to 599")
    return Behaviour(
        act=act, status=numbers[0], retry_after=numbers[1] if len(numbers) > 1 else None
    )


def parse_wishes(header: str) -> Mapping[str, str]:
    """``small=fail:503, mid=tool`` to behaviours by target name. Raises UnknownBehaviour."""
    wishes: dict[str, str] = {}
    for part in header.split(","):
        target, found, behaviour = part.partition("=")
        if not found:
            raise UnknownBehaviour("write x-lynkr-simulate as TARGET=BEHAVIOUR, TARGET=BEHAVIOUR")
        parse_behaviour(behaviour)
        wishes[target.strip()] = behaviour.strip()
    return MappingProxyType(wishes)


# -- what it says ----------------------------------------------------------------------------


def compose(request: Request, behaviour: Behaviour) -> tuple[Event, ...]:
    """The events of a whole answer to a request, for the acts that answer at all."""
    identity = _identity(request)
    usage = Usage(input=max(1, sum(map(len, request.members.values())) // 4))
    start = MessageStart(id=identity, model=request.model, usage=usage)
    if behaviour.act is Act.EMPTY:
        return (start, MessageEnd(stop=Stop.END, stop_sequence=None, usage=usage))
    tool = _tool_to_call(request, behaviour)
    said = _said(request, tool)
    body: list[Event] = [TextDelta(text=piece) for piece in re.findall(r"\S+\s*", said)]
    body.append(BlockEnd())
    stop = Stop.LENGTH if behaviour.act is Act.LENGTH else Stop.END
    if tool is not None:
        stop = Stop.TOOL_USE
        is_custom = tool.kind == "custom"
        value = example({"type": "object", **(tool.parameters or {})})
        arguments = "example" if is_custom else to_json(value).decode()
        half = len(arguments) // 2
        body += (
            ToolCallStart(index=0, id=f"call_{identity}", name=tool.name, custom=is_custom),
            ToolCallDelta(index=0, json=arguments[:half]),
            ToolCallDelta(index=0, json=arguments[half:]),
            ToolCallEnd(index=0),
        )
    output = Usage(input=usage.input, output=max(1, len(said) // 4))
    return (start, *body, MessageEnd(stop=stop, stop_sequence=None, usage=output))


def example(schema: Mapping[str, Any], depth: int = 0) -> Any:
    """The smallest value that fits a JSON Schema, as far as the simulator understands it.

    >>> example({"required": ["path"], "properties": {"path": {"type": "string"}}})
    {'path': 'example'}
    """
    if "const" in schema:
        return schema["const"]
    for name in ("enum", "examples"):
        if isinstance(schema.get(name), list) and schema[name]:
            return schema[name][0]
    for name in ("anyOf", "oneOf", "allOf"):
        options = schema.get(name)
        if isinstance(options, list) and options and depth < _DEPTH:
            return example(_mapping(options[0]), depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = kind[0] if kind else "string"
    match kind:
        case "object":
            members = _mapping(schema.get("properties"))
            required = schema.get("required")
            listed = required if isinstance(required, list) and depth < _DEPTH else []
            # Once each: a name repeated at every level would cost the product of the repeats.
            names = dict.fromkeys(name for name in listed if isinstance(name, str))
            return {name: example(_mapping(members.get(name)), depth + 1) for name in names}
        case "array":
            return []
        case "integer" | "number":
            least = schema.get("minimum", 1)
            return least if isinstance(least, int | float) else 1
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return "example"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _tool_to_call(request: Request, behaviour: Behaviour) -> Tool | None:
    offered = [tool for tool in request.tools if tool.kind in ("function", "custom")]
    choice = request.tool_choice
    kind = ChoiceKind.AUTO if choice is None else choice.kind
    last = request.messages[-1].blocks if request.messages else ()
    answered = any(isinstance(block, ToolResult) for block in last)
    if not offered or answered or kind is ChoiceKind.NONE:
        return None
    if choice is not None and kind is ChoiceKind.NAMED:
        return next((tool for tool in offered if tool.name == choice.name), None)
    if behaviour.act is Act.TOOL or kind is ChoiceKind.REQUIRED:
        return offered[0]
    if behaviour.act is not Act.ECHO:
        return None
    # Only by name: an agent that is handed a tool it did not ask for may loop for ever.
    asked = {name.casefold() for name in _NAMED_TOOL.findall(_ask(request))}
    return next((tool for tool in offered if tool.name.casefold() in asked), None)


def _said(request: Request, tool: Tool | None) -> str:
    if tool is not None:
        return f"[simulated] {request.model} calls {tool.name}."
    wish = request.options.format
    if wish is not None:
        return to_json(example({"type": "object", **(wish.schema or {})})).decode()
    ask = " ".join(_ask(request).split())
    quoted = ask if len(ask) <= _QUOTED else ask[:_QUOTED] + "..."
    return f'[simulated] No model was called. {request.model} was asked: "{quoted}"'


def _ask(request: Request) -> str:
    """The last text of the last user message that has any; clients put theirs before it."""
    for message in reversed(request.messages):
        if message.role is Role.USER:
            texts = [block.text for block in message.blocks if isinstance(block, Text)]
            if texts:
                return texts[-1]
    return ""


def _identity(request: Request) -> str:
    """An id that is the same for the same request, so simulated runs can be compared."""
    digest = sha256()
    for value in request.members.values():
        digest.update(value)
    return digest.hexdigest()[:24]


# -- how it is sent --------------------------------------------------------------------------


@final
class SimulatedResponse:
    """`UpstreamResponse` from prepared pieces, then a proper end, a cut, or nothing ever."""

    __slots__ = ("_end", "_pieces", "headers", "status")

    def __init__(
        self, status: int, headers: Mapping[str, str], pieces: Sequence[bytes], end: Act
    ) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {**headers, SIMULATED: "1"}
        self._pieces = list(reversed(pieces))
        self._end = end

    def named(self, names: Iterable[str]) -> Mapping[str, str]:
        """See `UpstreamResponse.named`."""
        return {name: self.headers[name] for name in names if name in self.headers}

    def at_once(self) -> bytes | None:
        """None: its pieces are read one by one."""
        return None

    async def read(self) -> bytes:
        """See `UpstreamResponse.read`."""
        if self._pieces:
            return self._pieces.pop()
        if self._end is Act.HANG:
            await _never()
        if self._end is Act.BREAK:
            raise UpstreamFault(Fault.BROKEN, "the answer broke off")
        return b""

    def close(self) -> None:
        """Nothing is held."""
        self._pieces.clear()


@final
class Simulator:
    """`Upstream` without a socket."""

    __slots__ = ("_clock", "_dialects")

    def __init__(
        self, dialects: Mapping[str, ClientDialect], clock: Callable[[], float] = time.time
    ) -> None:
        """`clock` gives Unix seconds, for the answers' `created`."""
        self._dialects = dialects
        self._clock = clock

    async def send(self, request: UpstreamRequest) -> SimulatedResponse:
        """Answer in `request.dialect`, as `request.simulate` says (default: echo)."""
        behaviour = parse_behaviour(request.simulate) if request.simulate else Behaviour()
        if request.dialect == EMBEDDINGS:
            return await self._embed(request, behaviour)
        dialect = self._dialects[request.dialect]
        try:
            read = dialect.read_request(request.body, request.headers)
        except MalformedRequest as error:
            problem = Problem(status=400, kind="invalid", message=error.message, param=error.field)
            return _refusal(dialect, problem, None)
        if behaviour.act is Act.STALL or (behaviour.act is Act.HANG and not read.options.stream):
            await _never()
        if behaviour.act is Act.FAIL:
            return _refusal(dialect, _problem(behaviour.status), behaviour.retry_after)
        context = AnswerContext(
            request=read,
            id=_identity(read),
            model=read.model,
            created=int(self._clock()),
            input_estimate=lambda: 0,
            request_id=f"sim_{_identity(read)}",
        )
        events = compose(read, behaviour)
        if read.options.stream:
            return _stream(dialect, context, events, behaviour.act)
        if behaviour.act is Act.ERROR:
            return _refusal(dialect, _problem(529), None)
        body = dialect.write_answer(fold(events), context)
        if behaviour.act is Act.BREAK:
            return SimulatedResponse(200, _JSON, [body[: len(body) // 2]], Act.BREAK)
        return SimulatedResponse(200, _JSON, [body], behaviour.act)

    async def _embed(self, request: UpstreamRequest, behaviour: Behaviour) -> SimulatedResponse:
        """Vectors that depend on the inputs alone, or the behaviour's failure."""
        dialect = self._dialects["openai-chat"]
        if behaviour.act in (Act.STALL, Act.HANG):
            await _never()
        if behaviour.act in (Act.FAIL, Act.ERROR):
            status = behaviour.status if behaviour.act is Act.FAIL else 529
            return _refusal(dialect, _problem(status), behaviour.retry_after)
        asked = read_embedding_request(request.body)
        if asked.dimensions is not None and asked.dimensions > _MOST_DIMENSIONS:
            message = f"[simulated] dimensions must be at most {_MOST_DIMENSIONS}"
            problem = Problem(status=400, kind="invalid", message=message, param="dimensions")
            return _refusal(dialect, problem, None)
        body = to_json(simulated_vectors(asked))
        if behaviour.act is Act.BREAK:
            return SimulatedResponse(200, _JSON, [body[: len(body) // 2]], Act.BREAK)
        return SimulatedResponse(200, _JSON, [body], behaviour.act)


def simulated_vectors(asked: EmbeddingRequest) -> Mapping[str, Any]:
    """An answer in OpenAI's form with numbers of -1 to 1; equal inputs have equal vectors."""
    length = asked.dimensions or _DIMENSIONS
    data = []
    for index, given in enumerate((*asked.texts, *asked.tokens)):
        digest = sha256(repr(given).encode()).digest()
        vector = [digest[place % len(digest)] / 127.5 - 1 for place in range(length)]
        data.append({"object": "embedding", "index": index, "embedding": vector})
    usage = {"prompt_tokens": len(data), "total_tokens": len(data)}
    return {"object": "list", "data": data, "model": asked.model, "usage": usage}


_JSON = MappingProxyType({"content-type": "application/json"})
_SSE = MappingProxyType({"content-type": "text/event-stream; charset=utf-8"})


def _stream(
    dialect: ClientDialect, context: AnswerContext, events: Sequence[Event], act: Act
) -> SimulatedResponse:
    if act is Act.ERROR:
        events = events[:1]
    elif act in (Act.BREAK, Act.HANG):
        # The start and two words: enough to have committed, far from the end.
        events = events[:3]
    writer = dialect.stream_writer(context)
    pieces = [piece for piece in map(writer.write, events) if piece]
    if act is Act.ERROR:
        pieces.append(writer.fail(_problem(529)))
    return SimulatedResponse(200, _SSE, pieces, act)


def _refusal(
    dialect: ClientDialect, problem: Problem, retry_after: int | None
) -> SimulatedResponse:
    _, body = dialect.write_problem(problem)
    headers = dict(_JSON)
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    return SimulatedResponse(problem.status, headers, [body], Act.FAIL)


_KINDS = MappingProxyType(
    {
        401: "authentication",
        402: "billing",
        403: "permission",
        404: "not_found",
        413: "too_large",
        429: "rate_limited",
        503: "overloaded",
        504: "timeout",
        529: "overloaded",
    }
)


def _problem(status: int) -> Problem:
    kind = _KINDS.get(status, "invalid" if status < 500 else "internal")
    return Problem(status=status, kind=kind, message=f"[simulated] failure {status}")


async def _never() -> None:
    """Wait until cancelled."""
    await asyncio.get_running_loop().create_future()
