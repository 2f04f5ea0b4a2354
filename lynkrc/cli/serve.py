"""``lynkrc serve``: hand over to the runtime, in a process of its own."""

import argparse
import os
import sys
from pathlib import Path

from lynkrc.cli.exit_codes import ExitCode

_SAID = "--from-lynkrc"
"""Tells the runtime which command its messages are to name."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: all of them are the runtime's."""
    parser.add_argument("words", nargs="*")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Replace this process by `lynkrc-runtime serve`; never returns."""
    command = [*runtime_command(), "serve", *arguments.words]
    sys.stdout.flush()
    os.execv(sys.executable, command)


def runtime_command() -> list[str]:
    """The command line of the runtime; a command and its arguments follow."""
    # What lies in the working directory is imported there no more than here.
    safe = () if {"", str(Path.cwd())} & set(sys.path) else ("-P",)
    return [sys.executable, *safe, "-m", "lynkrc_runtime", _SAID]
