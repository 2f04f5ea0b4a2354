"""A `respond` rule's text to a whole answer in the client's dialect: no model is called.

Clients make housekeeping calls (titles, probes, "is anybody there") that need words, not a model.
What is said here costs nothing, and its usage says so: 0 tokens in, 0 out, since no model read or
wrote one. Its `model` is the gateway's own name: an answer names what served, and the requested
name would count these words as that model's (`server.echo_requested_model` wants just that).
"""

from lynkrc_runtime.protocol.conversation import (
    Answer,
    BlockEnd,
    Event,
    MessageEnd,
    MessageStart,
    Request,
    Stop,
    Text,
    TextDelta,
    Usage,
)
from lynkrc_runtime.protocol.dialect import AnswerContext
from lynkrc_runtime.server.exchange import Exchange
from lynkrc_runtime.server.stream import SSE_HEADERS
from lynkrc_runtime.telemetry.outcome import Ending

MODEL = "lynkrc"
"""The model of an answer that no model gave."""
NOTHING = Usage(input=0, output=0)
"""The usage of one: reported, and nothing."""


async def respond(exchange: Exchange, request: Request, text: str) -> None:
    """Answer the client with `text`. The exchange is settled as responded, without a target."""
    incoming = exchange.incoming
    context = AnswerContext(
        request=request,
        id=incoming.answer_id,
        model=exchange.gateway.named(request.model, MODEL),
        created=incoming.created,
        input_estimate=lambda: 0,
        request_id=incoming.request_id,
    )
    exchange.usage = NOTHING
    attempted = {"x-lynkr-attempts": "0"}
    client = exchange.client
    if request.options.stream:
        writer = exchange.dialect.stream_writer(context)
        exchange.status = 200
        await client.start(exchange.headers() | attempted | SSE_HEADERS)
        await client.write(b"".join(map(writer.write, _events(incoming.answer_id, text))))
    else:
        body = exchange.dialect.write_answer(_answer(incoming.answer_id, text), context)
        headers = exchange.whole_headers() | attempted | {"content-type": "application/json"}
        await client.answer(200, headers, body)
        exchange.status = 200
    exchange.ending = Ending.RESPONDED


def _answer(identity: str, text: str) -> Answer:
    return Answer(
        id=identity,
        model=MODEL,
        blocks=(Text(text=text),),
        stop=Stop.END,
        stop_sequence=None,
        usage=NOTHING,
    )


def _events(identity: str, text: str) -> tuple[Event, ...]:
    """The same as a stream, the text in one piece."""
    return (
        MessageStart(id=identity, model=MODEL, usage=NOTHING),
        TextDelta(text=text),
        BlockEnd(),
        MessageEnd(stop=Stop.END, stop_sequence=None, usage=NOTHING),
    )
