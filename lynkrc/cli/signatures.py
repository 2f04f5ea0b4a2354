"""What commands share about signatures: a new one beside those that are there, and who signed."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lynkrc import __version__
from lynkrc.bundle.provenance import BUILDER, print_statement
from lynkrc.cli.specs import CannotRead
from lynkrc.cli.terminal import note
from lynkrc_runtime.bundle import OpenedBundle, open_bundle
from lynkrc_runtime.native_tag import native_path
from lynkrc_runtime.native_trust import NotOurs, record_built_here
from lynkrc_runtime.plain_file import read_plain
from lynkrc_runtime.signature import (
    LARGEST_SIGNATURE,
    BrokenSignature,
    Envelope,
    read_envelopes,
    read_statement,
    signature_path,
)

if TYPE_CHECKING:
    from lynkrc.bundle.sign import SigningKey


def signature_of(bundle: bytes, path: Path, key: "SigningKey") -> bytes:
    """The signature file of a bundle that was just built and will lie at `path`."""
    return added_signature(_opened(bundle), signature_path(path), key)


def note_native(bundle: bytes) -> bytes:
    """Let the native library that was just built run here without a signature; gives it back."""
    library = bytes(_opened(bundle).files[native_path()])
    try:
        record_built_here(library, os.environ)
    except NotOurs as problem:
        note(f"the native scorer runs only where the bundle is signed: {problem}")
    return library


def note_left_behind(bundle: bytes, path: Path) -> None:
    """Tell where signatures beside `path` are of an older bundle than the one now built unsigned.

    Gateways that trust their keys refuse the two together, as they refuse a file that is none.
    """
    sha256 = hashlib.sha256(bundle).hexdigest()
    try:
        lines = _lines(signature_path(path))
    except CannotRead as problem:
        note(str(problem))
        return
    if lines and not any(_is_about(envelope, sha256) for _, envelope in lines):
        note(
            f"{signature_path(path)} is of an older bundle; "
            f"`lynkrc sign {path} --key KEY` signs this"
        )


def _opened(bundle: bytes) -> OpenedBundle:
    with tempfile.TemporaryDirectory(prefix="lynkrc-") as folder:
        path = Path(folder) / "built.lynkr"
        path.write_bytes(bundle)
        return open_bundle(path)


def added_signature(
    bundle: OpenedBundle, file: Path, key: "SigningKey", *, builder: str = BUILDER
) -> bytes:
    """The signature file with one more signature; an older one of the same key goes.

    Signatures of another bundle go too, and a note says so. CannotRead where the file is none.
    """
    from lynkrc.bundle.sign import sign_statement

    kept: list[bytes] = []
    dropped = 0
    for line, envelope in _lines(file):
        if any(key_id == key.public.id for key_id, _ in envelope.signatures):
            continue
        if _is_about(envelope, bundle.sha256):
            kept.append(line)
        else:
            dropped += 1
    if dropped:
        many = "1 signature" if dropped == 1 else f"{dropped} signatures"
        note(f"{file}: {many} of another bundle left out")
    statement = print_statement(bundle, compiler=__version__, builder=builder)
    return b"".join((*kept, sign_statement(statement, key)))


def told_signatures(file: Path, sha256: str) -> list[str]:
    """Who says to have signed the bundle with this digest, unverified. CannotRead."""
    told: list[str] = []
    for _, envelope in _lines(file):
        other = "" if _is_about(envelope, sha256) else ", for another bundle"
        told += [f"by {_shown(key_id)}{other}" for key_id, _ in envelope.signatures]
    return told


def _lines(file: Path) -> list[tuple[bytes, Envelope]]:
    try:
        data = read_plain(file, LARGEST_SIGNATURE)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CannotRead(f"cannot read {file}: {error.strerror}") from error
    try:
        envelopes = read_envelopes(data)
    except BrokenSignature as fault:
        raise CannotRead(f"{file}: {fault}; remove it and sign again") from fault
    return list(zip(data.splitlines(keepends=True), envelopes, strict=True))


def _is_about(envelope: Envelope, sha256: str) -> bool:
    try:
        read_statement(envelope.payload, sha256)
    except BrokenSignature:
        return False
    return True


def _shown(key_id: str) -> str:
    """A key id is anybody's text until it is verified."""
    return key_id if key_id.isascii() and key_id.isalnum() else repr(key_id)
