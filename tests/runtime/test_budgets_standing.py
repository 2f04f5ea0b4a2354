"""How budgets stand, for operators: each owner once, as the store has it."""

from typing import Any

from msgspec.structs import replace

from lynkrc_runtime.metering.standing import MOST, budgets_standing
from lynkrc_runtime.settings import Budget, Key, Settings
from lynkrc_runtime.state.interface import Account, StoreDown
from lynkrc_runtime.state.memory import MemoryStore
from tests.runtime.by_hand import dispatch, provider, target

NOW = 1_767_225_600.0
BUDGETS = [
    Budget(name="team", usd="3", per="team", period="month"),
    Budget(name="all", usd="1", period="day", hard=True, targets=["one"]),
]
TABLE = replace(
    dispatch([provider("sim", "simulator")], [target("one", 0)]), settings=Settings(budgets=BUDGETS)
)
KEYS = {
    "ana": Key(secret="a", team="web"),
    "ben": Key(secret="b", team="web"),
    "ops": Key(secret="c", team="ops"),
}


def owners(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["budget"], one["owner"]) for one in told["budgets"]]


async def test_each_owner_is_told_once() -> None:
    store = MemoryStore()
    key = "account:all:everyone:2026-01-01"
    await store.settle("r", [Account(key=key, limit=10**6, amount=250, until=NOW + 9e9)])
    told = await budgets_standing(TABLE, KEYS, store, NOW)
    assert owners(told) == [("team", "team web"), ("team", "team ops"), ("all", "everyone")]
    last = told["budgets"][-1]
    assert (last["spent_micro_usd"], last["limit_micro_usd"], last["hard"]) == (250, 10**6, True)
    assert (last["period"], last["ends"]) == ("2026-01-01", "2026-01-02T00:00:00Z")
    assert (last["targets"], told["omitted"], told["trouble"]) == (["one"], 0, None)


async def test_without_keys_and_with_too_many() -> None:
    assert owners(await budgets_standing(TABLE, {}, MemoryStore(), NOW)) == [("all", "everyone")]
    many = {f"k{number}": Key(secret="x", team=f"t{number}") for number in range(MOST + 5)}
    told = await budgets_standing(TABLE, many, MemoryStore(), NOW)
    assert (len(told["budgets"]), told["omitted"]) == (MOST, 6)


async def test_a_store_that_is_down_is_told() -> None:
    class Down:
        async def balances(self, keys: object) -> Any:
            raise StoreDown("redis does not answer")

    told = await budgets_standing(TABLE, KEYS, Down(), NOW)  # type: ignore[arg-type]  # that alone is asked
    assert told["trouble"] == "redis does not answer"
    assert {one["spent_micro_usd"] for one in told["budgets"]} == {None}
