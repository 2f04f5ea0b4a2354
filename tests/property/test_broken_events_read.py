"""Bytes that are no UTF-8, in members nobody reads: an event is relayed or the stream breaks.

Readers skip the members they do not know, unread; whoever looks at the same event once more sees
them, and must not stumble.
"""

import pytest

from lynkrc_runtime.server.echo import echo_answer
from tests.property.test_plain_deltas_agree import CHAT, FIRST, MESSAGES, RESPONSES, SINKS, outcome

PINGS = (
    (MESSAGES, b'event: ping\ndata: {"type":"ping","model":"x","\xff":1}\n\n'),
    (MESSAGES, b'event: ping\ndata: {"type":"ping","model":"x","a":"\xff\xe2\x80\xa8"}\n\n'),
    (RESPONSES, b'data: {"type":"response.queued","response":{"model":"x"},"\xff":1}\n\n'),
    (RESPONSES, b'data: {"response":{"model":"x"},"a":"\xff\xe2\x80\xa8"}\n\n'),
)
ERRORS = (
    b'data: {"type":"error","message":"no","\xff":1}\n\n',
    b'data: {"type":"error","message":"n\xff"}\n\n',
    b'data: {"type":"error","at":1e400}\n\n',
    b'data: {"type":"error","message":"\\ud83d"}\n\n',
)


@pytest.mark.parametrize(("dialect", "ping"), PINGS)
def test_the_model_named_beside_no_utf8_stays_as_it_is(dialect: str, ping: bytes) -> None:
    told = outcome(dialect, dialect, [FIRST[dialect], ping], echoes=True)
    assert ping in told["seen"][-1][0]


def test_an_answer_with_no_utf8_in_it_stays_as_it_is() -> None:
    for rest in (b'"\xff":1', b'"a":"\xff\xe2\x80\xa8"'):
        body = b'{"model":"x",' + rest + b"}"
        assert echo_answer(body, "mini") == body


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("event", ERRORS)
@pytest.mark.parametrize("source", [MESSAGES, CHAT, RESPONSES])
def test_an_error_that_cannot_be_read_breaks_the_stream(
    source: str, sink: str, event: bytes
) -> None:
    told = outcome(source, sink, [FIRST[source], b"event: error\n" + event])
    assert told["failure"] is not None
    assert told["last"]
