"""A compilation to the bundle that would be built of it, loaded as the gateway loads it."""

import tempfile
from pathlib import Path

from lynkrc.pipeline import Compilation, pack_bundle
from lynkrc_runtime.bundle import LoadedBundle, load_opened, open_bundle


def load_built(
    compilation: Compilation, *, native: bool = False
) -> tuple[LoadedBundle, str | None]:
    """Pack and load it; with `native` also why its scorer is not the native one, if it is not.

    Raises ValueError for a compilation with errors.
    """
    packed, reason = pack_bundle(compilation, native=native)
    with tempfile.TemporaryDirectory(prefix="lynkrc-") as folder:
        path = Path(folder) / "built.lynkr"
        path.write_bytes(packed)
        bundle = load_opened(open_bundle(path), is_just_built=native)
    return bundle, (reason or bundle.notice) if native else None
