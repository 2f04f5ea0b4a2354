"""Keys of tiers and targets: which reach nothing, as the gateway would have it."""

from pathlib import Path

import pytest

from lynkrc.cli.specs import check_bytes
from lynkrc.diagnostics.model import Severity

SPEC = """\
version: 1
name: example
providers:
  house: {kind: vllm, base_url: "${HOUSE}", trust: internal}
targets:
  one: {provider: house, model: m, context: 32k, capabilities: [tools], price: free}
  two: {provider: house, model: m2, context: 32k, capabilities: [tools], price: free}
tiers:
  - {name: LOW, up_to: 50, chain: [one]}
  - {name: HIGH, chain: [two]}
score: {use: builtin/lynkr-13}
keys:
  ci: {secret: "${CI_KEY}", tiers: [LOW], targets: [two]}
"""


@pytest.mark.parametrize(
    ("more", "reaches"),
    [
        ("", False),
        ("rules:\n  - {name: seen, when: 'tools.count > 3', chain: [two]}\n", True),
        ("rules:\n  - {name: seen, when: 'tools.count > 3', chain: [one]}\n", False),
        ("embeddings:\n  ada: {target: two}\n", True),
        ("embeddings:\n  ada: {target: one}\n", False),
    ],
    ids=["tiers alone", "chain rule", "its other target", "embeddings", "others"],
)
def test_a_key_reaches_what_a_chain_rule_or_embeddings_lead_to(more: str, reaches: bool) -> None:
    found = check_bytes(Path("routing.yaml"), (SPEC + more).encode()).diagnostics
    errors = [one.code.id for one in found if one.severity is Severity.ERROR]
    assert errors == ([] if reaches else ["LK605"])
