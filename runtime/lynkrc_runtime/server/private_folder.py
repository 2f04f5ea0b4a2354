"""A folder among the temporary files that only this user can enter, gone with the block.

It is locked, which tells who clears old temporary files away (systemd-tmpfiles) to let it be.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lynkrc_runtime.server.process import CannotServe


@contextmanager
def private_folder(who: str) -> Iterator[Path]:
    """The folder. CannotServe, naming `who` needs it ("several workers need"), without one."""
    try:
        made = tempfile.TemporaryDirectory(prefix="lynkrc-", ignore_cleanup_errors=True)
    except OSError as error:
        raise CannotServe(
            f"{who} a temporary folder: {error.strerror or error}; TMPDIR names one"
        ) from error
    with made as name:
        lock = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield Path(name)
        finally:
            os.close(lock)
