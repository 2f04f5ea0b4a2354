"""``lynkrc lsp``: the language server, for editors."""

import argparse
import os
import re
import sys
from importlib.util import find_spec

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.specs import DiskLoader, catalog_files
from lynkrc.cli.terminal import error

_ADDRESS = re.compile(r"(?P<host>[^:]+|\[[0-9A-Fa-f:]+\]):(?P<port>[0-9]{1,5})")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: where to speak."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--stdio", action="store_true", help="speak over standard input and output (the default)"
    )
    where.add_argument("--tcp", metavar="HOST:PORT", help="wait for one editor there")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Serve until the editor ends it; 1 when it goes away without saying so."""
    address = None
    if arguments.tcp is not None:
        address = _ADDRESS.fullmatch(arguments.tcp)
        if address is None or int(address["port"]) > 65_535:
            error(f"{arguments.tcp!r} is no HOST:PORT, such as 127.0.0.1:7777")
            return ExitCode.CANNOT_RUN
    if find_spec("pygls") is None:
        error("the language server needs pygls; install it with: pip install 'lynkrc[lsp]'")
        return ExitCode.CANNOT_RUN
    from lynkrc.lsp.server import SpecServer

    server = SpecServer(DiskLoader(), catalog_files())
    if address is None:
        # Of its own, since it is closed at the end and `main` flushes standard output after that.
        with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as writer:
            ended_well = server.serve(sys.stdin.buffer, writer)
    else:
        ended_well = server.serve_tcp(address["host"].strip("[]"), int(address["port"]))
    # The protocol wants 1 of a server that was not asked to shut down.
    return ExitCode.OK if ended_well else ExitCode.FINDINGS
