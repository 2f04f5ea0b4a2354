"""Runs to JUnit XML: a suite a file, a case a case."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lynkrc.diagnostics.places import Run as Report
from lynkrc.diagnostics.places import place_of
from lynkrc.diagnostics.wording import printable
from lynkrc.testing.results import FileRuns, Results
from lynkrc.testing.wording import failure_lines, mismatch_line

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def render_junit(results: Results, report: Report) -> str:
    """One XML document, in ASCII, ended by a line break."""
    files = [file for file in results.files if file.runs]
    root = Element("testsuites", {"name": "lynkrc test", **_counts(*files)})
    for file in files:
        path = printable(report.path(file.path))
        suite = SubElement(root, "testsuite", {"name": path, **_counts(file)})
        for run in file.runs:
            line = str(place_of(run.case.span, report).line)
            name = printable(run.case.name)
            case = SubElement(
                suite, "testcase", {"name": name, "classname": path, "file": path, "line": line}
            )
            if run.is_passed:
                continue
            told = [mismatch_line(one) for one in run.mismatches] or failure_lines(run)[:1]
            what = {"message": "; ".join(told), "type": "expectation"}
            SubElement(case, "failure", what).text = "\n".join(failure_lines(run))
    indent(root)
    return f"{_HEAD}{tostring(root, encoding='us-ascii', xml_declaration=False).decode()}\n"


def _counts(*files: FileRuns) -> dict[str, str]:
    runs = [run for file in files for run in file.runs]
    failed = sum(not run.is_passed for run in runs)
    return {"tests": str(len(runs)), "failures": str(failed), "errors": "0"}
