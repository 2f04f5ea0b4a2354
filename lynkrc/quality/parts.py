"""A value with ``{"$file": ...}`` in it to the same value with those files' JSON in their places.

What many requests share (the prompt of a client, its tools, a long log) is stored once. A part is
taken as it is: a ``$file`` inside one stands for nothing.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from lynkrc.diagnostics.wording import shown
from lynkrc.quality.strict_json import NotStrict, loads

FILE = "$file"
"""The one member of an object that stands for a part."""


@final
class BadPart(Exception):
    """A part that cannot stand where it is wanted: what is wrong, and a way out."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


@final
@dataclass(frozen=True, slots=True)
class Parts:
    """The parts below the folder of one data file; each is read once."""

    folder: Path
    known: dict[str, Any] = field(default_factory=dict)

    def filled(self, value: Any) -> Any:
        """The value with its parts. BadPart for the first that is not to be had."""
        match value:
            case dict() if FILE in value:
                return self._part(value)
            case dict():
                return {name: self.filled(member) for name, member in value.items()}
            case list():
                return [self.filled(item) for item in value]
            case _:
                return value

    def _part(self, value: dict[str, Any]) -> Any:
        name = value[FILE]
        if len(value) > 1 or not isinstance(name, str):
            raise BadPart(
                f'an object with "{FILE}" has other members, or its value is no string',
                f'write {{"{FILE}": "parts/name.json"}}, or put the whole object into a file',
            )
        if name not in self.known:
            self.known[name] = self._read(name)
        return self.known[name]

    def _read(self, name: str) -> Any:
        whole = self.folder.resolve()
        path = (whole / name).resolve() if "\0" not in name else whole
        if not path.is_relative_to(whole) or path == whole:
            raise BadPart(
                f"the part {shown(name)} is not below the folder of the data file",
                "name it relative to the data file, without `..`",
            )
        try:
            return loads(path.read_bytes())
        except OSError as error:
            raise BadPart(
                f"the part {shown(name)} cannot be read: {error.strerror}",
                "name a file beside or below the data file",
            ) from None
        except NotStrict as error:
            raise BadPart(f"the part {shown(name)} is not JSON: {error}", error.help) from None


__all__ = ["FILE", "BadPart", "Parts"]
