"""What is remembered of tools and clients is what is worked out anew."""

from collections.abc import Sequence
from random import Random

import msgspec
import pytest

from lynkrc_runtime import clients as clients_module
from lynkrc_runtime.clients import Clients, Profile, recognise
from lynkrc_runtime.dispatch import Client, Slot, StringClass
from lynkrc_runtime.feature_table import OTHER_CLIENT
from lynkrc_runtime.offered import DEFAULT_TOOL_WEIGHT, OFFERED, Offered
from lynkrc_runtime.protocol.conversation import Tool
from lynkrc_runtime.protocol.known_tools import KnownTools
from lynkrc_runtime.string_classes import Remembered

NAMES = ("Bash", "Edit", "Read", "Write", "shell", "apply_patch", "grep", "mine")
AGENTS = (None, "", "coder-cli/2", "Coder-CLI/", "python-httpx/0.27", "x" * 300, "other")


def client(name: str, agents: list[str], baseline: list[str], weights: dict[str, int]) -> Client:
    return Client(
        name=name,
        user_agent=agents,
        injected_tags=[],
        injected_prefixes=[],
        injected_wrappers=[],
        baseline_tools=baseline,
        tool_weights=weights,
    )


CODER = client("coder", ["Coder-CLI/"], list(NAMES[:4]), {"Bash": 90, "grep": 10})
OTHER = client("other-coder", ["oth"], ["shell", "apply_patch"], {"mine": 100})
CLIENTS = (CODER, OTHER)


def slot(feature: str, *args: str, low: int = 0, high: int = 100) -> Slot:
    names = (OTHER_CLIENT, "other-coder", "coder") if feature == "client" else ()
    classes = [StringClass(kind="member", text=name) for name in names]
    return Slot(feature=feature, args=list(args), type="int", low=low, high=high, classes=classes)


SLOTS = (
    slot("turns", low=3),
    slot("client"),
    slot("tools.count", low=1, high=5),
    slot("tools.added"),
    slot("tools.max_weight", high=95),
    slot("tools.mean_weight"),
    slot("tools.named", "Bash"),
    slot("tools.named", "mine", high=0),
    slot("tools.named", "nobody's"),
)


def tool(name: str) -> Tool:
    return Tool(kind="function", name=name, description=None, parameters={}, strict=None, value={})


def slowly(tools: tuple[Tool, ...], agent: str | None, clients: tuple[Client, ...]) -> list[int]:
    """As the features are told."""
    names = [one.name for one in tools]
    found = recognise(Clients(clients).profiles, agent, frozenset(names))
    fits = None if found is None else clients[found]
    beyond = [name for name in names if fits is None or name not in fits.baseline_tools]
    weights = [
        DEFAULT_TOOL_WEIGHT if fits is None else fits.tool_weights.get(name, DEFAULT_TOOL_WEIGHT)
        for name in beyond
    ]
    number = 0 if fits is None else {"other-coder": 1, "coder": 2}[fits.name]
    return [
        3,
        number,
        min(max(len(names), 1), 5),
        len(beyond),
        min(max(weights, default=0), 95),
        sum(weights) // len(weights) if weights else 0,
        int("Bash" in names),
        0,
        0,
    ]


def test_any_tools_of_any_client_again_and_again() -> None:
    """Of two bundles by turns, which both remember with the same tools."""
    chance = Random(0)
    swapped = (msgspec.structs.replace(OTHER, user_agent=["py"]), CODER)
    bundles = [(given, Offered(SLOTS, given, Clients(given))) for given in (CLIENTS, swapped)]
    sets: list[tuple[Tool, ...]] = [()]
    for kind in (KnownTools, tuple) * 12:
        sets.append(kind([tool(name) for name in chance.choices(NAMES, k=chance.randrange(1, 7))]))
    for _ in range(2_000):
        tools, agent = chance.choice(sets), chance.choice(AGENTS)
        clients, offered = chance.choice(bundles)
        vector = offered.begin(tools, agent)
        assert vector == slowly(tools, agent, clients)
        vector[chance.randrange(len(vector))] = -1  # it is the caller's own
        found = Clients(clients).recognise(agent, tools)
        names = frozenset(one.name for one in tools)
        assert found == recognise(Clients(clients).profiles, agent, names)


def test_what_tools_remember_is_bounded() -> None:
    """Neither agents nor bundles that come and go leave more than one entry a client."""
    tools = KnownTools([tool("Bash")])
    for number in range(50):
        clients = Clients(CLIENTS)
        offered = Offered(SLOTS, CLIENTS, clients)
        for agent in (*AGENTS, f"agent {number}"):
            offered.begin(tools, agent)
            clients.recognise(agent, tools)
    assert len(tools.written) <= 2 + len(CLIENTS)


def test_clients_of_one_bundle_remember_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Features, sessions and telemetry ask for each request, by turns."""
    asked: list[frozenset[str]] = []
    told = clients_module._by_tools

    def tell(profiles: Sequence[Profile], names: frozenset[str]) -> int | None:
        asked.append(names)
        return told(profiles, names)

    monkeypatch.setattr(clients_module, "_by_tools", tell)
    tools = KnownTools([tool("shell"), tool("apply_patch")])
    askers = [Clients(CLIENTS) for _ in range(3)]
    assert [one.recognise("curl/8", tools) for one in askers * 2] == [1] * 6
    assert len(asked) == 1


def test_few_and_short_texts_are_remembered() -> None:
    asked: list[str] = []

    def work_out(text: str) -> int:
        asked.append(text)
        return len(text)

    remembered = Remembered(work_out)
    assert [remembered[text] for text in ("a", "", "a", "")] == [1, 0, 1, 0]
    assert asked == ["a", ""]
    long = "x" * 10_000
    assert remembered[long] == remembered[long] == 10_000
    assert asked == ["a", "", long, long]
    for number in range(1_000):
        assert remembered[str(number)] == len(str(number))
        assert len(remembered) <= 256


@pytest.mark.parametrize("feature", sorted(OFFERED))
def test_every_feature_of_these_is_filled(feature: str) -> None:
    args = ("Bash",) if feature == "tools.named" else ()
    offered = Offered((slot(feature, *args),), CLIENTS, Clients(CLIENTS))
    assert offered.begin((tool("Bash"), tool("grep")), "coder-cli/1") != [0]
