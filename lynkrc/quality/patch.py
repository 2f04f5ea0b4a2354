"""Files before and after to one patch that `git apply` and `patch -p1` take.

>>> print(patch([FileChange(path="a.yaml", before="x: 1\\n", after="x: 2\\n")]), end="")
--- a/a.yaml
+++ b/a.yaml
@@ -1 +1 @@
-x: 1
+x: 2
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """The whole text of a file, line ends as they are; `before` is None for a new one.

    `path` is relative, with `/` between its parts.
    """

    path: str
    before: str | None
    after: str


def patch(changes: Iterable[FileChange]) -> str:
    """The patch; empty where nothing changes."""
    return "".join(line for change in changes for line in _lines(change))


def _lines(change: FileChange) -> Iterator[str]:
    # A name with blanks ends where a tab does.
    name = f"{change.path}\t" if " " in change.path else change.path
    lines = unified_diff(
        _split(change.before or ""),
        _split(change.after),
        "/dev/null" if change.before is None else f"a/{name}",
        f"b/{name}",
    )
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _split(text: str) -> list[str]:
    """Lines with their ends, as `git` and `patch` count them: by line feeds alone."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
