"""Pieces of a call's arguments known by their spelling mean what each means read with care.

Whatever the pieces are: arguments that end, go wrong, come twice, or belong to another call.
"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.protocol.conversation import ToolCallDelta
from lynkrc_runtime.protocol.dialect import ANY_TARGET
from lynkrc_runtime.protocol.tables import TARGET_DIALECTS
from tests.property.effort import tried
from tests.property.test_plain_deltas_agree import FIRST, SINKS, named, outcome, with_care
from tests.runtime.by_hand import CHAT, MESSAGES

PIECES = (
    *('{"', "a", '"', ":", "1", ", ", '"b"', "}"),
    *(" ", "[", "]", "é", "\\", "\u2028", "{}", '{"a":1}'),
)


def _begin(source: str, place: int) -> bytes:
    if source == MESSAGES:
        block = f'{{"type":"tool_use","id":"c{place}","name":"look","input":{{}}}}'
        return named(
            f'{{"type":"content_block_start","index":{place + 1},"content_block":{block}}}'
        )
    if source == CHAT:
        call = f'{{"index":{place},"id":"c{place}","function":{{"name":"look","arguments":""}}}}'
        return f'data: {{"choices":[{{"index":0,"delta":{{"tool_calls":[{call}]}}}}]}}\n\n'.encode()
    item = f'{{"type":"function_call","call_id":"c{place}","name":"look"}}'
    return named(f'{{"type":"response.output_item.added","output_index":{place},"item":{item}}}')


def _piece(source: str, place: int, piece: str) -> bytes:
    text = json.dumps(piece)
    if source == MESSAGES:
        delta = f'{{"type":"input_json_delta","partial_json":{text}}}'
        return named(f'{{"type":"content_block_delta","index":{place + 1},"delta":{delta}}}')
    if source == CHAT:
        call = f'{{"index":{place},"function":{{"arguments":{text}}}}}'
        return f'data: {{"choices":[{{"index":0,"delta":{{"tool_calls":[{call}]}}}}]}}\n\n'.encode()
    return named(
        '{"type":"response.function_call_arguments.delta","sequence_number":5,'
        f'"output_index":{place},"delta":{text}}}'
    )


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("source", FIRST)
@tried(40)
@given(
    pieces=st.lists(
        st.tuples(st.sampled_from((0, 0, 0, 0, 1)), st.sampled_from(PIECES), st.integers(1, 3)),
        max_size=14,
    ),
    sides=st.booleans(),
)
def test_any_pieces(
    source: str, sink: str, pieces: list[tuple[int, str, int]], sides: bool
) -> None:
    events = [FIRST[source], _begin(source, 0)] + ([_begin(source, 1)] if sides else [])
    events += [
        _piece(source, place if sides else 0, piece)
        for place, piece, times in pieces
        for _ in range(times)
    ]
    for chunks in (events, [b"".join(events)], [b"".join(events[:6]), *events[6:]]):
        assert outcome(source, sink, chunks) == with_care(source, sink, chunks)


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("source", FIRST)
@pytest.mark.parametrize("wrong", ["}", "x", '{"a'])
def test_arguments_that_go_wrong(source: str, sink: str, wrong: str) -> None:
    said = ['{"', "path", '": ', '"', "src", "/", "main", wrong, wrong, "more", "and", "more"]
    events = [FIRST[source], _begin(source, 0), *(_piece(source, 0, one) for one in said)]
    for chunks in (events, [b"".join(events)], [b"".join(events[:5]), b"".join(events[5:])]):
        assert outcome(source, sink, chunks) == with_care(source, sink, chunks)


@pytest.mark.parametrize("source", FIRST)
def test_pieces_are_known_by_their_spelling(source: str) -> None:
    reader = TARGET_DIALECTS[source].stream_reader(ANY_TARGET)
    for event in (FIRST[source], _begin(source, 0), _piece(source, 0, '{"path')):
        reader.feed(event)
    texts: list[str] = []
    more = _piece(source, 0, '": ') + _piece(source, 0, '"src"')
    assert reader.plain(more, texts) == len(more)
    assert texts == ['": ', '"src"']
    assert reader.deltas.like == ToolCallDelta(index=0, json='{"path')
