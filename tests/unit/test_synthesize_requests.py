"""Points of a domain to requests: each group of features, and what no request can carry."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from lynkrc.cli.specs import compile_file
from lynkrc.ir.domain import Domain, Part, domain_of
from lynkrc.ir.guard import SlotId
from lynkrc.ir.table import Entry, Lexicon, LexiconId, RouteTable, Slot, SlotType
from lynkrc.testing.case_text import as_test_case
from lynkrc.testing.curl import as_curl
from lynkrc.testing.sample import Walker
from lynkrc.testing.synthesize import Synthesized, synthesize
from tests.unit.rich_domain import members, slot, strings

ROOT = Path(__file__).resolve().parents[2]
CHANGING, GREETING = "builtin/changing", "builtin/greeting"


@pytest.fixture(scope="module")
def table() -> RouteTable:
    made = compile_file(ROOT / "specs" / "starter" / "claude.yaml").table
    assert made is not None
    return made


@pytest.fixture(scope="module")
def walker(table: RouteTable) -> Walker:
    return Walker(table.lexicons, table.automaton)


def named(text: str) -> Slot:
    """The slot of a feature as it is written here: ``count ask builtin/greeting``."""
    feature, *args = text.split()
    return slot(feature, *args)


def built(
    table: RouteTable, walker: Walker, wishes: dict[str, int], *more: tuple[Slot, int]
) -> tuple[Synthesized, Domain]:
    pairs = [*((named(text), value) for text, value in wishes.items()), *more]
    domain = domain_of(Part(slots=tuple(one for one, _ in pairs), lexicons=table.lexicons))
    values = {(one.feature, one.args): value for one, value in pairs}
    point = tuple(values[one.slot.feature, one.slot.args] for one in domain.variables)
    return synthesize(table, domain, point, walker), domain


WISHES: list[dict[str, int]] = [
    {"ask.words": 0, "ask.bytes": 0, "ask.sentences": 0},
    {"ask.words": 3, "ask.commas": 2, "ask.periods": 1, "ask.last_is_question": 0},
    {"ask.bytes": 41, "ask.chars": 37, "ask.words": 5},
    {"ask.tokens": 900, "ask.sentences": 40},
    {"ask.lines": 7, "ask.code_blocks": 2, "ask.words": 1},
    {"ask.questions": 3, "ask.last_is_question": 1, "ask.sentences": 2},
    {"ask.questions": 3, "ask.last_is_question": 0, "ask.sentences": 1},
    {"ask.numbers": 9, "ask.parens": 4, "ask.quotes": 6, "ask.words": 2},
    {"ask.longest_sentence": 80, "ask.mean_sentence": 30},
    {"ask.distinct_word_pct": 37, "ask.words": 90},
    {"ask.non_ascii_pct": 25, "ask.chars": 64},
    {"matches ask builtin/proving": 1, "ask.chars": 40, "ask.bytes": 40},
    {f"count ask {GREETING}": 255},
    {f"count ask {GREETING}": 3, f"distinct ask {GREETING}": 2, f"points ask {GREETING}": 128},
    {f"matches ask {CHANGING}": 1, f"count ask {CHANGING}": 1, "ask.words": 2, "ask.chars": 20},
    {f"matches ask {GREETING}": 0, "ask.words": 50},
    {f"count history {CHANGING}": 4, f"matches ask {CHANGING}": 0},
    {f"distinct envelope {CHANGING}": 3, f"matches envelope {GREETING}": 0},
    {"turns": 4, "messages.count": 12, "images.count": 2, "documents.count": 1},
    {"turns": 1, "ask.bytes": 0, "images.count": 1},
    {"turns": 0, "messages.count": 3},
    {"turns": 0, "messages.count": 0},
    {"loop.tool_results": 5, "loop.tool_errors": 2, "loop.steps_since_user": 3, "loop.repeats": 2},
    {"messages.count": 1, "loop.tool_results": 2, "context.tokens": 9},
    {"loop.steps_since_user": 3, "messages.count": 5, "loop.tool_results": 3},
    {"context.tokens": 54_321, "turns": 1},
    {"tools.count": 7, "tools.added": 3},
    {"tools.added": 2, "tools.max_weight": 50, "tools.mean_weight": 50, "tools.named Bash": 1},
    {"tools.count": 0, "wants.thinking": 1, "wants.json_schema": 1, "wants.stream": 1},
    {"request.max_tokens": 0, "wants.thinking": 0},
    {"request.max_tokens": 1, "wants.thinking": 1},
]


@pytest.mark.parametrize("wishes", WISHES, ids=", ".join)
@pytest.mark.parametrize("surface", [None, 0, 1, 2])
def test_a_request_has_the_values_of_the_point(
    table: RouteTable, walker: Walker, wishes: dict[str, int], surface: int | None
) -> None:
    asked = slot("surface", classes=members(("messages", "chat", "responses", "embeddings")))
    more = [] if surface is None else [(asked, surface)]
    made, _ = built(table, walker, wishes, *more)
    # Of the dialects, only Anthropic's says that a tool failed.
    beyond = "loop.tool_errors" in wishes and surface in (1, 2)
    assert made.missed == (("loop.tool_errors (wanted 2, got 0)",) if beyond else ())
    assert made.realised is not beyond


AGENTS = strings(("curl/8",), ("claude-cli/",))
SORTS = strings(("secret",), ("team-", "team-a"))


@pytest.mark.parametrize("wanted", range(5))
def test_a_string_is_of_its_class(table: RouteTable, walker: Walker, wanted: int) -> None:
    made, _ = built(
        table,
        walker,
        {},
        (slot("header", "X-Sort", classes=SORTS), wanted),
        (slot("metadata", "sort", classes=SORTS), wanted),
        (slot("model", classes=SORTS), max(1, wanted)),
    )
    assert made.realised, made.missed
    assert ("x-sort" in made.headers) is (wanted > 0)


@pytest.mark.parametrize("agent", range(4))
@pytest.mark.parametrize("client", ["other", "claude-code", "codex", "goose"])
def test_a_client_is_told_by_its_agent_or_its_tools(
    table: RouteTable, walker: Walker, client: str, agent: int
) -> None:
    names = ("other", *(one.name for one in table.clients))
    made, _ = built(
        table,
        walker,
        {},
        (slot("client", classes=members(names)), names.index(client)),
        (slot("header", "user-agent", classes=AGENTS), agent),
    )
    # An agent that names one client cannot come from another.
    assert made.realised is not (agent == 3 and client != "claude-code"), made.missed


def test_what_no_request_carries_is_missed(table: RouteTable, walker: Walker) -> None:
    made, _ = built(table, walker, {"session.turn": 3, "budget.used_pct": 0, "turns": 1})
    assert made.missed == ("session state: session.turn (wanted 3)",)
    made, _ = built(table, walker, {"ask.words": 2, "ask.chars": 1})
    assert made.missed
    made, _ = built(table, walker, {"ask.bytes": 16_777_215})
    assert len(json.dumps(made.body)) < 5_000_000
    assert made.missed[0].startswith("ask.bytes (wanted 16777215, got ")


def test_a_model_is_never_absent(table: RouteTable, walker: Walker) -> None:
    made, _ = built(table, walker, {}, (slot("model", classes=SORTS), 0))
    assert made.missed == ("model (wanted absent, got other)",)


def test_a_lexicon_of_another_table_is_missed_by_name(table: RouteTable, walker: Walker) -> None:
    foreign = Lexicon(
        id=LexiconId(0), name=GREETING, entries=(Entry(pattern="ahoy", weight64=64),), first=0
    )
    one = Slot(
        id=SlotId(0), feature="count", args=("ask", GREETING), type=SlotType.INT, low=0, high=255
    )
    domain = domain_of(Part(slots=(one,), lexicons=(foreign,)))
    made = synthesize(table, domain, (1,), walker)
    assert made.missed == (f"count(ask, {GREETING}) (its lexicon is not one of this policy)",)


def test_a_slot_beside_the_request_asks_nothing(table: RouteTable, walker: Walker) -> None:
    tier = Slot(
        id=SlotId(0), feature="tier", args=(), type=SlotType.CLASS, low=0, high=1,
        classes=members(("LOW", "HIGH")),
    )  # fmt: skip
    made, _ = built(table, walker, {"ask.words": 1}, (tier, 1))
    assert made.realised


def test_the_command_says_to_the_shell_what_was_built(table: RouteTable, walker: Walker) -> None:
    made, _ = built(
        table, walker, {"ask.quotes": 2, "ask.non_ascii_pct": 10, "ask.lines": 2, "ask.words": 9}
    )
    command = as_curl(made, "http://127.0.0.1:8081/v1/")
    said = subprocess.run(
        ["sh", "-c", command.replace("curl", "printf '%s\\0'", 1)],
        capture_output=True,
        check=True,
    )
    words = said.stdout.decode().split("\0")[:-1]
    assert words == [one for one in shlex.split(command)[1:] if one != "\n"]
    assert words[1] == "http://127.0.0.1:8081/v1/messages"
    assert {"content-type: application/json", "user-agent:", "accept:"} <= set(words)
    assert json.loads(words[-1]) == made.body


def test_the_case_is_read_back_as_it_was_built(table: RouteTable, walker: Walker) -> None:
    made, _ = built(table, walker, {"ask.non_ascii_pct": 10, "ask.bytes": 200, "ask.tokens": 50})
    (case,) = yaml.safe_load(as_test_case(made, {"tier": "SIMPLE"}, name='a "case": 1'))
    assert case["name"] == 'a "case": 1'
    assert case["request"]["surface"] == made.surface
    assert case["request"]["headers"] == made.headers
    assert case["request"]["body"] == made.body
    assert case["expect"] == {"tier": "SIMPLE"}


@pytest.mark.parametrize("feature", ["ask.words", "ask.lines", "ask.chars", "context.tokens"])
def test_what_no_body_holds_is_missed_without_writing_it(
    table: RouteTable, walker: Walker, feature: str
) -> None:
    made, _ = built(table, walker, {feature: 10_000_001})
    assert any(one.startswith(f"{feature} (wanted 10000001") for one in made.missed), made.missed
    assert not made.realised
    assert len(json.dumps(made.body)) < 5_000_000
