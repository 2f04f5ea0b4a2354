"""`verify` reads settings, and knows the names and enumerators that follow from the table."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from lynkrc.ir.guard import SlotId
from lynkrc.ir.table import ChainId, RouteTable, Slot, SlotType, StringClass
from lynkrc.ir.verify import verify
from lynkrc_runtime.settings import (
    Budget,
    Cache,
    Key,
    Limit,
    Optimize,
    SemanticCache,
    Settings,
    ToolResults,
)
from tests.unit.sample_table import TABLE, chain


def canonical(settings: Settings) -> str:
    return msgspec.json.encode(settings, order="sorted").decode()


def declaring(settings: Settings) -> RouteTable:
    return replace(TABLE, settings=canonical(settings))


def with_rest(rest: str) -> RouteTable:
    first, *others = TABLE.providers
    return replace(TABLE, providers=(replace(first, rest=rest), *others))


def with_members(feature: str, *members: str) -> RouteTable:
    classes = tuple(StringClass(kind="member", text=member) for member in members)
    slot = Slot(
        id=SlotId(len(TABLE.slots)),
        feature=feature,
        args=(),
        type=SlotType.CLASS,
        low=0,
        high=len(members) - 1,
        classes=classes,
    )
    return replace(TABLE, slots=(*TABLE.slots, slot))


def with_rule_chain(name: str) -> RouteTable:
    number = ChainId(len(TABLE.chains))
    first, *others = TABLE.rules
    return replace(
        TABLE,
        chains=(*TABLE.chains, chain(number, name, 1)),
        rules=(replace(first, chain=number), *others),
    )


SOUND = Settings(
    embeddings={"text-*": "big"},
    keys={"ci": Key(secret="${CI}", tiers=["SIMPLE"], targets=["small"])},
    limits=[Limit(name="all", requests=1), Limit(name="few", requests=2)],
    budgets=[Budget(name="all", usd="1", targets=["mid"])],
    cache=Cache(semantic=SemanticCache(embedder="big", ttl=1.0)),
    optimize=Optimize(tool_results=ToolResults(over=1, tiers=["COMPLEX"])),
)

BREAKS: dict[str, tuple[Callable[[], RouteTable], str]] = {
    "no JSON": (lambda: replace(TABLE, settings="{"), "the settings: Input data was truncated"),
    "unknown member": (
        lambda: replace(TABLE, settings='{"session":{}}'),
        "the settings: Object contains unknown field `session`",
    ),
    "not canonical": (
        lambda: replace(TABLE, settings=" " + TABLE.settings),
        "the settings: not canonical JSON",
    ),
    "defaults left out": (
        lambda: with_rest("{}"),
        "provider ollama: not canonical JSON",
    ),
    "rest of a provider": (
        lambda: with_rest('{"region":7}'),
        "provider ollama: Expected `str | null`, got `int` - at `$.region`",
    ),
    "embeddings": (
        lambda: declaring(Settings(embeddings={"a": "nowhere"})),
        "embeddings a: no target nowhere",
    ),
    "target of a key": (
        lambda: declaring(Settings(keys={"ci": Key(secret="x", targets=["nowhere"])})),
        "key ci: no target nowhere",
    ),
    "tier of a key": (
        lambda: declaring(Settings(keys={"ci": Key(secret="x", tiers=["HUGE"])})),
        "key ci: no tier HUGE",
    ),
    "a key without secret": (
        lambda: declaring(Settings(keys={"ci": Key()})),
        "key ci: must have a secret or its digest",
    ),
    "target of a budget": (
        lambda: declaring(Settings(budgets=[Budget(name="b", usd="1", targets=["nowhere"])])),
        "budget b: no target nowhere",
    ),
    "embedder": (
        lambda: declaring(
            Settings(cache=Cache(semantic=SemanticCache(embedder="nowhere", ttl=1.0)))
        ),
        "the semantic cache: no target nowhere",
    ),
    "shortened tiers": (
        lambda: declaring(
            Settings(optimize=Optimize(tool_results=ToolResults(over=1, tiers=["HUGE"])))
        ),
        "shortened tool results: no tier HUGE",
    ),
    "limit twice": (
        lambda: declaring(Settings(limits=[Limit(name="a"), Limit(name="a")])),
        "limit a is there twice",
    ),
    "members of session.tier": (
        lambda: with_members("session.tier", "none", "COMPLEX", "SIMPLE"),
        "slot session.tier: its members are not none, SIMPLE, MEDIUM, COMPLEX, REASONING",
    ),
    "members of client": (
        lambda: with_members("client", "claude-code", "other"),
        "slot client: its members are not other, claude-code",
    ),
    "chain of a rule": (
        lambda: with_rule_chain("rule:greetings"),
        "rule no-secrets: its chain is called rule:greetings",
    ),
}


@pytest.mark.parametrize("case", BREAKS)
def test_a_broken_invariant_is_named(case: str) -> None:
    broken, message = BREAKS[case]
    assert verify(broken()) == [message]


@pytest.mark.parametrize(
    "table",
    [
        declaring(SOUND),
        with_members("session.tier", "none", "SIMPLE", "MEDIUM", "COMPLEX", "REASONING"),
        with_members("client", "other", "claude-code"),
        with_rule_chain("rule:no-secrets"),
    ],
    ids=["settings", "session.tier", "client", "chain of a rule"],
)
def test_what_fits_is_accepted(table: RouteTable) -> None:
    assert verify(table) == []
