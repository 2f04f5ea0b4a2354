"""A bundle's bytes to the files in it: a stored zip with nothing beside or between its records.

`archive` goes the other way, and there is one archive of the same files: what it would not write
is not read. What is wrong raises `BrokenBundle`. Nothing here knows what the files mean.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from struct import Struct
from zlib import crc32

from lynkrc_runtime.plain_file import read_plain

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
        data = read_plain(path, LARGEST_BUNDLE)
    except OSError as error:
        raise BrokenBundle(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > LARGEST_BUNDLE:
        raise BrokenBundle(f"{path}: more than {LARGEST_BUNDLE} bytes, more than a bundle may have")
    return data


def unzip(path: Path, data: bytes, *, largest: int | None = None) -> dict[str, bytes]:
    """The files of an archive by name; `path` is for messages. Raises BrokenBundle.

    None has more than `largest` bytes: those of a bundle's file where that is not said.
    """
    most = LARGEST_FILE if largest is None else largest
    contents: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as zipped:
            entries = zipped.infolist()
            if len(entries) > MOST_FILES:
                raise BrokenBundle(f"{path}: {len(entries)} files, at most {MOST_FILES} are read")
            for entry in entries:
                _check_entry(path, entry, most)
            # Before anything is read: files that overlap would take many times the archive.
            if len(data) != _archive_size(entries):
                raise BrokenBundle(
                    f"{path}: holds bytes that belong to none of its files, or to several"
                )
            for entry in entries:
                if entry.filename in contents:
                    raise BrokenBundle(f"{path}: {entry.filename} is there twice")
                contents[entry.filename] = zipped.read(entry)
            if not _is_archive_of(data, contents):
                raise BrokenBundle(f"{path}: is not archived as `lynkrc build` does it")
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, RuntimeError) as error:
        if path.suffix in (".yaml", ".yml"):
            raise BrokenBundle(
                f"{path}: is a spec, not a bundle; `lynkrc build {path} -o DIR` makes "
                "DIR/NAME.lynkr of it"
            ) from error
        hint = "" if path.suffix == ".lynkr" else " (`lynkrc build` makes a bundle, NAME.lynkr)"
        # Where it is not one at all, zipfile has no more to say.
        told = "" if str(error) == "File is not a zip file" else f": {error}"
        raise BrokenBundle(f"{path}: not a whole zip file{told}{hint}") from error
    return contents


_LOCAL, _CENTRAL, _END = Struct("<4s5H3I2H"), Struct("<4s6H3I5H2I"), Struct("<4s4H2IH")
"""A zip's records (PKWARE APPNOTE, 4.3.7, 4.3.12, 4.3.16)."""
_VERSION, _UNIX = 20, 3
_UTF8 = 0x800
_DATE, _TIME = 0x21, 0
"""1980-01-01 00:00, the earliest a zip can hold."""
_MODE = 0o100644 << 16
"""A plain file, readable by all."""


def archive(files: Mapping[str, bytes]) -> bytes:
    """A stored zip of the files, byte for byte determined by their names and contents."""
    return b"".join(_records(files))


def _records(files: Mapping[str, bytes]) -> Iterator[bytes]:
    """The one zip that holds these files, piece by piece."""
    directory: list[bytes] = []
    offset = 0
    for name in sorted(files):
        data, stored = files[name], name.encode()
        flags = 0 if name.isascii() else _UTF8
        # Version to _DATE, checksum and sizes: what both records of a file say.
        said = (
            _VERSION,
            flags,
            zipfile.ZIP_STORED,
            _TIME,
            _DATE,
            crc32(data),
            len(data),
            len(data),
        )
        yield _LOCAL.pack(b"PK\x03\x04", *said, len(stored), 0) + stored
        yield data
        made_by = _VERSION | _UNIX << 8
        directory.append(
            _CENTRAL.pack(b"PK\x01\x02", made_by, *said, len(stored), 0, 0, 0, 0, _MODE, offset)
            + stored
        )
        offset += _LOCAL.size + len(stored) + len(data)
    yield from directory
    size = sum(map(len, directory))
    yield _END.pack(b"PK\x05\x06", 0, 0, len(files), len(files), size, offset, 0)


def _is_archive_of(data: bytes, files: Mapping[str, bytes]) -> bool:
    """Whether every byte is as `archive` writes it; the names of files must be apart."""
    offset, view = 0, memoryview(data)
    for record in _records(files):
        if view[offset : offset + len(record)] != record:
            return False
        offset += len(record)
    return offset == len(data)


def _archive_size(entries: Sequence[zipfile.ZipInfo]) -> int:
    """Bytes of a stored zip that holds these files and nothing beside or between them."""
    names = sum(len(entry.filename.encode()) for entry in entries)
    sizes = sum(entry.file_size for entry in entries)
    return len(entries) * (_LOCAL.size + _CENTRAL.size) + 2 * names + sizes + _END.size


def _check_entry(path: Path, entry: zipfile.ZipInfo, largest: int) -> None:
    parts = entry.filename.split("/")
    if not all(parts) or {".", ".."} & set(parts) or "\\" in entry.filename:
        raise BrokenBundle(f"{path}: {entry.filename!r} is no name a bundle may hold")
    if entry.compress_type != zipfile.ZIP_STORED:
        raise BrokenBundle(f"{path}: {entry.filename} is compressed; a bundle is stored")
    if entry.file_size > largest:
        raise BrokenBundle(f"{path}: {entry.filename} has more than {largest} bytes")
