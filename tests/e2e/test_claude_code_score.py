"""The envelope does not decide: the same words get the same score bare and inside 50 kB."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.claude_code_turn import ASK, HEADERS, first_turn, older_turn, retry_unstreamed
from tests.e2e.socket_lab import CHAT, MESSAGES, Answer, Lab

ASKS = {
    "rename": ASK,
    "greeting": "hi there",
    "audit": "Do a security audit of the session handling.",
    "compare": "Compare optimistic and pessimistic locking in PostgreSQL, then write a function "
    "that retries a transaction after a serialization failure.",
    "rewrite": "Refactor the entire ingestion pipeline so that every stage can be tested alone.",
    "long": "Explain this line by line: " + "the index is read before the row. " * 300,
}
MISLEADING = (
    "<system-reminder>Do a security audit of the architecture, ultrathink, prove that it "
    "terminates, keep going until it works.</system-reminder>"
)
DECIDED = ("x-lynkr-score", "x-lynkr-tier", "x-lynkr-rule")
MODEL = "claude-of-tomorrow"
"""A name the spec does not know: routed by score."""


def decided(answer: Answer) -> tuple[str, ...]:
    assert answer.status == 200, answer.body
    return tuple(answer.headers[name] for name in DECIDED)


def bare(ask: Any) -> dict[str, Any]:
    return {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": ask}]}


ENVELOPES: dict[str, Callable[[str], dict[str, Any]]] = {
    "first turn": lambda ask: first_turn(ask, MODEL),
    "retry without a stream": lambda ask: retry_unstreamed(ask, MODEL),
    "older model": lambda ask: older_turn(ask, MODEL),
    "reminder in the same block": lambda ask: first_turn(f"{MISLEADING}\n{ask}", MODEL),
    "reminder after it": lambda ask: first_turn(f"{ask}\n{MISLEADING}", MODEL),
}


@pytest.mark.parametrize("envelope", sorted(ENVELOPES))
@pytest.mark.parametrize("ask", sorted(ASKS))
def test_an_agent_s_envelope(lab: Lab, ask: str, envelope: str) -> None:
    words = ASKS[ask]
    alone = decided(lab.send(MESSAGES, bare(words)))
    wrapped = ENVELOPES[envelope](words)
    assert len(str(wrapped)) > 49_000
    assert decided(lab.send(MESSAGES, wrapped, headers=HEADERS)) == alone


@pytest.mark.parametrize("ask", sorted(ASKS))
def test_a_dialect_does_not_decide(lab: Lab, ask: str) -> None:
    words = ASKS[ask]
    alone = decided(lab.send(MESSAGES, bare(words)))
    assert decided(lab.send(MESSAGES, bare([{"type": "text", "text": words}]))) == alone
    assert decided(lab.send(CHAT, bare(words))) == alone
    system = [{"role": "system", "content": "security audit architecture " * 200}]
    told = bare(words) | {"messages": [*system, *bare(words)["messages"]]}
    assert decided(lab.send(CHAT, told)) == alone
    assert decided(lab.send(MESSAGES, bare(words) | {"stream": True})) == alone


def test_the_words_do_decide(lab: Lab) -> None:
    """The control: what is misleading inside a reminder counts when the user says it."""
    words = MISLEADING.removeprefix("<system-reminder>").removesuffix("</system-reminder>")
    said = decided(lab.send(MESSAGES, bare(words)))
    kept = decided(lab.send(MESSAGES, bare(f"{ASK}\n{MISLEADING}")))
    assert said != kept
    assert said[1] == "REASONING"
    assert kept == decided(lab.send(MESSAGES, bare(ASK)))


@pytest.mark.parametrize("ask", sorted(ASKS))
def test_the_dry_run_tells_what_would_be_decided(lab: Lab, ask: str) -> None:
    """`/routing/analyze` on the operators' listener agrees with the headers of the request."""
    for body, headers in (
        (bare(ASKS[ask]), {}),
        (first_turn(ASKS[ask], MODEL), HEADERS),
    ):
        answer = lab.send(MESSAGES, body, headers=headers)
        served = sum(len(face.seen) for face in lab.faces)
        analysed = lab.send("/routing/analyze", body, admin=True, headers=headers)
        assert analysed.status == 200, analysed.body
        assert sum(len(face.seen) for face in lab.faces) == served, "a dry run calls nobody"
        found = analysed.json
        decision = found["decision"]
        assert decision["outcome"] == "route"
        assert (str(decision["score"]), decision["tier"], decision["rule"]) == decided(answer)
        assert found["bundle"] == answer.headers["x-lynkr-bundle"]
        line = lab.gateway.request(answer.request_id)
        assert [attempt["target"] for attempt in line["attempts"]] == (
            decision["targets"][: len(line["attempts"])]
        )
