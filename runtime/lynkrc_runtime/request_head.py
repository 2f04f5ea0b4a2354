"""A request's headers to the bytes of its head, which nobody can read as another's.

>>> head("POST / HTTP/1.1", {"host": "h", "x-thing": "a"})
b'POST / HTTP/1.1\\r\\nhost: h\\r\\nx-thing: a\\r\\n\\r\\n'
"""

import re
from collections.abc import Mapping
from functools import lru_cache

_NAMES = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What header names are made of."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What no line of a head may hold: it would end there, for some reader of it."""


def head(line: str, fields: Mapping[str, str]) -> bytes:
    """A head. Raises ValueError for what would be read as another line, or another name."""
    # One look at all of them: most of what a look costs is its call.
    said = line + "".join(fields.values())
    # Nearly always that settles it; some of what cannot be printed may be said (tabs).
    if not said.isprintable() and _CONTROL.search(said) is not None:
        raise ValueError("a header, or the address, holds a control character")
    if not _are_names(tuple(fields)):
        raise ValueError("what a header is called is no name")
    lines = "".join([f"{name}: {value}\r\n" for name, value in fields.items()])
    return f"{line}\r\n{lines}\r\n".encode()


@lru_cache(maxsize=256)
def _are_names(names: tuple[str, ...]) -> bool:
    """Whether headers may be called so; the same names come again and again."""
    return "" not in names and _NAMES.fullmatch("".join(names)) is not None
