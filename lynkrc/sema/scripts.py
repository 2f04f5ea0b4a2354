"""Entries in scripts without blanks to the finding that their ``~`` or ``*`` says nothing.

A letter of such a script is a word by itself, so a match that begins and ends with one has its word
edges wherever it stands: ``~`` lifts none. And behind such a letter there is no rest of a word for
a ``*`` to take.
"""

import re
from collections.abc import Iterable

from lynkrc.diagnostics.model import Diagnostic, Edit, Fix
from lynkrc.diagnostics.sema_codes import NEEDLESS_EDGE_SIGN
from lynkrc.sema.merge import Spec
from lynkrc.source.fixes import fix_of
from lynkrc.source.text import Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_edges import IS_ALONE, kinds_at
from lynkrc_runtime.scan.edges import is_alone
from lynkrc_runtime.scan.fold import fold_text

_STAR = re.compile(r"\\.|([^\x00-\x7f])\*", re.DOTALL)


def check_scripts(spec: Spec) -> Iterable[Diagnostic]:
    """Such entries of the document's own lexicons."""
    for one in spec.lexicons:
        if not one.origin:
            for entry in one.item.entries:
                finding = _of(entry.pattern)
                if finding is not None:
                    yield finding


def _of(pattern: Pattern) -> Diagnostic | None:
    if pattern.text.isascii():
        return None
    is_regex = pattern.text.startswith(("/", "~/"))
    kept = pattern.text if is_regex else _STAR.sub(_without_star, pattern.text)
    starred = kept != pattern.text
    if not pattern.bounded and kinds_at(pattern.root, 0) == kinds_at(pattern.root, -1) == IS_ALONE:
        kept = kept[1:]
        message = "`~` lifts no edges here: each letter of this script is a word by itself"
    else:
        message = "`*` takes nothing here: each letter of this script is a word by itself"
    if kept == pattern.text:
        return None
    signs = "`~` and `*`" if starred and pattern.text[0] != kept[0] else message[:3]
    return Diagnostic(
        code=NEEDLESS_EDGE_SIGN,
        message=message,
        span=pattern.span,
        help=f"leave {signs} out: the entry is found inside of sentences all the same",
        fix=_fix(pattern, kept, signs),
    )


def _without_star(found: re.Match[str]) -> str:
    letter = found[1]
    return letter if letter is not None and is_alone(ord(fold_text(letter))) else found[0]


def _fix(pattern: Pattern, kept: str, signs: str) -> Fix | None:
    """The fix that writes the entry so; None where the file spells it otherwise."""
    span = pattern.span
    if span.file.path.endswith(".tsv"):
        return None
    quotes = 0 if span.text == pattern.text else 1
    if span.text[quotes : len(span.text) - quotes] != pattern.text:
        return None
    start = span.start + quotes
    place = Span(file=span.file, start=start, end=start + len(pattern.text))
    return fix_of(Edit(span=place, text=kept), f"leave {signs} out", safe=True)
