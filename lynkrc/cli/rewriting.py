"""What commands share that change the user's files: a difference to show, a file to replace."""

import os
import tempfile
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from stat import S_IMODE


def difference(before: str, after: str, path: str) -> Iterator[str]:
    """The lines of a unified diff, each with its line end."""
    lines = unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), path, path, n=3
    )
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of an existing file at once, with its mode; a link stays a link.

    OSError where that is not possible; then the file is as it was.
    """
    path = path.resolve()
    mode = S_IMODE(path.stat().st_mode)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    scratch = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        scratch.chmod(mode)
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
