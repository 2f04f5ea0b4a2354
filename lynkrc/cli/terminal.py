"""What commands share in talking to a person: colour, findings, a note on standard error."""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from lynkrc import __version__
from lynkrc.diagnostics.formats import FORMATS, render
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.places import Run
from lynkrc.diagnostics.render_text import render_text
from lynkrc.diagnostics.wording import printable


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of commands that report findings: the form, and whether warnings are errors."""
    parser.add_argument("--format", choices=FORMATS, default="text", help="default: %(default)s")
    parser.add_argument("--strict", action="store_true", help="treat every warning as an error")


def wants_colour(stream: TextIO) -> bool:
    """Whether to colour output to this stream: a terminal that can, or FORCE_COLOR set.

    A NO_COLOR that is not empty forbids it in any case.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (
        stream.isatty() and os.environ.get("TERM") != "dumb"
    )


def columns_of(stream: TextIO) -> int | None:
    """How many columns the screen behind a stream has; None where it is no terminal."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def print_findings(findings: Sequence[Diagnostic], form: str, *, spec: Path) -> None:
    """Findings in `spec` to standard output as `form`; text says so when there are none."""
    out = sys.stdout
    if form == "text":
        out.write(render_text(findings, colour=wants_colour(out), columns=columns_of(out)))
    else:
        out.write(report(findings, form, spec=spec))


def report(findings: Sequence[Diagnostic], form: str, *, spec: Path) -> str:
    """Findings in `spec` as `form`, plain, with paths relative to the working directory."""
    run = Run(root=str(Path.cwd()), spec=str(spec), version=__version__)
    return render(findings, form, run)


def error(message: str) -> None:
    """Why a command could not run."""
    print(f"error: {_printable_lines(message)}", file=sys.stderr)


def note(message: str) -> None:
    """Something worth knowing that is no finding."""
    print(f"note: {_printable_lines(message)}", file=sys.stderr)


def _printable_lines(message: str) -> str:
    """A message may quote files that others have made: a terminal shows it, and does no more."""
    return "\n".join(map(printable, message.split("\n")))
