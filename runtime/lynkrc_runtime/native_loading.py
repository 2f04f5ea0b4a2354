"""The checked bytes of a native library to its scorer, mapped into this process once.

An extension module is never unloaded: what a process has loaded stays mapped until its end. So
libraries are known by their bytes, and a bundle that comes back, or that another policy shares its
scorer with, costs nothing. They run from a file only we can write to, which is gone once it is
mapped; a file that is cut short is refused before, for touching what lies behind its end would
kill the process.
"""

import hashlib
import os
import stat
import struct
import sys
import tempfile
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Lock
from typing import Final, final

from lynkrc_runtime.decide import Scorer


@final
class NativeLibraries:
    """The libraries a process has loaded, by the SHA-256 of their bytes. Any thread may ask."""

    __slots__ = ("_loaded", "_lock")

    def __init__(self) -> None:
        self._loaded: dict[str, Scorer] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        """How many different ones are mapped."""
        return len(self._loaded)

    def load(self, library: bytes) -> Scorer:
        """The scorer in these bytes; equal bytes give the same one.

        ImportError, OSError or AttributeError where they are no scorer for this interpreter.
        """
        digest = hashlib.sha256(library).hexdigest()
        with self._lock:
            known = self._loaded.get(digest)
            if known is None:
                known = self._loaded[digest] = _load(library, digest)
            return known


LIBRARIES: Final = NativeLibraries()
"""Those of this process: mapping is of the process, so there can be no other."""


def _load(library: bytes, digest: str) -> Scorer:
    _check_whole(library)
    _check_folder(Path(tempfile.gettempdir()))
    # The last part must be what the library was built as; the rest tells libraries apart.
    name = f"lynkrc_bundle_{digest[:16]}.scorer"
    with tempfile.TemporaryDirectory(prefix="lynkrc-bundle-") as folder:
        file = Path(folder) / "scorer.so"
        file.write_bytes(library)
        loader = ExtensionFileLoader(name, str(file))
        spec = spec_from_file_location(name, file, loader=loader)
        if spec is None:
            raise ImportError("no import spec for the library")
        before = sys.modules.get("scorer")
        module = module_from_spec(spec)
        loader.exec_module(module)
        # Cython enters its modules under the name they were built as, which is not ours alone.
        if before is None:
            sys.modules.pop("scorer", None)
        else:
            sys.modules["scorer"] = before
    decide: Scorer = module.decide
    return decide


def _check_folder(folder: Path) -> None:
    """ImportError for a folder of temporary files that no library may run from."""
    if sys.platform == "win32":
        return
    mode = folder.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        # Without the sticky bit others may put a folder of theirs in the place of ours.
        raise ImportError(f"others can rename what lies in {folder}; TMPDIR names another folder")
    if os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0):
        raise ImportError(f"{folder} is mounted noexec; TMPDIR names another folder")


_ELF: Final = b"\x7fELF"
_LOAD: Final = 1
_HEADER: Final = 64
_SEGMENT: Final = 56


def _check_whole(library: bytes) -> None:
    """ImportError for an ELF file that maps more than it holds (System V ABI, chapters 4 and 5).

    What is not ELF with 64 bits is left to the loader of its system.
    """
    if library[:5] != _ELF + b"\x02":
        return
    order = "<" if library[5:6] == b"\x01" else ">"
    if len(library) < _HEADER:
        raise ImportError("the library is cut short")
    (table,) = struct.unpack_from(order + "Q", library, 32)
    size, count = struct.unpack_from(order + "HH", library, 54)
    if size != _SEGMENT or table + size * count > len(library):
        raise ImportError("the library is cut short")
    for at in range(table, table + size * count, size):
        kind, _, offset = struct.unpack_from(order + "IIQ", library, at)
        (held,) = struct.unpack_from(order + "Q", library, at + 32)
        if kind == _LOAD and offset + held > len(library):
            raise ImportError("the library is cut short")
