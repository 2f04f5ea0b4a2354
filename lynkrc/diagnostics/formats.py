"""The forms findings can be printed in, by name: one visible table."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.places import Run
from lynkrc.diagnostics.render_concise import render_concise
from lynkrc.diagnostics.render_github import render_github
from lynkrc.diagnostics.render_gitlab import render_gitlab
from lynkrc.diagnostics.render_machine import render_json
from lynkrc.diagnostics.render_sarif import render_sarif
from lynkrc.diagnostics.render_text import render_text


def _text(findings: Iterable[Diagnostic], _: Run) -> str:
    return render_text(findings)


def _junit(findings: Iterable[Diagnostic], run: Run) -> str:
    from lynkrc.diagnostics.render_junit import render_junit

    # Only this form needs Python's XML package.
    return render_junit(findings, run)


FORMATS: Mapping[str, Callable[[Iterable[Diagnostic], Run], str]] = MappingProxyType(
    {
        "text": _text,
        "concise": render_concise,
        "json": render_json,
        "sarif": render_sarif,
        "github": render_github,
        "gitlab": render_gitlab,
        "junit": _junit,
    }
)
"""Name -> findings to a whole report without colour, every line ended."""

FOR_PEOPLE = ("text", "concise")
"""Forms beside which a command may talk; the others are one document on standard output."""
