"""Bundles that differ in a number, so that every answer tells which of them served it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from lynkrc_runtime.dispatch import Provider
from lynkrc_runtime.settings import Settings
from tests.e2e import small_bundle
from tests.runtime.by_hand import dispatch, provider, target


def digest(number: int) -> str:
    """The meaning digest of a version."""
    return f"{number:064x}"


def number_of(text: str) -> int:
    """The number of the version with this digest."""
    return int(text, 16)


def write(
    folder: Path,
    number: int,
    upstream: str | None = None,
    *,
    settings: Settings | None = None,
    files: Mapping[str, bytes] | None = None,
    **members: Any,
) -> Path:
    """Write version `number` to its place, whole; its target's model is ``model-NUMBER``.

    Without an `upstream` the simulator answers. `files` replace the bundle's, `members` are the
    provider's.
    """
    return small_bundle.write(
        folder / "by-hand.lynkr",
        {**contents(number, upstream, settings=settings, **members), **(files or {})},
        digest=digest(number),
    )


def contents(
    number: int, upstream: str | None = None, *, settings: Settings | None = None, **members: Any
) -> dict[str, bytes]:
    """The files of a version."""
    far: Provider = (
        provider("far", "simulator", **members)
        if upstream is None
        else provider("far", "anthropic-compatible", base_url=upstream, **members)
    )
    table = dispatch([far], [target("t0", 0, model=f"model-{number}")])
    return small_bundle.files(msgspec.structs.replace(table, settings=settings or Settings()))
