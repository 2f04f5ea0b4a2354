"""Bytes that an upstream or a client sent, to a verdict on the protocol: nothing may surprise it.

Whatever comes ends in values, or in one of the declared outcomes: StreamError, BrokenAnswer,
MalformedRequest, CannotTranslate. What is read is also written for every client and every target.
"""

import json
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, final

from lynkrc_runtime.features import Extractor, RefusedRequest, RequestFacts
from lynkrc_runtime.protocol import carrier, failures
from lynkrc_runtime.protocol.conversation import (
    Answer,
    BrokenAnswer,
    CannotTranslate,
    Event,
    Failure,
    MalformedRequest,
    MessageEnd,
    MessageStart,
    Request,
    StreamError,
    ToolCall,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
)
from lynkrc_runtime.protocol.dialect import AnswerContext, StreamReader, TargetFacts, Written
from lynkrc_runtime.protocol.embeddings.answer import write_answer
from lynkrc_runtime.protocol.embeddings.forms import FORMS
from lynkrc_runtime.protocol.embeddings.request import read_request
from lynkrc_runtime.protocol.embeddings.takes import Takes
from lynkrc_runtime.protocol.estimate import estimate_tokens
from lynkrc_runtime.protocol.failures import stream_problem
from lynkrc_runtime.protocol.invoke_stream import InvokeUnwrapper
from lynkrc_runtime.protocol.repeated import repeated_member
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from lynkrc_runtime.server.answers import is_empty
from tests.fuzz import wire_seeds as seeds
from tests.providers.provider_lab import compiled
from tests.wire import anthropic_lint, bedrock_frames, openai_chat_lint, openai_responses_lint

LARGEST = 1 << 60
"""Tokens: more in one answer is no count, and no client's integer holds it."""
BYTE_BY_BYTE = 1_500
"""Bytes of a stream up to which it is fed one by one; longer ones go in pieces of any size."""

ABILITIES = frozenset(
    ("tools", "parallel_tools", "vision", "documents", "thinking", "json_schema", "prompt_cache")
)
FACTS = tuple(
    TargetFacts(
        model=model,
        max_output=8_000,
        capabilities=capabilities,
        shape=shape,
        maker=f"maker/{model}",
        context=200_000,
        # One of them knows that others made what the seeds hold.
        foreign=seeds.SIGNED if model == "plain" else frozenset(),
    )
    for model, capabilities, shape in (
        ("m", ABILITIES, RequestShape()),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", ABILITIES, RequestShape(think_tags=True)),
        ("plain", frozenset({"tools"}), RequestShape(prefill=False, reasoning_replay="always")),
        (
            "openrouter",
            ABILITIES,
            RequestShape(
                reasoning_field="reasoning_details",
                reasoning_replay="always",
                reasoning_in="reasoning",
            ),
        ),
    )
)


def facts_for(data: bytes) -> TargetFacts:
    """Some target, always the same for the same bytes."""
    return FACTS[zlib.crc32(data) % len(FACTS)]


# -- streams -----------------------------------------------------------------------------------


def sealed(data: bytes, *, in_chunks: bool = False) -> bytes:
    """Lines of ``kind name payload`` as frames with right checksums; other lines as raw bytes."""
    found = []
    for line in data.split(b"\n"):
        kind, _, rest = line.partition(b" ")
        name, _, payload = rest.partition(b" ")
        if kind not in (b"event", b"exception", b"error") or len(name) > 99:
            found.append(line)
            continue
        if in_chunks and kind == b"event":
            payload = json.dumps({"bytes": seeds.base64_of(payload), "p": "abc"}).encode()
        words = (kind.decode(), name.decode("utf-8", "replace"))
        found.append(bedrock_frames.frame(*words, payload))
    return b"".join(found)


@final
class Invoked:
    """The Messages reader behind the frames of InvokeModel, as the gateway puts them together."""

    def __init__(self, facts: TargetFacts) -> None:
        self._unwrap = InvokeUnwrapper()
        self._reader = TARGET_DIALECTS[seeds.MESSAGES].stream_reader(facts)

    def feed(self, data: bytes) -> list[Event]:
        return self._reader.feed(self._unwrap.feed(data))

    def close(self) -> list[Event]:
        return self._reader.close()


def check_stream(
    reader: Callable[[TargetFacts], StreamReader], seal: Callable[[bytes], bytes], data: bytes
) -> None:
    """Read a stream whole and in pieces, and write it for every client."""
    facts = facts_for(data)
    sent = seal(data)
    events = read_events(reader(facts), [sent])
    assert read_events(reader(facts), _pieces(sent)) == events, "a split changes the events"
    check_order(events)
    end = events[-1]
    if isinstance(end, MessageEnd) and is_empty(len(events) > 2, end.stop, end.usage):
        return
    for client in CLIENT_DIALECTS:
        check_written(client, events)


def read_events(reader: StreamReader, pieces: list[bytes]) -> list[Event]:
    """The events; there is one end, and nothing behind it, whatever is fed."""
    events: list[Event] = []
    for piece in pieces:
        events += reader.feed(piece)
    events += reader.close()
    assert reader.feed(pieces[0] if pieces else b"") == [], "events behind the end"
    assert reader.close() == [], "a second end"
    return events


def _pieces(data: bytes) -> list[bytes]:
    if len(data) <= BYTE_BY_BYTE:
        return [data[at : at + 1] for at in range(len(data))]
    chance, pieces, at = random.Random(zlib.crc32(data)), [], 0
    while at < len(data):
        size = chance.choice((1, 2, 7, 60, 700))
        pieces.append(data[at : at + size])
        at += size
    return pieces


def check_order(events: list[Event]) -> None:
    """The life cycle `conversation` promises."""
    ends = [event for event in events if isinstance(event, MessageEnd | StreamError)]
    assert len(ends) == 1
    assert events[-1] is ends[0]
    starts = [at for at, event in enumerate(events) if isinstance(event, MessageStart)]
    assert starts == [0] or (not starts and len(events) == 1), "a start, first"
    calls: dict[int, bool] = {}
    for event in events:
        match event:
            case ToolCallStart(index=index):
                assert index not in calls, "a call that begins twice"
                calls[index] = True
            case ToolCallDelta(index=index):
                assert calls[index], "a piece of a call that is over"
            case ToolCallEnd(index=index):
                assert calls[index], "a second end of a call"
                calls[index] = False
            case MessageStart(usage=usage) | MessageEnd(usage=usage):
                check_usage(usage)
            case StreamError(failure=failure):
                check_failure(failure)
            case _:
                pass
    if isinstance(ends[0], MessageEnd):
        assert not any(calls.values()), "a call without its end"
        assert sorted(calls) == list(range(len(calls))), "calls count from 0"


def check_usage(usage: Usage) -> None:
    """Whole numbers of tokens, none negative, none absurd."""
    for name in usage.__struct_fields__:
        value = getattr(usage, name)
        if name != "reported" and value is not None:
            assert type(value) is int, name
            assert 0 <= value <= LARGEST, (name, value)


def check_failure(failure: Failure) -> None:
    """What `Failure` promises of its members."""
    assert len(failure.message) <= failures.MAX_MESSAGE
    assert failure.status == 0 or 300 <= failure.status <= 599, failure.status
    assert failure.retry_after is None or 0 <= failure.retry_after <= failures.MAX_WAIT


@cache
def context_of(client: str, *, with_usage: bool = True) -> AnswerContext:
    bodies: Mapping[str, Any] = {
        seeds.MESSAGES: {"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
        seeds.CHAT: {
            "messages": [{"role": "user", "content": "Hi"}],
            "stream": True,
            "stream_options": {"include_usage": with_usage},
        },
        seeds.RESPONSES: {"input": "Hi"},
    }
    body = json.dumps({"model": "m"} | bodies[client]).encode()
    return AnswerContext(
        request=CLIENT_DIALECTS[client].read_request(body, {}),
        id="a" * 24,
        model="served",
        created=1,
        input_estimate=lambda: 7,
        request_id="req_1",
    )


def check_written(client: str, events: list[Event]) -> None:
    """What the client gets is legal in its dialect, and ends as the upstream's stream did."""
    *others, end = events
    with_usage = isinstance(end, MessageEnd) and end.usage.reported
    writer = CLIENT_DIALECTS[client].stream_writer(context_of(client, with_usage=with_usage))
    data = b"".join(map(writer.write, others))
    if isinstance(end, StreamError):
        data += writer.fail(stream_problem(end, "req_1"))
        assert writer.fail(stream_problem(end, "req_1")) == b"", "a second error"
    else:
        data += writer.write(end)
    back = TARGET_DIALECTS[client].stream_reader(FACTS[0])
    again = read_events(back, [data])
    if isinstance(end, StreamError):
        assert isinstance(again[-1], StreamError)
        if client == seeds.MESSAGES:
            anthropic_lint.lint_stream(data, ends="error")
    elif has_sound_calls(events):
        if client == seeds.CHAT and isinstance(again[-1], StreamError):
            # Chat has no blocks: our own reader takes a text for the end of an open call.
            assert "after a call had ended" in again[-1].failure.message
        else:
            assert isinstance(again[-1], MessageEnd), (client, again[-1], events)
        match client:
            case "anthropic-messages":
                anthropic_lint.lint_stream(data)
            case "openai-chat":
                openai_chat_lint.lint_stream(data, with_usage=with_usage)
            case _:
                openai_responses_lint.lint_stream(data)


def has_sound_calls(events: list[Event]) -> bool:
    """Whether every call has a name, and arguments a client can read: what else it is told of
    depends on the dialect."""
    texts: dict[int, str] = {}
    for event in events:
        match event:
            case ToolCallStart(index=index, name=name, id=identity, custom=custom):
                if not name or not identity:
                    return False
                if not custom:
                    texts[index] = ""
            case ToolCallDelta(index=index, json=piece) if index in texts:
                texts[index] += piece
            case _:
                pass
    return all(map(is_object, texts.values()))


def is_object(text: str) -> bool:
    """Whether a call's arguments are a JSON object, or nothing."""
    try:
        return not text or isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


# -- whole answers -----------------------------------------------------------------------------


def check_answer(dialect: str, data: bytes) -> None:
    """Read an answer and write it for every client."""
    try:
        answer = TARGET_DIALECTS[dialect].read_answer(data, facts_for(data))
    except BrokenAnswer as broken:
        check_failure(broken.failure)
        return
    check_usage(answer.usage)
    if is_empty(bool(answer.blocks), answer.stop, answer.usage):
        return
    calls = [block for block in answer.blocks if isinstance(block, ToolCall)]
    is_sound = len({call.id for call in calls}) == len(calls) and all(
        call.id and call.name and (call.custom or is_object(call.arguments)) for call in calls
    )
    for client in CLIENT_DIALECTS:
        check_whole(client, answer, is_sound=is_sound)


def check_whole(client: str, answer: Answer, *, is_sound: bool) -> None:
    """What the client gets is JSON, and legal in its dialect if the answer's calls are sound."""
    body = CLIENT_DIALECTS[client].write_answer(answer, context_of(client))
    json.loads(body)
    match client if is_sound else "":
        case "":
            pass
        case "anthropic-messages":
            anthropic_lint.lint_message(body)
        case "openai-chat":
            openai_chat_lint.lint_completion(body)
        case _:
            openai_responses_lint.lint_response(body)


# -- requests ----------------------------------------------------------------------------------


@cache
def extractor() -> Extractor:
    """The features of the quickstart's policy, which asks most of what can be asked."""
    return compiled(
        (seeds.DATA.parents[2] / "examples/quickstart/routing.yaml").read_text()
    ).extractor


def check_request(client: str, data: bytes) -> None:
    """Read a request, measure it, and write it for every target."""
    try:
        repeated_member(data)
        request = CLIENT_DIALECTS[client].read_request(data, {})
    except MalformedRequest as malformed:
        assert malformed.message
        return
    assert estimate_tokens(request) >= 0
    try:
        extractor().extract(request, RequestFacts(surface="chat", headers={}, repeated=frozenset()))
    except RefusedRequest as refused:
        assert refused.message
        return
    for name, dialect in TARGET_DIALECTS.items():
        for facts in FACTS:
            _check_put(dialect.write_request, request, facts)
            if dialect.pass_request is not None and name == client:
                _check_put(dialect.pass_request, request, facts)
            if dialect.counting is not None:
                _check_put(dialect.counting.write, request, facts)


def _check_put(write: Callable[..., Written], request: Request, facts: TargetFacts) -> None:
    try:
        body = write(request, facts, {}).body
    except CannotTranslate as misfit:
        assert misfit.message
        return
    json.loads(body)


# -- the rest ----------------------------------------------------------------------------------


def check_error(data: bytes) -> None:
    """Classify an error answer under several statuses, its text as a header too."""
    text = data[:60].decode("latin-1")
    headers = {"retry-after": text, "retry-after-ms": text, "x-amzn-errortype": text, "date": text}
    for status in (302, 400, 403, 429, 500, 999):
        for dialect in TARGET_DIALECTS.values():
            for sent in ({}, headers):
                failure = dialect.read_failure(status, sent, data)
                assert len(failure.message) <= failures.MAX_MESSAGE
                assert failure.retry_after is None or 0 <= failure.retry_after <= failures.MAX_WAIT


def check_carrier(data: bytes) -> None:
    """A carrier is one that we could have sealed, or none."""
    text = data.decode("utf-8", "replace")
    for signature in (text, carrier.PREFIX + text):
        found = carrier.unseal(signature)
        if found is None:
            continue
        again = carrier.seal(found.kind, found.data, found.maker)
        assert again is None or carrier.unseal(again) == found
        carrier.restored(signature, found.kind, "maker/m")


def check_embeddings_request(data: bytes) -> None:
    """Read what a client asks, and ask every upstream."""
    try:
        asked = read_request(data)
    except MalformedRequest as malformed:
        assert malformed.message
        return
    for form in FORMS.values():
        for takes in (Takes(), Takes(members={"dimensions": "size"}, base64=True)):
            try:
                json.loads(form.write(asked, "m", takes).body)
            except CannotTranslate as misfit:
                assert misfit.message


ASKED = tuple(read_request(body) for body in seeds.embedding_requests())


def check_embeddings_answer(data: bytes) -> None:
    """Read an answer in every form and write it for every way of asking."""
    for form in FORMS.values():
        for asked in ASKED:
            try:
                found = form.read(data)
                if found.usage is not None:
                    check_usage(found.usage)
                json.loads(write_answer(found, asked, "m", found.usage or Usage()))
            except BrokenAnswer as broken:
                check_failure(broken.failure)


# -- the table ---------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is fuzzed: a check that raises for nothing but a bug, and inputs to start from."""

    check: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


def _streams(dialect: str) -> Subject:
    seal = sealed if dialect == seeds.CONVERSE else bytes
    reader = TARGET_DIALECTS[dialect].stream_reader
    return Subject(check=partial(check_stream, reader, seal), seeds=partial(seeds.streams, dialect))


SUBJECTS: Mapping[str, Subject] = (
    {f"stream-{name}": _streams(name) for name in TARGET_DIALECTS}
    | {
        f"answer-{name}": Subject(
            check=partial(check_answer, name), seeds=partial(seeds.answers, name)
        )
        for name in TARGET_DIALECTS
    }
    | {
        f"request-{name}": Subject(
            check=partial(check_request, name), seeds=partial(seeds.requests, name)
        )
        for name in CLIENT_DIALECTS
    }
    | {
        "stream-invoke": Subject(
            check=partial(check_stream, Invoked, partial(sealed, in_chunks=True)),
            seeds=seeds.invoke_streams,
        ),
        "errors": Subject(check=check_error, seeds=seeds.errors),
        "carriers": Subject(check=check_carrier, seeds=seeds.carriers),
        "embeddings-request": Subject(
            check=check_embeddings_request, seeds=seeds.embedding_requests
        ),
        "embeddings-answer": Subject(check=check_embeddings_answer, seeds=seeds.embedding_answers),
    }
)
"""Everything of the protocol that reads what others sent."""
