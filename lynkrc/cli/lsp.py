"""``lynkrc lsp``: the language server, for editors."""

import argparse
import os
import sys
from importlib.util import find_spec

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.specs import DiskLoader, catalog_files
from lynkrc.cli.terminal import error


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: what editors add to the command of a language server."""
    parser.add_argument(
        "--stdio", action="store_true", help="speak over standard input and output, as always"
    )


def run(_: argparse.Namespace) -> ExitCode:
    """Serve until the editor ends it; 1 when it goes away without saying so."""
    if find_spec("pygls") is None:
        error("the language server needs pygls; install it with: pip install 'lynkrc[lsp]'")
        return ExitCode.CANNOT_RUN
    from lynkrc.lsp.server import SpecServer

    server = SpecServer(DiskLoader(), catalog_files())
    # Of its own, since it is closed at the end and `main` flushes standard output after that.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as writer:
        ended_well = server.serve(sys.stdin.buffer, writer)
    # The protocol wants 1 of a server that was not asked to shut down.
    return ExitCode.OK if ended_well else ExitCode.FINDINGS
