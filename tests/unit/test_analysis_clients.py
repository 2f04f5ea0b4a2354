"""Which tiers an ordinary request of each known client can reach."""

from pathlib import Path

import pytest

from lynkrc.analysis.clients import ClientReach, Emptied, client_reach, unreached_tiers
from lynkrc.cli.main import main
from lynkrc.cli.reach import reach_lines
from lynkrc.ir.digest import meaning_digest
from lynkrc.ir.table import RouteTable
from lynkrc.lower.table import lower
from tests.unit.sema_sample import complete, resolved

CLIENTS = """\
clients:
  agent:
    user_agent: agent/
    baseline_tools: [run, look]
    ordinary: {surface: messages, context: 20k, max_tokens: 32k, tools: 2, thinking: true}
  talker: {user_agent: talker/, ordinary: {context: 1k, stream: true}}
  unknown: {user_agent: unknown/}
"""
TARGETS = """\
targets:
  tiny: {provider: house, model: m, context: 16k, max_output: 4k, capabilities: [tools]}
  bare: {provider: house, model: m, context: 200k, max_output: 4k, capabilities: []}
  handy: {provider: house, model: m, context: 200k, max_output: 4k, capabilities: [tools]}
tiers:
  - {name: LOW, up_to: 50, chain: [tiny, bare]}
  - {name: HIGH, chain: [handy]}
"""


def table(more: str = "otherwise: escalate\n", clients: str = CLIENTS) -> RouteTable:
    typed, findings = resolved(clients + TARGETS + more)
    assert typed is not None, [one.message for one in findings]
    lowered, _ = lower(typed)
    assert lowered is not None
    return lowered


def rules(*written: str) -> RouteTable:
    lines = "".join(f"  - {{{rule}}}\n" for rule in written)
    return table(f"otherwise: escalate\nrules:\n{lines}")


def reach(found: RouteTable) -> dict[str, tuple[str, ...]]:
    return {one.client: one.tiers for one in client_reach(found)}


LOW_IN_VAIN = Emptied(
    tier="LOW", dropped=(("tiny", "has too small a window"), ("bare", "lacks tools"))
)


def test_a_tier_without_a_fitting_target_is_told_with_what_drops_each() -> None:
    agent, talker = client_reach(table())
    assert agent == ClientReach(client="agent", tiers=("HIGH",), emptied=(LOW_IN_VAIN,))
    assert talker == ClientReach(client="talker", tiers=("LOW", "HIGH"), emptied=())


@pytest.mark.parametrize(
    ("rule", "agent", "talker"),
    [
        # What a profile fixes decides; what the user asks is open.
        ('name: r, when: client == "talker", tier: HIGH', ["HIGH"], ["HIGH"]),
        ("name: r, when: wants.thinking, floor: HIGH", ["HIGH"], ["LOW", "HIGH"]),
        ("name: r, when: not wants.stream, ceiling: LOW", [], ["LOW", "HIGH"]),
        ("name: r, when: tools.count == 0 and images.count == 0, ceiling: LOW", ["HIGH"], ["LOW"]),
        ("name: r, when: request.max_tokens == 0, tier: LOW", ["HIGH"], ["LOW"]),
        ("name: r, when: context.tokens > 4000 or tools.added > 0, tier: LOW", [], ["LOW", "HIGH"]),
        ("name: r, when: surface == chat, tier: LOW", ["HIGH"], ["LOW", "HIGH"]),
        ("name: r, when: 'tools.named(\"other\")', tier: LOW", ["HIGH"], ["LOW", "HIGH"]),
        ("name: r, when: ask.words > 3, tier: LOW", ["HIGH"], ["LOW", "HIGH"]),
        ("name: r, when: wants.thinking, add: 80", ["HIGH"], ["LOW", "HIGH"]),
        ("name: r, when: wants.stream, add: -90", ["HIGH"], ["LOW"]),
        ('name: r, when: header("x-a") != absent, tier: LOW', ["HIGH"], ["LOW", "HIGH"]),
    ],
)
def test_what_is_ordinary_is_fixed_and_the_rest_is_open(
    rule: str, agent: list[str], talker: list[str]
) -> None:
    assert reach(rules(rule)) == {"agent": tuple(agent), "talker": tuple(talker)}


def test_a_denial_of_every_request_is_told() -> None:
    agent, talker = client_reach(
        rules('name: no-agents, when: client == "agent", deny: {status: 403, message: stop}')
    )
    assert agent == ClientReach(client="agent", tiers=(), emptied=(), denied_by="no-agents")
    assert talker.denied_by is None
    assert talker.tiers == ("LOW", "HIGH")


def test_a_requirement_that_no_target_of_a_tier_meets_is_told() -> None:
    _, talker = client_reach(
        rules("name: big, when: wants.stream, require: target.context > 500000")
    )
    assert talker.tiers == ()
    assert talker.emptied[1] == Emptied(tier="HIGH", dropped=(("handy", "is excluded by big"),))


def test_a_mapping_of_every_name_pins_every_request() -> None:
    agent, _ = client_reach(table("otherwise: deny\nmodels:\n  '*': {target: handy}\n"))
    assert agent == ClientReach(client="agent", tiers=(), emptied=(), pinned_by="*")
    assert reach(table("otherwise: deny\nmodels:\n  '*': {tier: HIGH}\n")) == {
        "agent": ("HIGH",),
        "talker": ("HIGH",),
    }


def test_a_tier_that_no_known_client_reaches_is_named() -> None:
    only = rules("name: all, when: context.tokens > 0, tier: HIGH")
    assert unreached_tiers(only, client_reach(only)) == ("LOW",)
    assert unreached_tiers(only, ()) == ()
    assert reach_lines(only)[-1] == "none of them  LOW"


def test_what_is_ordinary_has_no_part_in_the_meaning() -> None:
    other = CLIENTS.replace("context: 20k", "context: 21k")
    assert meaning_digest(table()) == meaning_digest(table(clients=other))


def test_check_ends_with_what_clients_reach(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "routing.yaml"
    spec.write_text(complete(CLIENTS + TARGETS + "otherwise: deny\n"))
    assert main(["check", str(spec)]) == 0
    assert capsys.readouterr().out.splitlines()[-4:] == [
        "client  tiers its ordinary request can reach",
        "agent   HIGH",
        "        not LOW (denied): tiny has too small a window, bare lacks tools",
        "talker  LOW, HIGH",
    ]
    assert main(["check", "--format", "json", str(spec)]) == 0
    assert "ordinary" not in capsys.readouterr().out


def test_without_an_ordinary_request_nothing_is_said() -> None:
    assert reach_lines(table(clients="clients:\n  unknown: {user_agent: unknown/}\n")) == []
