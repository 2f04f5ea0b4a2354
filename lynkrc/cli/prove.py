"""``lynkrc prove``: what a spec asserts, or one question, decided now."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, ask_file, check_file
from lynkrc.cli.terminal import columns_of, error, note, print_findings, wants_colour
from lynkrc.pipeline import Checked, claims_of

if TYPE_CHECKING:
    from lynkrc.proofs.run import Proved


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
    parser.add_argument(
        "--requests",
        type=Path,
        metavar="DIR",
        help="write the request of every witness there: NAME.json (its body), NAME.sh (a curl "
        "command) and NAME.test.yaml",
    )
    parser.epilog = (
        "An expression that begins with a minus sign stands after `--`: "
        "lynkrc prove -- '-ask.words < 1'"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the verdicts; 1 where something is refuted, or unknown and not waived."""
    try:
        checked = _read(arguments)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    claimed = None if checked.typed is None else claims_of(checked.typed)
    if claimed is None:
        print_findings(checked.diagnostics, arguments.format, spec=arguments.spec)
        return ExitCode.FINDINGS
    # Imported here: a spec with errors does not wait for the solver.
    from lynkrc.cli.progress import Progress
    from lynkrc.cli.proving import comparing
    from lynkrc.proofs.report import full_json
    from lynkrc.proofs.run import run as prove_all
    from lynkrc.proofs.show import show

    if not claimed[1].items:
        note(
            f"{arguments.spec} asserts nothing: write claims under `assert`, or ask one, as in "
            "`lynkrc prove 'never: target.trust == cloud'`"
        )
    with Progress() as say:
        proved = prove_all(*claimed, comparing(arguments.spec), say)
    if arguments.requests is not None:
        try:
            _write_requests(proved, arguments.requests)
        except OSError as problem:
            error(f"cannot write {problem.filename}: {problem.strerror}")
            return ExitCode.CANNOT_RUN
    if arguments.format == "json":
        document = full_json(proved.proofs, proved.domain, proved.assumptions)
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        out = sys.stdout
        out.write(show(proved, colour=wants_colour(out), columns=columns_of(out)))
    return ExitCode.OK if proved.holds else ExitCode.FINDINGS


def _write_requests(proved: "Proved", folder: Path) -> None:
    from lynkrc.proofs.requests import request_files

    written = 0
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in request_files(proved.proofs, proved.headers):
        path = folder / name
        path.write_text(content, encoding="utf-8", newline="\n")
        if path.suffix == ".sh":
            path.chmod(0o755)
        written += 1
    note(f"wrote {written} files to {folder}")


def _read(arguments: argparse.Namespace) -> Checked:
    if arguments.question is None:
        return check_file(arguments.spec)
    return ask_file(arguments.spec, arguments.question)
