"""Artifacts and a bundle's files to its ``manifest.json``."""

import hashlib
from collections.abc import Mapping

import msgspec

from lynkrc.codegen.artifacts import Artifacts
from lynkrc_runtime.bundle import FORMAT, FileEntry, Manifest

MINIMUM_RUNTIME = "0.1.0"
"""The first runtime that reads format 1 and every capability of this compiler."""


def print_manifest(artifacts: Artifacts, files: Mapping[str, bytes]) -> bytes:
    """The manifest over all other files of the bundle, indented, ending in a newline."""
    manifest = Manifest(
        format=FORMAT,
        name=artifacts.name,
        source_digest=artifacts.source_digest,
        meaning_digest=artifacts.meaning_digest,
        minimum_runtime=MINIMUM_RUNTIME,
        capabilities=list(artifacts.capabilities),
        native=sorted(name.split("/")[1] for name in files if name.startswith("native/")),
        files={name: _entry(files[name]) for name in sorted(files)},
    )
    compact = msgspec.json.encode(manifest, order="deterministic")
    return msgspec.json.format(compact, indent=2) + b"\n"


def _entry(data: bytes) -> FileEntry:
    return FileEntry(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
