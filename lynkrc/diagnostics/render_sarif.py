"""Findings to SARIF 2.1.0, which code scanning services and editors read.

The standard: docs.oasis-open.org/sarif/sarif/v2.1.0. Rules bring the pages of their codes along.
"""

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from lynkrc.diagnostics.model import Code, Diagnostic, Edit, Fix, in_order
from lynkrc.diagnostics.pages import introduction, read_page
from lynkrc.diagnostics.places import Run, fingerprints, place_of
from lynkrc.source.text import Span

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT = "%SRCROOT%"
_FINGERPRINT = "lynkrcFinding/v1"
_PLACEHOLDER = re.compile(r"\{(\d+)\}")


def render_sarif(findings: Iterable[Diagnostic], run: Run) -> str:
    """One SARIF log with one run, findings in order, in ASCII, ended by a line break."""
    ordered = in_order(findings)
    codes = sorted({finding.code for finding in ordered}, key=lambda code: code.id)
    index = {code: number for number, code in enumerate(codes)}
    results = [
        _result(finding, index, fingerprint, run)
        for finding, fingerprint in zip(ordered, fingerprints(ordered, run), strict=True)
    ]
    driver = {
        "name": "lynkrc",
        "version": run.version,
        "rules": [_rule(code) for code in codes],
    }
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def _rule(code: Code) -> dict[str, object]:
    page = read_page(code.id)
    meaning = introduction(page)
    return {
        "id": code.id,
        "name": code.name,
        "shortDescription": {"text": code.name.replace("-", " ")},
        "fullDescription": {"text": meaning[0]},
        "help": {"text": "\n\n".join(meaning), "markdown": page},
        "defaultConfiguration": {"level": code.severity.value},
    }


def _result(
    finding: Diagnostic, index: Mapping[Code, int], fingerprint: str, run: Run
) -> dict[str, object]:
    text = finding.message
    if finding.help is not None:
        text += f"\nhelp: {finding.help}"
    result: dict[str, object] = {
        "ruleId": finding.code.id,
        "ruleIndex": index[finding.code],
        "level": finding.severity.value,
        "message": _message(text),
        "locations": [{"physicalLocation": _location(finding.span, run)}],
        "partialFingerprints": {_FINGERPRINT: fingerprint},
    }
    if finding.labels:
        result["relatedLocations"] = [
            {
                "id": number,
                "message": _message(label.message),
                "physicalLocation": _location(label.span, run),
            }
            for number, label in enumerate(finding.labels, start=1)
        ]
    if finding.fix is not None:
        result["fixes"] = [_fix(finding.fix, run)]
    return result


def _message(text: str) -> dict[str, str]:
    # Readers take `{0}` for an argument (3.11.5). Other braces stay: many readers show them as
    # they are written, and `${{NAME}}` would be wrong advice.
    return {"text": _PLACEHOLDER.sub(r"{{\1}}", text)}


def _location(span: Span, run: Run) -> dict[str, object]:
    return {"artifactLocation": _artifact(span, run), "region": _region(span, run)}


def _artifact(span: Span, run: Run) -> dict[str, object]:
    path = run.path(span.file.path)
    address = quote(path.encode(errors="surrogateescape"))
    if path.startswith("/"):
        return {"uri": f"file://{address}"}
    return {"uri": address, "uriBaseId": _ROOT}


def _region(span: Span, run: Run) -> dict[str, object]:
    place = place_of(span, run)
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }


def _fix(fix: Fix, run: Run) -> dict[str, object]:
    return {
        "description": _message(fix.message),
        "artifactChanges": [
            {
                "artifactLocation": _artifact(fix.edits[0].span, run),
                "replacements": [_replacement(edit, run) for edit in fix.edits],
            }
        ],
        "properties": {"applicability": fix.applicability.value},
    }


def _replacement(edit: Edit, run: Run) -> dict[str, object]:
    return {
        "deletedRegion": _region(edit.span, run),
        "insertedContent": {"text": edit.text},
    }
