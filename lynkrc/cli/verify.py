"""``lynkrc verify``: a bundle to whether it is whole, signed, and what its sources make."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lynkrc import __version__
from lynkrc.bundle.provenance import told_provenance
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.signatures import told_signatures
from lynkrc.cli.specs import CannotRead
from lynkrc.cli.terminal import error, note
from lynkrc.diagnostics.wording import printable
from lynkrc_runtime.bundle import BrokenBundle, OpenedBundle, bundle_file, open_bundle
from lynkrc_runtime.plain_file import read_plain
from lynkrc_runtime.signature import (
    LARGEST_SIGNATURE,
    NO_KEYS,
    BrokenSignature,
    Trust,
    TrustedKey,
    UnusableKey,
    read_envelopes,
    read_statement,
    read_trusted_key,
    signature_path,
    signers,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the bundle, whom to trust, and whether to compile it anew."""
    parser.add_argument("bundle", type=Path, help="NAME.lynkr, or a folder that holds one")
    parser.add_argument(
        "--trusted-key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="public key (PEM) of who may sign; one of those given must have signed",
    )
    parser.add_argument(
        "--signature", type=Path, metavar="FILE", help="default: BUNDLE.intoto.jsonl"
    )
    parser.add_argument(
        "--rebuild",
        action="store_true",
        help="compile the sources in the bundle anew, and compare every file byte for byte",
    )
    parser.add_argument(
        "--without",
        choices=("native", "report"),
        action="append",
        default=[],
        help="with --rebuild: leave native code, or report.json, uncompared",
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Verify; 1 where it is not shown to be what it should be, 2 where it cannot be read."""
    if arguments.without and not arguments.rebuild:
        error("--without says what --rebuild leaves out; give both")
        return ExitCode.CANNOT_RUN
    try:
        file = bundle_file(arguments.bundle)
        for needed in (file, *([arguments.signature] if arguments.signature else [])):
            read_plain(needed, 0)
        keys = tuple(map(read_trusted_key, arguments.trusted_key))
    except (BrokenBundle, UnusableKey) as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    except OSError as problem:
        error(f"cannot read {problem.filename}: {problem.strerror}")
        return ExitCode.CANNOT_RUN
    trust = Trust(keys=keys, is_required=True) if keys else NO_KEYS
    try:
        bundle = open_bundle(file, trust, signature=arguments.signature)
        print(f"{file}\n  sha256   {bundle.sha256}")
        print(f"  digests  {len(bundle.files)} files are as the manifest says")
        _print_signatures(bundle, arguments.signature or signature_path(file), keys)
        is_same = not arguments.rebuild or _rebuilds(bundle, arguments.without)
    except (BrokenBundle, CannotRead) as problem:
        error(str(problem))
        return ExitCode.FINDINGS
    return ExitCode.OK if is_same else ExitCode.FINDINGS


def _print_signatures(bundle: OpenedBundle, file: Path, keys: Sequence[TrustedKey]) -> None:
    if not bundle.signed_by:
        told = told_signatures(file, bundle.sha256)
        for line in told or ["by nobody"]:
            print(f"  signed   {line}" + (" (not verified)" if told else ""))
        note("no signature was verified; --trusted-key FILE names the key of who signs")
        return
    signed: dict[bytes, set[str]] = {}
    try:
        for envelope in read_envelopes(read_plain(file, LARGEST_SIGNATURE)):
            # The file may be another one by now: only what is signed is told.
            by = signers((envelope,), bundle.sha256, keys)
            if by:
                signed.setdefault(envelope.payload, set()).update(by)
    except OSError as problem:
        raise CannotRead(f"cannot read {file}: {problem.strerror}") from problem
    except BrokenSignature as fault:
        raise CannotRead(f"{file}: {fault}") from fault
    # What several have signed is told once, under all of them.
    for payload, key_ids in signed.items():
        for key_id in sorted(key_ids):
            print(f"  signed   by {key_id}")
        for label, value in told_provenance(read_statement(payload, bundle.sha256)):
            print(f"  {label:<9}{printable(value)}")


def _rebuilds(bundle: OpenedBundle, without: Sequence[str]) -> bool:
    """Whether every file is the same made anew, but for those that are not asked about."""
    from lynkrc.cli.progress import doing
    from lynkrc.cli.rebuilt import REPORT, is_native, rebuild

    def is_asked_about(name: str) -> bool:
        return not (
            ("native" in without and is_native(name)) or ("report" in without and name == REPORT)
        )

    with (
        tempfile.TemporaryDirectory(prefix="lynkrc-") as scratch,
        doing("rebuilding", str(bundle.path)),
    ):
        rebuilt = rebuild(bundle, Path(scratch), is_asked_about)
    for name, why in rebuilt.left_out:
        print(f"  rebuilt  {printable(name)}: not compared: {printable(why)}")
    if any(is_native(name) for name, _ in rebuilt.left_out):
        # Any library can say that another compiler made it, so this must not pass unseen.
        note("native code was not compared: only a trusted signature vouches for it")
    unproven = [name for name, _ in rebuilt.left_out if is_asked_about(name)]
    for name in unproven:
        kind = "native" if is_native(name) else "report"
        error(
            f"{bundle.path}: {name}: not shown to be what its sources make; "
            f"`--rebuild --without {kind}` does not ask"
        )
    for name, why in rebuilt.different:
        error(f"{bundle.path}: {name}: {why}")
    if rebuilt.different:
        note(f"made anew by lynkrc {__version__}; another version may have built the bundle")
    if unproven or rebuilt.different:
        return False
    print(f"  rebuilt  {len(rebuilt.same)} files, each the same to the byte")
    return True
