"""A document to the edits that give it its canonical form."""

from lynkrc.diagnostics.model import Edit
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.fmt import format_spec


def format_edits(file: SourceFile) -> list[Edit]:
    """One edit of the lines that change; none where the form is right or there are errors."""
    wanted, _ = format_spec(file)
    if wanted is None or wanted == file.text:
        return []
    return [_change(file, wanted)]


def _change(file: SourceFile, wanted: str) -> Edit:
    """The lines between the first and the last that differ, so that the cursor stays."""
    old, new = file.text.splitlines(keepends=True), wanted.splitlines(keepends=True)
    most = min(len(old), len(new))
    head = next((i for i in range(most) if old[i] != new[i]), most)
    tail = next((i for i in range(most - head) if old[-1 - i] != new[-1 - i]), most - head)
    start = sum(map(len, old[:head]))
    end = len(file.text) - sum(map(len, old[len(old) - tail :]))
    text = "".join(new[head : len(new) - tail])
    return Edit(span=Span(file=file, start=start, end=end), text=text)
