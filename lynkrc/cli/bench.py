"""``lynkrc bench``: what a policy costs on this machine, and what its table is made of."""

import argparse
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from lynkrc.bench.report import render_json, render_text
from lynkrc.bench.run import SECONDS, UnreadPattern, bench
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.progress import doing
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, compile_file
from lynkrc.cli.terminal import error, note, print_findings, wants_colour
from lynkrc.diagnostics.levels import has_errors
from lynkrc.pipeline import pack_bundle
from lynkrc_runtime.bundle import (
    BrokenBundle,
    OpenedBundle,
    load_opened,
    open_bundle,
    portable_scorer,
)
from lynkrc_runtime.scan.engines import kernel_notice


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the spec or bundle, how long to measure, and the form."""
    parser.add_argument(
        "policy",
        nargs="?",
        type=Path,
        default=DEFAULT_SPEC,
        metavar="SPEC|BUNDLE",
        help="a spec, NAME.lynkr, or a folder that holds one; default: %(default)s",
    )
    parser.add_argument(
        "--native", action="store_true", help="compile the scorer of a spec for this machine too"
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=SECONDS,
        metavar="N",
        help="measure about so long; default: %(default)g",
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="default: %(default)s"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Measure and print; 1 for a spec with errors, 2 for what cannot be read."""
    path: Path = arguments.policy
    try:
        if path.is_dir() or path.suffix == ".lynkr":
            if arguments.native:
                error("a bundle is measured as it is; `lynkrc build --native` makes a native one")
                return ExitCode.CANNOT_RUN
            opened, reason = open_bundle(path), None
        else:
            built = _built(path, native=arguments.native)
            if built is None:
                return ExitCode.FINDINGS
            opened, reason = built
        loaded = load_opened(opened, is_just_built=arguments.native)
    except (CannotRead, BrokenBundle) as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    if reason is None and (arguments.native or loaded.manifest.native):
        reason = loaded.notice
    if (slow := kernel_notice()) is not None:
        note(slow)
    try:
        with doing("measuring", f"{path} for about {arguments.seconds:g} s"):
            found = bench(
                loaded,
                portable_scorer(opened),
                table_bytes=len(opened.files["lexicons.dfa"]),
                notice=reason,
                seconds=arguments.seconds,
            )
    except UnreadPattern as problem:
        error(f"{path}: {problem}; measure it with the lynkrc that built it")
        return ExitCode.CANNOT_RUN
    if arguments.format == "json":
        sys.stdout.write(render_json(found))
    else:
        sys.stdout.write(render_text(found, colour=wants_colour(sys.stdout)))
    return ExitCode.OK


def _built(spec: Path, *, native: bool) -> tuple[OpenedBundle, str | None] | None:
    """The bundle of a spec, opened, and why it has no native scorer where it should have one.

    None where the spec has errors, which are printed.
    """
    compilation = compile_file(spec)
    if has_errors(compilation.diagnostics):
        print_findings(compilation.diagnostics, "text", spec=spec)
        return None
    with doing("compiling", "the native scorer") if native else nullcontext():
        packed, reason = pack_bundle(compilation, native=native)
    with tempfile.TemporaryDirectory(prefix="lynkrc-") as folder:
        path = Path(folder) / "bench.lynkr"
        path.write_bytes(packed)
        return open_bundle(path), reason


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0.1 to 600")
    return seconds
