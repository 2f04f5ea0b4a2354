"""Findings as values: a code, a place, a message, a way out.

Phases return diagnostics beside their result; nothing in the compiler raises for a user's mistake.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import final

from lynkrc.source.text import Span

MAX_FINDINGS = 1_000
"""Most findings that are shown of one spec; where there are more, that is said."""


class Severity(Enum):
    """How much a finding weighs; only an error stops a build."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One kind of finding: its stable id (``LK`` and three digits), short name and severity.

    `allowable`: an `allow` may silence it, as the spec has a meaning all the same.
    """

    id: str
    name: str
    severity: Severity
    allowable: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A further place that explains a finding."""

    span: Span
    message: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Replace the text of `span` by `text`."""

    span: Span
    text: str


class Applicability(Enum):
    """Whether a fix may be made without being looked at."""

    SAFE = "safe"
    """What was meant is beyond doubt: the routes are those the author would have written."""
    UNSAFE = "unsafe"
    """A guess: it mends the finding, and may not be what was meant."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """Edits that mend a finding, all or none; they do not overlap and lie in one file."""

    message: str
    applicability: Applicability
    edits: tuple[Edit, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding. `help` says how to get out of it; `fix`, if given, does it.

    `raised` is what it weighs where that is not what its code weighs (``--strict``).
    """

    code: Code
    message: str
    span: Span
    help: str | None = None
    labels: tuple[Label, ...] = ()
    fix: Fix | None = None
    raised: Severity | None = None

    @property
    def severity(self) -> Severity:
        """How much this finding weighs."""
        return self.raised or self.code.severity


def in_order(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Findings by file, place and code."""
    return sorted(
        findings,
        key=lambda finding: (
            finding.span.file.path,
            finding.span.start,
            finding.span.end,
            finding.code.id,
        ),
    )
