"""Witnesses of every tier, sent to a gateway with the printed command, get the tier promised."""

import subprocess
from pathlib import Path
from random import Random

import pytest

from lynkrc.cli.specs import compile_file
from lynkrc.interp.evaluate import evaluate
from lynkrc.ir.domain import Part, domain_of
from lynkrc.ir.table import RouteTable, Slot
from lynkrc.testing.curl import as_curl
from lynkrc.testing.synthesize import Synthesizer
from lynkrc_runtime.decide import Outcome
from tests.e2e.gateway import PATIENCE, ROOT, built, serving

SPECS = {
    "quickstart": ROOT / "examples" / "quickstart" / "routing.yaml",
    "starter-claude": ROOT / "specs" / "starter" / "claude.yaml",
}
TRIES = 400
OF_LEXICONS = ("matches", "count", "distinct")


def value(slot: Slot, occurs: dict[tuple[str, ...], bool]) -> int:
    """A lexicon that occurs does so once, so all that is told of it agrees."""
    if slot.feature in OF_LEXICONS:
        return int(occurs[slot.args])
    return 1 if slot.feature == "model" else max(slot.low, 0)


def vectors(table: RouteTable) -> list[tuple[int, ...]]:
    """Requests of few and of many words, in which some lexicons occur."""
    random = Random(7)
    lexical = [slot for slot in table.slots if slot.feature in OF_LEXICONS]
    found = []
    for _ in range(TRIES):
        words = random.randint(20, 400)
        occurs = {slot.args: random.random() < 0.3 for slot in lexical}
        fixed = {
            "ask.words": words,
            "ask.chars": 7 * words,
            "ask.bytes": 7 * words,
            "ask.lines": 1,
            "ask.tokens": -(-7 * words // 4),
            "ask.mean_sentence": 7 * words,
            "turns": 1,
            "messages.count": 1,
            "context.tokens": 7 * words,
            "request.max_tokens": 1_000,
        }
        found.append(tuple(fixed.get(slot.feature, value(slot, occurs)) for slot in table.slots))
    return found


@pytest.mark.parametrize("name", SPECS)
def test_a_witness_of_each_tier_is_served_by_it(name: str, tmp_path: Path) -> None:
    table = compile_file(SPECS[name]).table
    assert table is not None
    domain = domain_of(Part(slots=table.slots, lexicons=table.lexicons))
    maker = Synthesizer(table, domain)
    requests = {}
    tried: dict[int, int] = {}
    for vector in vectors(table):
        outcome, tier, *_ = evaluate(table, vector)
        if outcome is not Outcome.ROUTE or tier in requests or tried.setdefault(tier, 0) >= 6:
            continue
        tried[tier] += 1
        point = [0] * len(domain.variables)
        for slot, variable in enumerate(domain.views[0].variables):
            point[variable] = vector[slot]
        made = maker.synthesize(tuple(point))
        if made.realised:
            requests[tier] = made
    assert set(requests) == set(tried)
    assert len(requests) >= 2
    with serving(built(SPECS[name], tmp_path, name), tmp_path / "log", ["--dry-run"]) as gateway:
        for tier, made in requests.items():
            sent = as_curl(made, gateway.url).replace("curl -sS", "curl -sS -D - -o /dev/null", 1)
            answer = subprocess.run(
                ["sh", "-c", sent], capture_output=True, text=True, timeout=PATIENCE, check=True
            )
            lines = answer.stdout.lower().splitlines()
            assert f"x-lynkr-tier: {table.tiers[tier].name}".lower() in lines, answer.stdout
