"""``lynkrc check``: every finding in a spec; writes no file."""

import argparse
from pathlib import Path

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.reach import reach_lines
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, check_file
from lynkrc.cli.terminal import error, print_findings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the spec and the form of the output."""
    parser.add_argument(
        "spec", nargs="?", type=Path, default=DEFAULT_SPEC, help="default: %(default)s"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the findings and, in text, what known clients reach; 1 when there is an error."""
    try:
        checked = check_file(arguments.spec)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    print_findings(checked.diagnostics, arguments.format)
    if arguments.format == "text" and checked.lowered is not None:
        for line in reach_lines(checked.lowered):
            print(line)
    return ExitCode.FINDINGS if checked.has_errors else ExitCode.OK
