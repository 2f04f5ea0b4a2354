"""``lynkrc build``: check, compile, write the reviewed files and the bundle.

Nothing is written unless everything could be made; files are replaced one by one by renaming, the
bundle last.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.kept_build import Finished, Noting, OwnLibraries, key_of, recall
from lynkrc.cli.kept_build import keep as keep_build
from lynkrc.cli.progress import doing
from lynkrc.cli.specs import DEFAULT_SPEC, CannotRead, DiskLoader, compile_bytes, spec_bytes
from lynkrc.cli.terminal import add_report_arguments, error, note, print_findings
from lynkrc.diagnostics.formats import FOR_PEOPLE
from lynkrc.diagnostics.levels import has_errors, strict
from lynkrc.diagnostics.model import Diagnostic, Severity
from lynkrc_runtime.signature import signature_path

if TYPE_CHECKING:
    from lynkrc.bundle.sign import SigningKey
    from lynkrc.cli.verified import Proven
    from lynkrc.codegen.artifacts import Artifacts
    from lynkrc.pipeline import Compilation

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
        "--no-cache",
        action="store_true",
        help="compile and prove again what an earlier build has done",
    )
    add_report_arguments(parser)
    parser.add_argument("--quiet", action="store_true", help="print only findings and failures")
    parser.set_defaults(notes=True)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Build; 1 for errors in the spec or stale files, 2 where files cannot be read or written."""
    if arguments.check and arguments.sign is not None:
        error("--check writes nothing, so there is nothing to --sign; leave one of them out")
        return ExitCode.CANNOT_RUN
    try:
        # First, so that nobody waits for a build that cannot be signed.
        key = None if arguments.sign is None else _signing_key(arguments.sign)
        data = spec_bytes(arguments.spec)
    except CannotRead as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    # What is compared or signed was compiled here and now.
    recalls = not (arguments.no_cache or arguments.check or key is not None)
    kept = key_of(arguments.spec, data, native=arguments.native) if recalls else None
    finished = None if kept is None else recall(kept, DiskLoader())
    if finished is not None:
        if has_errors(_tell_findings(arguments, finished.diagnostics)):
            return ExitCode.FINDINGS
        return _write_finished(arguments, finished, None)
    match _build(arguments, data, kept):
        case Finished() as finished:
            return _write_finished(arguments, finished, key)
        case code:
            return code


def _build(arguments: argparse.Namespace, data: bytes, kept_as: str | None) -> Finished | ExitCode:
    """Compile, prove, pack and try; an exit code where it ends there, or was all to `--check`."""
    loader = Noting(DiskLoader())
    compilation = compile_bytes(arguments.spec, data, loader)
    caches = not arguments.no_cache
    proven: Proven | None = None
    if not compilation.has_errors:
        # Imported here: a spec with errors does not wait for the solver.
        from lynkrc.cli.verified import prove

        proven = prove(compilation, arguments.spec, caches=caches)
        compilation = proven.compilation
    findings = _tell_findings(arguments, compilation.diagnostics)
    artifacts = compilation.artifacts
    if has_errors(findings) or artifacts is None or proven is None or proven.kept is None:
        return ExitCode.FINDINGS
    if arguments.check:
        return _check(arguments, artifacts)
    from lynkrc.pipeline import pack_bundle

    kept = proven.kept
    # What is signed was compiled by the run that signs it.
    libraries = OwnLibraries() if caches and arguments.sign is None else None
    with doing("compiling", "the native scorer") if arguments.native else nullcontext():
        bundle, why_not = pack_bundle(
            compilation, native=arguments.native, verdicts=kept.verdicts, libraries=libraries
        )
    if why_not is not None:
        note(f"no native scorer: {why_not}\n      the bundle serves with the interpreted one")
    is_native = arguments.native and why_not is None
    tried = _decides_as_meant(compilation, proven, bundle, is_native=is_native)
    if tried is None:
        return ExitCode.FINDINGS
    library = None
    if is_native:
        from lynkrc.cli.signatures import note_native

        library = note_native(bundle)
    finished = Finished(
        diagnostics=compilation.diagnostics,
        name=artifacts.name,
        meaning_digest=artifacts.meaning_digest,
        source_digest=artifacts.source_digest,
        reviewed=artifacts.reviewed(),
        bundle=bundle,
        library=library,
        report=kept.report if kept.verdicts.assertions else None,
        counted=kept.counted,
        tried=tried,
    )
    # Without its library a native build is not the one that was asked for.
    if kept_as is not None and not proven.reads_others and is_native == arguments.native:
        keep_build(kept_as, finished, loader.asked())
    return finished


def _tell_findings(
    arguments: argparse.Namespace, found: Sequence[Diagnostic]
) -> Sequence[Diagnostic]:
    """Print findings as they were asked for; gives back what each weighs then."""
    findings = strict(found) if arguments.strict else found
    if not arguments.notes:  # as `wrap` wants it
        findings = [one for one in findings if one.severity is not Severity.NOTE]
    if findings or arguments.format not in FOR_PEOPLE:
        print_findings(findings, arguments.format, spec=arguments.spec)
    return findings


def _check(arguments: argparse.Namespace, artifacts: "Artifacts") -> ExitCode:
    folder = _folder(arguments, artifacts.name)
    # A report for a program is alone on standard output.
    out = sys.stdout if arguments.format in FOR_PEOPLE else sys.stderr
    try:
        stale = _report_stale(artifacts, folder, out)
    except OSError as problem:
        error(f"cannot read {problem.filename}: {problem.strerror}")
        return ExitCode.CANNOT_RUN
    if stale:
        how = f"lynkrc build {arguments.spec} -o {folder}"
        print(f"help: {how}, review the difference and commit it", file=out)
        return ExitCode.FINDINGS
    if _talks(arguments):
        digest = artifacts.meaning_digest
        print(f"{folder} is what {arguments.spec} compiles to (meaning {digest})")
    return ExitCode.OK


def _write_finished(
    arguments: argparse.Namespace, finished: Finished, key: "SigningKey | None"
) -> ExitCode:
    """Sign and write what was built, and say so."""
    folder, bundle = _folder(arguments, finished.name), finished.bundle
    path = folder / f"{finished.name}.lynkr"
    signed = signature_path(path)
    files = [*finished.reviewed, (path.name, bundle)]
    if key is not None:
        from lynkrc.cli.signatures import signature_of

        try:
            # Before the bundle: who watches for a new bundle finds it signed.
            files.insert(-1, (signed.name, signature_of(bundle, path, key)))
        except CannotRead as problem:
            error(str(problem))
            return ExitCode.CANNOT_RUN
    if finished.report is not None:
        report = json.dumps(finished.report, indent=2, ensure_ascii=False).encode()
        files.insert(0, (REPORT, report + b"\n"))
    try:
        _write(folder, files)
    except OSError as problem:
        error(f"cannot write {folder}: {problem.strerror}")
        return ExitCode.CANNOT_RUN
    if key is None and os.path.lexists(signed):
        from lynkrc.cli.signatures import note_left_behind

        note_left_behind(bundle, path)
    if _talks(arguments):
        engine = "portable" if finished.library is None else "native"
        print(f"built {path} ({engine}, {len(bundle):,} bytes)")
        print(f"  meaning {finished.meaning_digest}")
        print(f"  source  {finished.source_digest}")
        if finished.library is not None:
            from lynkrc.cli.native_line import native_line

            print(f"  native  {native_line(bundle)}")
        print(f"  tried   {_tried(finished.tried)}: decided as the policy means")
        print(f"  review  {', '.join(name for name, _ in finished.reviewed)}")
        if key is not None:
            print(f"  signed  by {key.public.id}")
        if finished.report is not None:
            print(f"  proofs  {finished.counted}; what was found is in {folder / REPORT}")
    return ExitCode.OK


def _tried(requests: int) -> str:
    if requests == 0:
        return "by an earlier build of the same files"
    return f"{requests:,} requests around the edges"


def _signing_key(word: str) -> "SigningKey":
    from lynkrc.cli.signing_key import signing_key

    return signing_key(word)


def _folder(arguments: argparse.Namespace, name: str) -> Path:
    chosen: Path | None = arguments.output
    return chosen or Path("generated") / name


def _talks(arguments: argparse.Namespace) -> bool:
    return not arguments.quiet and arguments.format in FOR_PEOPLE


def _decides_as_meant(
    compilation: "Compilation", proven: "Proven", bundle: bytes, *, is_native: bool
) -> int | None:
    """On how many requests the bundle's scorers were seen to decide as the policy means, 0 where
    an earlier build has seen it; None where they do not, which is said."""
    # A native scorer is another one each time: no key tells the compiler, nor what it was told.
    if proven.is_old and not is_native:
        return 0
    from lynkrc.cli.proof_cache import keep
    from lynkrc.cli.verified import try_out

    tried, wrong = try_out(compilation, bundle)
    if wrong is not None:
        error(wrong)
        return None
    if proven.key is not None and proven.kept is not None:
        keep(proven.key, proven.kept)
    return tried


def _report_stale(artifacts: "Artifacts", folder: Path, out: TextIO) -> bool:
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
    from difflib import unified_diff

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
