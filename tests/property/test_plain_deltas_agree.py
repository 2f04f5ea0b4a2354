"""Events that pass by their spelling alone leave everything as it is when each is read with care.

Streams are made of events as servers spell them, well and badly, in any order and cut anywhere:
the client's bytes, usage, tokens, losses, signatures and failures must be the same.
"""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.protocol.dialect import ANY_TARGET, AnswerContext, Problem
from lynkrc_runtime.protocol.plain_deltas import PlainDeltas
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from lynkrc_runtime.server.flow import Flow
from tests.bench.streams import stream
from tests.property.effort import tried
from tests.runtime.by_hand import CHAT, MESSAGES, RESPONSES, body

SINKS = (MESSAGES, CHAT, RESPONSES)
PROBLEM = Problem(status=502, kind="bad_gateway", message="cut")
TEXTS = (
    *(
        '"a"',
        '" word"',
        '"x \\n y"',
        '"say \\"hi\\""',
        '"\\\\"',
        '"é漢字"',
        '"\u2028"',
        '"\\u0041"',
    ),
    *('""', "null", '"\\ud83d"', '"\\ud83d\\ude00"', '"half', '"\t"', '"a":"b"', '"},{\\"', "7"),
)
USAGES = ("", ',"usage":null', ',"usage":{"prompt_tokens":3,"completion_tokens":9}')
PADDINGS = ("", ',"obfuscation":"aB3"', ',"obfuscation":"x"', ',"obfuscation":"a\\"b"')


def named(payload: str, gap: str = "") -> bytes:
    """An event with its name, as Messages and Responses have it."""
    kind = payload.partition('"type":"')[2].partition('"')[0]
    return f"event: {kind}\ndata: {payload}{gap}\n\n".encode("utf-8", "surrogatepass")


def _messages() -> st.SearchStrategy[bytes]:
    index = st.integers(0, 2)
    text = st.sampled_from(TEXTS)
    kinds = ("text", "thinking", "tool_use", "server_tool_use")
    members = (
        *('"type":"text_delta","text":', '"type":"thinking_delta","thinking":'),
        *('"type":"input_json_delta","partial_json":', '"type":"signature_delta","signature":'),
        *('"type":"text_delta","text":"b","text":', '"text":'),
    )
    delta = st.builds(
        lambda at, member, said, gap: named(
            f'{{"type":"content_block_delta","index":{at},"delta":{{{member}{said}}}}}', gap
        ),
        index,
        st.sampled_from(members),
        text,
        st.sampled_from(("", "  ")),
    )
    begin = st.builds(
        lambda at, kind, said: named(
            f'{{"type":"content_block_start","index":{at},"content_block":'
            f'{{"type":"{kind}","id":"c","name":"look","text":{said}}}}}'
        ),
        index,
        st.sampled_from(kinds),
        st.sampled_from(('""', '"a"')),
    )
    end = st.builds(lambda at: named(f'{{"type":"content_block_stop","index":{at}}}'), index)
    other = st.sampled_from(
        (
            named('{"type":"ping"}'),
            named('{"type":"message_delta","delta":{},"usage":{"output_tokens":5}}'),
            named('{"type":"message_delta","delta":{"stop_reason":"end_turn"}}'),
            named('{"type":"message_stop"}'),
            named('{"type":"error","error":{"type":"overloaded_error","message":"no"}}'),
            named('{"type":"of_next_year","text":"a"}'),
        )
    )
    return st.one_of(delta, delta, delta, begin, end, other)


def _chat() -> st.SearchStrategy[bytes]:
    deltas = (
        *('{"content":%s}', '{"role":"assistant","content":%s}', '{"reasoning_content":%s}'),
        *('{"content":"","reasoning":%s}', '{"content":%s,"refusal":"no"}'),
        *('{"reasoning":"a","reasoning_content":%s}', '{"content":"a","content":%s}'),
        *('{"content":%s,"function_call":{}}', '{"content":%s,"function_call":null}'),
        '{"tool_calls":[{"index":0,"id":"c","function":{"name":"look","arguments":%s}}]}',
        '{"tool_calls":[{"index":0,"function":{"arguments":%s}}]}',
    )
    choices = (
        *('[{"index":0,"delta":%s,"finish_reason":null}]', '[{"index":1,"delta":%s}]'),
        *('[{"delta":%s,"finish_reason":"stop"}]', '[{"delta":%s},{"delta":{"content":"a"}}]'),
    )
    chunk = st.builds(
        lambda delta, said, choice, usage, padding: (
            'data: {"id":"c","created":1,"model":"m","choices":'
            f"{choice % (delta % said)}{usage}{padding}}}\n\n"
        ).encode("utf-8", "surrogatepass"),
        st.sampled_from(deltas),
        st.sampled_from(TEXTS),
        st.sampled_from((*choices[:1] * 6, *choices[1:])),
        st.sampled_from((*USAGES[:1] * 3, *USAGES)),
        st.sampled_from(PADDINGS),
    )
    other = st.sampled_from((b"data: [DONE]\n\n", b'data: {"error":{"message":"no"}}\n\n'))
    return st.one_of(chunk, chunk, chunk, chunk, other)


def _responses() -> st.SearchStrategy[bytes]:
    kinds = (
        *("output_text.delta", "refusal.delta", "reasoning_summary_text.delta"),
        *("function_call_arguments.delta", "output_text.done"),
    )
    delta = st.builds(
        lambda kind, number, place, said, padding: named(
            f'{{"type":"response.{kind}","sequence_number":{number},"item_id":"i",'
            f'"output_index":{place},"content_index":0,"delta":{said},"logprobs":[]{padding}}}'
        ),
        st.sampled_from((*kinds[:1] * 4, *kinds)),
        st.sampled_from(("1", "12", "0", "07", "1e1", "345")),
        st.integers(0, 1),
        st.sampled_from(TEXTS),
        st.sampled_from(PADDINGS),
    )
    items = ("message", "reasoning", "web_search_call", 'function_call","name":"look","call_id":"c')
    added = st.builds(
        lambda kind, place, done: named(
            f'{{"type":"response.output_item.{done}","sequence_number":3,"output_index":{place},'
            f'"item":{{"type":"{kind}"}}}}'
        ),
        st.sampled_from(items),
        st.integers(0, 1),
        st.sampled_from(("added", "done")),
    )
    head = '"response":{"id":"r","model":"m"'
    other = st.sampled_from(
        (
            named(f'{{"type":"response.created",{head}}}}}'),
            named(f'{{"type":"response.completed",{head},"usage":{{"output_tokens":3}}}}}}'),
            named('{"type":"error","message":"no"}'),
        )
    )
    return st.one_of(delta, delta, delta, added, other)


FIRST = {
    MESSAGES: named('{"type":"message_start","message":{"id":"m","usage":{"input_tokens":2}}}')
    + named('{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}'),
    CHAT: b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n',
    RESPONSES: named('{"type":"response.created","response":{"id":"r","model":"m"}}'),
}
EVENTS = {MESSAGES: _messages(), CHAT: _chat(), RESPONSES: _responses()}
NOISE = st.sampled_from(
    (b": keep-alive\n\n", b"id: 7\n", b"\n", b"data: \n\n", b"retry: 1\r\n\r\n")
)


def outcome(source: str, sink: str, chunks: list[bytes], **more: Any) -> dict[str, Any]:
    """All that is learnt of a stream, and what the client gets."""
    content = body(sink, stream=True)
    context = AnswerContext(
        request=CLIENT_DIALECTS[sink].read_request(content, {}),
        id="a" * 24,
        model="served",
        created=1,
        input_estimate=lambda: 5,
        request_id="req_test",
    )
    flow = Flow(TARGET_DIALECTS[source], CLIENT_DIALECTS[sink], context, **more)
    out, seen = [], []
    for chunk in [*chunks, b""]:
        if not flow.has_ended and flow.failure is None:
            one = flow.one(chunk)
            out += flow.feed(chunk) if one is None else [one]
            seen.append((b"".join(out), flow.has_content, flow.streamed))
    return {
        "seen": seen,
        "usage": flow.usage,
        "ended": flow.has_ended,
        "failure": flow.failure,
        "signatures": flow.signatures,
        "lost": flow.lost,
        "alive": flow.keep_alive(),
        "last": flow.fail(PROBLEM),
    }


def with_care(source: str, sink: str, chunks: list[bytes], **more: Any) -> dict[str, Any]:
    """The same, where every event is read with care."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PlainDeltas, "take", lambda *_: 0)
        patch.setattr(PlainDeltas, "only", lambda *_: "")
        return outcome(source, sink, chunks, **more)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    inside = sorted({place % max(1, len(data)) for place in places} - {0})
    return [data[start:end] for start, end in pairwise([0, *inside, len(data)])]


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("source", EVENTS)
@tried(60)
@given(drawn=st.data())
def test_any_stream_is_the_same(source: str, sink: str, drawn: st.DataObject) -> None:
    event = EVENTS[source]
    # Servers repeat themselves: most of the events come several times.
    runs = drawn.draw(
        st.lists(st.tuples(st.one_of(event, event, event, NOISE), st.integers(1, 4)), max_size=12)
    )
    whole = [FIRST[source], *(one for one, times in runs for _ in range(times))]
    data = b"".join(whole)
    places = drawn.draw(st.lists(st.integers(0, 4000), max_size=8))
    echoes = drawn.draw(st.booleans())
    for chunks in (whole, [data], cut(data, places)):
        plain = outcome(source, sink, chunks, echoes=echoes)
        assert plain == with_care(source, sink, chunks, echoes=echoes)


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("source", EVENTS)
def test_a_usual_stream_is_the_same_wherever_it_is_cut(source: str, sink: str) -> None:
    events = stream(source, 6)
    data = b"".join(events)
    whole = with_care(source, sink, events)
    assert whole["ended"]
    for place in range(1, len(data)):
        told = outcome(source, sink, [data[:place], data[place:]])
        assert told["seen"][-1][0] == whole["seen"][-1][0]
        assert told["seen"][-1][1:] == whole["seen"][-1][1:]
        assert {**told, "seen": ()} == {**whole, "seen": ()}


@pytest.mark.parametrize("source", EVENTS)
def test_most_of_a_usual_stream_is_known_by_its_spelling(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    only = PlainDeltas.only

    def noting(deltas: PlainDeltas, data: bytes) -> str:
        text = only(deltas, data)
        taken.append(text)
        return text

    monkeypatch.setattr(PlainDeltas, "only", noting)
    outcome(source, source, stream(source, 50))
    assert taken.count("word ") >= 40


def test_other_numbers_and_paddings_are_no_other_spelling() -> None:
    texts: list[str] = []
    reader = TARGET_DIALECTS[RESPONSES].stream_reader(ANY_TARGET)
    reader.feed(FIRST[RESPONSES])

    def event(number: int, text: str, padding: str) -> bytes:
        value = {"type": "response.output_text.delta", "sequence_number": number}
        more = {"output_index": 0, "content_index": 0, "delta": text, "obfuscation": padding}
        return named(json.dumps(value | more))

    reader.feed(event(9, "Hel", "abc"))
    data = event(10, "lo\n", "")
    assert reader.plain(data + event(11, "", "x"), texts) == len(data)
    assert texts == ["lo\n"]


@pytest.mark.parametrize("echoes", [False, True])
@pytest.mark.parametrize("gap", ["", " "])
@pytest.mark.parametrize("padding", PADDINGS)
def test_what_nobody_asked_for_is_left_out_of_deltas_known_by_their_spelling(
    padding: str, gap: str, echoes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def event(said: str, pad: str = padding) -> bytes:
        choice = f'{{"index":0,"delta":{{"content":{said}}},"finish_reason":null}}'
        return (
            f'data: {{"id":{gap}"c","model":"m","choices":[{choice}],"usage":{gap}null{pad}}}\n\n'
        ).encode("utf-8", "surrogatepass")

    other = padding.replace("aB3", "Q") if padding else ""
    chunks = [FIRST[CHAT], *(event(said) for said in ('"a"', *TEXTS, '"a"', '"usage"'))]
    chunks += [event('"a"'), event('"a"'), event('"lynkrc"', other), event('"model"', other)]
    assert outcome(CHAT, CHAT, chunks, echoes=echoes) == with_care(
        CHAT, CHAT, chunks, echoes=echoes
    )
    read: list[bytes] = []
    feed = Flow.feed
    monkeypatch.setattr(Flow, "feed", lambda flow, data: read.append(data) or feed(flow, data))
    usual = [FIRST[CHAT], *(event(said) for said in ('"a"', '"b"', '"usage"', '"d"'))]
    told = outcome(CHAT, CHAT, usual, echoes=echoes)["seen"]
    assert b"usage" not in told[1][0]
    if "\\" not in padding:
        assert read == [*usual[:2], b""]


def test_a_call_without_a_name_holds_back_the_text_behind_it() -> None:
    choice = '[{"index":0,"delta":{"content":"SAID","function_call":{}}}]'
    event = f'data: {{"id":"c","created":1,"model":"m","choices":{choice}}}\n\n'
    chunks = [FIRST[CHAT], *(event.replace("SAID", said).encode() for said in "abc")]
    assert outcome(CHAT, MESSAGES, chunks) == with_care(CHAT, MESSAGES, chunks)
