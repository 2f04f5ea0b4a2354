"""A wrong name in an expression to the fix that writes the right one."""

from collections.abc import Iterable

from lynkrc.diagnostics.model import Fix
from lynkrc.diagnostics.suggest import closest
from lynkrc.diagnostics.wording import shown
from lynkrc.source.fixes import fix_of, is_same_name
from lynkrc.source.parts import naming
from lynkrc.source.text import Span


def nearest(span: Span, word: str, choices: Iterable[str]) -> Fix | None:
    """Write the nearest of the right names; None where none is near."""
    near = closest(word, choices)
    edit = None if near is None else naming(span, near)
    if near is None or edit is None:
        return None
    return fix_of(edit, f"write {shown(near)}", safe=is_same_name(word, near))


def in_quotes(span: Span, name: str, known: Iterable[str]) -> Fix | None:
    """Quote a name with hyphens; None where there is no such name."""
    edit = naming(span, name) if name in known else None
    return None if edit is None else fix_of(edit, "quote the name", safe=True)
