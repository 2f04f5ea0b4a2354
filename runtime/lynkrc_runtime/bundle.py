"""A bundle file to what serves: everything is checked before anything of it runs.

A bundle is a stored zip (see `lynkrc.bundle.pack`). `open_bundle` reads it and checks the
manifest, every size and digest, the signature where keys are trusted, and that nothing is missing
or too much. The file is read once: what is checked is what runs. `load_bundle` goes on to decode
the dispatch table and to make the scorer: a native library that fits this interpreter and is
trusted (`native_trust`), or the Python scorer with a notice that says why. Whatever is
wrong raises `BrokenBundle`.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias, final

from lynkrc_runtime.bundle_archive import (
    SUFFIX,
    BrokenBundle,
    archive,
    bundle_file,
    read_bundle,
    unzip,
)
from lynkrc_runtime.bundle_code import (
    GONE_WRONG,
    BrokenCode,
    run_python,
    said,
)
from lynkrc_runtime.bundle_dispatch import read_dispatch
from lynkrc_runtime.bundle_manifest import (
    FORMAT,
    MANIFEST,
    FileEntry,
    Manifest,
    check_files,
    read_manifest,
)
from lynkrc_runtime.decide import Scorer
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.native_loading import LIBRARIES
from lynkrc_runtime.native_tag import native_path, native_tag
from lynkrc_runtime.native_trust import NotOurs, check_built_here
from lynkrc_runtime.scan.engines import read_tables
from lynkrc_runtime.scan.tables import Tables
from lynkrc_runtime.signature import NO_KEYS, BrokenSignature, Trust, signature_path, verified

__all__ = (
    "FORMAT",
    "MANIFEST",
    "SUFFIX",
    "BrokenBundle",
    "Explain",
    "FileEntry",
    "LoadedBundle",
    "Manifest",
    "OpenedBundle",
    "archive",
    "bundle_file",
    "dispatch_of",
    "load_bundle",
    "load_opened",
    "open_bundle",
    "portable_scorer",
)

Explain: TypeAlias = Callable[[list[int]], dict[str, Any]]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedBundle:
    """A bundle whose every byte is as its manifest says. Nothing of it has run.

    `sha256` is of its file, `signed_by` the ids of the trusted keys that have signed that.
    """

    path: Path
    sha256: str
    signed_by: tuple[str, ...]
    manifest: Manifest
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def identity(self) -> tuple[Manifest, bool]:
        """Equal for bundles that serve in the same way: same files, and equally trusted."""
        return self.manifest, bool(self.signed_by)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedBundle:
    """A bundle ready to serve.

    `engine` is ``native`` or ``python``; `notice` says why it is not native, None where it is.
    """

    path: Path
    manifest: Manifest
    dispatch: Dispatch
    tables: Tables
    scorer: Scorer = field(repr=False)
    explain: Explain = field(repr=False)
    engine: str
    notice: str | None


def load_bundle(path: Path) -> LoadedBundle:
    """Open, check and load a bundle: a file, or a folder that holds exactly one."""
    return load_opened(open_bundle(path))


def load_opened(bundle: OpenedBundle, *, is_just_built: bool = False) -> LoadedBundle:
    """Decode a checked bundle's tables and make its scorer.

    `is_just_built`: its native library is one that the caller has compiled.
    """
    dispatch = dispatch_of(bundle)
    try:
        tables = read_tables(bundle.files["lexicons.dfa"])
    except ValueError as error:
        raise BrokenBundle(f"{bundle.path}: unreadable table: {error}") from error
    scorer, engine, notice = _scorer(bundle, is_just_built)
    loaded = LoadedBundle(
        path=bundle.path,
        manifest=bundle.manifest,
        dispatch=dispatch,
        tables=tables,
        scorer=scorer,
        explain=_python(bundle, "explain.py", "explain"),
        engine=engine,
        notice=notice,
    )
    _try_out(loaded)
    return loaded


def dispatch_of(bundle: OpenedBundle) -> Dispatch:
    """The dispatch table of a checked bundle."""
    return read_dispatch(bundle.path, bundle.files["dispatch.json"])


def open_bundle(
    path: Path, trust: Trust = NO_KEYS, *, signature: Path | None = None
) -> OpenedBundle:
    """Read a bundle and check everything about it that can be checked without running it.

    `signature` is the file of its signatures, where that is not the one beside it.
    """
    path = bundle_file(path)
    data = read_bundle(path)
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        signed_by = verified(signature or signature_path(path), sha256, trust)
    except BrokenSignature as error:
        raise BrokenBundle(f"{path}: {error}") from error
    contents = unzip(path, data)
    if MANIFEST not in contents:
        raise BrokenBundle(f"{path}: {MANIFEST} is missing")
    manifest = read_manifest(path, contents.pop(MANIFEST))
    check_files(path, manifest, contents)
    return OpenedBundle(
        path=path,
        sha256=sha256,
        signed_by=signed_by,
        manifest=manifest,
        files=MappingProxyType(contents),
    )


def _scorer(bundle: OpenedBundle, is_just_built: bool) -> tuple[Scorer, str, str | None]:
    """The scorer, the engine's name, and why it is not the native one."""
    library = bundle.files.get(native_path())
    if library is None:
        held = ", ".join(bundle.manifest.native)
        other = f", only for {held}" if held else ""
        why = f"no native code in the bundle for {native_tag()}{other}"
        notice = f"{why}: the Python scorer serves"
    else:
        try:
            if not bundle.signed_by and not is_just_built:
                check_built_here(library, os.environ)
            return LIBRARIES.load(library), "native", None
        except NotOurs as error:
            notice = (
                "the native code has no trusted signature and was not built by this user on this "
                f"machine ({error}): the Python scorer serves"
            )
        except (ImportError, OSError, AttributeError) as error:
            notice = f"the native scorer cannot be loaded ({error}): the Python scorer serves"
    return portable_scorer(bundle), "python", notice


def portable_scorer(bundle: OpenedBundle) -> Scorer:
    """The Python scorer of a checked bundle, whether or not it is the one that serves."""
    decide: Scorer = _python(bundle, "scorer.py", "decide")
    return decide


def _python(bundle: OpenedBundle, name: str, function: str) -> Any:
    try:
        return run_python(
            bundle.files[name], bundle=bundle.manifest.name, name=name, function=function
        )
    except BrokenCode as error:
        raise BrokenBundle(f"{bundle.path}: {error}") from error


def _try_out(loaded: LoadedBundle) -> None:
    """One decision by every engine: a scorer of another spec's slots is noticed here."""
    lowest = [slot.low for slot in loaded.dispatch.slots]
    try:
        verdict = list(loaded.scorer(lowest))
        explained = loaded.explain(lowest)["verdict"]
    except GONE_WRONG as error:
        raise BrokenBundle(
            f"{loaded.path}: the scorer does not take its slots: {said(error)}"
        ) from error
    if verdict != explained:
        raise BrokenBundle(f"{loaded.path}: scorer and explanation disagree on {lowest}")
