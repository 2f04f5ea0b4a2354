"""This program to one digest: two runs with the same digest compile the same sources the same."""

import hashlib
import os
import sys
from functools import cache
from pathlib import Path

import lynkrc
import lynkrc_runtime

_OTHERS = ("jinja2", "jsonschema", "lark", "msgspec", "pyyaml", "z3-solver")
"""What of others takes part in compiling and proving."""


@cache
def program_digest() -> str:
    """Of every file of the compiler and the runtime, Python, and the versions of the others; once,
    as what runs was read once.

    OSError where one cannot be read.
    """
    # Imported here: it brings the reading of mails, for which nothing else waits.
    from importlib.metadata import version

    digest = hashlib.sha256()
    for said in (sys.version, *(f"{name} {version(name)}" for name in _OTHERS)):
        digest.update(said.encode() + b"\0")
    for package in (lynkrc, lynkrc_runtime):
        _add_files(digest, Path(package.__path__[0]))
    return digest.hexdigest()


def _add_files(digest: "hashlib._Hash", package: Path) -> None:
    for folder, folders, files in os.walk(package, onerror=_fail):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(files):
            path = Path(folder, name)
            data = path.read_bytes()
            digest.update(f"{path.relative_to(package)}\0{len(data)}\0".encode())
            digest.update(data)


def _fail(problem: OSError) -> None:
    raise problem
