"""``lynkrc schema``: print a JSON Schema, for editors and CI."""

import argparse
import sys

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.source.resources import read_schema, schema_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the schema's name."""
    parser.add_argument(
        "name", nargs="?", default="routing", help="routing (default), diagnostics, manifest, ..."
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Write the schema to standard output."""
    names = schema_names()
    if arguments.name not in names:
        print(
            f"error: no schema called '{arguments.name}'; there are {', '.join(names)}",
            file=sys.stderr,
        )
        return ExitCode.CANNOT_RUN
    sys.stdout.write(read_schema(arguments.name))
    return ExitCode.OK
