"""A bundle's files to its manifest, once every size and digest is as the manifest says."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import final

import msgspec

from lynkrc_runtime import __version__
from lynkrc_runtime.bundle_archive import BrokenBundle
from lynkrc_runtime.feature_table import FEATURES
from lynkrc_runtime.providers.table import KINDS

FORMAT = 1
"""The bundle format this runtime reads."""

MANIFEST = "manifest.json"

REQUIRED = (
    "dispatch.json",
    "explain.py",
    "ir.txt",
    "lexicons.dfa",
    "report.json",
    "routes.txt",
    "scorer.pxd",
    "scorer.py",
    "source_map.json",
)
"""Files every bundle of this format holds, beside its manifest and its sources."""


@final
class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file's sha256 (hex) and size in bytes."""

    sha256: str
    size: int


@final
class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``manifest.json``; `files` holds every other file of the bundle."""

    format: int
    name: str
    source_digest: str
    meaning_digest: str
    minimum_runtime: str
    capabilities: list[str]
    native: list[str]
    files: dict[str, FileEntry]


@final
class _AnyFormat(msgspec.Struct, frozen=True):
    """The one member every format shares."""

    format: int


def read_manifest(path: Path, data: bytes) -> Manifest:
    """``manifest.json`` of a bundle this runtime can serve; `path` is for messages."""
    try:
        written = msgspec.json.decode(data, type=_AnyFormat).format
        if written > FORMAT:
            raise BrokenBundle(
                f"{path}: bundle format {written} is newer than this runtime reads ({FORMAT});"
                f" lynkrc-runtime is {__version__}"
            )
        if written != FORMAT:
            raise BrokenBundle(f"{path}: there is no bundle format {written}")
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BrokenBundle(f"{path}: {MANIFEST}: {error}") from error
    if _version(path, manifest.minimum_runtime) > _version(path, __version__):
        raise BrokenBundle(
            f"{path}: needs lynkrc-runtime {manifest.minimum_runtime}, this is {__version__}"
        )
    known = {f"feature:{name}" for name in FEATURES} | {f"kind:{name}" for name in KINDS}
    for capability in manifest.capabilities:
        if capability not in known:
            raise BrokenBundle(f"{path}: needs {capability}, which this runtime does not have")
    return manifest


def _version(path: Path, text: str) -> tuple[int, ...]:
    parts = text.split(".")
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        raise BrokenBundle(f"{path}: {MANIFEST}: {text!r} is no version")
    return tuple(int(part) for part in parts)


def check_files(path: Path, manifest: Manifest, contents: Mapping[str, bytes]) -> None:
    """BrokenBundle unless the files beside the manifest are exactly those it names."""
    for name in (*REQUIRED, *manifest.files):
        if name not in contents:
            raise BrokenBundle(f"{path}: {name} is missing")
    for name, data in contents.items():
        expected = manifest.files.get(name)
        if expected is None:
            raise BrokenBundle(f"{path}: {name} is not in the manifest")
        if len(data) != expected.size or hashlib.sha256(data).hexdigest() != expected.sha256:
            raise BrokenBundle(f"{path}: {name} is not what the manifest says (wrong digest)")
    libraries = {name.split("/")[1] for name in contents if name.startswith("native/")}
    if libraries != set(manifest.native):
        raise BrokenBundle(f"{path}: the manifest's native tags are not the libraries' ones")
