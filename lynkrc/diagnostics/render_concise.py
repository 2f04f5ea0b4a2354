"""Findings to one line each, as editors and `grep` read them: ``path:line:column: ...``."""

from collections.abc import Iterable

from lynkrc.diagnostics.model import Diagnostic, in_order
from lynkrc.diagnostics.places import Run, place_of
from lynkrc.diagnostics.wording import printable


def render_concise(findings: Iterable[Diagnostic], run: Run) -> str:
    """A line a finding, in order; nothing where there are none."""
    return "".join(f"{_line(finding, run)}\n" for finding in in_order(findings))


def _line(finding: Diagnostic, run: Run) -> str:
    place = place_of(finding.span, run)
    where = f"{printable(place.path)}:{place.line}:{place.column}"
    return f"{where}: {finding.severity.value}[{finding.code.id}] {printable(finding.message)}"
