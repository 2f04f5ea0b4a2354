"""A bundle's digest and the envelopes beside it to the trusted keys that have signed it.

The envelopes are DSSE (https://github.com/secure-systems-lab/dsse), one a line; the payload is an
in-toto Statement v1 whose one subject is the bundle's file. Read is a strict form of both: no
member but those that are known, no member twice, one spelling of base64. So no byte of an
envelope that counts can change without notice.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, final

from lynkrc_runtime.plain_file import read_plain

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
SIGNATURE_SUFFIX: Final = ".intoto.jsonl"
"""After the whole name of the bundle: ``acme.lynkr.intoto.jsonl``."""

LARGEST_SIGNATURE: Final = 4 * 2**20
MOST_ENVELOPES: Final = 64
MOST_SIGNATURES: Final = 64
LARGEST_KEY: Final = 64 * 2**10

_SPKI: Final = bytes.fromhex("302a300506032b6570032100")
"""What precedes the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo (RFC 8410)."""


class BrokenSignature(Exception):
    """What is wrong with a signature file; fit to print after its name."""


class UnusableKey(Exception):
    """Why a file is no key to trust; names the file."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """An Ed25519 public key: its 32 bytes in hex, and the sha256 of its SubjectPublicKeyInfo."""

    id: str
    raw: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whose signatures count, and whether a bundle needs one of theirs."""

    keys: tuple[TrustedKey, ...] = ()
    is_required: bool = False


NO_KEYS: Final = Trust()
"""No signature is looked for."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A line of a signature file; `signatures` are pairs of key id and signature."""

    payload: bytes = field(repr=False)
    signatures: tuple[tuple[str, bytes], ...]


def signature_path(bundle: Path) -> Path:
    """Where the signatures of a bundle's file are."""
    return bundle.with_name(bundle.name + SIGNATURE_SUFFIX)


def key_of(raw: bytes) -> TrustedKey:
    """The key with these 32 bytes."""
    return TrustedKey(id=hashlib.sha256(_SPKI + raw).hexdigest(), raw=raw.hex())


def read_trusted_key(path: Path) -> TrustedKey:
    """The public key in a PEM file, as ``openssl pkey -pubout`` writes it. Raises UnusableKey."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_KEY)
    except OSError as error:
        raise UnusableKey(f"{path}: cannot be read: {error.strerror}") from error
    if b"PRIVATE KEY-----" in data:
        raise UnusableKey(
            f"{path}: is a private key, which only who signs may have; "
            f"`openssl pkey -in {path} -pubout` prints the public one"
        )
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKey(
            f"{path}: is no public key in PEM; `openssl pkey -in KEY.pem -pubout` makes one"
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise UnusableKey(
            f"{path}: is no Ed25519 key; `openssl genpkey -algorithm ed25519` makes a pair"
        )
    return key_of(key.public_bytes_raw())


def pae(payload_type: str, payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


# -- reading -------------------------------------------------------------------------------


def read_envelopes(data: bytes) -> tuple[Envelope, ...]:
    """Every envelope of a signature file. Raises BrokenSignature."""
    if len(data) > LARGEST_SIGNATURE:
        raise BrokenSignature(f"more than {LARGEST_SIGNATURE} bytes")
    lines = data.split(b"\n")
    if lines.pop() or not lines:
        raise BrokenSignature("does not end with a whole line")
    if len(lines) > MOST_ENVELOPES:
        raise BrokenSignature(f"{len(lines)} envelopes, at most {MOST_ENVELOPES} are read")
    return tuple(_envelope(line, f"line {number}") for number, line in enumerate(lines, 1))


def _envelope(line: bytes, place: str) -> Envelope:
    members = _members(line, place)
    _only(members, {"payload", "payloadType", "signatures"}, place)
    if members["payloadType"] != PAYLOAD_TYPE:
        raise BrokenSignature(f"{place}: payloadType is not {PAYLOAD_TYPE}")
    written = members["signatures"]
    if not isinstance(written, list) or not 1 <= len(written) <= MOST_SIGNATURES:
        raise BrokenSignature(f"{place}: signatures: 1 to {MOST_SIGNATURES} are wanted")
    signatures: list[tuple[str, bytes]] = []
    for one in written:
        if not isinstance(one, dict):
            raise BrokenSignature(f"{place}: signatures: not an object")
        _only(one, {"keyid", "sig"}, f"{place}: signatures")
        if not isinstance(one["keyid"], str):
            raise BrokenSignature(f"{place}: signatures: keyid is no text")
        signatures.append((one["keyid"], _base64(one["sig"], f"{place}: sig")))
    payload = _base64(members["payload"], f"{place}: payload")
    compact = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
    if compact.encode("utf-8", "surrogatepass") != line:
        # One spelling: no space, no escape that could be written otherwise.
        raise BrokenSignature(f"{place}: not the compact JSON of an envelope")
    return Envelope(payload=payload, signatures=tuple(signatures))


def _members(data: bytes, place: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise BrokenSignature(f"{place}: a member is there twice")
        return found

    try:
        members = json.loads(data.decode(), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise BrokenSignature(f"{place}: no JSON") from error
    if not isinstance(members, dict):
        raise BrokenSignature(f"{place}: not an object")
    return members


def _only(members: dict[str, Any], names: set[str], place: str) -> None:
    if set(members) != names:
        raise BrokenSignature(f"{place}: wants {', '.join(sorted(names))} and nothing else")


def _base64(text: Any, place: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        data = None
    if data is None or base64.b64encode(data).decode() != text:
        raise BrokenSignature(f"{place}: not base64 as it is written")
    return data


def read_statement(payload: bytes, sha256: str) -> dict[str, Any]:
    """The statement in an envelope, which is about the file with this digest.

    Raises BrokenSignature.
    """
    place = "statement"
    members = _members(payload, place)
    if members.get("_type") != STATEMENT_TYPE:
        raise BrokenSignature(f"{place}: _type is not {STATEMENT_TYPE}")
    if members.get("predicateType") != PREDICATE_TYPE:
        raise BrokenSignature(f"{place}: predicateType is not {PREDICATE_TYPE}")
    subjects = members.get("subject")
    if not isinstance(subjects, list) or len(subjects) != 1:
        raise BrokenSignature(f"{place}: is not about one file")
    digest = subjects[0].get("digest") if isinstance(subjects[0], dict) else None
    if digest != {"sha256": sha256}:
        raise BrokenSignature(
            f"{place}: is about another file, not about the bundle as it is; `lynkrc sign` signs "
            "it anew"
        )
    return members


# -- verifying -----------------------------------------------------------------------------


def signers(
    envelopes: Iterable[Envelope], sha256: str, keys: Sequence[TrustedKey]
) -> tuple[str, ...]:
    """The ids of the trusted keys that have signed the file with this digest, sorted.

    A signature by a key that is not trusted says nothing. One that names a trusted key must be
    its: BrokenSignature where it is not, or where what was signed is about another file.
    """
    known = {key.id: key for key in keys}
    found: set[str] = set()
    for number, envelope in enumerate(envelopes, 1):
        message = pae(PAYLOAD_TYPE, envelope.payload)
        for key_id, signature in envelope.signatures:
            key = known.get(key_id)
            if key is None:
                continue
            if not _is_by(key, signature, message):
                raise BrokenSignature(f"line {number}: not signed by the key it names ({key_id})")
            read_statement(envelope.payload, sha256)
            found.add(key_id)
    return tuple(sorted(found))


def _is_by(key: TrustedKey, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.raw)).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def verified(path: Path, sha256: str, trust: Trust) -> tuple[str, ...]:
    """`signers` of the bundle's file from the signature file at `path`.

    BrokenSignature where the file is not what it must be, or lacks what `trust` requires.
    """
    if not trust.keys:
        if trust.is_required:
            raise BrokenSignature("a signature is required, and no key is trusted")
        return ()
    try:
        data = read_plain(path, LARGEST_SIGNATURE)
    except FileNotFoundError:
        if trust.is_required:
            raise BrokenSignature(
                f"not signed: there is no {path.name}; `lynkrc sign` makes one"
            ) from None
        return ()
    except OSError as error:
        raise BrokenSignature(f"{path.name}: cannot be read: {error.strerror}") from error
    try:
        envelopes = read_envelopes(data)
        found = signers(envelopes, sha256, trust.keys)
    except BrokenSignature as fault:
        raise BrokenSignature(f"{path.name}: {fault}") from fault
    if trust.is_required and not found:
        by = sorted({key_id for one in envelopes for key_id, _ in one.signatures})
        are = "which is" if len(by) == 1 else "which are"
        raise BrokenSignature(
            f"{path.name}: signed by {' and '.join(by)}, {are} not trusted; trusted: "
            + ", ".join(key.id for key in trust.keys)
        )
    return found
