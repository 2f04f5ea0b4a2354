"""``lynkrc sign``: a signature beside a bundle, once its own sources were seen to make it."""

import argparse
import os
import re
import tempfile
from pathlib import Path

from lynkrc.bundle.provenance import BUILDER
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.rewriting import replace_file
from lynkrc.cli.signatures import added_signature
from lynkrc.cli.signing_key import PASSPHRASE, signing_key
from lynkrc.cli.specs import CannotRead
from lynkrc.cli.terminal import error
from lynkrc_runtime.bundle import BrokenBundle, OpenedBundle, open_bundle
from lynkrc_runtime.native_tag import native_path
from lynkrc_runtime.native_trust import NotOurs, check_built_here
from lynkrc_runtime.signature import signature_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: the bundle, the key, where the signature goes, who builds."""
    parser.add_argument("bundle", type=Path, help="NAME.lynkr, or a folder that holds one")
    parser.add_argument(
        "--key",
        required=True,
        metavar="KEY",
        help="Ed25519 private key: a PEM file (PKCS#8), or env:NAME; "
        f"{PASSPHRASE} opens an encrypted one",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="default: BUNDLE.intoto.jsonl"
    )
    parser.add_argument(
        "--builder",
        type=_uri,
        default=BUILDER,
        metavar="URI",
        help="who has built it, for the provenance (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Sign; 1 where the bundle is not what its sources make, 2 where that cannot be told."""
    try:
        key = signing_key(arguments.key)
        bundle = open_bundle(arguments.bundle)
        refused = _why_not(bundle)
        if refused:
            for line in refused:
                error(f"{bundle.path}: {line}")
            return ExitCode.FINDINGS
        file: Path = arguments.output or signature_path(bundle.path)
        signed = added_signature(bundle, file, key, builder=arguments.builder)
        if file.exists():
            replace_file(file, signed)
        else:
            file.write_bytes(signed)
    except (BrokenBundle, CannotRead) as problem:
        error(str(problem))
        return ExitCode.CANNOT_RUN
    except OSError as problem:
        error(f"cannot write {problem.filename}: {problem.strerror}")
        return ExitCode.CANNOT_RUN
    print(f"signed {bundle.path}\n  sha256    {bundle.sha256}\n  by        {key.public.id}")
    print(f"  signature {file} ({signed.count(bytes([10]))} in all)")
    return ExitCode.OK


def _why_not(bundle: OpenedBundle) -> list[str]:
    """What of the bundle its sources do not make: a signature says that they do."""
    from lynkrc.cli.rebuilt import is_native, rebuild

    with tempfile.TemporaryDirectory(prefix="lynkrc-") as scratch:
        rebuilt = rebuild(bundle, Path(scratch))
    told = [f"{name} {why}; sign what this lynkrc builds" for name, why in rebuilt.different]
    for name, why in rebuilt.left_out:
        if not is_native(name):
            continue
        try:
            if name != native_path():
                raise NotOurs("it is for another platform")
            check_built_here(bundle.files[name], os.environ)
        except NotOurs:
            told.append(
                f"{name} cannot be made anew here ({why}), and a signature would let it run; "
                "sign where it was built, with `lynkrc build --native --sign KEY`"
            )
    return told


def _uri(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,1000}", text):
        raise argparse.ArgumentTypeError(f"a URI, not {text!r}")
    return text
