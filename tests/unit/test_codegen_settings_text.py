"""Settings in `routes.txt`: units people write, owners in words, nothing that is not there."""

from dataclasses import replace

import msgspec
import pytest

from lynkrc.codegen.owners_text import budget_rows, key_rows, limit_rows
from lynkrc.codegen.quantities import duration, size
from lynkrc.codegen.routes import print_routes
from lynkrc.codegen.settings_text import provider_rows, settings_rows
from lynkrc.ir.table import RouteTable
from lynkrc.syntax.units import byte_count, seconds
from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.settings import (
    Breaker,
    Budget,
    Key,
    Limit,
    Mcp,
    McpServer,
    Observability,
    Resilience,
    RetryBudget,
    Server,
    Settings,
    Shedding,
    Timeouts,
    Traces,
)
from tests.unit.sample_table import TABLE

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def routes(settings: Settings, *assertions: str) -> str:
    text = msgspec.json.encode(settings, order="sorted").decode()
    return print_routes(replace(TABLE, settings=text, assertions=assertions), "0" * 64)


@pytest.mark.parametrize("text", ["1ms", "250ms", "1s", "1.5s", "90s", "5m", "36h", "1d", "0.123s"])
def test_a_duration_reads_back_as_it_was(text: str) -> None:
    length = seconds(text)
    assert length is not None
    assert seconds(duration(float(length))) == length


def test_units_are_the_largest_that_leave_whole_numbers() -> None:
    assert [duration(n) for n in (60.0, 61.0, 7200.0, 0.5)] == ["1m", "61s", "2h", "500ms"]
    assert [size(n) for n in (1 << 30, 3 << 20, 1 << 10, 1023)] == [
        "1GiB",
        "3MiB",
        "1KiB",
        "1023 bytes",
    ]
    assert byte_count(size(5 << 20)) == 5 << 20


def test_only_what_was_written_is_told_with_its_unit() -> None:
    assert settings_rows(Settings()) == []
    declared = Settings(
        server=Server(body_limit=1 << 20, shedding=Shedding(memory=0), allowed_origins=["a", "b"]),
        resilience=Resilience(
            timeouts=Timeouts(idle=0.5), retry_budget=RetryBudget(share=10, at_least=0.5)
        ),
        mcp=Mcp(servers={"far": McpServer(url="https://x.test", headers={"a": "${B}"})}),
        observability=Observability(traces=Traces(sample=5)),
    )
    assert settings_rows(declared) == [
        ("server.body_limit", "1MiB"),
        ("server.allowed_origins", "a, b"),
        ("server.shedding.memory", "0%"),
        ("resilience.timeouts.idle", "500ms"),
        ("resilience.retry_budget.share", "10%"),
        ("resilience.retry_budget.at_least", "0.5 a second"),
        ("mcp.servers.far", "url https://x.test, headers a ${B}"),
        ("observability.traces.sample", "5%"),
    ]
    rest = ProviderSettings(breaker=Breaker(open_for=10.0), forwards_credentials=True)
    assert provider_rows(rest) == {"breaker open for": "10s", "forwards credentials": "yes"}


def test_owners_are_told_in_words() -> None:
    limits = [Limit(name="a", per="everyone", tokens=5, within=1.0), Limit(name="b", requests=1)]
    assert limit_rows(limits) == [
        ("a", "everyone together", "5 tokens in 1s"),
        ("b", "each key", "1 requests in 1m"),
    ]
    budget = Budget(name="m", usd="12.50", per="team", only=["x", "y"], alert_at=[50, 80])
    assert budget_rows([budget, replace_hard(budget)]) == [
        ("m", "a team: x, y", "USD 12.50 a month on every target", "soft; alerts at 50%, 80%"),
        ("m", "a team: x, y", "USD 12.50 a month on big", "hard: the worst case is reserved"),
    ]


def replace_hard(budget: Budget) -> Budget:
    return msgspec.structs.replace(budget, hard=True, alert_at=[], targets=["big"])


def test_a_key_shows_what_it_may_use_and_no_digest_in_full() -> None:
    keys = {
        "ci": Key(secret="${CI_KEY}", team="legal", tiers=["SIMPLE"], targets=["big"], debug=True),
        "bot": Key(sha256=DIGEST),
    }
    assert key_rows(keys) == [
        ("bot", "sha256 9f86d081...", "-", "-", "everything"),
        ("ci", "${CI_KEY}", "legal", "-", "tiers SIMPLE; targets big; may debug"),
    ]
    text = routes(Settings(keys=keys))
    assert DIGEST not in text
    assert "KEYS\n  key   known by" in text


def test_a_section_without_anything_in_it_is_left_out() -> None:
    bare = routes(Settings())
    for title in ("LIMITS", "BUDGETS", "KEYS", "SETTINGS", "ASSERTIONS"):
        assert title not in bare
    text = routes(Settings(limits=[Limit(name="a", tokens=5)]), "never: " + "wants.stream or " * 20)
    assert "LIMITS\n" in text and "BUDGETS" not in text
    assert "ASSERTIONS (not proved by this version)\n  never: wants.stream" in text
    assert max(map(len, text.splitlines())) <= 100


def test_hostile_words_stay_on_their_line() -> None:
    hostile = "x\nKEYS\u2028\n"
    table: RouteTable = TABLE
    plain = len(print_routes(table, "0" * 64).splitlines())
    text = routes(Settings(keys={hostile: Key(secret=hostile)}), hostile)
    assert len(text.splitlines()) == plain + 3 + 1 + 3
