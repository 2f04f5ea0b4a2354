"""The environment, and a folder of secrets beside it, to one place where references are looked up.

systemd (`LoadCredential=`), Docker and Kubernetes hand secrets over as files. The variable
`CREDENTIALS_DIRECTORY` names their folder, as systemd has it: ``${NAME}`` that the environment
lacks is the text of the file NAME in it. A file is read when it is asked for, so a reload finds
what is there by then, and no secret is handed on to a worker, which reads for itself.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, final

FOLDER: Final = "CREDENTIALS_DIRECTORY"
"""The variable that names the folder."""
LARGEST: Final = 64 * 1024
"""Bytes a secret may have."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@final
class UnusableCredentials(Exception):
    """Why the folder, or a file in it, cannot be used; fit to print, without a secret."""


@final
class Environment(Mapping[str, str]):
    """What `environ` says, and for names it lacks (or has empty) the files of the folder.

    Iterating tells the variables alone: what a process hands on to another is no secret of a file.
    """

    __slots__ = ("_environ", "_folder")

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ, self._folder = environ, folder

    def __getitem__(self, name: str) -> str:
        if value := self._environ.get(name):
            return value
        if _NAME.fullmatch(name) and (path := self._folder / name).is_file():
            try:
                return _secret(path)
            except UnusableCredentials:
                # It was good at the start. Now it counts as unset, which is told by its name.
                raise KeyError(name) from None
        return self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def environment(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Where references are looked up. Raises UnusableCredentials, naming each file that is no text.

    Without `CREDENTIALS_DIRECTORY` it is `environ` itself.

    >>> environment({"HOME": "/root"})
    {'HOME': '/root'}
    """
    named = environ.get(FOLDER)
    if not named:
        return environ
    folder = Path(named)
    try:
        files = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    except OSError as error:
        raise UnusableCredentials(f"{FOLDER} {folder}: {error.strerror or error}") from error
    faults = []
    for path in files:
        if path.is_file():
            try:
                _secret(path)
            except UnusableCredentials as fault:
                faults.append(str(fault))
    if faults:
        raise UnusableCredentials("\n".join(faults))
    return Environment(environ, folder)


def lacking_note(problem: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """What to add to a problem that names a variable where it might be a file of the folder.

    >>> lacking_note("key a: environment variable A is not set", {})
    ()
    """
    if "environment variable " not in problem or not environ.get(FOLDER):
        return ()
    return (
        f"a variable that is not set is the file of its name in {environ[FOLDER]} "
        f"({FOLDER}): it is missing there too, or empty",
    )


def _secret(path: Path) -> str:
    """The file's text without the line's end that editors and `echo` put there."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UnusableCredentials(f"{FOLDER}: {path.name}: {error.strerror or error}") from error
    if len(data) > LARGEST:
        raise UnusableCredentials(f"{FOLDER}: {path.name} has more than {LARGEST} bytes")
    try:
        text = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise UnusableCredentials(f"{FOLDER}: {path.name} is not UTF-8") from None
    if "\0" in text:
        raise UnusableCredentials(f"{FOLDER}: {path.name} holds a NUL")
    return text
