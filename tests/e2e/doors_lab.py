"""Bundles by hand that declare something of `server`, providers or keys, served as processes."""

import hashlib
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from lynkrc_runtime.dispatch import Dispatch, Provider
from lynkrc_runtime.settings import Key, Server, Settings
from tests.e2e import small_bundle
from tests.runtime.by_hand import dispatch, provider, target

KEY = "virtual-key-of-the-tests-0001"
"""The virtual key of a spec that has `keys`."""


def simulated() -> list[Provider]:
    return [provider("one", "simulator", base_url=None, api_key=None)]


def written(
    folder: Path,
    *,
    providers: list[Provider] | None = None,
    keys: bool = False,
    server: Server | None = None,
    **settings: Any,
) -> Path:
    """A bundle whose every request goes to its providers in the order written."""
    found = simulated() if providers is None else providers
    ring = {"tests": Key(sha256=hashlib.sha256(KEY.encode()).hexdigest())} if keys else {}
    table: Dispatch = replace(
        dispatch(found, [target(f"at-{one.name}", place) for place, one in enumerate(found)]),
        settings=Settings(server=server or Server(), keys=ring, **settings),
    )
    return small_bundle.write(folder / "by-hand.lynkr", small_bundle.files(table))
