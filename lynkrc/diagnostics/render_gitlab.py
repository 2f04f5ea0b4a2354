"""Findings to a Code Quality report of GitLab, which a merge request compares with its target's.

The members and their values: docs.gitlab.com, "Code Quality report format".
"""

import json
from collections.abc import Iterable

from lynkrc.diagnostics.model import Diagnostic, Severity, in_order
from lynkrc.diagnostics.places import Run, fingerprints, place_of

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render_gitlab(findings: Iterable[Diagnostic], run: Run) -> str:
    """One JSON list with all findings in order, in ASCII, ended by a line break."""
    ordered = in_order(findings)
    issues = [
        _issue(finding, fingerprint, run)
        for finding, fingerprint in zip(ordered, fingerprints(ordered, run), strict=True)
    ]
    return json.dumps(issues, indent=2) + "\n"


def _issue(finding: Diagnostic, fingerprint: str, run: Run) -> dict[str, object]:
    place = place_of(finding.span, run)
    message = finding.message
    if finding.help is not None:
        message += f" (help: {finding.help})"
    return {
        "description": message,
        "check_name": f"{finding.code.id} {finding.code.name}",
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": place.path, "lines": {"begin": place.line, "end": place.end_line}},
    }
