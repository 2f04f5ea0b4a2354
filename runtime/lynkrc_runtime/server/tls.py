"""Files of a certificate and its key to what the clients' listener speaks TLS with.

TLS 1.2 is the oldest spoken, HTTP/1.1 the one protocol offered. What is wrong with the files is
said at start, by the name of the file; what is in them is never told.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Never, final

from lynkrc_runtime.references import MissingVariable, expand
from lynkrc_runtime.settings import Tls


@final
class UnusableTls(Exception):
    """Why connections cannot be encrypted as declared; fit to print."""


@final
class _Encrypted(Exception):
    """OpenSSL asks for a password."""


def server_tls(
    cert: Path | None, key: Path | None, declared: Tls | None, environ: Mapping[str, str]
) -> ssl.SSLContext | None:
    """What to listen with, None without TLS; the command line's files win over the declared.

    Raises UnusableTls.
    """
    if (cert is None) != (key is None):
        raise UnusableTls("--tls-cert and --tls-key come together: one of them is missing")
    if cert is not None and key is not None:
        return server_context(cert, key)
    if declared is None:
        return None
    try:
        cert, key = (Path(expand(text, environ)) for text in (declared.cert, declared.key))
    except MissingVariable as missing:
        raise UnusableTls(
            f"server.tls: environment variable {missing.name} is not set"
        ) from missing
    return server_context(cert, key)


def server_context(cert: Path, key: Path) -> ssl.SSLContext:
    """The context of a certificate (with its chain) and its key, both PEM. Raises UnusableTls."""
    certificate, secret = _read(cert, "certificate"), _read(key, "key")
    if b"-----BEGIN CERTIFICATE-----" not in certificate:
        raise UnusableTls(f"the TLS certificate {cert} holds no certificate in PEM form")
    if b"PRIVATE KEY-----" not in secret:
        raise UnusableTls(f"the TLS key {key} holds no private key in PEM form")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert, key, password=_refuse)
    except _Encrypted as encrypted:
        raise UnusableTls(
            f"the TLS key {key} is encrypted: nobody is there to type its password, so it must be "
            "a file without one that only this service may read"
        ) from encrypted
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UnusableTls(
                f"the TLS key {key} does not belong to the certificate {cert}"
            ) from error
        raise UnusableTls(
            f"the TLS certificate {cert} and key {key} cannot be used: {error.reason or 'bad PEM'}"
        ) from error
    return context


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusableTls(f"cannot read the TLS {what} {path}: {error.strerror}") from error


def _refuse() -> Never:
    raise _Encrypted
