"""What commands share in talking to a person: colour, findings, a note on standard error."""

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.render_machine import render_json
from lynkrc.diagnostics.render_text import render_text


def wants_colour(stream: TextIO) -> bool:
    """Whether to colour output to this stream: a terminal, and NO_COLOR not set."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def print_findings(findings: Sequence[Diagnostic], form: str) -> None:
    """Findings to standard output as `form` (text or json); text says so when there are none."""
    if form == "json":
        sys.stdout.write(render_json(findings))
    else:
        sys.stdout.write(render_text(findings, colour=wants_colour(sys.stdout)))


def error(message: str) -> None:
    """Why a command could not run."""
    print(f"error: {message}", file=sys.stderr)


def note(message: str) -> None:
    """Something worth knowing that is no finding."""
    print(f"note: {message}", file=sys.stderr)
