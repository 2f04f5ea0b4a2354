"""Cases against the engines: what fails and how it is told, and what the gateway says of it."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lynkrc.cli.specs import compile_file
from lynkrc.pipeline import pack_bundle
from lynkrc.testing.case import Case, Sent
from lynkrc.testing.cases import read_cases
from lynkrc.testing.judge import is_close
from lynkrc.testing.runner import run_case
from lynkrc.testing.wording import failure_lines
from lynkrc_runtime.decide import Outcome, Verdict
from lynkrc_runtime.decision_headers import DECISION_HEADERS, decision_headers, header_value
from lynkrc_runtime.protocol.embeddings.policy import DIALECT
from lynkrc_runtime.server.embeddings import embed
from lynkrc_runtime.server.exchange import Incoming
from lynkrc_runtime.server.gateway import read_policy
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.server.serve import serve
from tests.runtime.by_hand import MESSAGES, Recorder, Said, gateway
from tests.unit.testing_sample import PASSING, SPEC, one_case, sample_engines, sample_table, sound


def passing() -> tuple[Case, ...]:
    bodies = PASSING.parent
    file, findings = read_cases(
        str(PASSING),
        PASSING.read_bytes(),
        sample_table(),
        bodies=lambda name: (bodies / name).read_bytes(),
    )
    assert findings == []
    return file.cases


REQUESTS = [case for case in passing() if isinstance(case.given, Sent)]


@pytest.mark.parametrize("case", REQUESTS, ids=lambda case: case.name)
def test_the_gateway_sends_the_headers_that_a_test_expects(case: Case, tmp_path: Path) -> None:
    packed, _ = pack_bundle(compile_file(SPEC), native=False)
    bundle = tmp_path / "sample.lynkr"
    bundle.write_bytes(packed)
    served = gateway(read_policy(bundle), Said(), settings=Settings(dry_run=True))
    sent, client = case.given, Recorder()
    assert isinstance(sent, Sent)
    is_embedding = sent.surface == "embeddings"
    dialects = {"messages": MESSAGES, "chat": "openai-chat", "responses": "openai-responses"}

    async def main() -> None:
        incoming = Incoming(
            surface=sent.surface,
            dialect=dialects.get(sent.surface, DIALECT),
            headers=dict(sent.headers),
            repeated=frozenset(),
            body=sent.body,
            request_id="req_test",
            answer_id="a" * 24,
            created=1_700_000_000,
            arrived=asyncio.get_running_loop().time(),
        )
        await serve(served, incoming, client, embed if is_embedding else None)

    asyncio.run(main())
    found = run_case(case, sample_engines())
    assert found.decision is not None
    told = {name: value for name, value in client.headers.items() if name in DECISION_HEADERS}
    assert told == decision_headers(found.decision)
    assert found.is_passed


def test_header_values_are_printable_and_bounded() -> None:
    assert header_value("a/b-c") == "a/b-c"
    assert header_value("caf\u00e9\r\n") == "caf???"
    assert len(header_value("x" * 900)) == 200


def test_an_engine_that_disagrees_fails_the_case_with_both_traces() -> None:
    engines = sample_engines()

    def wrong(v: list[int]) -> Verdict:
        outcome, tier, rule, chain, mask, score, prefer = engines.bundle.scorer(v)
        return outcome, tier, rule, chain, mask, score + 1, prefer

    broken = replace(engines, scorers=(*engines.scorers, ("the native scorer", wrong)))
    (case,) = sound(one_case('request: {ask: "write me a poem"}'))
    assert run_case(case, engines).is_passed
    found = run_case(case, broken)
    assert not found.is_passed
    assert found.mismatches == ()
    (disagreement,) = found.disagreements
    assert disagreement.engine == "the native scorer"
    lines = failure_lines(found)
    assert lines[0] == (
        "the native scorer does not decide as the reference interpreter does: "
        "(0, 0, -1, 0, 3, 14, -1), not (0, 0, -1, 0, 3, 13, -1)"
    )
    assert [line for line in lines if line.endswith(":")] == [
        "the reference interpreter:",
        "the generated code:",
    ]


def test_an_explanation_that_disagrees_fails_the_case() -> None:
    engines = sample_engines()

    def explain(v: list[int]) -> dict[str, Any]:
        return {**engines.bundle.explain(v), "matched": ["legal"]}

    broken = replace(engines, bundle=replace(engines.bundle, explain=explain))
    (case,) = sound(one_case("features: {ask.words: 3}"))
    assert [one.engine for one in run_case(case, broken).disagreements] == ["the generated scorer"]


@pytest.mark.parametrize(
    ("wanted", "points", "holds"),
    [
        ("12.34", "12.34375", True),
        ("12.35", "12.34375", False),
        ("12.344", "12.34375", False),
        ("12.34375", "12.34375", True),
        ("12.3", "12.34375", False),
        ("80", "80", True),
        ("80", "80.004", True),
        ("80.000", "80.004", False),
        ("-0.0", "0", True),
    ],
)
def test_points_are_compared_as_they_are_shown_or_exactly(
    wanted: str, points: str, holds: bool
) -> None:
    assert is_close(Decimal(wanted), Decimal(points)) == holds


def test_embeddings_that_the_policy_keeps_away_are_no_route() -> None:
    given = (
        "request: {surface: embeddings, headers: {x-team: legal}, body: {model: vectors, input: a}}"
    )
    (case,) = sound(one_case(given))
    found = run_case(case, sample_engines())
    assert found.decision is not None
    assert found.decision.outcome is Outcome.DENY
    assert [one.got for one in found.mismatches] == ["deny"]
