"""Failed runs to workflow commands of GitHub Actions: annotations at the lines of the cases."""

from lynkrc.diagnostics.places import Run as Report
from lynkrc.diagnostics.places import place_of
from lynkrc.diagnostics.render_github import data, property_value
from lynkrc.diagnostics.wording import printable
from lynkrc.testing.report_text import percent
from lynkrc.testing.results import Results, summary
from lynkrc.testing.runner import Run
from lynkrc.testing.wording import failure_lines


def render_github(results: Results, report: Report) -> str:
    """A command for each failed case, then one that sums up."""
    commands = [_command(run, report) for run in results.failed]
    told = summary(results)
    if results.coverage is not None:
        told += f"; coverage {percent(results.coverage.own.count().share)} %"
    return "".join(f"{line}\n" for line in [*commands, f"::notice title=lynkrc test::{data(told)}"])


def _command(run: Run, report: Report) -> str:
    place = place_of(run.case.span, report)
    where = f"file={property_value(printable(place.path))},line={place.line}"
    title = property_value(f"test: {printable(run.case.name)}")
    return f"::error {where},title={title}::{data(chr(10).join(failure_lines(run)))}"
