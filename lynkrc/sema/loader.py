"""How the compiler reads other files: base specs and files of terms, by a loader it is given."""

from dataclasses import dataclass, field
from typing import Protocol, final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BaseFile:
    """A base spec as it is stored, and the path under which findings show it."""

    path: str
    data: bytes = field(repr=False)


class Loader(Protocol):
    """Gives the files a spec names; the only way `sema` learns of other files."""

    def load(self, name: str, from_path: str) -> BaseFile | None:
        """The file `name` as the one at `from_path` refers to it, None where there is none."""
