"""Entries in scripts without blanks to the finding that their ``~`` or ``*`` says nothing.

A letter of such a script is a word by itself, so a match that begins and ends with one has its word
edges wherever it stands: ``~`` lifts none. And behind such a letter there is no rest of a word for
a ``*`` to take.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from lynkrc.diagnostics.model import Diagnostic, Edit, Fix
from lynkrc.diagnostics.sema_codes import NEEDLESS_EDGE_SIGN
from lynkrc.diagnostics.wording import shown
from lynkrc.sema.merge import Spec
from lynkrc.source.fixes import fix_of
from lynkrc.source.text import Span
from lynkrc.syntax.config import LexiconEntry
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_edges import IS_ALONE, kinds_at
from lynkrc_runtime.scan.edges import is_alone
from lynkrc_runtime.scan.fold import fold_text

_STAR = re.compile(r"\\.|([^\x00-\x7f])\*", re.DOTALL)


def check_scripts(spec: Spec) -> Iterable[Diagnostic]:
    """Such entries of the document's own lexicons."""
    for one in spec.lexicons:
        if not one.origin:
            yield from _of(one.item.entries)


def _of(entries: Sequence[LexiconEntry]) -> Iterable[Diagnostic]:
    kept = [_kept(entry.pattern) for entry in entries]
    times = Counter(kept)
    for entry, text in zip(entries, kept, strict=True):
        if text != entry.pattern.text:
            # No key stands twice, so of entries with weights one is to be removed by hand.
            yield _finding(entry.pattern, text, twice=entry.weighted and times[text] > 1)


def _kept(pattern: Pattern) -> str:
    """The entry's text without what says nothing."""
    text = pattern.text
    if text.isascii():
        return text
    kept = text if text.startswith(("/", "~/")) else _STAR.sub(_without_star, text)
    if not pattern.bounded and kinds_at(pattern.root, 0) == kinds_at(pattern.root, -1) == IS_ALONE:
        kept = kept[1:]
    return kept


def _finding(pattern: Pattern, kept: str, *, twice: bool) -> Diagnostic:
    lifted = pattern.text[0] != kept[0]
    starred = len(pattern.text) - len(kept) > lifted
    signs = "`~` and `*`" if lifted and starred else "`~`" if lifted else "`*`"
    says = "`~` lifts no edges" if lifted else "`*` takes nothing"
    help_ = f"leave {signs} out: the entry is found inside of sentences all the same"
    if twice:
        help_ = f"remove one of the two entries: without {signs} this is {shown(kept)}, as another"
    return Diagnostic(
        code=NEEDLESS_EDGE_SIGN,
        message=f"{says} here: each letter of this script is a word by itself",
        span=pattern.span,
        help=help_,
        fix=None if twice else _fix(pattern, kept, signs),
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
