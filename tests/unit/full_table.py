"""The sample table with what it leaves out: groups with each pick, chains of rules, answers,
preferences, settings, assertions.
"""

from dataclasses import replace

import msgspec

from lynkrc.ir.table import (
    Chain,
    ChainId,
    Pick,
    Prefer,
    Respond,
    Rule,
    RuleId,
    TargetId,
)
from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.settings import (
    Breaker,
    Budget,
    Cache,
    Concurrency,
    ExactCache,
    Key,
    Limit,
    Mcp,
    McpServer,
    Server,
    Settings,
)
from tests.unit.sample_table import (
    AUDIT,
    GREETS,
    RULES,
    STREAM,
    TABLE,
    TOOLS,
    WORDS,
    chain,
    compare,
    flag,
    rule,
)

SMALL, MID, BIG = TargetId(0), TargetId(1), TargetId(2)
KEY_DIGEST = "5e884898da28047151d0e56f8dc6292773603d0d6aabbd62a11ef721d1542d88"


def grouped(
    number: int, name: str, groups: tuple[tuple[TargetId, ...], ...], pick: Pick, *weights: int
) -> Chain:
    """A chain with its groups; the weights are those of its targets, by their ids."""
    everyone = sorted(target for group in groups for target in group)
    pairs = tuple(zip(everyone, weights, strict=True)) if weights else ()
    return Chain(id=ChainId(number), name=name, groups=groups, pick=pick, weights=pairs)


NEW_RULES = (
    rule(8, "ping", compare(WORDS, "==", 1), "ask.words == 1", respond=Respond(text='"pong"\n')),
    rule(9, "no-model", compare(WORDS, "<=", 2), "ask.words <= 2", respond=Respond(text="later")),
    rule(10, "tool-house", compare(TOOLS, ">", 40), "tools.count > 40", chain=ChainId(5)),
    rule(11, "tool-shed", compare(TOOLS, ">", 30), "tools.count > 30", chain=ChainId(6)),
    rule(12, "spare", flag(GREETS), "matches(ask, greeting)",
         prefer=Prefer(pick=Pick.CHEAPEST, target=None)),
    rule(13, "quick", flag(STREAM), "wants.stream", prefer=Prefer(pick=Pick.FASTEST, target=None)),
    rule(14, "audit-big", compare(AUDIT, ">", 0), "count(ask, audit) > 0",
         prefer=Prefer(pick=None, target=BIG)),
)  # fmt: skip


def without_requirement(written: Rule) -> Rule:
    """Streams go anywhere here, so that orders can be told."""
    return replace(written, require=None, require_source="", add64=64)


FULL = replace(
    TABLE,
    name="everything",
    chains=(
        grouped(0, "SIMPLE", ((SMALL, MID), (BIG,)), Pick.WEIGHTED, 3, 1, 1),
        grouped(1, "MEDIUM", ((MID, BIG),), Pick.ROUND_ROBIN),
        grouped(2, "COMPLEX", ((BIG, MID), (SMALL,)), Pick.CHEAPEST),
        chain(3, "REASONING", 2),
        chain(4, "pin:small", 0),
        grouped(5, "rule:tool-house", ((SMALL,), (MID, BIG)), Pick.FASTEST),
        chain(6, "rule:tool-shed", 0),
    ),
    rules=(*RULES[:7], without_requirement(RULES[7]), *NEW_RULES),
    providers=(
        replace(
            TABLE.providers[0],
            rest=msgspec.json.encode(
                ProviderSettings(
                    breaker=Breaker(failures=3),
                    concurrency=Concurrency(limit=8),
                    proxy="http://${PROXY_USER}@proxy.example.com:3128",
                ),
                order="sorted",
            ).decode(),
        ),
        *TABLE.providers[1:],
    ),
    settings=msgspec.json.encode(
        Settings(
            embeddings={"text-embedding-*": "mid"},
            server=Server(port=9000, allowed_origins=["https://tools.example.com"]),
            keys={
                "bot": Key(sha256=KEY_DIGEST, tiers=["SIMPLE"], debug=True),
                "ci": Key(secret="${CI_KEY}", team="legal"),
            },
            limits=[Limit(name="fair", per="team", requests=1500)],
            budgets=[Budget(name="month", usd="12.5", targets=["mid"], alert_at=[50, 80])],
            cache=Cache(exact=ExactCache(ttl=3600.0)),
            mcp=Mcp(servers={"far": McpServer(url="https://mcp.example.com",
                                              headers={"authorization": "Bearer ${TOOLS}"})}),
        ),
        order="sorted",
    ).decode(),
    assertions=("never: confidential and target.trust == cloud", "max_cost_usd: 12"),
)  # fmt: skip


def with_effects(number: int, **effects: object) -> tuple[Rule, ...]:
    """The rules of the full table with one of them changed."""
    rules = list(FULL.rules)
    rules[number] = replace(rules[number], id=RuleId(number), **effects)
    return tuple(rules)
