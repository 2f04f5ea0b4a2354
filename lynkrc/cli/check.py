"""``lynkrc check``: every finding in a spec; writes no file but what it is asked to."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, check_bytes, check_file, spec_bytes
from lynkrc.cli.terminal import (
    add_report_arguments,
    error,
    note,
    print_findings,
    report,
)
from lynkrc.diagnostics.levels import has_errors, strict
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.render_text import summary
from lynkrc.diagnostics.secrets import text_without_secrets
from lynkrc.pipeline import Checked, prove

if TYPE_CHECKING:
    from lynkrc.proofs.run import Proved


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the spec, the form and place of the output, and what to fix."""
    parser.add_argument(
        "spec", nargs="?", type=Path, default=DEFAULT_SPEC, help="default: %(default)s"
    )
    add_report_arguments(parser)
    parser.add_argument(
        "--output-file", type=Path, metavar="FILE", help="write the report there instead"
    )
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
    """Report the findings and, in text, what known clients reach; 1 when there is an error."""
    if not arguments.fix and (arguments.unsafe_fixes or arguments.diff):
        error("--unsafe-fixes and --diff say how to --fix: add it")
        return ExitCode.CANNOT_RUN
    try:
        if arguments.fix:
            return _fix(arguments)
        return _report(check_file(arguments.spec), arguments, fixed=None)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN


def _report(checked: Checked, arguments: argparse.Namespace, *, fixed: int | None) -> ExitCode:
    """Prove, and show what was found; `fixed` is how many fixes were made, None where none was
    asked for.
    """
    checked, proved = _proved(checked, arguments.spec)
    findings = strict(checked.diagnostics) if arguments.strict else checked.diagnostics
    if arguments.output_file is not None:
        if not _write(findings, arguments):
            return ExitCode.CANNOT_RUN
    else:
        print_findings(findings, arguments.format, spec=arguments.spec)
        if arguments.format == "text":
            if fixed is not None:
                print(f"{_counted(fixed)} made")
            if proved is not None and proved.proofs:
                print(f"assertions: {proved.counted}")
            for line in _reach(checked):
                print(line)
    return ExitCode.FINDINGS if has_errors(findings) else ExitCode.OK


def _proved(checked: Checked, spec: Path) -> "tuple[Checked, Proved | None]":
    if checked.typed is None or checked.has_errors:
        return checked, None
    # Imported here: a spec with errors does not wait for the solver.
    from lynkrc.cli.progress import Progress

    with Progress() as say:
        if not checked.typed.assertions:
            return prove(checked, None, say)
        from lynkrc.cli.proving import comparing

        return prove(checked, comparing(spec), say)


def _reach(checked: Checked) -> list[str]:
    if checked.typed is None or not any(client.ordinary for client in checked.typed.clients):
        return []
    # Imported here: a spec with errors, or without client profiles, does not wait for it.
    from lynkrc.cli.reach import reach_lines
    from lynkrc.lower.table import lower_decision

    return reach_lines(lower_decision(checked.typed))


def _write(findings: Sequence[Diagnostic], arguments: argparse.Namespace) -> bool:
    """Whether the report could be written to the file asked for; says where it is, or why not."""
    path: Path = arguments.output_file
    text = report(findings, arguments.format, spec=arguments.spec)
    try:
        if path.exists() and path.samefile(arguments.spec):
            error(f"{path} is the spec itself; name another file for the report")
            return False
        path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as problem:
        error(f"cannot write {path}: {problem.strerror}")
        return False
    note(f"{summary(findings)}; the report is in {path}")
    return True


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
        first = check_bytes(path, before)
        texts = _shown(before, first), _shown(fixed.data, fixed.checked)
        sys.stdout.writelines(difference(*texts, str(path)))
        note(f"{_counted(fixed.count)} would be made")
        changed = fixed.count > 0 or fixed.checked.has_errors
        return ExitCode.FINDINGS if changed else ExitCode.OK
    if fixed.count:
        try:
            replace_file(path, fixed.data)
        except OSError as problem:
            error(f"cannot write {path}: {problem.strerror}")
            return ExitCode.CANNOT_RUN
    return _report(fixed.checked, arguments, fixed=fixed.count)


def _counted(fixes: int) -> str:
    return f"{fixes} fix{'' if fixes == 1 else 'es'}"


def _shown(data: bytes, checked: Checked) -> str:
    """The text of a spec, without the secrets that were found in it."""
    return text_without_secrets(data.decode("utf-8-sig", "replace"), checked.diagnostics)
