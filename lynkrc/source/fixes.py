"""What mends a finding: one replacement, or the right name in the place of a wrong one.

>>> from lynkrc.source.text import SourceFile, Span
>>> file = SourceFile(path="routing.yaml", text="Tiers: []\\n")
>>> fix = rename(Span(file=file, start=0, end=5), "Tiers", ["tiers", "targets"])
>>> fix.message, fix.applicability.value
('write `tiers`', 'safe')
"""

from collections.abc import Iterable

from lynkrc.diagnostics.model import Applicability, Edit, Fix
from lynkrc.diagnostics.suggest import closest
from lynkrc.diagnostics.wording import shown
from lynkrc.source.quoting import is_plain, quote
from lynkrc.source.text import Span


def replacing(span: Span, text: str, message: str, *, safe: bool) -> Fix:
    """The fix that puts `text` in the place of `span`."""
    return fix_of(Edit(span=span, text=text), message, safe=safe)


def fix_of(edit: Edit, message: str, *, safe: bool) -> Fix:
    """The fix of one edit."""
    applicability = Applicability.SAFE if safe else Applicability.UNSAFE
    return Fix(message=message, applicability=applicability, edits=(edit,))


def rename(span: Span, word: str, choices: Iterable[str]) -> Fix | None:
    """The nearest of the right names in the place of a scalar; None where none is near."""
    near = closest(word, choices)
    if near is None:
        return None
    text = near if is_plain(near, flow=True) else quote(near)
    return replacing(span, text, f"write {shown(near)}", safe=is_same_name(word, near))


def is_same_name(word: str, other: str) -> bool:
    """Whether two names differ in nothing but case, hyphens and underscores."""
    return _folded(word) == _folded(other)


def _folded(word: str) -> str:
    return word.casefold().replace("-", "").replace("_", "")
