"""The settings of a store to the store, and what several workers may not keep in memory."""

from pathlib import Path

import pytest

from lynkrc_runtime.settings import Budget, Limit, ResponsesStore, Sessions, Settings, State
from lynkrc_runtime.state import open as opening
from lynkrc_runtime.state.interface import CannotOpen
from lynkrc_runtime.state.memory import MemoryStore
from lynkrc_runtime.state.open import in_memory, needs_shared, open_stores
from lynkrc_runtime.telemetry.log import Log

LOG = Log(write=lambda _: None)
OFF = Sessions(within="off")


async def test_memory_is_one_store_that_is_never_down() -> None:
    for stores in (in_memory(), open_stores(Settings(), {}, LOG)):
        assert isinstance(stores.state, MemoryStore)
        assert stores.kept is stores.state
        assert stores.shared is None
        await stores.look()
        assert (stores.status, stores.down) == ("ready", [])
        await stores.close()


async def test_kept_answers_may_have_a_store_of_their_own(tmp_path: Path) -> None:
    place = State(path="${PLACE}/state.db")
    kept = ResponsesStore(ttl=60.0, store="sqlite")
    environ = {"PLACE": str(tmp_path)}
    stores = open_stores(Settings(state=place, responses_store=kept), environ, LOG)
    assert isinstance(stores.state, MemoryStore)
    assert stores.kept is not stores.state
    assert list(stores.healths) == ["sqlite"]
    await stores.kept.put({"a:1": b"x"}, 60)
    assert await stores.state.get(["a:1"]) == {}
    await stores.close()
    assert (tmp_path / "state.db").exists()


def test_a_package_that_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "missing_extra", lambda extra: f"pip install 'lynkrc[{extra}]'")
    with pytest.raises(CannotOpen, match=r"store redis: pip install 'lynkrc\[redis\]'"):
        open_stores(Settings(state=State(store="redis", url="redis://localhost")), {}, LOG)


@pytest.mark.parametrize(
    ("settings", "needs"),
    [
        (Settings(), []),
        (Settings(sessions=Sessions(within="session")), ["sessions"]),
        (Settings(sessions=OFF), []),
        (Settings(sessions=OFF, limits=[Limit(name="a", requests=1)]), ["limits"]),
        (Settings(sessions=OFF, budgets=[Budget(name="a", usd="1")]), ["budgets"]),
        (Settings(sessions=OFF, responses_store=ResponsesStore(ttl=1.0)), ["responses_store"]),
        (
            Settings(
                budgets=[Budget(name="a", usd="1")],
                state=State(store="sqlite", path="x"),
                responses_store=ResponsesStore(ttl=1.0, store="memory"),
            ),
            ["responses_store"],
        ),
        (Settings(state=State(store="redis", url="x")), []),
    ],
)
def test_what_workers_must_share(settings: Settings, needs: list[str]) -> None:
    assert needs_shared(settings) == needs
