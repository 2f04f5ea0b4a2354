"""Sections of settings to the runtime's settings: units, exact amounts, what is left out."""

import re
from pathlib import Path

import msgspec
import pytest

import lynkrc.diagnostics
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.settings_codes import SETTINGS_CODES
from lynkrc.sema.settings import read_settings
from lynkrc.syntax.read import read_source
from lynkrc_runtime.settings import (
    Budget,
    Cache,
    ExactCache,
    History,
    Key,
    Limit,
    Mcp,
    McpServer,
    Memory,
    Observability,
    Optimize,
    Prompts,
    Resilience,
    ResponsesStore,
    Retry,
    RetryBudget,
    Server,
    Sessions,
    Settings,
    Shedding,
    State,
    Timeouts,
    ToolResults,
)

PAGES = Path(lynkrc.diagnostics.__file__).parent / "pages"
EXAMPLE = re.compile(r"^## (Fails|Fixed)$.*?^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read(text: str) -> tuple[Settings, list[Diagnostic]]:
    config, findings = read_source("routing.yaml", f"version: 1\nname: x\n{text}\n".encode())
    assert [(one.code.id, one.message) for one in findings] == []
    assert config is not None
    return read_settings(config.settings, tiers=["LOW", "HIGH"], targets=["small", "large"])


def sound(text: str) -> Settings:
    settings, findings = read(text)
    assert [(one.code.id, one.message) for one in findings] == []
    return settings


def test_without_sections_the_settings_are_the_default_ones() -> None:
    assert sound("") == Settings()


def test_times_are_seconds() -> None:
    settings = sound(
        "sessions: {ttl: 1.5h}\n"
        "resilience:\n"
        "  timeouts: {connect: 500ms, first_event: 2, idle: 0.25, total: 10m, max_stream: 30d}\n"
        "  retry: {times: 1, backoff: 1ms}\n"
        "  retry_budget: {at_least: 2}\n"
        "  keep_alive: 15s\n"
    )
    assert settings.sessions == Sessions(ttl=5400.0)
    assert settings.resilience == Resilience(
        timeouts=Timeouts(
            connect=0.5, first_event=2.0, idle=0.25, total=600.0, max_stream=2_592_000.0
        ),
        retry=Retry(times=1, backoff=0.001),
        retry_budget=RetryBudget(at_least=2.0),
        keep_alive=15.0,
    )


def test_sizes_are_bytes_and_counts_are_whole() -> None:
    settings = sound(
        "server: {body_limit: 32MiB, shedding: {memory: 90}}\n"
        "responses_store: {ttl: 60, size: 1024GiB}\n"
        "cache: {exact: {ttl: 1d, entries: 1.5k}}\n"
        "optimize: {tool_results: {over: 4k, tiers: [LOW]}, history: {over: 0.1M}}\n"
        "memory: {scope: key, entries: 7}\n"
    )
    assert settings.server == Server(body_limit=33_554_432, shedding=Shedding(memory=90))
    assert settings.responses_store == ResponsesStore(ttl=60.0, size=1 << 40)
    assert settings.cache == Cache(exact=ExactCache(ttl=86_400.0, entries=1_500))
    assert settings.optimize == Optimize(
        tool_results=ToolResults(over=4_000, tiers=["LOW"]), history=History(over=100_000)
    )
    assert settings.memory == Memory(scope="key", entries=7)


@pytest.mark.parametrize(
    ("written", "usd"),
    [
        ("12", "12"),
        ("12.50", "12.5"),
        ("100", "100"),
        ("100.00", "100"),
        ("0.1", "0.1"),
        (".5", "0.5"),
        ("0.30000000000000000000000000000000001", "0.30000000000000000000000000000000001"),
        ("0x10", "16"),
        ("1.5e-3", "0.0015"),
    ],
)
def test_amounts_are_exact(written: str, usd: str) -> None:
    assert sound(f"budgets: [{{name: b, usd: {written}}}]").budgets == [Budget(name="b", usd=usd)]


def test_limits_keys_and_servers_of_tools() -> None:
    settings = sound(
        "embeddings: {'text-*': {target: small}, all: {target: large}}\n"
        "keys: {ci: {secret: '${CI}', team: '42', debug: true}}\n"
        "limits: [{name: fair, per: team, only: ['42'], tokens: 2M, within: 1h}]\n"
        "mcp: {servers: {tools: {command: run, args: ['-v'], env: {A: '1'}}}}\n"
    )
    assert settings.embeddings == {"text-*": "small", "all": "large"}
    assert settings.keys == {"ci": Key(secret="${CI}", team="42", debug=True)}
    assert settings.limits == [
        Limit(name="fair", per="team", only=["42"], tokens=2_000_000, within=3600.0)
    ]
    tools = McpServer(command="run", args=["-v"], env={"A": "1"})
    assert settings.mcp == Mcp(servers={"tools": tools})


def test_a_store_of_answers_may_use_an_address_of_the_state() -> None:
    settings = sound("state: {url: '${REDIS}'}\nresponses_store: {ttl: 1d, store: redis}\n")
    assert settings.state == State(url="${REDIS}")


def test_what_is_stored_of_prompts() -> None:
    settings = sound("observability: {prompts: {store: ask, ttl: 7d}}")
    assert settings.observability == Observability(prompts=Prompts(store="ask", ttl=604_800.0))


def test_settings_beside_findings_are_the_default_ones() -> None:
    settings, findings = read("sessions: {ttl: 366d}\nserver: {port: 80}")
    assert [(one.code.id, one.span.text) for one in findings] == [("LK105", "366d")]
    assert settings == Settings()


def test_the_settings_survive_json() -> None:
    settings = sound("budgets: [{name: b, usd: 1.5}]\nstate: {store: sqlite, path: a.db}")
    text = msgspec.json.encode(settings)
    assert msgspec.json.decode(text, type=Settings) == settings


@pytest.mark.parametrize("code", [code.id for code in SETTINGS_CODES])
def test_the_examples_of_a_page_fail_and_pass(code: str) -> None:
    page = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    examples = dict(EXAMPLE.findall(page))
    head = "version: 1\nname: example\n"
    found = {
        heading: [one.code.id for one in read(text.removeprefix(head))[1]]
        for heading, text in examples.items()
    }
    assert found == {"Fails": [code], "Fixed": []}
