"""``lynkrc build``: check, compile, write the reviewed files and the bundle.

Nothing is written unless everything could be made; files are replaced one by one by renaming, the
bundle last.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from difflib import unified_diff
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.native_line import native_line
from lynkrc.cli.signatures import note_left_behind, note_native, signature_of
from lynkrc.cli.signing_key import signing_key
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, compile_file
from lynkrc.cli.terminal import add_report_arguments, error, note, print_findings
from lynkrc.codegen.artifacts import Artifacts
from lynkrc.diagnostics.formats import FOR_PEOPLE
from lynkrc.diagnostics.levels import has_errors, strict
from lynkrc.pipeline import Compilation, pack_bundle
from lynkrc_runtime.signature import signature_path

if TYPE_CHECKING:
    from lynkrc.cli.verified import Proven

REPORT = "report.full.json"
"""Verdicts with their witnesses, beside the bundle: what solvers find differs between machines."""

_DIFF_LINES = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: spec, output folder, staleness check, native scorer."""
    parser.add_argument(
        "spec", nargs="?", type=Path, default=DEFAULT_SPEC, help="default: %(default)s"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="output folder (default: generated/NAME)"
    )
    goal = parser.add_mutually_exclusive_group()
    goal.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail when the committed files are stale",
    )
    goal.add_argument(
        "--native", action="store_true", help="add a scorer compiled for this platform"
    )
    parser.add_argument(
        "--sign", metavar="KEY", help="sign the bundle: a private key's file, or env:NAME"
    )
    parser.add_argument(
        "--no-cache", action="store_true", help="prove again what an earlier build has proved"
    )
    add_report_arguments(parser)
    parser.add_argument("--quiet", action="store_true", help="print only findings and failures")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Build; 1 for errors in the spec or stale files, 2 where files cannot be read or written."""
    if arguments.check and arguments.sign is not None:
        error("--check writes nothing, so there is nothing to --sign; leave one of them out")
        return ExitCode.CANNOT_RUN
    try:
        # First, so that nobody waits for a build that cannot be signed.
        key = None if arguments.sign is None else signing_key(arguments.sign)
        compilation = compile_file(arguments.spec)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    proven: Proven | None = None
    if not compilation.has_errors:
        # Imported here: a spec with errors does not wait for the solver.
        from lynkrc.cli.verified import prove

        caches = not arguments.no_cache
        proven = prove(compilation, arguments.spec, caches=caches)
        compilation = proven.compilation
    findings = strict(compilation.diagnostics) if arguments.strict else compilation.diagnostics
    for_people = arguments.format in FOR_PEOPLE
    if findings or not for_people:
        print_findings(findings, arguments.format, spec=arguments.spec)
    artifacts = compilation.artifacts
    if has_errors(findings) or artifacts is None or proven is None or proven.kept is None:
        return ExitCode.FINDINGS
    folder: Path = arguments.output or Path("generated") / artifacts.name
    talks = not arguments.quiet and for_people
    if arguments.check:
        # A report for a program is alone on standard output.
        out = sys.stdout if for_people else sys.stderr
        try:
            stale = _report_stale(artifacts, folder, out)
        except OSError as problem:
            error(f"cannot read {problem.filename}: {problem.strerror}")
            return ExitCode.CANNOT_RUN
        if stale:
            how = f"lynkrc build {arguments.spec} -o {folder}"
            print(f"help: {how}, review the difference and commit it", file=out)
            return ExitCode.FINDINGS
        if talks:
            digest = artifacts.meaning_digest
            print(f"{folder} is what {arguments.spec} compiles to (meaning {digest})")
        return ExitCode.OK
    kept = proven.kept
    bundle, why_not = pack_bundle(compilation, native=arguments.native, verdicts=kept.verdicts)
    if why_not is not None:
        note(f"no native scorer: {why_not}\n      the bundle serves with the interpreted one")
    is_native = arguments.native and why_not is None
    if not _decides_as_meant(compilation, proven, bundle, is_native=is_native):
        return ExitCode.FINDINGS
    if is_native:
        note_native(bundle)
    path = folder / f"{artifacts.name}.lynkr"
    try:
        signature = None if key is None else signature_of(bundle, path, key)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    try:
        files = [*artifacts.reviewed(), (path.name, bundle)]
        if signature is not None:
            # Before the bundle: who watches for a new bundle finds it signed.
            files.insert(-1, (signature_path(path).name, signature))
        if kept.verdicts.assertions:
            report = json.dumps(kept.report, indent=2, ensure_ascii=False).encode()
            files.insert(0, (REPORT, report + b"\n"))
        _write(folder, files)
    except OSError as problem:
        error(f"cannot write {folder}: {problem.strerror}")
        return ExitCode.CANNOT_RUN
    if signature is None:
        note_left_behind(bundle, path)
    if talks:
        engine = "native" if is_native else "portable"
        print(f"built {path} ({engine}, {len(bundle):,} bytes)")
        print(f"  meaning {artifacts.meaning_digest}")
        print(f"  source  {artifacts.source_digest}")
        if is_native:
            print(f"  native  {native_line(bundle)}")
        print(f"  review  {', '.join(name for name, _ in artifacts.reviewed())}")
        if key is not None:
            print(f"  signed  by {key.public.id}")
        if kept.verdicts.assertions:
            print(f"  proofs  {kept.counted}; what was found is in {folder / REPORT}")
    return ExitCode.OK


def _decides_as_meant(
    compilation: Compilation, proven: "Proven", bundle: bytes, *, is_native: bool
) -> bool:
    """Whether the bundle's scorers decide as the policy means; says where they do not."""
    # A native scorer is another one each time: no key tells the compiler, nor what it was told.
    if proven.is_old and not is_native:
        return True
    from lynkrc.cli.proof_cache import keep
    from lynkrc.cli.verified import try_out

    wrong = try_out(compilation, bundle)
    if wrong is not None:
        error(wrong)
        return False
    if proven.key is not None and proven.kept is not None:
        keep(proven.key, proven.kept)
    return True


def _report_stale(artifacts: Artifacts, folder: Path, out: TextIO) -> bool:
    """Whether a committed file is missing or not what it should be; says which, and how."""
    stale = False
    for name, wanted in artifacts.reviewed():
        path = folder / name
        found = path.read_bytes() if path.exists() else None
        if found == wanted:
            continue
        stale = True
        print(f"stale: {path}" + ("" if found is not None else " (missing)"), file=out)
        if found is not None:
            out.writelines(_difference(found, wanted, name))
    return stale


def _difference(found: bytes, wanted: bytes, name: str) -> Iterable[str]:
    lines = unified_diff(
        found.decode("utf-8", "replace").splitlines(keepends=True),
        wanted.decode().splitlines(keepends=True),
        f"committed/{name}",
        f"compiled/{name}",
        n=1,
    )
    return islice(lines, _DIFF_LINES)


def _write(folder: Path, files: list[tuple[str, bytes]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".lynkrc-", dir=folder) as scratch:
        for name, data in files:
            (Path(scratch) / name).write_bytes(data)
        for name, _ in files:
            (Path(scratch) / name).replace(folder / name)
