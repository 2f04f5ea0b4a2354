"""The table with groups, picks, answers and settings: what a reviewer and the runtime get of it."""

from dataclasses import replace

import msgspec
import pytest

from lynkrc.codegen.dispatch import dispatch_of, print_dispatch
from lynkrc.codegen.routes import print_routes
from lynkrc.codegen.scorer import print_scorer
from lynkrc.codegen.settings_text import provider_rows
from lynkrc.ir.table import RouteTable
from lynkrc.passes import run_passes
from lynkrc_runtime.dispatch import Deny, Dispatch, Prefer, ProviderSettings
from lynkrc_runtime.settings import Key, Settings
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
        "respond 'later'",
        "prefer cheapest ",
        "prefer big ",
        "chain small -> [mid | big]",
        "ASSERTIONS (not proved by this version)",
        "  never: confidential and target.trust == cloud\n",
    ):
        assert part in text, part


def test_the_route_table_tells_the_settings_that_were_written() -> None:
    text = routes()
    for part in (
        "embeddings.text-embedding-* ",
        "fair      each team     1500 requests in 1m",
        "month     everyone together     USD 12.5 a month on mid   soft; alerts at 50%, 80%",
        f"bot   sha256 {KEY_DIGEST[:8]}...",
        "tiers SIMPLE; may debug",
        "ci    ${CI_KEY} ",
        "url https://mcp.example.com, headers authorization Bearer ${TOOLS}",
    ):
        assert part in text, part
    assert KEY_DIGEST not in text


def test_settings_of_a_spec_without_any_are_no_rows() -> None:
    assert "SETTINGS" not in routes(replace(FULL, settings=encoded(Settings())))
    assert "ASSERTIONS" not in routes(replace(FULL, assertions=()))
    assert provider_rows(ProviderSettings()) == {}
    rest = msgspec.json.decode(FULL.providers[0].rest, type=ProviderSettings)
    assert provider_rows(rest) == {
        "breaker failures": "3",
        "concurrency limit": "8",
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
    assert max(len(line) for line in lines if not line.startswith("trust")) <= 100
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
