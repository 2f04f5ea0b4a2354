"""docs/scaling.md names files that are there and values the chart takes; its arithmetic is right.

Its commands are run in `test_composed_gateway`, but for those that need an engine, a cluster or
root.
"""

import json
import re

import jsonschema
import yaml

from lynkrc_runtime.state.redis import CONNECTIONS
from tests.architecture.page_walk import FENCE, NOT_RUN, ROOT

PAGE = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
BLOCKS = FENCE.findall(PAGE)
ROW = re.compile(r"^\| ([^|]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", re.MULTILINE)


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_files_of_commands_that_are_not_run_are_there() -> None:
    commands = "".join(body for _, body in BLOCKS if body.startswith(NOT_RUN))
    named = re.findall(r"\b(?:deploy|tests)/[\w./-]+", PAGE)
    assert len(set(named)) > 8 and "deploy/systemd/lynkrc.service" in commands
    made = ("deploy/compose/bundle", "deploy/compose/secrets")
    lacking = [one for one in named if not one.startswith(made) and not _exists(one)]
    assert lacking == []


def _exists(name: str) -> bool:
    return (ROOT / name.rstrip(".")).exists()


def test_the_values_are_the_charts() -> None:
    chart = ROOT / "deploy" / "helm" / "lynkrc"
    (text,) = (body for _, body in BLOCKS if body.startswith("# house.yaml"))
    schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(yaml.safe_load(text))


def test_requests_of_a_core_are_its_time_by_theirs() -> None:
    rows = ROW.findall(PAGE)
    assert len(rows) == 7
    for name, *cells in rows:
        cost, whole, wanted = map(number, cells)
        assert (whole, wanted) == (1_000_000 // cost, 700_000 // cost), name
    costs = {name: number(cell) for name, cell, *_ in rows}
    agent = 600 * costs["a streamed event"] + costs["same dialect, 200 kB, a coding agent's"]
    told = re.search(r"serves (\d+) such streams a second; if each lasts 20 s, (\d+) of", PAGE)
    assert told is not None
    assert number(told[1]) == 700_000 // agent
    assert number(told[2]) == 20 * 700_000 // agent


def test_what_redis_must_hold_is_added_up() -> None:
    mark, session = re.findall(r"^\| (?:mark|session)[^|]*\| (\d+)", PAGE, re.MULTILINE)
    assert f"`memory = {mark} B x 3,600 x requests a second + {session} B x sessions" in PAGE
    told = re.search(
        r"100\s+requests a second and 50,000 sessions are (\d+) MB and (\d+) MB;.*?"
        r"(\d,000)\s+a second \((\d+) MB\) with 400,000 sessions \((\d+) MB\)",
        PAGE,
        re.DOTALL,
    )
    assert told is not None
    marks = int(mark) * 3600 / 1e6
    assert [number(one) for one in told.groups()] == [
        round(100 * marks),
        round(50_000 * int(session) / 1e6),
        1_000,
        round(1_000 * marks),
        round(400_000 * int(session) / 1e6),
    ]
    assert number(told[4]) + number(told[5]) < 512 * 1.048576
    assert f"up to {CONNECTIONS} for each worker" in PAGE
    assert f"workers are {12 * 2 * CONNECTIONS:,}" in PAGE.replace("\n", " ")
