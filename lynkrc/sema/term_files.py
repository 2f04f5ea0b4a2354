"""Lexicons that name a file of terms to lexicons with its entries."""

from dataclasses import replace

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.sema_codes import UNKNOWN_FILE
from lynkrc.diagnostics.wording import shown
from lynkrc.sema.loader import Loader
from lynkrc.syntax.config import Lexicon
from lynkrc.syntax.terms import read_terms


def with_terms(
    lexicon: Lexicon, loader: Loader, from_path: str
) -> tuple[Lexicon, list[Diagnostic]]:
    """The lexicon with the entries of its file, which the spec at `from_path` names."""
    if lexicon.file is None:
        return lexicon, []
    file = loader.load(lexicon.file.value, from_path)
    if file is None:
        missing = Diagnostic(
            code=UNKNOWN_FILE,
            message=f"there is no file {shown(lexicon.file.value)}",
            span=lexicon.file.span,
            help="name a file relative to this one, a pattern and its weight on each line",
        )
        return lexicon, [missing]
    entries, findings = read_terms(file.path, file.data)
    return replace(lexicon, entries=entries), findings
