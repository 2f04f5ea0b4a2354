"""Edits of a text to the text they make, and many fixes to some that go together.

>>> from lynkrc.source.text import SourceFile, Span
>>> file = SourceFile(path="routing.yaml", text="tires: []\\n")
>>> edit = Edit(span=Span(file=file, start=0, end=5), text="tiers")
>>> apply_edits(file.text, [edit])
'tiers: []\\n'
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from lynkrc.diagnostics.model import Applicability, Diagnostic, Edit, Fix, in_order
from lynkrc.source.text import SourceFile


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """`text` with every edit made.

    ValueError where two edits overlap or begin at one place, or one reaches beyond the text.
    """
    ordered = sorted(edits, key=_extent)
    if not _are_apart(ordered):
        raise ValueError("edits overlap")
    if any(not 0 <= edit.span.start <= edit.span.end <= len(text) for edit in ordered):
        raise ValueError("an edit reaches beyond the text")
    parts: list[str] = []
    done = 0
    for edit in ordered:
        parts += [text[done : edit.span.start], edit.text]
        done = edit.span.end
    return "".join([*parts, text[done:]])


def select_fixes(
    findings: Iterable[Diagnostic], file: SourceFile, *, unsafe: bool
) -> tuple[Fix, ...]:
    """Fixes of `file` that can be made together, in the order of the findings.

    Of fixes that get in each other's way the first is taken; the others can be asked for again
    when it has been made. `unsafe` also takes those that are a guess.
    """
    chosen: list[Fix] = []
    edits: list[Edit] = []
    for finding in in_order(findings):
        fix = finding.fix
        if fix is None or (fix.applicability is Applicability.UNSAFE and not unsafe):
            continue
        if any(edit.span.file != file for edit in fix.edits):
            continue
        together = sorted([*edits, *fix.edits], key=_extent)
        if _are_apart(together):
            chosen.append(fix)
            edits = together
    return tuple(chosen)


def _extent(edit: Edit) -> tuple[int, int]:
    return edit.span.start, edit.span.end


def _are_apart(ordered: Sequence[Edit]) -> bool:
    """Whether no edit begins before the one before it ends, or where that began."""
    return all(
        one.span.end <= two.span.start and one.span.start < two.span.start
        for one, two in pairwise(ordered)
    )
