"""Refutations come as requests: of what a request can show at all, nearly every one is built.

Measured on the shipped example and on random large specs, with a question about every rule that is
asked for and some about tiers, targets and texts.
"""

from collections import Counter
from random import Random

import pytest

from lynkrc.analysis.verdicts import Status
from lynkrc.pipeline import check_spec, claims_of
from lynkrc.proofs.run import Proved, run
from tests.bench.large_spec import large_text
from tests.unit.sema_sample import Files, catalog

FLOOR = 0.95
"""Least share of the refutations without keys, sessions and budgets that are whole requests."""

POLITE = 0.9
"""The same of requests that providers take; some vectors leave no room for manners."""

RULES = 30
SEEDS = 4
_TIERS = ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")
_SITUATIONS = (
    "target == small",
    "target.trust == cloud",
    "matches(ask, lex5) and turns > 3",
    "matches(history, lex7)",
    "images.count > 2 and tools.count > 4",
    "loop.tool_results > 20",
    "context.tokens > 50k",
    "ask.words > 300 and ask.code_blocks > 1",
)


def proved(seed: int) -> Proved:
    draw = Random(seed)
    asked = [f"rule == r{number}" for number in draw.sample(range(RULES - 3), 6)]
    asked += [f"tier == {draw.choice(_TIERS)} and {one}" for one in _SITUATIONS]
    questions = "".join(f"  - never: '{one}'\n" for one in asked)
    # Of the spec's own claims, those about two requests take the solver longest.
    head, claims = large_text(RULES, seed).split("assert:\n")
    own = "\n".join(line for line in claims.splitlines() if "monotone" not in line)
    text = f"{head}assert:\n{questions}{own}\n"
    checked = check_spec("routing.yaml", text.encode(), loader=Files(), catalog=catalog())
    assert checked.typed is not None, [one.message for one in checked.diagnostics]
    claimed = claims_of(checked.typed)
    assert claimed is not None
    return run(*claimed)


@pytest.fixture(scope="module")
def found() -> list[Proved]:
    return [proved(seed) for seed in range(SEEDS)]


def test_nearly_every_refutation_is_a_request(found: list[Proved]) -> None:
    words = Counter(
        proof.word
        for one in found
        for proof in one.proofs
        if proof.status is Status.REFUTED
        and proof.witnesses
        and not any(witness.given for witness in proof.witnesses)
    )
    assert words.total() > 10 * SEEDS
    assert words["refuted (request)"] >= FLOOR * words.total(), words


def test_requests_are_such_as_providers_take(found: list[Proved]) -> None:
    polite = [
        witness.request.body
        for one in found
        for proof in one.proofs
        for witness in proof.witnesses
        if witness.request.realised and witness.request.surface == "messages"
    ]
    good = [body for body in polite if is_taken(body)]
    assert len(good) >= POLITE * len(polite) > 0


def is_taken(body: object) -> bool:
    """Whether roles take turns, beginning and ending with the user, and nothing is blank."""
    match body:
        case {"max_tokens": int(limit), "messages": [*said]}:
            roles = [one["role"] for one in said if one["role"] != "system"]
            turns = ["user", "assistant"] * len(roles)
            blank = any(isinstance(one["content"], str) and not one["content"].strip()
                        for one in said)  # fmt: skip
            return (
                limit >= 1
                and bool(roles)
                and roles == turns[: len(roles)]
                and (roles[-1] == "user" and not blank)
            )
        case _:
            return False
