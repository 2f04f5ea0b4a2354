"""The settings of a store to the store itself, behind what is declared for when it is down."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, final

from lynkrc_runtime.providers.extras import missing_extra
from lynkrc_runtime.references import MissingVariable, expand
from lynkrc_runtime.settings import Settings, State
from lynkrc_runtime.state.guarded import Guarded, Health
from lynkrc_runtime.state.interface import CannotOpen, Store, StoreDown
from lynkrc_runtime.state.memory import MemoryStore
from lynkrc_runtime.telemetry.log import Log

Kind: TypeAlias = Literal["memory", "sqlite", "redis"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The stores of a process: for counts and pins, and for kept answers; often they are one.

    `healths` tell how each kind fares that can be down.
    """

    state: Store
    kept: Store
    healths: Mapping[str, Health]

    @property
    def shared(self) -> Store | None:
        """The store for counts and pins where other processes may use it too, else None."""
        return None if isinstance(self.state, MemoryStore) else self.state

    @property
    def down(self) -> list[str]:
        """What does not answer now: `store redis`."""
        return [f"store {kind}" for kind, health in self.healths.items() if not health.is_up]

    @property
    def status(self) -> Literal["ready", "degraded", "unavailable"]:
        """Unavailable: requests are refused until a store is back."""
        if any(health.refuses for health in self.healths.values()):
            return "unavailable"
        return "degraded" if self.down else "ready"

    async def look(self) -> None:
        """See whether they answer; one that does not is down from now on, and logged as such."""
        for store in {id(store): store for store in (self.state, self.kept)}.values():
            with suppress(StoreDown):
                await store.ping()

    async def close(self) -> None:
        """Write what waits, and let go."""
        for store in {id(store): store for store in (self.state, self.kept)}.values():
            await store.close()


def in_memory() -> Stores:
    """The stores of a policy that declares none."""
    store = MemoryStore()
    return Stores(state=store, kept=store, healths={})


def open_stores(settings: Settings, environ: Mapping[str, str], log: Log) -> Stores:
    """The declared stores. `environ` is what references are looked up in.

    A Redis that does not answer is no error here: it is down, which has a declared meaning.
    Raises CannotOpen.
    """
    healths: dict[str, Health] = {}
    opened: dict[Kind, Store] = {}
    for kind in kinds(settings):
        if kind not in opened:
            opened[kind] = _opened(kind, settings.state, environ, log, healths)
    state, kept = (opened[kind] for kind in kinds(settings))
    return Stores(state=state, kept=kept, healths=healths)


def kinds(settings: Settings) -> tuple[Kind, Kind]:
    """Where counts and pins are, and where answers are kept."""
    state, declared = settings.state.store, settings.responses_store
    return state, state if declared is None else declared.store or state


def _opened(
    kind: Kind,
    state: State,
    environ: Mapping[str, str],
    log: Log,
    healths: dict[str, Health],
) -> Store:
    if kind == "memory":
        return MemoryStore()
    store = _sqlite(state, environ) if kind == "sqlite" else _redis(state, environ)
    healths[kind] = Health(is_closed=state.on_failure == "closed")
    return Guarded(store, healths[kind], log)


def _sqlite(state: State, environ: Mapping[str, str]) -> Store:
    # Late: most gateways need neither of the two.
    from lynkrc_runtime.state.sqlite import SqliteStore

    return SqliteStore(Path(_expanded("path", state.path, environ)))


def _redis(state: State, environ: Mapping[str, str]) -> Store:
    lacking = missing_extra("redis")
    if lacking is not None:
        raise CannotOpen(f"state: store redis: {lacking}")
    from lynkrc_runtime.state.redis import RedisStore

    return RedisStore(_expanded("url", state.url, environ))


def _expanded(key: str, value: str | None, environ: Mapping[str, str]) -> str:
    if value is None:
        raise CannotOpen(f"state: store needs `{key}`; the compiler refuses a spec without it")
    try:
        return expand(value, environ)
    except MissingVariable as missing:
        raise CannotOpen(
            f"state: `{key}` needs the environment variable {missing.name}, which is not set"
        ) from missing


def needs_shared(settings: Settings, *, is_dry: bool = False) -> list[str]:
    """What of these settings several workers must share, and cannot in the memory of each.

    What a turn keeps (`within: turn`) is not among it: each worker decides alone, and well.
    `is_dry`: all of it is in memory, whatever these settings say.

    >>> needs_shared(Settings())
    []
    """
    state, kept = ("memory", "memory") if is_dry else kinds(settings)
    needs = {
        "limits": bool(settings.limits) and state == "memory",
        "budgets": bool(settings.budgets) and state == "memory",
        "sessions": settings.sessions.within == "session" and state == "memory",
        "responses_store": settings.responses_store is not None and kept == "memory",
    }
    return [name for name, is_needed in needs.items() if is_needed]
