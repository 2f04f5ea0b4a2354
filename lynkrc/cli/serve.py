"""``lynkrc serve``: hand over to the runtime, in a process of its own."""

import argparse
import os
import sys
from pathlib import Path

from lynkrc.cli.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the bundle; everything else is the runtime's."""
    parser.add_argument("bundle", type=Path, help="NAME.lynkr, or a folder that holds one")
    parser.add_argument(
        "options", nargs=argparse.REMAINDER, help="options of lynkrc-runtime serve (--port, ...)"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Replace this process by the runtime; returns only when there is no bundle to serve."""
    bundle: Path = arguments.bundle
    if bundle.is_dir():
        found = sorted(bundle.glob("*.lynkr"))
        if len(found) != 1:
            what = "no bundle" if not found else f"{len(found)} bundles"
            print(
                f"error: {bundle} holds {what}; name the .lynkr file (lynkrc build writes it)",
                file=sys.stderr,
            )
            return ExitCode.CANNOT_RUN
        bundle = found[0]
    command = [sys.executable, "-m", "lynkrc_runtime", "serve", str(bundle), *arguments.options]
    os.execv(sys.executable, command)
