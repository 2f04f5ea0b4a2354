"""Findings to JUnit XML: a suite a file, a case a finding; only an error is a failed case.

A warning does not fail the check, so its case passes and says in its output what was found.
"""

from collections.abc import Iterable
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lynkrc.diagnostics.model import Diagnostic, Severity, in_order
from lynkrc.diagnostics.places import Run, place_of
from lynkrc.diagnostics.wording import printable

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def render_junit(findings: Iterable[Diagnostic], run: Run) -> str:
    """One XML document with all findings in order, in ASCII, ended by a line break.

    Without findings it has one case, which passes.
    """
    ordered = in_order(findings)
    root = Element("testsuites", {"name": "lynkrc check", **_counts(ordered)})
    for path, group in groupby(ordered, key=lambda finding: run.path(finding.span.file.path)):
        of_file = list(group)
        suite = SubElement(root, "testsuite", {"name": printable(path), **_counts(of_file)})
        for finding in of_file:
            _case(suite, finding, run)
    if not ordered:
        path = printable(run.path(run.spec))
        suite = SubElement(root, "testsuite", {"name": path, **_counts(ordered)})
        SubElement(suite, "testcase", {"name": "no findings", "classname": path})
    indent(root)
    # ASCII with character references is UTF-8 too, whatever the screen or pipe can hold.
    return f"{_HEAD}{tostring(root, encoding='us-ascii', xml_declaration=False).decode()}\n"


def _counts(findings: list[Diagnostic]) -> dict[str, str]:
    failed = sum(finding.severity is Severity.ERROR for finding in findings)
    return {"tests": str(max(len(findings), 1)), "failures": str(failed), "errors": "0"}


def _case(suite: Element, finding: Diagnostic, run: Run) -> None:
    place = place_of(finding.span, run)
    path = printable(place.path)
    where = f"{path}:{place.line}:{place.column}"
    code = f"{finding.code.id} {finding.code.name}"
    attributes = {"name": f"{code} {where}", "classname": path, "file": path}
    case = SubElement(suite, "testcase", {**attributes, "line": str(place.line)})
    # XML has no way to write a control character, so even a reference to one is malformed.
    message = printable(finding.message)
    lines = [f"{where}: {finding.severity.value}[{finding.code.id}] {message}"]
    lines += [
        f"{printable(run.path(label.span.file.path))}:{label.span.line}:{label.span.column}: "
        f"{printable(label.message)}"
        for label in finding.labels
    ]
    if finding.help is not None:
        lines.append(f"help: {printable(finding.help)}")
    if finding.severity is Severity.ERROR:
        report = SubElement(case, "failure", {"message": message, "type": code})
    else:
        report = SubElement(case, "system-out")
    report.text = "\n".join(lines)
