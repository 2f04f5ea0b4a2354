"""A request's headers to the bytes of its head, which nobody can read as another's.

>>> head("POST / HTTP/1.1", {"host": "h", "x-thing": "a"})
b'POST / HTTP/1.1\\r\\nhost: h\\r\\nx-thing: a\\r\\n\\r\\n'
"""

import re
from collections.abc import Mapping
from functools import lru_cache

_NAMES = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What header names are made of."""
_CONTROL = bytes((*range(0x09), *range(0x0A, 0x20), 0x7F))
"""What no line of a head may hold: it would end there, for some reader of it."""
_line_of = ": ".join
"""A name and a value to their line."""


def head(line: str, fields: Mapping[str, str]) -> bytes:
    """A head. Raises ValueError for what would be read as another line, or another name."""
    said = "\r\n".join((line, *map(_line_of, fields.items()), "\r\n")).encode()
    # What stands between the lines is all there may be; seen in one look at all of them.
    if len(said) - len(said.translate(None, _CONTROL)) != 2 * (len(fields) + 2):
        raise ValueError("a header, or the address, holds a control character")
    if not _are_names(tuple(fields)):
        raise ValueError("what a header is called is no name")
    return said


@lru_cache(maxsize=256)
def _are_names(names: tuple[str, ...]) -> bool:
    """Whether headers may be called so; the same names come again and again."""
    return "" not in names and _NAMES.fullmatch("".join(names)) is not None
