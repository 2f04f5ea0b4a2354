"""Findings to JSON for programs (`schema/diagnostics.schema.json`).

Lines and columns count from 1, columns in code points; an end is the place behind the last one.
"""

import json
from collections.abc import Iterable

from lynkrc.diagnostics.model import Diagnostic, Fix, in_order
from lynkrc.source.text import Span


def render_json(findings: Iterable[Diagnostic]) -> str:
    """One JSON document with all findings in order, ended by a line break."""
    document = {"diagnostics": [_finding(finding) for finding in in_order(findings)]}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _finding(finding: Diagnostic) -> dict[str, object]:
    return {
        "code": finding.code.id,
        "name": finding.code.name,
        "severity": finding.severity.value,
        "message": finding.message,
        **_place(finding.span),
        "help": finding.help,
        "labels": [{"message": label.message, **_place(label.span)} for label in finding.labels],
        "fix": None if finding.fix is None else _fix(finding.fix),
    }


def _fix(fix: Fix) -> dict[str, object]:
    return {
        "message": fix.message,
        "applicability": fix.applicability.value,
        "edits": [{"text": edit.text, **_place(edit.span)} for edit in fix.edits],
    }


def _place(span: Span) -> dict[str, object]:
    line, column = span.file.position(span.start)
    end_line, end_column = span.file.position(span.end)
    return {
        "file": span.file.path,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }
