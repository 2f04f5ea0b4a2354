"""``${NAME}`` and ``${NAME:-default}`` in a text to what the environment says.

>>> expand("http://${HOST:-localhost}:8080", {})
'http://localhost:8080'
"""

import re
from collections.abc import Mapping
from typing import final

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@final
class MissingVariable(Exception):
    """The environment lacks `name` (or it is empty) and the text gives no default."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Replace every reference; an empty variable counts as unset. Raises MissingVariable."""

    def value(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        found = environ.get(name) or default
        if found is None:
            raise MissingVariable(name)
        return found

    return _REFERENCE.sub(value, text)
