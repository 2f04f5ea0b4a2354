"""A build that an earlier one has done from the same inputs, to what it found and made.

The key is all that a build starts from: this program, the spec's name and bytes, the goal, and for
a native one the compilers. The other files a spec names are not known before it is read, so the
answer to each question for one is kept, and asked again. Kept is only what was compiled, proved and
tried without an error; a spec whose proofs read further files is not kept.
"""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from lynkrc.cli.kept_files import keep_file, kept_folder, read_kept
from lynkrc.cli.program import program_digest
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.stored import from_document, to_document
from lynkrc.sema.loader import BaseFile, Loader
from lynkrc_runtime.native_trust import NotOurs, check_built_here

KIND = "builds"
LIBRARIES = "native"

_MOST = 32
"""Newest files that are kept of either kind: a bundle may have megabytes."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a build found, and all that it writes."""

    diagnostics: tuple[Diagnostic, ...]
    name: str
    meaning_digest: str
    source_digest: str
    reviewed: tuple[tuple[str, bytes], ...] = field(repr=False)
    bundle: bytes = field(repr=False)
    library: bytes | None = field(repr=False)
    """The native library in the bundle."""
    report: Mapping[str, Any] | None = field(repr=False)
    """What proofs found; None of a spec that asserts nothing."""
    counted: str
    """``4 proved, 1 unknown``."""
    tried: int
    """On how many requests the scorers were tried; 0 where a build before this one has done it."""


@final
class Noting:
    """A loader that notes the digest of each file it was asked for, or that there was none."""

    def __init__(self, inner: Loader) -> None:
        self._inner = inner
        self._asked: dict[tuple[str, str], tuple[str, str] | None] = {}

    def load(self, name: str, from_path: str) -> BaseFile | None:
        """As the inner loader does."""
        file = self._inner.load(name, from_path)
        # What is asked for twice may have been written between: only the first is answered again.
        self._asked.setdefault((name, from_path), _told(file))
        return file

    def asked(self) -> list[list[Any]]:
        """Each question with its answer, for JSON."""
        return [[*question, answer] for question, answer in self._asked.items()]


@final
class OwnLibraries:
    """Native libraries this user has built on this machine, by the digest of what they are of."""

    def load(self, key: str) -> bytes | None:
        """The library kept under a key, if the note of this user's builds has it."""
        library = read_kept(LIBRARIES, key)
        return None if library is None or not _is_built_here(library) else library

    def keep(self, key: str, library: bytes) -> None:
        """Keep one."""
        keep_file(LIBRARIES, key, library, most=_MOST)


def key_of(spec: Path, data: bytes, *, native: bool) -> str | None:
    """What a build of a spec follows from, as a digest; None where builds are not kept."""
    if kept_folder(KIND) is None:
        return None
    tools = None
    if native:
        # Imported here: a portable build does not ask for a compiler.
        from lynkrc.native.toolchain import toolchain_digest

        tools = toolchain_digest()
        if tools is None:
            return None
    try:
        program = program_digest()
    except OSError:
        return None
    parts = {
        "program": program,
        "spec": [str(spec), hashlib.sha256(data).hexdigest()],
        "native": tools,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def recall(key: str, loader: Loader) -> Finished | None:
    """The build kept under a key, where the files its spec names are what they were."""
    data = read_kept(KIND, key)
    if data is None:
        return None
    try:
        document = json.loads(data)
        for name, from_path, answer in document["asked"]:
            told = _told(loader.load(name, from_path))
            if told != (None if answer is None else tuple(answer)):
                return None
        finished = Finished(
            diagnostics=from_document(document["diagnostics"]),
            name=document["name"],
            meaning_digest=document["meaning"],
            source_digest=document["source"],
            reviewed=tuple((name, text.encode()) for name, text in document["reviewed"]),
            bundle=base64.b64decode(document["bundle"]),
            library=None if document["library"] is None else base64.b64decode(document["library"]),
            report=document["report"],
            counted=document["counted"],
            tried=int(document["tried"]),
        )
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None
    # Native code runs, so it takes more than lying in a folder of ours.
    is_ours = finished.library is None or _is_built_here(finished.library)
    return finished if is_ours else None


def keep(key: str, finished: Finished, asked: list[list[Any]]) -> None:
    """Keep a build that had no error; where that cannot be, the next one builds again."""
    document = {
        "asked": asked,
        "diagnostics": to_document(finished.diagnostics),
        "name": finished.name,
        "meaning": finished.meaning_digest,
        "source": finished.source_digest,
        "reviewed": [(name, data.decode()) for name, data in finished.reviewed],
        "bundle": base64.b64encode(finished.bundle).decode(),
        "library": None
        if finished.library is None
        else base64.b64encode(finished.library).decode(),
        "report": finished.report,
        "counted": finished.counted,
        "tried": finished.tried,
    }
    keep_file(KIND, key, json.dumps(document).encode(), most=_MOST)


def _told(file: BaseFile | None) -> tuple[str, str] | None:
    return None if file is None else (file.path, hashlib.sha256(file.data).hexdigest())


def _is_built_here(library: bytes) -> bool:
    try:
        check_built_here(library, os.environ)
    except NotOurs:
        return False
    return True
