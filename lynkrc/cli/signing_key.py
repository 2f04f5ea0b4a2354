"""What the user names as a signing key to the key: a file or a variable, opened if encrypted."""

import os
import stat
import sys
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lynkrc.cli.specs import CannotRead, read_bytes
from lynkrc.cli.terminal import note

if TYPE_CHECKING:
    from lynkrc.bundle.sign import SigningKey

PASSPHRASE: Final = "LYNKRC_SIGNING_PASSPHRASE"
"""The environment variable with the passphrase of an encrypted key."""
_VARIABLE: Final = "env:"


def signing_key(named: str) -> "SigningKey":
    """The key in a PEM file, or in the variable NAME for ``env:NAME``. CannotRead otherwise."""
    from lynkrc.bundle.sign import PassphraseWanted, UnusableSigningKey, read_signing_key

    data = _data(named)
    given = os.environ.get(PASSPHRASE)
    try:
        try:
            key = read_signing_key(data, None if given is None else given.encode())
        except PassphraseWanted:
            key = read_signing_key(data, _asked(named).encode())
    except UnusableSigningKey as problem:
        raise CannotRead(f"{named}: {problem}") from problem
    if not named.startswith(_VARIABLE):
        _warn_of_readers(Path(named))
    return key


def _data(named: str) -> bytes:
    if not named.startswith(_VARIABLE):
        return read_bytes(Path(named), "name the file of a private key, or env:NAME")
    name = named.removeprefix(_VARIABLE)
    found = os.environ.get(name)
    if not found:
        raise CannotRead(f"{named}: environment variable {name} is not set")
    return found.encode("utf-8", "surrogateescape")


def _warn_of_readers(path: Path) -> None:
    if sys.platform != "win32" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        note(f"others may read the private key {path}; `chmod 600 {path}` keeps it yours")


def _asked(named: str) -> str:
    if not sys.stdin.isatty():
        raise CannotRead(f"{named}: is encrypted; {PASSPHRASE} gives its passphrase")
    return getpass(f"passphrase of {named}: ")
