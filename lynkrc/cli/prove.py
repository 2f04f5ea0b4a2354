"""``lynkrc prove``: what a spec asserts, or one question, decided now."""

import argparse
import json
import sys
from pathlib import Path

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, ask_file, check_file
from lynkrc.cli.terminal import error, print_findings, wants_colour
from lynkrc.pipeline import Checked, claims_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the question, the spec it is about, the form."""
    parser.add_argument(
        "question",
        nargs="?",
        metavar="EXPR",
        help="as under `assert`: 'never: E', 'always: E', 'reachable: E', 'monotone: FEATURE', "
        "'max_cost_usd: N', 'max_latency: 30s'; E alone means 'always: E'. "
        "Without it, everything the spec asserts",
    )
    parser.add_argument(
        "--spec", type=Path, default=DEFAULT_SPEC, metavar="FILE", help="default: %(default)s"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the verdicts; 1 where something is refuted, or unknown and not waived."""
    try:
        checked = _read(arguments)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    claimed = None if checked.typed is None else claims_of(checked.typed)
    if claimed is None:
        print_findings(checked.diagnostics, "text", spec=arguments.spec)
        return ExitCode.FINDINGS
    # Imported here: a spec with errors does not wait for the solver.
    from lynkrc.cli.progress import Progress
    from lynkrc.cli.proving import comparing
    from lynkrc.proofs.report import full_json
    from lynkrc.proofs.run import run as prove_all
    from lynkrc.proofs.show import show

    with Progress() as say:
        proved = prove_all(*claimed, comparing(arguments.spec), say)
    if arguments.format == "json":
        document = full_json(proved.proofs, proved.domain, proved.assumptions)
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        sys.stdout.write(show(proved, colour=wants_colour(sys.stdout)))
    return ExitCode.OK if proved.holds else ExitCode.FINDINGS


def _read(arguments: argparse.Namespace) -> Checked:
    if arguments.question is None:
        return check_file(arguments.spec)
    return ask_file(arguments.spec, arguments.question)
