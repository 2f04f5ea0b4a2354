"""What Claude Code sends for one model, routed to every catalogued one: nothing is refused.

The judges (`tests/e2e/strict_models.py`) are written from what upstreams document, not from our
catalog or our writers; here the two meet, over the whole matrix.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from lynkrc.sema.catalog import ModelFacts, Provision, facts_of
from lynkrc.sema.catalog_read import read_catalog
from lynkrc_runtime.protocol.conversation import Request
from lynkrc_runtime.protocol.dialect import TargetFacts, Written
from lynkrc_runtime.protocol.shapes import RequestShape, completed
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from lynkrc_runtime.providers.table import KINDS
from tests.e2e import claude_code_turn as turn
from tests.e2e.strict_models import (
    CHAT_RULES,
    RULES,
    refuse_any_chat,
    refuse_chat_model,
    refuse_messages,
)
from tests.unit.sema_sample import catalog
from tests.wire.gemini_lint import lint_request

MESSAGES, CHAT = "anthropic-messages", "openai-chat"
CATALOG, _ = read_catalog(catalog())
CLAUDES = [e for e in CATALOG if e.ids[0].startswith("claude-")]
CHATS = [e for e in CATALOG if e.seller in ("OpenAI", "DeepSeek")]
OWN = [e for e in CATALOG if e.ids == ("*",)]
"""What is known of kinds whose models are their owner's: not of one model, so nothing to judge."""

GEMINIS = [e for e in CATALOG if e.ids[0].startswith("gemini-")]
OTHERS_START = ("kimi", "moonshot", "glm", "grok", "databricks")
OTHERS = [e for e in CATALOG if e.ids[0].startswith(OTHERS_START)]
"""Judged by servers that behave like their sellers (`tests/e2e/test_kinds_sockets.py`)."""

SONNET = "claude-sonnet-4-5-20250929"
Body = dict[str, Any]
FORMS: dict[str, tuple[str, str, Callable[[str, str], Body]]] = {
    "first": ("claude-opus-5-5", turn.BETAS, turn.first_turn),
    "tools": ("claude-opus-5-5", turn.BETAS, turn.second_turn),
    "long": ("claude-opus-5-5", turn.BETAS, turn.long_turn),
    "pictures": ("claude-opus-5-5", turn.BETAS, turn.picture_turn),
    "compact": ("claude-opus-5-5", turn.BETAS, turn.compact_turn),
    "interactive": ("claude-opus-5-5", turn.INTERACTIVE, turn.interactive_turn),
    "unstreamed": ("claude-opus-5-5", turn.BETAS, turn.retry_unstreamed),
    "haiku": ("claude-haiku-5-5", turn.BETAS, turn.second_turn),
    "older-first": (SONNET, turn.OLDER_BETAS, turn.older_turn),
    "older-tools": (SONNET, turn.OLDER_BETAS, turn.older_second_turn),
    "unknown-first": ("house-model", turn.UNKNOWN_BETAS, turn.unknown_turn),
    "unknown-tools": ("house-model", turn.UNKNOWN_BETAS, turn.unknown_second_turn),
}
"""Form -> the model asked for, the betas, the body."""


def name_of(entry: ModelFacts) -> str:
    return entry.ids[0].replace("*", "20260101")


def target(entry: ModelFacts, kind: str, **more: Any) -> TargetFacts:
    model = name_of(entry)
    assert facts_of(CATALOG, model, Provision(kind, "api.deepseek.com")) == entry
    return TargetFacts(
        model=model,
        # Of some models nobody has said it: then a spec does.
        max_output=entry.max_output or 64_000,
        capabilities=frozenset(entry.capabilities or ()),
        shape=completed(entry.shape, KINDS[kind].shape),
        maker=f"{kind}/{model}",
        **more,
    )


def read(form: str) -> tuple[Request, dict[str, str]]:
    model, betas, make = FORMS[form]
    headers = turn.headers_of(betas)
    body = json.dumps(make(turn.ASK, model)).encode()
    return CLIENT_DIALECTS[MESSAGES].read_request(body, headers), headers


def to_claude(form: str, entry: ModelFacts, **more: Any) -> Written:
    request, headers = read(form)
    passing = TARGET_DIALECTS[MESSAGES].pass_request
    assert passing is not None
    return passing(request, target(entry, "anthropic", **more), headers)


def judge(written: Written) -> str | None:
    return refuse_messages(json.loads(written.body), written.headers)


def test_every_catalogued_model_is_judged() -> None:
    assert {e.ids for e in CLAUDES + CHATS + OWN + GEMINIS + OTHERS} == {e.ids for e in CATALOG}
    assert len(CLAUDES) == len(RULES)
    for entry in CHATS:
        assert any(name_of(entry).startswith(name) for name in CHAT_RULES), entry.ids


@pytest.mark.parametrize("entry", CLAUDES, ids=name_of)
def test_every_claude_has_its_whole_shape(entry: ModelFacts) -> None:
    """Each switch says what the judge says; what neither has a rule for is left open."""
    rules, shape = (
        RULES[max((n for n in RULES if name_of(entry).startswith(n)), key=len)],
        entry.shape,
    )
    assert set(shape.thinking or ()) == rules["thinking"]
    assert set(shape.efforts or ()) == rules["efforts"]
    assert shape.efforts is not None
    assert shape.disabled_max_effort == rules.get("off_up_to")
    assert entry.max_output == rules["max"]
    assert (shape.prefill is not False) == rules["prefill"]
    assert (shape.mid_system is not False) == rules["system"]
    assert (shape.sampling == ["stop"]) == (not rules["sampling"])
    assert (shape.tool_choice == ["auto", "none"]) == (not rules["forced"])
    assert (shape.betas is None) == rules["betas"]


@pytest.mark.parametrize("entry", CHATS, ids=name_of)
def test_every_chat_model_has_its_whole_shape(entry: ModelFacts) -> None:
    rules = next(r for name, r in CHAT_RULES.items() if name_of(entry).startswith(name))
    shape = entry.shape
    assert entry.max_output is not None
    assert entry.max_output <= rules["max"]
    assert rules.get("limit") in (None, shape.max_tokens_field)
    assert shape.max_tokens_field is not None
    assert (shape.efforts is None) == ("efforts" not in rules)
    assert set(shape.efforts or ()) == rules.get("efforts", set())
    assert shape.effort_with_tools == rules.get("effort_with_tools")
    assert shape.system_role == rules.get("system")
    assert (shape.parallel_tool_calls is not False) == rules["parallel"]
    if shape.sampling is not None:
        assert not rules["sampling"] & set(shape.sampling)
    else:
        assert rules["sampling"]


@pytest.mark.parametrize("entry", CLAUDES, ids=name_of)
@pytest.mark.parametrize("form", FORMS)
def test_no_claude_refuses_what_was_written_for_another(form: str, entry: ModelFacts) -> None:
    written = to_claude(form, entry)
    assert judge(written) is None
    body = json.loads(written.body)
    assert body["model"] == name_of(entry)
    assert bool(written.transforms) == (
        body != FORMS[form][2](turn.ASK, name_of(entry))
        or (written.headers["anthropic-beta"] != FORMS[form][1])
    )


@pytest.mark.parametrize("entry", CLAUDES, ids=name_of)
@pytest.mark.parametrize("form", ["tools", "long", "older-tools"])
def test_nor_without_the_reasoning_of_another(form: str, entry: ModelFacts) -> None:
    """The makers' memory knows the last turn's: it goes, and the rest is legal still."""
    request, _ = read(form)
    signatures = frozenset(
        signature
        for message in request.messages
        for block in message.blocks
        for signature in [getattr(block, "signature", None) or getattr(block, "data", None)]
        if isinstance(signature, str)
    )
    assert signatures
    for more in ({"foreign": signatures}, {"without_thinking": True}):
        written = to_claude(form, entry, **more)
        assert judge(written) is None
        assert "stripped=thinking" in written.transforms
        assert b"redacted_thinking" not in written.body


CHANGES = {
    ("first", "claude-opus-5-5"): (),
    ("first", "claude-sonnet-5-5"): (),
    ("first", "claude-haiku-5-5"): (),
    ("first", "claude-opus-4-6"): ("folded=mid-system",),
    ("tools", "claude-sonnet-4-6"): ("dropped=messages.output_config", "folded=mid-system"),
    ("first", "claude-sonnet-4-5"): (
        "dropped=beta:per-turn-control-2026-07-01",
        "dropped=beta:mid-conversation-tool-changes-2026-07-01",
        "dropped=beta:effort-2025-11-24",
        "max_tokens=64000",
        "thinking=enabled",
        "dropped=effort",
        "folded=mid-system",
    ),
    ("tools", "claude-opus-4-5"): (
        "dropped=beta:per-turn-control-2026-07-01",
        "dropped=beta:mid-conversation-tool-changes-2026-07-01",
        "max_tokens=64000",
        "thinking=enabled",
        "dropped=messages.output_config",
        "folded=mid-system",
    ),
    ("older-first", "claude-opus-5-5"): ("thinking=adaptive", "effort=high"),
    ("older-first", "claude-opus-4-6"): (),
}


@pytest.mark.parametrize(("form", "model"), CHANGES)
def test_the_changes_are_these_and_no_others(form: str, model: str) -> None:
    (entry,) = [e for e in CLAUDES if e.ids[0] == model]
    assert to_claude(form, entry).transforms == CHANGES[form, model]


@pytest.mark.parametrize("entry", CHATS, ids=name_of)
@pytest.mark.parametrize("form", FORMS)
def test_no_chat_model_refuses_it_translated(form: str, entry: ModelFacts) -> None:
    request, headers = read(form)
    kind = "deepseek" if entry.seller == "DeepSeek" else "openai"
    written = TARGET_DIALECTS[CHAT].write_request(request, target(entry, kind), headers)
    body = json.loads(written.body)
    # Reasoning is replayed to whom it may help; the members are DeepSeek's own.
    for message in body["messages"]:
        if kind == "deepseek":
            message.pop("reasoning_content", None)
    if kind == "deepseek":
        body.pop("thinking", None)
    assert refuse_any_chat(body, written.headers) is None
    assert refuse_chat_model(body) is None
    assert [tool["function"]["name"] for tool in body["tools"]]


@pytest.mark.parametrize("entry", GEMINIS, ids=name_of)
@pytest.mark.parametrize("form", FORMS)
def test_no_gemini_refuses_it_translated(form: str, entry: ModelFacts) -> None:
    request, headers = read(form)
    written = TARGET_DIALECTS["gemini"].write_request(request, target(entry, "gemini"), headers)
    body = lint_request(written.body, signed=entry.shape.signed_calls is not False)
    [tools] = body["tools"]
    assert len(tools["functionDeclarations"]) == len(request.tools)


def test_a_shape_without_facts_changes_nothing() -> None:
    request, headers = read("long")
    passing = TARGET_DIALECTS[MESSAGES].pass_request
    assert passing is not None
    facts = TargetFacts(
        model="any", max_output=1 << 30, capabilities=frozenset(), shape=RequestShape()
    )
    assert passing(request, facts, headers).transforms == ()


@pytest.mark.parametrize(
    ("form", "model", "why"),
    [
        ("first", "claude-sonnet-4-5", "max_tokens"),
        ("unknown-first", "claude-sonnet-4-5", "thinking.type.adaptive"),
        ("unknown-first", "claude-opus-4-6", 'Unexpected role "system"'),
        ("older-first", "claude-opus-5-5", "thinking.type.enabled"),
    ],
)
def test_the_judge_refuses_what_nobody_edited(form: str, model: str, why: str) -> None:
    _, betas, make = FORMS[form]
    refusal = refuse_messages(make(turn.ASK, model), turn.headers_of(betas))
    assert refusal is not None
    assert why in refusal
