"""The table with groups, picks, answers and settings: what a reviewer and the runtime get of it."""

from dataclasses import replace

import msgspec
import pytest

from lynkrc.codegen.dispatch import dispatch_of, print_dispatch
from lynkrc.codegen.routes import print_routes
from lynkrc.codegen.scorer import print_scorer
from lynkrc.codegen.settings_text import provider_rows, settings_rows
from lynkrc.ir.table import RouteTable
from lynkrc.passes import run_passes
from lynkrc_runtime.dispatch import Deny, Dispatch, Prefer, ProviderSettings
from lynkrc_runtime.settings import Key, Limit, Memory, Settings, Timeouts
from lynkrc_runtime.settings import Resilience as Shared
from tests.unit.full_table import FULL, KEY_DIGEST

LONG = "a-name-of-some-length-" * 3


def routes(table: RouteTable = FULL) -> str:
    return print_routes(run_passes(table), "0" * 64)


def encoded(settings: Settings | ProviderSettings) -> str:
    return msgspec.json.encode(settings, order="sorted").decode()


def test_the_route_table_tells_groups_answers_and_preferences() -> None:
    text = routes()
    for part in (
        "[small (ollama, local) | mid (openai, cloud)] weighted 3:1 -> big",
        "[mid (openai, cloud) | big (anthropic, internal)] round_robin",
        "answer 'later'",
        "prefer cheapest ",
        "prefer big ",
        "chain small -> [mid | big]",
        "ASSERTIONS, which this version does not prove",
        "  never: confidential and target.trust == cloud\n",
    ):
        assert part in text, part


def test_the_route_table_tells_the_settings_that_were_written() -> None:
    rows = dict(settings_rows(FULL.settings))
    assert rows == {
        "embeddings.text-embedding-*": "mid",
        "server.port": "9000",
        "server.allowed_origins": "[https://tools.example.com]",
        "limits.fair": "per team, requests 1500, within 60",
        "budgets.month": "usd 12.5, period month, per everyone, targets [mid], alert_at [50, 80]",
        "keys.bot": f"sha256 {KEY_DIGEST[:8]}..., tiers [SIMPLE], debug yes",
        "keys.ci": "secret ${CI_KEY}, team legal",
        "cache.exact.ttl": "3600",
        "cache.exact.scope": "key",
        "mcp.servers.far": "url https://mcp.example.com, headers {authorization Bearer ${TOOLS}}",
    }
    assert all(key in routes() for key in rows)
    assert KEY_DIGEST not in routes()


def test_settings_of_a_spec_without_any_are_no_rows() -> None:
    assert settings_rows(encoded(Settings())) == []
    assert "SETTINGS" not in routes(replace(FULL, settings=encoded(Settings())))
    assert "ASSERTIONS" not in routes(replace(FULL, assertions=()))
    assert provider_rows(encoded(ProviderSettings())) == {}


def test_numbers_and_flags_of_settings_read_as_they_are_written() -> None:
    written = Settings(
        resilience=Shared(timeouts=Timeouts(connect=2.5, total=30.0)),
        memory=Memory(scope="team", entries=0),
        keys={"none": Key(secret="${K}")},
        limits=[Limit(name="closed", requests=0)],
    )
    assert settings_rows(encoded(written)) == [
        ("resilience.timeouts.connect", "2.5"),
        ("resilience.timeouts.total", "30"),
        ("limits.closed", "per key, requests 0, within 60"),
        ("keys.none", "secret ${K}"),
        ("memory.scope", "team"),
        ("memory.entries", "0"),
    ]
    rows = provider_rows(FULL.providers[0].rest)
    assert rows == {
        "breaker.failures": "3",
        "concurrency.limit": "8",
        "proxy": "http://${PROXY_USER}@proxy.example.com:3128",
    }


def with_long_names() -> RouteTable:
    return replace(
        FULL,
        targets=tuple(
            replace(one, name=one.name + LONG, model=LONG, provider=one.provider + LONG,
                    trust=LONG, context=1_048_576)
            for one in FULL.targets
        ),
        providers=tuple(replace(one, name=one.name + LONG, trust=LONG) for one in FULL.providers),
        trust_levels=(LONG,),
        tiers=tuple(replace(one, name=one.name + LONG) for one in FULL.tiers),
        rules=tuple(
            replace(one, name=one.name + LONG, source=one.source + LONG) for one in FULL.rules
        ),
        assertions=(f"never: {LONG * 3}",),
        settings=encoded(Settings(embeddings={LONG: LONG}, keys={LONG: Key(secret=LONG)})),
    )  # fmt: skip


@pytest.mark.parametrize("table", [FULL, with_long_names()], ids=["full", "long-names"])
def test_the_route_table_fits_its_width(table: RouteTable) -> None:
    lines = routes(table).splitlines()
    # The trust levels stand in one line, as written.
    assert max(len(line) for line in lines if not line.startswith("trust")) <= 110
    assert not [line for line in lines if line != line.rstrip()]


def test_the_dispatch_table_has_what_the_runtime_orders_by() -> None:
    read = msgspec.json.decode(print_dispatch(FULL), type=Dispatch)
    assert read == dispatch_of(FULL)
    chains = {chain.name: (chain.groups, chain.pick, chain.weights) for chain in read.chains}
    assert chains["SIMPLE"] == ([[0, 1], [2]], "weighted", [3, 1, 1])
    assert chains["COMPLEX"] == ([[2, 1], [0]], "cheapest", [])
    assert chains["rule:tool-shed"] == ([[0]], "order", [])
    rules = {rule.name: rule for rule in read.rules}
    assert rules["ping"].respond == '"pong"\n' and rules["ping"].deny is None
    assert rules["spare"].prefer == Prefer(pick="cheapest", target=None)
    assert rules["audit-big"].prefer == Prefer(pick=None, target=2)
    assert rules["tool-house"].prefer is None and rules["tool-house"].respond is None
    assert rules["no-secrets"].deny == Deny(status=403, message="say what class the data has")
    assert read.settings.keys["bot"].sha256 == KEY_DIGEST
    assert read.providers[0].rest.breaker.failures == 3


def test_weights_of_the_dispatch_table_follow_the_groups() -> None:
    small, mid, big = (target.id for target in FULL.targets)
    turned = replace(FULL.chains[0], groups=((big, mid), (small,)))
    made = dispatch_of(replace(FULL, chains=(turned, *FULL.chains[1:])))
    assert (made.chains[0].groups, made.chains[0].weights) == ([[2, 1], [0]], [1, 1, 3])


def test_the_scorer_says_which_rule_answers_chooses_and_prefers() -> None:
    scorer, pxd = print_scorer(run_passes(FULL))
    assert "return (2, -1, 8, -1, 0, -1, -1)  # ping: ask.words == 1" in scorer
    assert "chain = 6  # tool-shed: tools.count > 30" in scorer
    assert "prefer = 14  # audit-big: count(ask, audit) > 0 prefers big" in scorer
    assert "prefer=cython.longlong" in pxd
    plain = replace(FULL, rules=FULL.rules[:8])
    assert "prefer = " not in print_scorer(plain)[0]
    assert "prefer=cython" not in print_scorer(plain)[1]
