"""The example about privacy: what it claims holds on every kind of request that was thought of."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from lynkrc.cli.specs import DiskLoader
from lynkrc.diagnostics.model import Severity
from lynkrc.interp.assertions import Claim, decided, joint_domain, may_occur
from lynkrc.ir.assertion import Kind
from lynkrc.ir.domain import Domain, Point
from lynkrc.lower.assertions import lower_assertions
from lynkrc.lower.table import lower_decision
from lynkrc.pipeline import check_spec
from tests.unit.sema_sample import catalog

PRIVACY = Path(__file__).resolve().parents[2] / "examples" / "privacy"

TRIED: dict[str, tuple[int | str, ...]] = {
    "header": ("", "other", "confidential"),
    "matches(ask, confidential_words)": (0, 1),
    "key.team": ("", "legal"),
    "surface": ("messages", "embeddings"),
    "model": (
        "auto", "lynkr/small", "lynkr/mid", "lynkr/strong", "lynkr/medium", "claude-lynkr-strong",
        "lynkr/vectors", "lynkr/cloud_vectors",
    ),
    "images.count": (0, 1),
    "context.tokens": (0, 200_000, 5_000_000),
    "matches(ask, builtin/deep_audit)": (0, 1),
}  # fmt: skip


def points(domain: Domain) -> Iterator[Point]:
    """Every combination of what is tried, everything else at its least."""
    values = []
    for slot in domain.slots:
        found = TRIED.get(slot.text) or TRIED.get(slot.feature) or (max(0, slot.low),)
        texts = [one.text or one.kind for one in slot.classes]
        values.append(
            [texts.index(one or "absent") if isinstance(one, str) else one for one in found]
        )
    return product(*values)


def broken(name: str) -> dict[str, set[str]]:
    """The assertions that some point breaks (or shows to be reachable), with its targets."""
    path = PRIVACY / name
    checked = check_spec(str(path), path.read_bytes(), loader=DiskLoader(), catalog=catalog())
    assert [d for d in checked.diagnostics if d.severity is not Severity.NOTE] == []
    assert checked.typed is not None
    table, assertions = lower_decision(checked.typed), lower_assertions(checked.typed)
    domain = joint_domain(table, assertions)
    tried = {slot.text for slot in domain.slots} | {slot.feature for slot in domain.slots}
    assert tried.issuperset(TRIED)
    claims = [Claim(table, assertions, one, domain) for one in assertions.items]
    found: dict[str, set[str]] = {}
    for point in points(domain):
        if not may_occur(table, domain, point):
            continue
        verdict = decided(table, domain.views[0].vector(point))
        for claim in claims:
            targets = claim.breaks(point, verdict)
            if targets:
                at = found.setdefault(claim.assertion.name or "", set())
                at |= {"" if t is None else table.targets[t].name for t in targets}
    assert {one.name for one in assertions.items if one.kind is Kind.REACHABLE} <= set(found)
    return found


LEAKING = (("stays", "home"), ("marked", "stays"), ("worded", "stays"), ("legal", "stays"))
REACHED = {"still-served": {"large"}, "others-leave": {"strong"}}


@pytest.mark.parametrize(
    ("name", "leaks"),
    [
        ("routing.yaml", {}),
        (
            "careless.yaml",
            {f"{who}-{verb}": {"mid"} for who, verb in LEAKING},
        ),
    ],
)
def test_what_the_example_claims(name: str, leaks: dict[str, set[str]]) -> None:
    assert broken(name) == REACHED | leaks


def test_the_two_differ_in_one_rule() -> None:
    texts = [
        (PRIVACY / name).read_text(encoding="utf-8") for name in ("routing.yaml", "careless.yaml")
    ]
    one, other = ([line for line in text.splitlines() if line[:1] != "#"] for text in texts)
    differing = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
    assert len(differing) == 1
    assert all("stay-home" in line for line in differing[0])
