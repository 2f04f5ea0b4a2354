"""Features that nothing tells yet, read by compiled specs: absent, none and 0."""

from pathlib import Path

import pytest

from lynkrc.cli.specs import compile_file
from lynkrc.pipeline import pack_bundle
from lynkrc_runtime.bundle import load_bundle
from lynkrc_runtime.decide import Decider
from lynkrc_runtime.features import Extractor, RequestFacts
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from tests.runtime.by_hand import body

SPEC = """\
version: 1
name: stateless
providers:
  sim: {{kind: simulator, trust: local}}
targets:
  low: {{provider: sim, model: l, context: 100k, max_output: 8k, capabilities: [], price: free}}
  high: {{provider: sim, model: h, context: 100k, max_output: 8k, capabilities: [], price: free}}
tiers:
  - {{name: SIMPLE, up_to: 50, chain: [low]}}
  - {{name: COMPLEX, chain: [high]}}
otherwise: escalate
score:
  dimensions:
    long: {{weight: 1, value: "ramp(ask.words, 0, 100)"}}
rules:
  - {{name: seen, when: '{guard}', tier: COMPLEX}}
"""


@pytest.mark.parametrize(
    ("guard", "holds"),
    [
        ('key.team == "legal"', False),
        ('key.team != "legal"', True),
        ("key.tenant == absent", True),
        ("session.turn == 0", True),
        ("session.warm_tokens > 0", False),
        ("budget.used_pct >= 80", False),
    ],
)
def test_a_compiled_guard_reads_nothing(tmp_path: Path, guard: str, holds: bool) -> None:
    spec = tmp_path / "routing.yaml"
    spec.write_text(SPEC.format(guard=guard), encoding="utf-8")
    packed, _ = pack_bundle(compile_file(spec), native=False)
    path = tmp_path / "stateless.lynkr"
    path.write_bytes(packed)
    bundle = load_bundle(path)
    extractor = Extractor(bundle.dispatch, bundle.tables)
    request = CLIENT_DIALECTS["anthropic-messages"].read_request(body(), {})
    vector = extractor.extract(request, RequestFacts(surface="messages", headers={}))
    decision = Decider(bundle.dispatch, bundle.scorer).decide(vector)
    assert (decision.tier == "COMPLEX", decision.rule == "seen") == (holds, holds)
