"""Which pairs of dialects a spec has, at which of its targets, and what is said of them."""

import pytest

from lynkrc.diagnostics.model import Severity
from lynkrc.sema.lossy import _FIRST, SPOKEN
from lynkrc_runtime.feature_table import DIALECTS
from lynkrc_runtime.protocol.losses import FEATURES, TARGETS, lossy
from tests.unit.sema_sample import resolved

PROVIDERS = """\
providers:
  ours: {kind: openai-compatible, base_url: "http://ours.example/v1", trust: local}
  theirs: {kind: anthropic-compatible, base_url: "http://theirs.example", trust: local}
  play: {kind: simulator, trust: local}
"""
ABLE = "context: 200k, capabilities: [tools, vision, documents, json_schema], price: free"
TARGETS_PART = f"""\
targets:
  gpt: {{provider: ours, model: m, {ABLE}}}
  claude: {{provider: theirs, model: m, {ABLE}}}
  echo: {{provider: play, model: m}}
"""
TIERS = """\
tiers:
  - {name: LOW, up_to: 50, chain: [gpt, echo]}
  - {name: HIGH, chain: [claude]}
"""
CHAT_NOTE, CLAUDE_NOTE = (("Messages to Chat", "`gpt`"), ("Chat to Messages", "`claude`"))


def notes(more: str = "", targets: str = TARGETS_PART) -> list[tuple[str, str]]:
    """The pair and the targets of each note, but for clients that speak Responses."""
    typed, findings = resolved(PROVIDERS + targets + TIERS + more, notes=True)
    assert typed is not None, [one.message for one in findings]
    found = [one for one in findings if one.severity is Severity.NOTE]
    assert [one.message for one in findings if one not in found] == []
    pairs = [one.message.partition(" on ") for one in found]
    return [
        (pair, rest.partition(": ")[0])
        for pair, _, rest in pairs
        if not pair.startswith("Responses")
    ]


def test_every_pair_has_one_note_and_a_simulator_none() -> None:
    assert notes() == [CHAT_NOTE, CLAUDE_NOTE]


def test_targets_of_one_dialect_are_named_together() -> None:
    more = TARGETS_PART + f"  more: {{provider: ours, model: m2, {ABLE}}}\n"
    chain = "rules:\n  - {name: r, when: turns > 3, chain: [more, gpt]}\n"
    assert notes(chain, more)[0] == ("Messages to Chat", "`gpt` and `more`")


def test_what_matters_is_named_and_the_rest_counted() -> None:
    _, findings = resolved(PROVIDERS + TARGETS_PART + TIERS, notes=True)
    message = findings[0].message
    count = len(lossy("anthropic-messages", "openai-chat"))
    named = "`cache_control`, server tools, citations"
    assert message == f"Messages to Chat on `gpt`: {named} and {count - 3} more do not arrive"


def test_the_first_note_that_is_shown_says_where_to_read_on() -> None:
    _, findings = resolved(PROVIDERS + TARGETS_PART + TIERS, notes=True)
    assert [one.help is not None for one in findings] == [True] + [False] * (len(findings) - 1)
    silent = TARGETS_PART.replace("price: free}", 'price: free, allow: {LK602: "known"}}', 1)
    _, findings = resolved(PROVIDERS + silent + TIERS, notes=True)
    assert [one.help is not None for one in findings] == [True] + [False] * (len(findings) - 1)


def test_what_is_named_first_is_a_row_that_matters() -> None:
    assert [name for name in _FIRST if not FEATURES[name].matters] == []
    assert set(SPOKEN) == {*TARGETS, *DIALECTS}


@pytest.mark.parametrize("test", ["surface == messages", "dialect == 'anthropic-messages'"])
def test_a_rule_keeps_clients_among_targets_of_their_dialect(test: str) -> None:
    rule = f'rules:\n  - {{name: own, when: "{test}", tier: HIGH}}\n'
    assert notes(rule) == [CLAUDE_NOTE]
    assert notes(rule.replace("tier: HIGH", "chain: [claude]")) == [CLAUDE_NOTE]
    require = rule.replace("tier: HIGH", "require: target.provider == theirs")
    assert notes(f"{require}otherwise: escalate\n") == [CLAUDE_NOTE]
    assert notes(rule.replace("tier: HIGH", "deny: {status: 403, message: stop}")) == [CLAUDE_NOTE]
    assert notes(rule.replace("tier: HIGH", "floor: HIGH")) == [CLAUDE_NOTE]


def test_a_condition_that_may_hold_or_not_keeps_nobody_away() -> None:
    rule = 'rules:\n  - {name: own, when: "surface == messages and turns > 3", tier: HIGH}\n'
    assert notes(rule) == [CHAT_NOTE, CLAUDE_NOTE]


def test_a_chain_that_may_run_empty_escalates_to_the_others() -> None:
    head, claude, tail = TARGETS_PART.partition("  claude:")
    less = head + claude + tail.replace("vision, ", "", 1)
    rule = "rules:\n  - {name: own, when: surface == messages, tier: HIGH}\n"
    assert notes(rule + "otherwise: escalate\n") == [CLAUDE_NOTE]
    assert notes(rule + "otherwise: escalate\n", less) == [CHAT_NOTE, CLAUDE_NOTE]


def test_denied_requests_are_said_to_be_turned_away() -> None:
    strict = TARGETS_PART.replace("model: m, context", "model: m, on_loss: deny, context", 1)
    _, findings = resolved(PROVIDERS + strict + TIERS, notes=True)
    message = findings[0].message
    assert message.startswith("Messages to Chat on `gpt`: requests with `cache_control`, ")
    assert message.endswith(" more are turned away, as `on_loss` is `deny`")
    assert notes("", strict) == [CHAT_NOTE, CLAUDE_NOTE]


def test_a_target_that_allows_it_leaves_the_others_theirs() -> None:
    more = TARGETS_PART + f"  more: {{provider: ours, model: m2, {ABLE}}}\n"
    chain = "rules:\n  - {name: r, when: turns > 3, chain: [more, gpt]}\n"
    silent = more.replace("price: free}", 'price: free, allow: {LK602: "known"}}', 1)
    assert notes(chain, silent) == [("Messages to Chat", "`more`"), CLAUDE_NOTE]
    assert notes(f'{chain}allow: {{LK602: "known"}}\n', more) == []


def test_the_dialects_of_clients_are_rows_of_the_table() -> None:
    assert all(
        lossy(client, target) or client == target for client in DIALECTS for target in TARGETS
    )
