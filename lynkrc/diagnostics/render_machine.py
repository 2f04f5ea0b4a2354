"""Findings to JSON for programs (`schema/diagnostics.schema.json`).

Lines and columns count from 1, columns in code points; an end is the place behind the last one.
"""

import json
from collections.abc import Iterable

from lynkrc.diagnostics.model import Diagnostic, Fix, in_order
from lynkrc.diagnostics.places import Run, place_of
from lynkrc.source.text import Span


def render_json(findings: Iterable[Diagnostic], run: Run) -> str:
    """One JSON document with all findings in order, in ASCII, ended by a line break."""
    document = {"diagnostics": [_finding(finding, run) for finding in in_order(findings)]}
    return json.dumps(document, indent=2) + "\n"


def _finding(finding: Diagnostic, run: Run) -> dict[str, object]:
    return {
        "code": finding.code.id,
        "name": finding.code.name,
        "severity": finding.severity.value,
        "message": finding.message,
        **_place(finding.span, run),
        "help": finding.help,
        "labels": [
            {"message": label.message, **_place(label.span, run)} for label in finding.labels
        ],
        "fix": None if finding.fix is None else _fix(finding.fix, run),
    }


def _fix(fix: Fix, run: Run) -> dict[str, object]:
    return {
        "message": fix.message,
        "applicability": fix.applicability.value,
        "edits": [{"text": edit.text, **_place(edit.span, run)} for edit in fix.edits],
    }


def _place(span: Span, run: Run) -> dict[str, object]:
    place = place_of(span, run)
    return {
        "file": place.path,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
    }
