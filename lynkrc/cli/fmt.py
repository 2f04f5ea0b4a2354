"""``lynkrc fmt``: specs in their canonical form."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.rewriting import difference, replace_file
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, read_bytes
from lynkrc.cli.terminal import columns_of, error, note, wants_colour
from lynkrc.cli.test import SUFFIX
from lynkrc.diagnostics.model import Diagnostic, Severity
from lynkrc.diagnostics.render_text import render_text
from lynkrc.source.decode_text import decode_source
from lynkrc.syntax.fmt import format_spec

_STANDARD_INPUT = Path("-")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Formatted:
    """One file: its text as it is, and as it should be (None with errors)."""

    path: Path
    shown: str
    data: bytes
    text: str
    wanted: str | None

    @property
    def is_canonical(self) -> bool:
        return self.wanted is not None and self.wanted.encode() == self.data


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the files, and what to do instead of writing them."""
    parser.add_argument(
        "specs",
        nargs="*",
        type=Path,
        default=[DEFAULT_SPEC],
        metavar="FILE",
        help=f"default: {DEFAULT_SPEC}; - reads standard input and writes standard output",
    )
    goal = parser.add_mutually_exclusive_group()
    goal.add_argument(
        "--check", action="store_true", help="write nothing; fail when a file would change"
    )
    goal.add_argument("--diff", action="store_true", help="write nothing; print what would change")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Format; 1 for files with errors, with --check and --diff also for files that would change."""
    codes = [_run_one(path, arguments) for path in dict.fromkeys(arguments.specs)]
    return max(codes)


def _run_one(path: Path, arguments: argparse.Namespace) -> ExitCode:
    if path.name.endswith(SUFFIX):
        note(f"{path} is a file of tests, not a spec: it is left as it is")
        return ExitCode.OK
    try:
        formatted = _format(path)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    if formatted.wanted is None:
        return ExitCode.FINDINGS
    if arguments.check or arguments.diff:
        if formatted.is_canonical:
            return ExitCode.OK
        if arguments.check:
            print(f"would change: {formatted.shown}")
        else:
            _print_difference(formatted, formatted.wanted)
        return ExitCode.FINDINGS
    if path == _STANDARD_INPUT:
        _write_bytes(formatted.wanted.encode())
    elif not formatted.is_canonical:
        try:
            replace_file(path, formatted.wanted.encode())
        except OSError as problem:
            error(f"cannot write {path}: {problem.strerror}")
            return ExitCode.CANNOT_RUN
        print(f"formatted {path}")
    return ExitCode.OK


def _format(path: Path) -> _Formatted:
    if path == _STANDARD_INPUT:
        shown, data = "<stdin>", sys.stdin.buffer.read()
    else:
        shown, data = str(path), read_bytes(path, "name your spec, as in `lynkrc fmt FILE`")
    file, findings = decode_source(shown, data)
    wanted = None
    if not findings:
        wanted, findings = format_spec(file)
    if wanted is None:
        _print_errors(findings)
    return _Formatted(path=path, shown=shown, data=data, text=file.text, wanted=wanted)


def _print_errors(findings: Sequence[Diagnostic]) -> None:
    """To standard error: standard output is the text's or the difference's."""
    err = sys.stderr
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    err.write(render_text(errors, colour=wants_colour(err), columns=columns_of(err)))


def _print_difference(formatted: _Formatted, wanted: str) -> None:
    """The difference; line ends and a byte order mark, which nobody sees, are told in words."""
    text = formatted.text.replace("\r\n", "\n")
    sys.stdout.writelines(difference(text, wanted, formatted.shown))
    if text != formatted.text:
        print(f"{formatted.shown}: CRLF line ends become LF")
    if formatted.data.startswith(b"\xef\xbb\xbf"):
        print(f"{formatted.shown}: the byte order mark is removed")


def _write_bytes(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
