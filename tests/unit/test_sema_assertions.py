"""Assertions: what they may read, and how they are told."""

import pytest

from lynkrc.sema.typed import MemberTest
from lynkrc.syntax.config import AssertionKind
from tests.unit.sema_sample import Files, found, resolved


def asserting(text: str) -> str:
    return f"assert:\n  - {text}\n"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("{never: target.trust == cloud}", "never: target.trust == cloud"),
        ("{always: 'images.count > 0 implies target.vision'}", None),
        ("{always: 'tier >= HIGH implies not target.first'}", None),
        ("{reachable: 'tier == LOW and target == \"one\"'}", None),
        ("{reachable: 'rule == score or outcome == route'}", None),
        ("{never: 'outcome in [deny, refuse]'}", None),
        ("{max_cost_usd: 12.00}", "max_cost_usd: 12"),
        ("{max_latency: 2m}", "max_latency: 120s"),
        ("{monotone: context.tokens}", "monotone: context.tokens"),
        ("{same_as: ./other.yaml}", "same_as: ./other.yaml"),
    ],
)
def test_what_is_asserted(text: str, source: str | None) -> None:
    typed, findings = resolved(asserting(text))
    assert findings == []
    assert typed is not None
    (one,) = typed.assertions
    if source is not None:
        assert one.source == source


@pytest.mark.parametrize(
    ("text", "code", "marked"),
    [
        ("{never: target.trust == cluod}", "LK402", "cluod"),
        ("{never: tier == MEDIUM}", "LK402", "MEDIUM"),
        ("{never: outcome == routed}", "LK402", "routed"),
        ("{never: context.tokens}", "LK310", "context.tokens"),
        ("{monotone: 'context.tokens + 1'}", "LK310", "context.tokens + 1"),
        ("{monotone: client}", "LK310", "client"),
        ("{monotone: contxt.tokens}", "LK401", "contxt.tokens"),
    ],
)
def test_what_cannot_be_asserted(text: str, code: str, marked: str) -> None:
    assert (code, marked) in [(c, m.strip("'")) for c, m in found(asserting(text))]


def test_guards_cannot_read_the_decision() -> None:
    rule = "rules:\n  - {name: r, when: tier == HIGH, floor: HIGH}\n"
    assert found(rule) == [("LK401", "tier")]


def test_a_base_may_not_give_a_name_again() -> None:
    base = "version: 1\nname: team\nassert:\n  - {name: a, always: wants.stream}\n"
    two = "extends: ./team.yaml\n" + asserting("{name: a, never: wants.stream}")
    assert [code for code, _ in found(two, Files({"./team.yaml": base}))] == ["LK412"]


def test_a_waiver_and_the_kind_are_kept() -> None:
    typed, _ = resolved(asserting("{name: a, never: target == one, waive: the solver is young}"))
    assert typed is not None
    (one,) = typed.assertions
    assert (one.name, one.kind, one.waive) == ("a", AssertionKind.NEVER, "the solver is young")
    assert isinstance(one.condition, MemberTest)
