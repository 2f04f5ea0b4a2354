"""Findings to workflow commands of GitHub Actions, which become annotations of a change.

The form and its escapes: docs.github.com, "Workflow commands for GitHub Actions".

>>> property_value("a: b, 100%")
'a%3A b%2C 100%25'
"""

from collections.abc import Iterable

from lynkrc.diagnostics.model import Diagnostic, Severity, in_order
from lynkrc.diagnostics.places import Run, place_of
from lynkrc.diagnostics.wording import printable

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render_github(findings: Iterable[Diagnostic], run: Run) -> str:
    """A command a finding, in order; nothing where there are none."""
    return "".join(f"{_command(finding, run)}\n" for finding in in_order(findings))


def _command(finding: Diagnostic, run: Run) -> str:
    place = place_of(finding.span, run)
    properties: dict[str, str | int] = {
        "file": printable(place.path),
        "line": place.line,
        "endLine": place.end_line,
    }
    # The runner refuses columns of a range over several lines.
    if place.line == place.end_line:
        properties |= {"col": place.column, "endColumn": place.end_column}
    properties["title"] = f"{finding.code.id} {finding.code.name}"
    listed = ",".join(f"{name}={property_value(str(value))}" for name, value in properties.items())
    message = printable(finding.message)
    if finding.help is not None:
        message += f"\nhelp: {printable(finding.help)}"
    return f"::{_COMMANDS[finding.severity]} {listed}::{data(message)}"


def data(text: str) -> str:
    """A command's message, escaped."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def property_value(text: str) -> str:
    """The value of a command's property, escaped."""
    return data(text).replace(":", "%3A").replace(",", "%2C")
