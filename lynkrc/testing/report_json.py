"""Runs and their coverage to JSON, by ``schema/test-report.schema.json``."""

import json
from typing import Any

from lynkrc.diagnostics.places import Run as Report
from lynkrc.diagnostics.places import place_of
from lynkrc.interp.trace import as_json
from lynkrc.source.text import Span
from lynkrc.testing.case import Expected
from lynkrc.testing.coverage import Coverage, CoverageItem, Kind
from lynkrc.testing.results import Results
from lynkrc.testing.runner import Run

VERSION = 1
"""Of the form."""


def render_json(results: Results, report: Report) -> str:
    """One JSON document, indented, ended by a line break."""
    failed = len(results.failed)
    document = {
        "version": VERSION,
        "spec": report.path(results.spec),
        "summary": {
            "cases": len(results.runs),
            "passed": len(results.runs) - failed,
            "failed": failed,
            "skipped": results.skipped,
        },
        "cases": [_case(run, report) for run in results.runs],
        "coverage": None if results.coverage is None else _coverage(results.coverage, report),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _place(span: Span, report: Report) -> dict[str, Any]:
    place = place_of(span, report)
    return {"file": place.path, "line": place.line, "column": place.column}


def _case(run: Run, report: Report) -> dict[str, Any]:
    return {
        "name": run.case.name,
        **_place(run.case.span, report),
        "passed": run.is_passed,
        "problem": run.problem,
        "mismatches": [
            {
                "what": mismatch.expectation.path,
                **_place(mismatch.expectation.node.span, report),
                "expected": _value(mismatch.expectation.wanted),
                "got": _value(mismatch.got),
            }
            for mismatch in run.mismatches
        ],
        "disagreements": [
            {
                "engine": found.engine,
                "verdict": list(map(int, found.verdict)),
                "explained": found.reasons,
                "reference": found.reference,
            }
            for found in run.disagreements
        ],
        "decision": None if run.why is None else as_json(run.why),
    }


def _value(value: Expected) -> str | int | list[str] | None:
    """Points are decimal text, which no reader rounds."""
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, str | int | None) else f"{value.normalize():f}"


def _coverage(coverage: Coverage, report: Report) -> dict[str, Any]:
    own = coverage.own
    return {
        **_counted(own, None),
        "kinds": [{"kind": _key(kind), **_counted(own, kind)} for kind in Kind],
        "inherited": _counted(coverage.inherited, None),
        "items": [_item(item, coverage, report) for item in coverage.items],
    }


def _counted(coverage: Coverage, kind: Kind | None) -> dict[str, Any]:
    count = coverage.count(kind)
    return {
        "total": count.total,
        "covered": count.covered,
        "unreachable": count.unreachable,
        "percent": round(float(count.share), 3),
    }


def _item(item: CoverageItem, coverage: Coverage, report: Report) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": _key(item.kind),
        "text": item.text,
        **_place(item.span, report),
        "covered": item in coverage.covered,
        "unreachable": item in coverage.unreachable,
        "unknown": item in coverage.unknown,
        "inherited": item.is_inherited,
    }


def _key(kind: Kind) -> str:
    return kind.name.lower()
