"""A statement and a private key to a line of a signature file: a DSSE envelope."""

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from lynkrc_runtime.signature import PAYLOAD_TYPE, TrustedKey, key_of, pae

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAKE_ONE = "`openssl genpkey -algorithm ed25519` makes one"


class UnusableSigningKey(Exception):
    """Why these bytes are no key to sign with; fit to print after the key's name."""


class PassphraseWanted(Exception):
    """The key is encrypted, and no passphrase was given."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key, and its public half as others trust it."""

    public: TrustedKey
    private: "Ed25519PrivateKey" = field(repr=False)


def read_signing_key(data: bytes, passphrase: bytes | None) -> SigningKey:
    """The Ed25519 key in PKCS#8 PEM. Raises UnusableSigningKey or PassphraseWanted."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if b"PRIVATE KEY-----" not in data:
        what = "a public key" if b"PUBLIC KEY-----" in data else "no private key in PEM"
        raise UnusableSigningKey(f"is {what}; a private one signs, and {MAKE_ONE}")
    is_encrypted = b"ENCRYPTED" in data
    if is_encrypted and passphrase is None:
        raise PassphraseWanted
    try:
        key = load_pem_private_key(data, passphrase if is_encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if is_encrypted:
            raise UnusableSigningKey("cannot be opened: the passphrase is wrong") from error
        raise UnusableSigningKey(f"is no private key in PEM (PKCS#8); {MAKE_ONE}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UnusableSigningKey(f"is no Ed25519 key; {MAKE_ONE}")
    return SigningKey(public=key_of(key.public_key().public_bytes_raw()), private=key)


def sign_statement(statement: bytes, key: SigningKey) -> bytes:
    """The envelope around a statement, as one line."""
    signature = key.private.sign(pae(PAYLOAD_TYPE, statement))
    envelope = {
        "payload": base64.b64encode(statement).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {"keyid": key.public.id, "sig": base64.b64encode(signature).decode()},
        ],
    }
    return json.dumps(envelope, separators=(",", ":")).encode() + b"\n"
