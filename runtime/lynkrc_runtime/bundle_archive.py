"""A bundle's bytes to the files in it: a stored zip with nothing beside or between its records.

What is wrong raises `BrokenBundle`. Nothing here knows what the files mean.
"""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

SUFFIX = ".lynkr"

LARGEST_BUNDLE = 64 * 2**20
LARGEST_FILE = 32 * 2**20
MOST_FILES = 256


class BrokenBundle(Exception):
    """A bundle that must not be served; the message names the bundle and what is wrong."""


def bundle_file(path: Path) -> Path:
    """The file at a path, or the one in a folder. BrokenBundle where that is not one."""
    if not path.is_dir():
        return path
    found = sorted(path.glob(f"*{SUFFIX}"))
    if len(found) != 1:
        raise BrokenBundle(f"{path}: holds {len(found)} files *{SUFFIX}, not one")
    return found[0]


def read_bundle(path: Path) -> bytes:
    """The bytes of a bundle's file, read once. BrokenBundle where there are none or too many."""
    try:
        size = path.stat().st_size
        if size > LARGEST_BUNDLE:
            raise BrokenBundle(f"{path}: {size} bytes, more than a bundle may have")
        return path.read_bytes()
    except OSError as error:
        raise BrokenBundle(f"{path}: cannot be read: {error.strerror}") from error


def unzip(path: Path, data: bytes) -> dict[str, bytes]:
    """The files of an archive by name; `path` is for messages."""
    contents: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_FILES:
                raise BrokenBundle(f"{path}: {len(entries)} files, at most {MOST_FILES} are read")
            for entry in entries:
                _check_entry(path, entry)
            # Before anything is read: files that overlap would take many times the archive.
            if len(data) != _archive_size(entries):
                raise BrokenBundle(
                    f"{path}: holds bytes that belong to none of its files, or to several"
                )
            for entry in entries:
                if entry.filename in contents:
                    raise BrokenBundle(f"{path}: {entry.filename} is there twice")
                contents[entry.filename] = archive.read(entry)
    except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError) as error:
        if path.suffix in (".yaml", ".yml"):
            raise BrokenBundle(
                f"{path}: is a spec, not a bundle; `lynkrc build {path} -o DIR` makes "
                "DIR/NAME.lynkr of it"
            ) from error
        hint = "" if path.suffix == ".lynkr" else " (`lynkrc build` makes a bundle, NAME.lynkr)"
        raise BrokenBundle(f"{path}: not a whole zip file: {error}{hint}") from error
    return contents


_LOCAL_HEADER, _CENTRAL_HEADER, _END_RECORD = 30, 46, 22
"""Fixed sizes of a zip's records (PKWARE APPNOTE, 4.3)."""


def _archive_size(entries: Sequence[zipfile.ZipInfo]) -> int:
    """Bytes of a stored zip that holds these files and nothing beside or between them."""
    names = sum(len(entry.filename.encode()) for entry in entries)
    sizes = sum(entry.file_size for entry in entries)
    return len(entries) * (_LOCAL_HEADER + _CENTRAL_HEADER) + 2 * names + sizes + _END_RECORD


def _check_entry(path: Path, entry: zipfile.ZipInfo) -> None:
    parts = entry.filename.split("/")
    if not all(parts) or {".", ".."} & set(parts) or "\\" in entry.filename:
        raise BrokenBundle(f"{path}: {entry.filename!r} is no name a bundle may hold")
    if entry.compress_type != zipfile.ZIP_STORED:
        raise BrokenBundle(f"{path}: {entry.filename} is compressed; a bundle is stored")
    if entry.file_size > LARGEST_FILE:
        raise BrokenBundle(f"{path}: {entry.filename} has more than {LARGEST_FILE} bytes")
