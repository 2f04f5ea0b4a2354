"""Keys for tests of signatures, made here and trusted nowhere else."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from lynkrc.bundle.sign import SigningKey
from lynkrc_runtime.signature import key_of

Private = Ed25519PrivateKey


def private(seed: int) -> Ed25519PrivateKey:
    """The same key for the same seed (0 to 255)."""
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def signing_key(seed: int) -> SigningKey:
    key = private(seed)
    return SigningKey(public=key_of(key.public_key().public_bytes_raw()), private=key)


def private_pem(seed: int, passphrase: bytes | None = None) -> bytes:
    how: KeySerializationEncryption = (
        NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    )
    return private(seed).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


def public_pem(seed: int) -> bytes:
    return private(seed).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def write_pair(folder: Path, name: str, seed: int) -> tuple[Path, Path]:
    """The files of a private key, which only we can read, and of its public one."""
    secret, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    secret.write_bytes(private_pem(seed))
    secret.chmod(0o600)
    public.write_bytes(public_pem(seed))
    return secret, public
