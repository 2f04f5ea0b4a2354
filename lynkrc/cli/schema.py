"""``lynkrc schema``: print a JSON Schema, for editors and CI, or list them."""

import argparse
import json
import sys

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.terminal import error
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import shown
from lynkrc.source.resources import read_schema, schema_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the schema's name."""
    parser.add_argument(
        "name", nargs="?", help="such as routing or diagnostics; without one, all are listed"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Write the schema, or the names of all, to standard output."""
    names = schema_names()
    if arguments.name is None:
        width = max(len(name) for name in names)
        for name in names:
            print(f"{name:<{width}}  {json.loads(read_schema(name))['title']}")
        return ExitCode.OK
    if arguments.name not in names:
        help = did_you_mean(arguments.name, names, "there are")
        error(f"there is no schema {shown(arguments.name)}; {help}")
        return ExitCode.CANNOT_RUN
    sys.stdout.write(read_schema(arguments.name))
    return ExitCode.OK
