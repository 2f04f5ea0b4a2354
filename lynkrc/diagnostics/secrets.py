"""Findings to the same findings over a text in which no secret that was found can be read.

What `lynkrc check` prints ends in logs, so a source line is shown with stars in a secret's place.

>>> from lynkrc.diagnostics.codes import LITERAL_SECRET
>>> file = SourceFile(path="routing.yaml", text="api_key: sk-1\\n")
>>> span = Span(file=file, start=9, end=13)
>>> (shown,) = without_secrets([Diagnostic(code=LITERAL_SECRET, message="m", span=span)])
>>> shown.span.file.line(1)
'api_key: ****'
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from lynkrc.diagnostics.codes import LITERAL_SECRET
from lynkrc.diagnostics.model import Diagnostic, Label
from lynkrc.source.text import SourceFile, Span

_HIDDEN = "*"


def without_secrets(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings, in files of the same places whose secrets are stars."""
    found = list(findings)
    secrets: dict[str, list[Span]] = {}
    for finding in found:
        if finding.code == LITERAL_SECRET:
            secrets.setdefault(finding.span.file.path, []).append(finding.span)
    if not secrets:
        return found
    files = {path: _masked(spans) for path, spans in secrets.items()}
    return [
        replace(
            finding,
            span=_moved(finding.span, files),
            labels=tuple(
                Label(span=_moved(label.span, files), message=label.message)
                for label in finding.labels
            ),
        )
        for finding in found
    ]


def text_without_secrets(text: str, findings: Iterable[Diagnostic]) -> str:
    """The text of the file the findings are about, with stars in its secrets' places."""
    found = [one.span for one in findings if one.code == LITERAL_SECRET]
    own = [span for span in found if span.file.text == text]
    return _masked(own).text if own else text


def _masked(spans: Sequence[Span]) -> SourceFile:
    file = spans[0].file
    pieces, end = [], 0
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        start = max(span.start, end)
        # Line breaks stay: every place keeps its line and column.
        stars = (c if c.isspace() else _HIDDEN for c in file.text[start : span.end])
        pieces += [file.text[end:start], *stars]
        end = max(end, span.end)
    return SourceFile(path=file.path, text="".join((*pieces, file.text[end:])))


def _moved(span: Span, files: Mapping[str, SourceFile]) -> Span:
    return Span(file=files.get(span.file.path, span.file), start=span.start, end=span.end)
