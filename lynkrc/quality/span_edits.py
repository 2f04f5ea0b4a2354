"""Places of a block document to edits that go together: entries removed, lines inserted.

What is not edited stays byte for byte. Several insertions at one place stand in the order given,
before what replaces or follows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

from lynkrc.diagnostics.model import Edit
from lynkrc.source.additions import written_end
from lynkrc.source.edits import apply_edits
from lynkrc.source.nodes import Node, ScalarNode
from lynkrc.source.text import SourceFile, Span


@final
@dataclass(slots=True, kw_only=True)
class SpanEdits:
    """Edits of one file, as they come."""

    file: SourceFile
    _inserted: dict[int, list[str]] = field(default_factory=dict)
    _replaced: dict[int, tuple[int, str]] = field(default_factory=dict)

    def replace(self, start: int, end: int, text: str) -> None:
        """Put `text` in the place of what stands there."""
        self._replaced[start] = end, text

    def insert(self, at: int, text: str) -> None:
        """Put `text` before what stands there."""
        self._inserted.setdefault(at, []).append(text)

    def insert_lines(self, at: int, lines: Sequence[str]) -> None:
        """Put whole lines where a line begins, or behind the last one."""
        if not lines:
            return
        end = self.line_end
        text = "".join(f"{line}{end}" for line in lines)
        is_open = at == len(self.file.text) and not self.file.text.endswith("\n")
        self.insert(at, end + text.removesuffix(end) if is_open else text)

    def remove_entry(self, key: ScalarNode, value: Node) -> None:
        """Remove an entry of a block mapping, with the comments right above it."""
        self.replace(self.lead_of(key), self.after(key, value), "")

    def lead_of(self, key: ScalarNode) -> int:
        """Where the comment lines begin that stand right above an entry, of its indentation."""
        text = self.file.text
        start = text.rfind("\n", 0, key.span.start) + 1
        comment = text[start : key.span.start] + "#"
        while start > 0:
            above = text.rfind("\n", 0, start - 1) + 1
            if not text.startswith(comment, above):
                break
            start = above
        return start

    def after(self, key: ScalarNode, value: Node) -> int:
        """Where the line begins that follows an entry."""
        return self.next_line(max(written_end(value), key.span.end))

    def next_line(self, at: int) -> int:
        """Where the line begins that follows the one of a place; the end of the text behind it."""
        found = self.file.text.find("\n", at)
        return len(self.file.text) if found < 0 else found + 1

    def indent_of(self, key: ScalarNode) -> int:
        """The blanks before a key."""
        return key.span.start - (self.file.text.rfind("\n", 0, key.span.start) + 1)

    @property
    def line_end(self) -> str:
        """The file's own."""
        return "\r\n" if "\r\n" in self.file.text else "\n"

    def applied(self) -> str:
        """The text with every edit made. ValueError where two overlap."""
        edits = []
        for at in {*self._inserted, *self._replaced}:
            end, text = self._replaced.get(at, (at, ""))
            span = Span(file=self.file, start=at, end=end)
            edits.append(Edit(span=span, text="".join(self._inserted.get(at, ())) + text))
        return apply_edits(self.file.text, edits)
