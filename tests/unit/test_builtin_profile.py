"""What `builtin/lynkr-13` and the base spec decide, by example: intent, not substrings."""

import json
import tempfile
from functools import cache
from pathlib import Path

import pytest

from lynkrc.cli.specs import compile_file
from lynkrc.interp.trace import trace
from lynkrc.ir.table import RouteTable
from lynkrc.pipeline import pack_bundle
from lynkrc_runtime.bundle import LoadedBundle, load_bundle
from lynkrc_runtime.features import Extractor, RequestFacts
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from tests.e2e.claude_code_turn import HEADERS, first_turn, second_turn

SPEC = """
version: 1
name: profile
extends: builtin/lynkr
providers: {anthropic: {kind: anthropic, api_key: "${KEY}", trust: cloud}}
targets:
  small: {provider: anthropic, model: claude-haiku-5-5}
  large: {provider: anthropic, model: claude-opus-5-5}
score: {use: builtin/lynkr-13}
tiers:
  - {name: SIMPLE, up_to: 25, chain: [small]}
  - {name: MEDIUM, up_to: 50, chain: [small]}
  - {name: COMPLEX, up_to: 75, chain: [large]}
  - {name: REASONING, chain: [large]}
"""

CASES = (
    ("hi", "SIMPLE", "builtin/greetings"),
    ("Thanks, that helped!", "SIMPLE", "builtin/greetings"),
    (
        'Generate a title for this conversation:\n\n"Do a security audit"',
        "SIMPLE",
        "builtin/side-requests",
    ),
    ("what time is it?", "SIMPLE", "builtin/clock-questions"),
    ("sounds good", "SIMPLE", "builtin/short-answers"),
    # To go on is no answer: it may start work.
    ("go ahead", "SIMPLE", "score"),
    ("help", "SIMPLE", "builtin/menus"),
    ("What does git stash do?", "SIMPLE", "score"),
    ("fix the null-check bug in src/auth/middleware.ts", "SIMPLE", "score"),
    # Substrings are not words: "auth" is in author, "verify" is no proof.
    ("Tell me about the author of the book Dune", "SIMPLE", "score"),
    ("can you verify the score?", "SIMPLE", "score"),
    ("prove me wrong lol", "SIMPLE", "score"),
    ("deploy the docs site", "SIMPLE", "score"),
    (
        "Compare JWT and session cookies for a bank, with trade-offs, step by step",
        "MEDIUM",
        "score",
    ),
    ("Refactor the entire ingestion pipeline", "COMPLEX", "builtin/rewrites"),
    ("Review my PR", "COMPLEX", "builtin/reviews"),
    ("production incident: checkout is down", "COMPLEX", "builtin/trouble"),
    (
        "Design a horizontally scalable architecture with failure-mode analysis",
        "COMPLEX",
        "builtin/designs",
    ),
    ("Do a security audit of the session handling", "REASONING", "builtin/audits"),
    ("Prove that this loop terminates for every input", "REASONING", "builtin/proofs"),
    ("ultrathink about this bug", "REASONING", "builtin/deep-thought"),
    (
        "Find the flaky test and fix it with full autonomy: iterate until ten runs in a row pass, "
        "then plan the next step across the whole repository",
        "REASONING",
        "builtin/autonomous",
    ),
)


# A client asks for a title without its tools, so not inside the envelope.
ASKS = tuple(ask for ask, _, rule in CASES if rule != "builtin/side-requests")


@cache
def bundle() -> tuple[RouteTable, LoadedBundle]:
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "routing.yaml"
        spec.write_text(SPEC, encoding="utf-8")
        compilation = compile_file(spec)
        assert compilation.table is not None
        packed, _ = pack_bundle(compilation, native=False)
        path = Path(folder) / "profile.lynkr"
        path.write_bytes(packed)
        return compilation.table, load_bundle(path)


def decide(body: dict[str, object], headers: dict[str, str]) -> tuple[str | None, str, int | None]:
    table, loaded = bundle()
    request = CLIENT_DIALECTS["anthropic-messages"].read_request(json.dumps(body).encode(), headers)
    extractor = Extractor(loaded.dispatch, loaded.tables)
    vector = extractor.extract(request, RequestFacts(surface="messages", headers=headers))
    found = trace(table, vector)
    assert loaded.scorer(vector) == found.verdict
    return found.tier, found.rule, found.score


def bare(ask: str) -> dict[str, object]:
    return {"model": "auto", "max_tokens": 64, "messages": [{"role": "user", "content": ask}]}


@pytest.mark.parametrize(("ask", "tier", "rule"), CASES, ids=[case[0][:40] for case in CASES])
def test_an_ask_gets_the_tier_it_means(ask: str, tier: str, rule: str) -> None:
    assert decide(bare(ask), {})[:2] == (tier, rule)


@pytest.mark.parametrize("ask", ASKS, ids=[ask[:40] for ask in ASKS])
def test_claude_codes_envelope_changes_nothing(ask: str) -> None:
    assert decide(first_turn(ask), HEADERS) == decide(bare(ask), {})


def test_a_title_asked_for_in_two_messages_is_a_title() -> None:
    words = "Do a security audit of the session handling"
    asked = bare(words) | {
        "messages": [
            {"role": "user", "content": "Generate a title for this conversation:\n"},
            {"role": "user", "content": words},
        ]
    }
    agent = {"user-agent": "opencode/1.18.33"}
    assert decide(asked, agent)[:2] == ("SIMPLE", "builtin/side-requests")


def test_a_short_answer_is_one_only_where_nothing_was_said_before() -> None:
    said = [
        {"role": "user", "content": "Rename the helper."},
        {"role": "assistant", "content": "In every file?"},
        {"role": "user", "content": "yes"},
    ]
    assert decide(bare("yes"), {})[1] == "builtin/short-answers"
    assert decide(bare("") | {"messages": said}, {})[1] == "score"


def test_messages_a_client_writes_make_no_agent() -> None:
    # Fifteen points of words alone make no tool chain, however many example turns come before.
    ask = "Implement a parser and test it"
    examples = [
        {"role": "user", "content": "Change get_factorial() to use math.factorial"},
        {"role": "assistant", "content": "Done."},
    ]
    spoken = bare(ask)["messages"]
    assert isinstance(spoken, list)
    inside = bare(ask) | {"messages": [*examples * 4, *spoken]}
    assert decide(inside, {}) == decide(bare(ask), {})


def test_the_loop_counts_but_the_envelope_does_not() -> None:
    ask = "Rename the helper."
    tier, _, score = decide(second_turn(ask), HEADERS)
    bare_tier, _, bare_score = decide(bare(ask), {})
    assert tier == bare_tier == "SIMPLE"
    assert score is not None and bare_score is not None and score > bare_score


def test_the_weights_of_the_profile_sum_to_100() -> None:
    table, _ = bundle()
    assert len(table.dimensions) == 13
    assert sum(dimension.weight64 for dimension in table.dimensions) == 100 * 64
    assert [tier.up_to for tier in table.tiers] == [25, 50, 75, None]
