"""``lynkrc inspect``: what a bundle holds, every digest checked, nothing of it run."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, final

import msgspec

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.signatures import told_signatures
from lynkrc.cli.specs import CannotRead
from lynkrc.cli.terminal import error
from lynkrc.diagnostics.wording import printable
from lynkrc_runtime.bundle import BrokenBundle, OpenedBundle, open_bundle
from lynkrc_runtime.signature import signature_path


@final
class _Report(msgspec.Struct, frozen=True):
    """What is told of ``report.json``, which a bundle's digests do not make a report."""

    warnings: list[Any]
    assumptions: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the bundle, and one file of it to print."""
    parser.add_argument("bundle", type=Path, help="NAME.lynkr, or a folder that holds one")
    parser.add_argument("--file", metavar="NAME", help="print one file of the bundle (routes.txt)")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the manifest and the list of files, or one file."""
    try:
        bundle = open_bundle(arguments.bundle)
    except BrokenBundle as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    if arguments.file is not None:
        return _print_file(bundle, arguments.file)
    if arguments.format == "json":
        print(json.dumps(msgspec.to_builtins(bundle.manifest), indent=2))
        return ExitCode.OK
    manifest = bundle.manifest
    try:
        report = msgspec.json.decode(bundle.files["report.json"], type=_Report)
    except (msgspec.DecodeError, RecursionError) as problem:
        error(f"{bundle.path}: report.json: {problem}")
        return ExitCode.CANNOT_RUN
    rows = [
        ("bundle", f"{bundle.path}"),
        ("name", manifest.name),
        ("meaning", manifest.meaning_digest),
        ("source", manifest.source_digest),
        ("runtime", f">= {manifest.minimum_runtime}"),
        ("native", ", ".join(manifest.native) or "none (the interpreted scorer serves)"),
        *(("signed", line) for line in _signed(bundle)),
        ("warnings", str(len(report.warnings))),
        *(("assumes", assumption) for assumption in report.assumptions),
    ]
    for label, value in rows:
        print(f"{label:<9}{printable(value)}")
    print("\nfiles, digests checked")
    for name, entry in sorted(manifest.files.items()):
        print(f"  {entry.sha256[:16]}  {entry.size:>9,}  {printable(name)}")
    return ExitCode.OK


def _signed(bundle: OpenedBundle) -> list[str]:
    """Who says to have signed it; whether they have, only a key can tell."""
    path = signature_path(bundle.path)
    try:
        lines = told_signatures(path, bundle.sha256)
    except CannotRead as problem:
        return [str(problem)]
    return [f"{line} (not verified: `lynkrc verify --trusted-key`)" for line in lines] or ["no"]


def _print_file(bundle: OpenedBundle, name: str) -> ExitCode:
    data = bundle.files.get(name)
    if data is None:
        error(f"the bundle has no file {name}; it has {', '.join(sorted(bundle.files))}")
        return ExitCode.CANNOT_RUN
    sys.stdout.buffer.write(data)
    return ExitCode.OK
