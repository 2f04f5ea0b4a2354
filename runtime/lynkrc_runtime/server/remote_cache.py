"""The last good bundle with its signatures to one file on disk, and back.

One file, so that a pair is there whole or not at all: a stored zip of the two, as `archive` makes
it. Who reads it back verifies it like one that was fetched.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lynkrc_runtime.bundle_archive import LARGEST_BUNDLE, BrokenBundle, archive, unzip
from lynkrc_runtime.plain_file import read_plain
from lynkrc_runtime.signature import LARGEST_SIGNATURE

_MORE: Final = 4096
"""Bytes of the archive around the two."""


class NoneKept(Exception):
    """Why there is no last good bundle; fit to print."""


def keep(files: Mapping[str, bytes], at: Path) -> None:
    """Write the files, all or none of them, over what was there. Raises OSError."""
    number, name = tempfile.mkstemp(prefix=f".{at.name}-", dir=at.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(archive(files))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(at)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(at.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def kept(names: set[str], at: Path) -> dict[str, bytes]:
    """The files of these names. Raises NoneKept where they are not there, or not as written."""
    largest = LARGEST_BUNDLE + LARGEST_SIGNATURE + _MORE
    try:
        data = read_plain(at, largest)
    except FileNotFoundError:
        raise NoneKept(f"none is kept at {at}") from None
    except OSError as error:
        raise NoneKept(f"{at}: cannot be read: {error.strerror}") from error
    try:
        files = unzip(at, data, largest=LARGEST_BUNDLE) if len(data) <= largest else {}
    except BrokenBundle:
        files = {}
    if set(files) != names:
        raise NoneKept(f"{at}: is not as a gateway has written it")
    return files
