"""What commands share in talking to a person: colour, findings, a note on standard error."""

import os
import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.render_machine import render_json
from lynkrc.diagnostics.render_text import render_text


def wants_colour(stream: TextIO) -> bool:
    """Whether to colour output to this stream: a terminal that can, and NO_COLOR not set."""
    capable = stream.isatty() and os.environ.get("TERM") != "dumb"
    return capable and not os.environ.get("NO_COLOR")


def columns_of(stream: TextIO) -> int | None:
    """How many columns the screen behind a stream has; None where it is no terminal."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def print_findings(findings: Sequence[Diagnostic], form: str) -> None:
    """Findings to standard output as `form` (text or json); text says so when there are none."""
    if form == "json":
        sys.stdout.write(render_json(findings))
    else:
        out = sys.stdout
        out.write(render_text(findings, colour=wants_colour(out), columns=columns_of(out)))


def error(message: str) -> None:
    """Why a command could not run."""
    print(f"error: {message}", file=sys.stderr)


def note(message: str) -> None:
    """Something worth knowing that is no finding."""
    print(f"note: {message}", file=sys.stderr)
