"""Findings as values: a code, a place, a message, a way out.

Phases return diagnostics beside their result; nothing in the compiler raises for a user's mistake.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import final

from lynkrc.source.text import Span


class Severity(Enum):
    """How much a finding weighs; only an error stops a build."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One kind of finding: its stable id (``LK`` and three digits), short name and severity."""

    id: str
    name: str
    severity: Severity


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


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding. `help` says how to get out of it; `edits`, if given, do it."""

    code: Code
    message: str
    span: Span
    help: str | None = None
    labels: tuple[Label, ...] = ()
    edits: tuple[Edit, ...] = ()


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
