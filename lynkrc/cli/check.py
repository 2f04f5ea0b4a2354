"""``lynkrc check``: every finding in a spec; writes no file but the report asked for."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.reach import reach_lines
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, check_file
from lynkrc.cli.terminal import add_report_arguments, error, note, print_findings, report
from lynkrc.diagnostics.levels import has_errors, strict
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.render_text import summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the spec, and the form and place of the output."""
    parser.add_argument(
        "spec", nargs="?", type=Path, default=DEFAULT_SPEC, help="default: %(default)s"
    )
    add_report_arguments(parser)
    parser.add_argument(
        "--output-file", type=Path, metavar="FILE", help="write the report there instead"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Report the findings and, in text, what known clients reach; 1 when there is an error."""
    try:
        checked = check_file(arguments.spec)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    findings = strict(checked.diagnostics) if arguments.strict else checked.diagnostics
    if arguments.output_file is None:
        print_findings(findings, arguments.format, spec=arguments.spec)
    elif not _write(findings, arguments):
        return ExitCode.CANNOT_RUN
    if arguments.format == "text" and arguments.output_file is None and checked.lowered is not None:
        for line in reach_lines(checked.lowered):
            print(line)
    return ExitCode.FINDINGS if has_errors(findings) else ExitCode.OK


def _write(findings: Sequence[Diagnostic], arguments: argparse.Namespace) -> bool:
    """Whether the report could be written to the file asked for; says where it is, or why not."""
    path: Path = arguments.output_file
    text = report(findings, arguments.format, spec=arguments.spec)
    try:
        if path.exists() and path.samefile(arguments.spec):
            error(f"{path} is the spec itself; name another file for the report")
            return False
        path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as problem:
        error(f"cannot write {path}: {problem.strerror}")
        return False
    note(f"{summary(findings)}; the report is in {path}")
    return True
