"""The forms findings can be printed in, by name; each is imported when it is asked for."""

from collections.abc import Iterable

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.places import Run

FORMATS = ("text", "concise", "json", "sarif", "github", "gitlab", "junit")
"""Their names."""

FOR_PEOPLE = ("text", "concise")
"""Forms beside which a command may talk; the others are one document on standard output."""


def render(findings: Iterable[Diagnostic], form: str, run: Run) -> str:
    """A whole report in one of `FORMATS`, without colour, every line ended.

    ValueError for any other form.
    """
    match form:
        case "text":
            from lynkrc.diagnostics.render_text import render_text

            return render_text(findings)
        case "concise":
            from lynkrc.diagnostics.render_concise import render_concise

            return render_concise(findings, run)
        case "json":
            from lynkrc.diagnostics.render_machine import render_json

            return render_json(findings, run)
        case "sarif":
            from lynkrc.diagnostics.render_sarif import render_sarif

            return render_sarif(findings, run)
        case "github":
            from lynkrc.diagnostics.render_github import render_github

            return render_github(findings, run)
        case "gitlab":
            from lynkrc.diagnostics.render_gitlab import render_gitlab

            return render_gitlab(findings, run)
        case "junit":
            from lynkrc.diagnostics.render_junit import render_junit

            return render_junit(findings, run)
        case _:
            raise ValueError(f"{form!r} is no form of a report")
