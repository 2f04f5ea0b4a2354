"""``lynkrc serve``: hand over to the runtime, in a process of its own."""

import argparse
import os
import sys

from lynkrc.cli.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: all of them are the runtime's."""
    parser.add_argument("words", nargs="*")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Replace this process by `lynkrc-runtime serve`; never returns."""
    command = [sys.executable, "-m", "lynkrc_runtime", "serve", *arguments.words]
    sys.stdout.flush()
    os.execv(sys.executable, command)
