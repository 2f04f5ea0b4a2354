"""``lynkrc explain``: the page of a diagnostic."""

import argparse
import sys
from importlib.resources import files

from lynkrc.cli.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the code."""
    parser.add_argument("code", help="such as LK101")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the page."""
    pages = files("lynkrc").joinpath("diagnostics", "pages")
    code = arguments.code.upper()
    page = pages.joinpath(f"{code}.md") if code.isalnum() else None
    if page is None or not page.is_file():
        known = sorted(entry.name.removesuffix(".md") for entry in pages.iterdir())
        print(
            f"error: there is no diagnostic {code}; there are {known[0]} to {known[-1]}",
            file=sys.stderr,
        )
        return ExitCode.CANNOT_RUN
    sys.stdout.write(page.read_text(encoding="utf-8"))
    return ExitCode.OK
