"""Reasoning of a maker comes back to it through every client, and reaches no other maker."""

import json
from typing import Any

import pytest

from lynkrc_runtime.protocol.carrier import PREFIX
from lynkrc_runtime.protocol.conversation import Stop, Text, Thinking, ToolCall
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from lynkrc_runtime.server.makers import Makers, signatures_of, without_foreign
from tests.property.speech import Speech
from tests.property.test_pair_answers import ASKED, SHAPE, context_of, events_of
from tests.property.test_pair_requests import PAIRS, facts_of
from tests.property.upstreams import DIALECTS, SIGNED
from tests.wire.client_oracles import JUDGES

Json = dict[str, Any]

THOUGHT = "seven times six"
CROSSINGS = [(client, maker) for client, maker in PAIRS if client != maker]


def speech_of(maker: str) -> Speech:
    """Reasoning, signed where the dialect does that, then a text and a call."""
    signature = SIGNED if DIALECTS[maker].signs else None
    return Speech(
        blocks=(
            Thinking(text=THOUGHT, signature=signature),
            *(() if maker == "gemini" else (Text(text="So."),)),
            ToolCall(id="call_1", name="look", arguments="{}"),
        ),
        stop=Stop.TOOL_USE,
    )


def heard(client: str, maker: str, *, stream: bool) -> Json:
    """The answer as the client has it."""
    dialect = CLIENT_DIALECTS[client]
    if stream:
        events = events_of(maker, DIALECTS[maker].stream(speech_of(maker)), [])
        writer = dialect.stream_writer(context_of(client))
        return JUDGES[client].stream(b"".join(writer.write(event) for event in events))
    body = DIALECTS[maker].whole(speech_of(maker))
    answer = TARGET_DIALECTS[maker].read_answer(body, facts_of(maker, SHAPE))
    return JUDGES[client].whole(dialect.write_answer(answer, context_of(client)))


def next_body(client: str, answer: Json) -> bytes:
    """The client's next request, with the answer as it came and a result."""
    judge = JUDGES[client]
    turns = judge.replay(answer, {given: "42" for given, _, _ in judge.calls(answer)})
    return json.dumps(ASKED[client] | {judge.turns: [*ASKED[client][judge.turns], *turns]}).encode()


def sent(client: str, target: str, body: bytes, facts: TargetFacts, makers: Makers) -> str:
    """What the target gets, as the relay sends it."""
    dialect = TARGET_DIALECTS[target]
    request = CLIENT_DIALECTS[client].read_request(body, {})
    passing = dialect.pass_request if client == target else None
    foreign = makers.foreign(request, facts.maker)
    request, facts, _ = without_foreign(request, facts, foreign, passing=passing is not None)
    return (passing or dialect.write_request)(request, facts, {}).body.decode()


def remembered(maker: str) -> Makers:
    """The memory of a gateway that gave this answer."""
    makers = Makers(lambda: 0.0)
    body = DIALECTS[maker].whole(speech_of(maker))
    answer = TARGET_DIALECTS[maker].read_answer(body, facts_of(maker, SHAPE))
    makers.remember(signatures_of(answer.blocks), facts_of(maker, SHAPE).maker)
    return makers


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("client", "maker"), CROSSINGS)
def test_it_comes_back_to_its_maker(client: str, maker: str, stream: bool) -> None:
    body = next_body(client, heard(client, maker, stream=stream))
    found = sent(client, maker, body, facts_of(maker, SHAPE), remembered(maker))
    assert PREFIX not in found
    if DIALECTS[maker].signs:
        assert SIGNED in found
    if maker != "gemini":
        # Gemini is sent what it signed, without the words.
        assert THOUGHT in found


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("client", "maker"), CROSSINGS)
def test_it_reaches_no_other(client: str, maker: str, stream: bool) -> None:
    body = next_body(client, heard(client, maker, stream=stream))
    for target in TARGET_DIALECTS:
        if target != maker:
            found = sent(client, target, body, facts_of(target, SHAPE), remembered(maker))
            assert SIGNED not in found, target
            assert PREFIX not in found, target


@pytest.mark.parametrize("dialect", [name for name in CLIENT_DIALECTS if name in TARGET_DIALECTS])
def test_what_passed_through_comes_back_and_reaches_no_other(dialect: str) -> None:
    """The client has the upstream's own bytes."""
    answer = json.loads(DIALECTS[dialect].whole(speech_of(dialect)))
    body = next_body(dialect, answer)
    makers = remembered(dialect)
    own = facts_of(dialect, SHAPE)
    if DIALECTS[dialect].signs:
        assert SIGNED in sent(dialect, dialect, body, own, makers)
        for target in TARGET_DIALECTS:
            maker = "another" if target == dialect else f"here/{target}"
            facts = TargetFacts(
                model=facts_of(target, SHAPE).model,
                max_output=1000,
                capabilities=own.capabilities,
                shape=SHAPE,
                maker=maker,
                context=100_000,
            )
            assert SIGNED not in sent(dialect, target, body, facts, makers), target
