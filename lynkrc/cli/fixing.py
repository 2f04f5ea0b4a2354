"""A spec with findings to one with their fixes made, and what is found in that."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from lynkrc.pipeline import Checked
from lynkrc.source.decode_text import decode_source
from lynkrc.source.edits import apply_edits, select_fixes

_ROUNDS = 50
_MARK = b"\xef\xbb\xbf"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """The bytes after `count` fixes, and what is found in them."""

    data: bytes
    count: int
    checked: Checked


def fix_all(path: str, data: bytes, check: Callable[[bytes], Checked], *, unsafe: bool) -> Fixed:
    """Make fixes and check again until there is none left to make (50 times at most).

    `path` is what findings call the file; only fixes of that file are made.
    """
    mark = _MARK if data.startswith(_MARK) else b""
    checked = check(data)
    count = 0
    for _ in range(_ROUNDS):
        file, _ = decode_source(path, data)
        fixes = select_fixes(checked.diagnostics, file, unsafe=unsafe)
        if not fixes:
            break
        edits = [edit for fix in fixes for edit in fix.edits]
        data = mark + apply_edits(file.text, edits).encode()
        checked = check(data)
        count += len(fixes)
    return Fixed(data=data, count=count, checked=checked)
