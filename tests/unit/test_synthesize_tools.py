"""Wishes about tools, to tools of the weights that a client profile gives them."""

import pytest

from lynkrc.testing.ask_text import filler_words
from lynkrc.testing.tools_plan import ToolPlan, plan_tools
from lynkrc.testing.wanted import Bounds, Wanted
from lynkrc_runtime.clients import Profile, recognise
from lynkrc_runtime.dispatch import Client

BASELINE = [f"own_{number}" for number in range(6)]
QUIET = ["one", "two", "three"]
WEIGHTS = {"shell": 90, "edit": 70, "peek": 10, "own_0": 100}


def client(name: str, *agents: str, baseline: list[str] = BASELINE) -> Client:
    return Client(
        name=name,
        user_agent=list(agents),
        injected_tags=[],
        injected_prefixes=[],
        injected_wrappers=[],
        baseline_tools=baseline,
        tool_weights=WEIGHTS,
    )


CLIENTS = [client("named", "named/"), client("quiet", baseline=QUIET)]


def plan(name: str | None, tools: dict[str, bool] | None = None, **numbers: int) -> ToolPlan:
    wanted = Wanted(
        key={},
        numbers={f"tools.{feature}": Bounds(number, number) for feature, number in numbers.items()},
        client=name,
        dialect=None,
        surface=None,
        model=None,
        headers={},
        metadata={},
        tools=tools or {},
        lexicons={},
    )
    return plan_tools(wanted, CLIENTS, filler_words("olmu"))


@pytest.mark.parametrize(
    ("added", "greatest", "mean"), [(1, 90, 90), (2, 90, 80), (3, 90, 56), (4, 70, 45), (2, 50, 50)]
)
def test_added_tools_weigh_what_is_wished(added: int, greatest: int, mean: int) -> None:
    made = plan("named", added=added, max_weight=greatest, mean_weight=mean)
    weights = [WEIGHTS.get(tool, 50) for tool in made.tools if tool not in BASELINE]
    assert len(weights) == added
    assert (max(weights), sum(weights) // len(weights)) == (greatest, mean)
    assert made.agent == "named/1.0"


def test_a_profile_is_found_that_has_such_tools() -> None:
    assert "shell" in plan(None, added=1, max_weight=90).tools


def test_a_client_without_an_agent_brings_its_tools() -> None:
    made = plan("quiet", {"shell": True, "edit": False}, added=1)
    assert recognise([Profile(one) for one in CLIENTS], made.agent, frozenset(made.tools)) == 1
    assert set(made.tools) == {*QUIET, "shell"}


def test_nobody_is_known_by_tools_of_no_baseline() -> None:
    made = plan("other", count=9, added=9)
    assert len(set(made.tools)) == 9
    assert recognise([Profile(one) for one in CLIENTS], made.agent, frozenset(made.tools)) is None


def test_what_cannot_be_is_a_plan_all_the_same() -> None:
    made = plan("named", {"own_1": True}, count=0)
    assert made.tools == ("own_1",)
