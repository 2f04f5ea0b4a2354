"""Findings to findings that weigh more: what ``--strict`` does.

>>> from lynkrc.diagnostics.sema_codes import WITHOUT_EFFECT
>>> from lynkrc.source.text import SourceFile, Span
>>> span = Span(file=SourceFile(path="a.yaml", text="a: 1"), start=0, end=1)
>>> idle = Diagnostic(code=WITHOUT_EFFECT, message="changes nothing", span=span)
>>> has_errors([idle]), has_errors(strict([idle]))
(False, True)
"""

from collections.abc import Iterable
from dataclasses import replace

from lynkrc.diagnostics.model import Diagnostic, Severity


def strict(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The same findings with every warning an error; notes stay notes."""
    return tuple(
        replace(finding, raised=Severity.ERROR) if finding.severity is Severity.WARNING else finding
        for finding in findings
    )


def has_errors(findings: Iterable[Diagnostic]) -> bool:
    """Whether one of the findings stops a build."""
    return any(finding.severity is Severity.ERROR for finding in findings)
