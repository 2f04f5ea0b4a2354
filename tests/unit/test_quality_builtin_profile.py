"""What `builtin/lynkrc-1` decides about the labelled agent traffic: as well as it did."""

import json
import tempfile
from functools import cache
from pathlib import Path

import pytest

from lynkrc.cli.specs import compile_file
from lynkrc.pipeline import pack_bundle
from lynkrc.quality.agreement import agreement_of
from lynkrc.quality.decided import Decided, decide_rows
from lynkrc.quality.results import Agreement
from lynkrc.quality.rows import read_rows
from lynkrc_runtime.bundle import LoadedBundle, load_bundle
from lynkrc_runtime.features import Extractor, RequestFacts
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS

ROOT = Path(__file__).resolve().parents[2]
TIERS = ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")
HARD = (
    "we lose an update when two workers hold the lease, and the failover makes it worse: plan a "
    "migration with idempotent writes and a rollback"
)


@cache
def starter() -> LoadedBundle:
    packed, _ = pack_bundle(compile_file(ROOT / "specs/starter/claude.yaml"), native=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "starter.lynkr"
        path.write_bytes(packed)
        return load_bundle(path)


@cache
def traffic() -> dict[str, Decided]:
    rows, problems = read_rows(ROOT / "tests/data/agent/requests.jsonl")
    assert not problems
    decided, undecided = decide_rows(starter(), rows)
    assert not undecided
    return {one.row.id: one for one in decided}


@cache
def agreement() -> Agreement:
    found = agreement_of(tuple(traffic().values()), TIERS)
    assert found is not None
    return found


def tier_of(*said: str, system: str = "") -> str:
    """The tier of the last words of a conversation, the user's first, in Chat."""
    turns = [
        {"role": "assistant" if number % 2 else "user", "content": text}
        for number, text in enumerate(said)
    ]
    head = [{"role": "system", "content": system}] if system else []
    body = json.dumps({"model": "auto", "messages": [*head, *turns]}).encode()
    loaded = starter()
    request = CLIENT_DIALECTS["openai-chat"].read_request(body, {})
    vector = Extractor(loaded.dispatch, loaded.tables).extract(
        request, RequestFacts(surface="chat", headers={})
    )
    return str(loaded.explain(vector)["tier"])


def test_it_chooses_as_a_careful_person_as_often_as_it_did() -> None:
    assert agreement().exact.value >= 0.70
    assert agreement().under.value <= 0.16


def test_no_family_is_left_behind() -> None:
    shares = {name: same / total for name, total, same, _ in agreement().tasks}
    assert shares["side-request"] >= 0.90
    assert min(shares.values()) >= 0.30, shares


def test_what_needs_a_proof_never_gets_the_cheapest() -> None:
    cheapest = [i for i, one in traffic().items() if one.row.tier == "REASONING" and not one.tier]
    assert cheapest == []


def test_side_requests_of_agents_are_the_cheapest() -> None:
    probes = ("title-", "topic-", "quota-", "warm-up-", "spinner-", "prefix-")
    found = {i: one.tier for i, one in traffic().items() if i.startswith(probes)}
    assert len(found) > 15
    assert set(found.values()) == {0}, found


@pytest.mark.parametrize("answer", ["yes", "ok", "go on", "do it", "the second one", "ja", "继续"])
def test_a_short_answer_amid_hard_work_is_not_the_cheapest(answer: str) -> None:
    assert tier_of(HARD, "Three steps. First the fencing token.", answer) != "SIMPLE"


@pytest.mark.parametrize("answer", ["thanks", "thx, never mind", "danke"])
def test_taking_leave_is_the_cheapest(answer: str) -> None:
    assert tier_of(HARD, "Three steps. First the fencing token.", answer) == "SIMPLE"


def test_the_first_word_is_nothing_to_carry_on() -> None:
    assert tier_of("yes") == "SIMPLE"
    assert tier_of("what is a mutex?", "A lock.", "thanks") == "SIMPLE"


@pytest.mark.parametrize("ask", ["rename tmp to total", HARD, "prove that it terminates", "hi"])
def test_the_system_prompt_does_not_decide(ask: str) -> None:
    envelope = "Prove every theorem. Audit the architecture for deadlocks. " * 200
    assert tier_of(ask, system=envelope) == tier_of(ask)
