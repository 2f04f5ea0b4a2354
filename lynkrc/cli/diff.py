"""``lynkrc diff``: what a change of the spec does to requests, by regions with a witness each."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lynkrc.cli.comparands import GIT, compile_at, compile_path
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead
from lynkrc.cli.terminal import columns_of, error, note, wants_colour
from lynkrc.diagnostics.render_text import render_text
from lynkrc.diagnostics.wording import shown
from lynkrc.diff.plan import GATES, Plan, Spec, fails
from lynkrc.pipeline import Compilation

if TYPE_CHECKING:
    from lynkrc.ir.table import RouteTable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the two sides, the log to replay, the gate, the form."""
    parser.add_argument(
        "sides",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="OLD and NEW, each a spec or a bundle; with --against the new one alone "
        f"(default: {DEFAULT_SPEC})",
    )
    parser.add_argument(
        "--against", metavar="git:REF", help="compare with the spec as it was at a commit"
    )
    parser.add_argument(
        "--replay",
        type=Path,
        metavar="LOG",
        help="a usage log of the gateway (`serve --usage-log`): who of it moves, at what cost",
    )
    parser.add_argument(
        "--fail-on",
        type=_categories,
        metavar="CATEGORIES",
        help=f"exit 1 only for these, as in privacy,cost; there are {', '.join(GATES)}",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="in text, every difference in all its ways, and both route tables",
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="in text, a request for each difference: as a command and as a test case",
    )
    parser.add_argument(
        "--format", choices=("text", "markdown", "json"), default="text", help="default: text"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the plan; 0 same meaning, 1 it differs (or what --fail-on names), 2 cannot compare."""
    try:
        sides = _sides(arguments)
        plan = _plan(sides, arguments.replay)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    if plan is None:
        return ExitCode.CANNOT_RUN
    sys.stdout.write(_report(plan, arguments))
    if arguments.fail_on is not None and not plan.complete and fails(plan, arguments.fail_on):
        note("not everything is proved, and what is not may be of any category: --fail-on fails")
    return ExitCode.FINDINGS if fails(plan, arguments.fail_on) else ExitCode.OK


def _sides(arguments: argparse.Namespace) -> list[tuple[str, Compilation]]:
    """Label and compilation of the old side and the new one."""
    paths: Sequence[Path] = arguments.sides
    if arguments.against is None:
        if len(paths) != 2:
            raise CannotRead(
                "name two files, OLD and NEW, or one and `--against git:REF`; "
                f"{len(paths) or 'none'} {'were' if len(paths) > 1 else 'was'} named"
            )
        return [(str(path), compile_path(path)) for path in paths]
    if len(paths) > 1:
        raise CannotRead("with --against name only the new spec: the old one is the same file")
    path = paths[0] if paths else DEFAULT_SPEC
    old = compile_at(arguments.against, path)
    return [
        (f"{arguments.against.removeprefix(GIT)}:{path}", old),
        (str(path), compile_path(path)),
    ]


def _plan(sides: Sequence[tuple[str, Compilation]], log: Path | None) -> Plan | None:
    """The plan, with the log replayed; None where a side has errors, which are told."""
    # Imported here: a command that cannot run does not wait for it.
    from lynkrc.cli.joined import joint_walker
    from lynkrc.cli.progress import Progress
    from lynkrc.diff.compare import compare

    tables: list[RouteTable] = []
    specs: list[Spec] = []
    for label, done in sides:
        if done.table is None or done.artifacts is None:
            sys.stderr.write(render_text(done.diagnostics, colour=wants_colour(sys.stderr)))
            error(f"{shown(label)} has errors, so it has no meaning to compare")
            continue
        tables.append(done.table)
        made = done.artifacts
        specs.append(
            Spec(label=label, name=made.name, digest=made.meaning_digest, routes=made.routes)
        )
    if len(tables) != 2:
        return None
    old, new = tables
    with Progress() as say:
        walker = joint_walker(old, new)
        plan = compare(old, new, specs=(specs[0], specs[1]), walker=walker, progress=say)
    return plan if log is None else _replayed(plan, (tables[0], tables[1]), log)


def _replayed(plan: Plan, tables: "tuple[RouteTable, RouteTable]", log: Path) -> Plan:
    from lynkrc.cli.progress import doing
    from lynkrc.diff.logged import read_lines
    from lynkrc.diff.replay import decider_of, replay
    from lynkrc_runtime.usage_database import usage_lines

    old, new = decider_of(tables[0], plan.old.digest), decider_of(tables[1], plan.new.digest)
    try:
        with doing("replaying", str(log)):
            replayed = replay(str(log), read_lines(usage_lines(log)), old, new)
    except OSError as problem:
        raise CannotRead(f"cannot read {log}: {problem.strerror or problem}") from problem
    if replayed.bad and not replayed.records:
        raise CannotRead(
            f"{log} holds no record of a request: "
            "`lynkrc serve BUNDLE --usage-log FILE` writes such a log"
        )
    return replace(plan, replay=replayed)


def _report(plan: Plan, arguments: argparse.Namespace) -> str:
    match arguments.format:
        case "json":
            from lynkrc.diff.report_json import render_json

            return render_json(plan)
        case "markdown":
            from lynkrc.diff.report_markdown import render_markdown

            return render_markdown(plan)
        case _:
            from lynkrc.diff.report_text import render_plan

            return render_plan(
                plan,
                colour=wants_colour(sys.stdout),
                columns=columns_of(sys.stdout),
                whole=arguments.all,
                verbose=arguments.verbose,
            )


def _categories(text: str) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(word.strip().lower() for word in text.split(",")))
    for word in named:
        if word not in GATES:
            raise argparse.ArgumentTypeError(
                f"there is no category {shown(word)}; there are {', '.join(GATES)}"
            )
    return named
