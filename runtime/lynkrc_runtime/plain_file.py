"""A path to the bytes of a plain file there, at most so many, without ever waiting for them.

A pipe would hold up who reads it until somebody writes, and a device has no end: neither is what
a bundle or its signature may be, whoever has put it there.
"""

import errno
import os
import stat
from pathlib import Path


def read_plain(path: Path, largest: int) -> bytes:
    """The bytes of a plain file, and one more than `largest` at most, for the caller to notice.

    OSError, with words in `strerror`, where it cannot be read or is no plain file.
    """
    # Without the flag a pipe that nobody writes to would be waited for; Windows has no such files.
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        kind = os.fstat(number).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        with open(number, "rb", closefd=False) as file:
            return file.read(largest + 1)
    finally:
        os.close(number)
