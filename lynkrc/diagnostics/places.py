"""Spans to places of a report: paths as a service wants them, lines, columns, fingerprints.

>>> run = Run(root="/project", spec="routing.yaml", version="1.0")
>>> run.path("/project/policy/routing.yaml"), run.path("./policy/../base.yaml")
('policy/routing.yaml', 'base.yaml')
"""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import final

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.source.text import Span


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a report says of the run that made it."""

    root: str
    """The absolute path of the working directory, which paths of a report are relative to."""
    spec: str
    """The file that was checked, as it was named."""
    version: str
    """The compiler's."""

    def path(self, path: str) -> str:
        """A path relative to the root with ``/`` between its parts; absolute if it lies outside
        and was named so."""
        whole = PurePath(os.path.normpath(PurePath(self.root, path)))
        if whole.is_relative_to(self.root):
            return whole.relative_to(self.root).as_posix()
        return PurePath(os.path.normpath(path)).as_posix()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A range of a file: lines and columns from 1, columns in code points, the end exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


def place_of(span: Span, run: Run) -> Place:
    """Where a span lies."""
    line, column = span.file.position(span.start)
    end_line, end_column = span.file.position(span.end)
    return Place(
        path=run.path(span.file.path),
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
    )


def fingerprints(findings: Sequence[Diagnostic], run: Run) -> list[str]:
    """An id for each finding, 32 hexadecimal digits, no two of them the same.

    It stays when the line moves and when lines around it change: it is made of the code, the
    message, the file, the text of the line, and which of several such findings this is.
    """
    seen: Counter[str] = Counter()
    ids = []
    for finding in findings:
        span = finding.span
        parts = (
            finding.code.id,
            finding.message,
            run.path(span.file.path),
            span.file.line(span.line).strip(),
        )
        alike = "\0".join(parts)
        seen[alike] += 1
        data = f"{alike}\0{seen[alike]}".encode(errors="backslashreplace")
        ids.append(hashlib.sha256(data).hexdigest()[:32])
    return ids
