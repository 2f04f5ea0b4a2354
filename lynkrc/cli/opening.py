"""A spec or a bundle to its compilation: a bundle's own sources, compiled once more.

A bundle holds every source that took part, but not the catalog nor the compiler it was built with.
Where its sources mean something else to this compiler, that is said and nothing is shown of it.
"""

import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import final

from lynkrc.cli.specs import CannotRead, catalog_files, compile_file
from lynkrc.pipeline import SPEC_NAME, Compilation, compile_spec
from lynkrc.sema.loader import BaseFile
from lynkrc_runtime.bundle import SUFFIX, BrokenBundle, OpenedBundle, open_bundle


@final
class BundledLoader:
    """Base specs as a bundle holds them (see `lynkrc.pipeline.RecordingLoader` for the names)."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def load(self, name: str, from_path: str) -> BaseFile | None:
        """A base spec, None where the bundle does not hold it."""
        if name.startswith("builtin/"):
            place = bundled = f"{name}.yaml"
        else:
            written = name.replace("\\", "/")
            place = posixpath.normpath(posixpath.join(posixpath.dirname(from_path), written))
            steps = ("_up_" if step == ".." else step for step in place.split("/"))
            bundled = "/".join(("extends", *steps))
        data = self._files.get(f"source/{bundled}")
        return None if data is None else BaseFile(path=place, data=data)


def open_source(path: Path) -> Compilation:
    """Compile a spec, or the sources in a bundle (NAME.lynkr, or a folder that holds one).

    CannotRead where there is no such file, or a bundle that is broken or means something else now.
    """
    if path.suffix != SUFFIX and not path.is_dir():
        return compile_file(path)
    try:
        bundle = open_bundle(path)
    except BrokenBundle as problem:
        raise CannotRead(str(problem)) from None
    return _compiled(bundle)


def _compiled(bundle: OpenedBundle) -> Compilation:
    spec = bundle.files.get(f"source/{SPEC_NAME}")
    if spec is None:
        raise CannotRead(f"{bundle.path}: holds no source; name the spec it was built from")
    loader = BundledLoader(bundle.files)
    compilation = compile_spec(SPEC_NAME, spec, loader=loader, catalog=catalog_files())
    artifacts = compilation.artifacts
    found = None if artifacts is None else artifacts.meaning_digest
    if found != bundle.manifest.meaning_digest:
        raise CannotRead(
            f"{bundle.path}: this version of lynkrc and its catalog read the sources in it "
            f"otherwise than the one that built it; build it anew, or use that version"
        )
    return compilation
