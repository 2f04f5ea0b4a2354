"""Findings to a document of JSON that holds all of them, and back, equal to what they were.

>>> from lynkrc.source.text import SourceFile, Span
>>> from lynkrc.diagnostics.codes import MORE_FINDINGS
>>> span = Span(file=SourceFile(path="routing.yaml", text="version: 1"), start=0, end=7)
>>> one = Diagnostic(code=MORE_FINDINGS, message="there are more", span=span)
>>> from_document(to_document([one])) == (one,)
True
"""

from collections.abc import Callable, Iterable
from typing import Any

from lynkrc.diagnostics.codes import found
from lynkrc.diagnostics.model import (
    Applicability,
    Code,
    Diagnostic,
    Edit,
    Fix,
    Label,
    Severity,
)
from lynkrc.source.text import SourceFile, Span


def to_document(findings: Iterable[Diagnostic]) -> dict[str, Any]:
    """What `from_document` reads: each file once, each place as a file's number and two offsets."""
    files: dict[tuple[str, str], int] = {}

    def place(span: Span) -> list[int]:
        file = files.setdefault((span.file.path, span.file.text), len(files))
        return [file, span.start, span.end]

    rows = [
        {
            "code": one.code.id,
            "message": one.message,
            "span": place(one.span),
            "help": one.help,
            "labels": [[place(label.span), label.message] for label in one.labels],
            "fix": None if one.fix is None else _fix(one.fix, place),
            "raised": None if one.raised is None else one.raised.value,
        }
        for one in findings
    ]
    return {"files": [list(file) for file in files], "findings": rows}


def from_document(document: dict[str, Any]) -> tuple[Diagnostic, ...]:
    """The findings of a document. KeyError, IndexError, TypeError, ValueError where it is none."""
    files = [SourceFile(path=path, text=text) for path, text in document["files"]]

    def span(place: list[int]) -> Span:
        file, start, end = place
        return Span(file=files[file], start=start, end=end)

    return tuple(
        Diagnostic(
            code=_code(row["code"]),
            message=row["message"],
            span=span(row["span"]),
            help=row["help"],
            labels=tuple(
                Label(span=span(place), message=message) for place, message in row["labels"]
            ),
            fix=None
            if row["fix"] is None
            else Fix(
                message=row["fix"]["message"],
                applicability=Applicability(row["fix"]["applicability"]),
                edits=tuple(
                    Edit(span=span(place), text=text) for place, text in row["fix"]["edits"]
                ),
            ),
            raised=None if row["raised"] is None else Severity(row["raised"]),
        )
        for row in document["findings"]
    )


def _fix(fix: Fix, place: Callable[[Span], list[int]]) -> dict[str, Any]:
    return {
        "message": fix.message,
        "applicability": fix.applicability.value,
        "edits": [[place(edit.span), edit.text] for edit in fix.edits],
    }


def _code(id: str) -> Code:
    code = found(id)
    if code is None:
        raise ValueError(f"{id} is no code")
    return code
