"""Runs of several files, and what they cover, as reports take them."""

from dataclasses import dataclass
from typing import final

from lynkrc.source.text import Span
from lynkrc.testing.coverage import Coverage
from lynkrc.testing.runner import Run


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FileRuns:
    """The cases of one file that were run, in its order; `path` is how the file was named."""

    path: str
    runs: tuple[Run, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything a report says. `skipped` cases were not asked for; `coverage` None likewise.

    `lists_inherited` is whether what is not covered of inherited rules is listed too.
    """

    spec: str
    files: tuple[FileRuns, ...]
    skipped: int
    coverage: Coverage | None
    lists_inherited: bool = False

    @property
    def runs(self) -> tuple[Run, ...]:
        """Of all files."""
        return tuple(run for file in self.files for run in file.runs)

    @property
    def failed(self) -> tuple[Run, ...]:
        """The runs that did not pass."""
        return tuple(run for run in self.runs if not run.is_passed)


def place(span: Span) -> str:
    """``routing.test.yaml:12``."""
    return f"{span.file.path}:{span.line}"


def summary(results: Results) -> str:
    """``12 cases: 11 passed, 1 failed``."""
    total, failed = len(results.runs), len(results.failed)
    parts = [f"{total - failed} passed"]
    if failed:
        parts.append(f"{failed} failed")
    if results.skipped:
        parts.append(f"{results.skipped} not asked for")
    return f"{total} case{'' if total == 1 else 's'}: {', '.join(parts)}"
