"""``lynkrc check``: every finding in a spec; writes no file unless it is asked to fix one."""

import argparse
import sys
from pathlib import Path

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, check_bytes, check_file, spec_bytes
from lynkrc.cli.terminal import error, note, print_findings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the spec, the form of the output, and what to fix."""
    parser.add_argument(
        "spec", nargs="?", type=Path, default=DEFAULT_SPEC, help="default: %(default)s"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    fixing = parser.add_argument_group("fixes")
    fixing.add_argument(
        "--fix", action="store_true", help="make the safe fixes, then show what remains"
    )
    fixing.add_argument(
        "--unsafe-fixes", action="store_true", help="with --fix: also make those that are a guess"
    )
    fixing.add_argument(
        "--diff", action="store_true", help="with --fix: print what would change; write nothing"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the findings; 1 when there is an error among them, or --diff shows a change."""
    if not arguments.fix and (arguments.unsafe_fixes or arguments.diff):
        error("--unsafe-fixes and --diff say how to --fix: add it")
        return ExitCode.CANNOT_RUN
    try:
        return _fix(arguments) if arguments.fix else _check(arguments)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN


def _check(arguments: argparse.Namespace) -> ExitCode:
    checked = check_file(arguments.spec)
    print_findings(checked.diagnostics, arguments.format)
    return ExitCode.FINDINGS if checked.has_errors else ExitCode.OK


def _fix(arguments: argparse.Namespace) -> ExitCode:
    # Imported here: a plain check does not wait for it.
    from lynkrc.cli.fixing import fix_all
    from lynkrc.cli.rewriting import difference, replace_file

    path: Path = arguments.spec
    before = spec_bytes(path)
    fixed = fix_all(
        str(path), before, lambda data: check_bytes(path, data), unsafe=arguments.unsafe_fixes
    )
    if arguments.diff:
        sys.stdout.writelines(difference(_text(before), _text(fixed.data), str(path)))
        note(f"{_counted(fixed.count)} would be made")
        changed = fixed.count > 0 or fixed.checked.has_errors
        return ExitCode.FINDINGS if changed else ExitCode.OK
    if fixed.count:
        try:
            replace_file(path, fixed.data)
        except OSError as problem:
            error(f"cannot write {path}: {problem.strerror}")
            return ExitCode.CANNOT_RUN
    print_findings(fixed.checked.diagnostics, arguments.format)
    if arguments.format == "text":
        print(f"{_counted(fixed.count)} made")
    return ExitCode.FINDINGS if fixed.checked.has_errors else ExitCode.OK


def _counted(fixes: int) -> str:
    return f"{fixes} fix{'' if fixes == 1 else 'es'}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
