"""Nodes and the text between them to pieces: entries and items with the comments that are theirs.

PyYAML drops comments, so they are found here: whatever begins with a ``#`` outside of scalars. A
comment on a line of its own belongs to what follows; indented like the entries of a mapping or
list that has just ended, it stays at the end of that. Behind something it belongs to that.

>>> from lynkrc.source.text import SourceFile
>>> from lynkrc.source.yaml_nodes import read_nodes
>>> text = "# one\\na:  # two\\n  - 1 # three\\n  # four\\n# five\\nb: 2\\n"
>>> file = SourceFile(path="x", text=text)
>>> root = take_apart(file, read_nodes(file)[0])
>>> a, b = root.children
>>> a.lead, a.head, a.children[0].tail, a.foot, b.lead
(['# one'], ['# two'], ['# three'], ['# four'], ['# five'])
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, final

from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode, Style
from lynkrc.source.text import SourceFile

_COMMENT = re.compile(r"#[^\r\n]*")
_HEADER_COMMENT = re.compile(r"[|>][^\r\n#]*(#[^\r\n]*)")


@final
@dataclass(slots=True, kw_only=True, eq=False)
class Piece:
    """An entry or an item. Comments are whole, ``#`` included; ``""`` is a blank line."""

    parent: "Piece | None"
    key: ScalarNode | None
    value: Node
    start: int
    """The offset of the key, of the item's `-`, or of a flow item's value."""
    column: int
    children: list["Piece"] = field(default_factory=list)
    lead: list[str] = field(default_factory=list)
    """Lines above it."""
    head: list[str] = field(default_factory=list)
    """Comments behind the key, before the value is over."""
    tail: list[str] = field(default_factory=list)
    """Comments behind the value."""
    foot: list[str] = field(default_factory=list)
    """Lines after the last child, inside the value."""

    @property
    def is_flow(self) -> bool:
        """Whether the value is written ``[...]`` or ``{...}``."""
        return not isinstance(self.value, ScalarNode) and self.value.flow


class _At(Enum):
    START = 1
    KEY = 2
    END = 3


class _Event(NamedTuple):
    offset: int
    at: _At
    piece: Piece


def take_apart(file: SourceFile, root: Node) -> Piece:
    """The pieces of a document; the root is a piece without a key."""
    comments = list(_comments(file.text, root))
    masked = _without(file.text, comments)
    whole = Piece(parent=None, key=None, value=root, start=root.span.start, column=-1)
    events = list(_walk(whole, masked))
    _Attacher(file, masked, whole, events).run(comments)
    return whole


def all_comments(file: SourceFile, root: Node) -> list[str]:
    """The texts of all comments, sorted."""
    between = [text for _, text in _comments(file.text, root)]
    headers = [text for scalar in _scalars(root) for text in _header_comment(scalar)]
    return sorted(text.rstrip() for text in (*between, *headers))


def _without(text: str, comments: Iterable[tuple[int, str]]) -> str:
    """The text with blanks in the place of its comments."""
    parts: list[str] = []
    done = 0
    for start, comment in comments:
        parts += [text[done:start], " " * len(comment)]
        done = start + len(comment)
    return "".join([*parts, text[done:]])


def _scalars(node: Node) -> Iterator[ScalarNode]:
    match node:
        case ScalarNode():
            yield node
        case SequenceNode(items=items):
            for item in items:
                yield from _scalars(item)
        case MappingNode(entries=entries):
            for key, value in entries:
                yield key
                yield from _scalars(value)


def _comments(text: str, root: Node) -> Iterator[tuple[int, str]]:
    """Offset and text of each comment between scalars."""
    position = 0
    ends = [(scalar.span.start, scalar.span.end) for scalar in _scalars(root)]
    for start, end in [*ends, (len(text), len(text))]:
        while (found := _COMMENT.search(text, position, start)) is not None:
            yield found.start(), found.group()
            position = found.end()
        position = max(position, end)


def _header_comment(scalar: ScalarNode) -> list[str]:
    """The comment behind the ``|`` or ``>`` of a block scalar."""
    if scalar.style not in (Style.LITERAL, Style.FOLDED):
        return []
    found = _HEADER_COMMENT.match(scalar.span.text)
    return [] if found is None else [found.group(1).rstrip()]


def _walk(parent: Piece, masked: str) -> Iterator[_Event]:
    """The children of a piece, with the places where they begin and end."""
    parts: list[tuple[ScalarNode | None, Node]]
    match parent.value:
        case ScalarNode():
            return
        case MappingNode(entries=entries):
            parts = list(entries)
        case SequenceNode(items=items):
            parts = [(None, item) for item in items]
    for key, value in parts:
        start = value.span.start if key is None else key.span.start
        if key is None and not parent.is_flow:
            start = masked.rfind("-", 0, max(start, 1))
        column = start - masked.rfind("\n", 0, start) - 1
        piece = Piece(parent=parent, key=key, value=value, start=start, column=column)
        parent.children.append(piece)
        yield _Event(start, _At.START, piece)
        if key is not None:
            yield _Event(key.span.end, _At.KEY, piece)
        if isinstance(value, ScalarNode):
            piece.head += _header_comment(value)
        yield from _walk(piece, masked)
        yield _Event(max(value.span.end, start), _At.END, piece)


class _Attacher:
    """Gives each comment to a piece, in the order of the text."""

    def __init__(self, file: SourceFile, masked: str, whole: Piece, events: list[_Event]) -> None:
        self._file = file
        self._masked = masked
        self._whole = whole
        self._events = events
        self._begun = 0
        """How many events have been passed."""
        self._lines: set[int] = set()

    def run(self, comments: list[tuple[int, str]]) -> None:
        offsets = [event.offset for event in self._events]
        for start, text in comments:
            count = bisect_right(offsets, start)
            self._pass(count)
            self._attach(start, text.rstrip(), count)
        self._pass(len(self._events))

    def _pass(self, count: int) -> None:
        """Note the blank line above each piece that begins before event `count`."""
        for event in self._events[self._begun : count]:
            if event.at is _At.START:
                event.piece.lead += self._blank_above(event.offset)
        self._begun = max(self._begun, count)

    def _blank_above(self, offset: int) -> list[str]:
        """``[""]`` where a blank line stands above the first thing on the line of `offset`."""
        line = self._file.position(offset)[0]
        if line in self._lines:
            return []
        self._lines.add(line)
        return [""] if line > 1 and not self._file.line(line - 1).strip() else []

    def _attach(self, start: int, text: str, count: int) -> None:
        last = self._events[count - 1] if count else None
        following = self._events[count] if count < len(self._events) else None
        if last is None:
            self._own(start, text, self._whole.foot if following is None else following.piece.lead)
            return
        gap = self._masked[last.offset : start]
        opened = "[" in gap or "{" in gap
        on_line = gap.rpartition("\n")[2].strip()
        behind = "\n" not in gap or not set(on_line) <= set("-?.")
        match last.at:
            case _At.START if not opened:
                last.piece.lead.append(text)
            case _At.START | _At.KEY if behind:
                last.piece.head.append(text)
            case _At.END if behind:
                self._innermost(count - 1).tail.append(text)
            case _At.KEY if not opened and (
                isinstance(last.piece.value, ScalarNode) or last.piece.is_flow
            ):
                last.piece.lead.append(text)
            case _At.START | _At.KEY:
                self._own(start, text, self._inside(following))
            case _At.END:
                self._own(start, text, self._after(start, count, following))

    def _own(self, start: int, text: str, lines: list[str]) -> None:
        """Add a comment that has a line of its own, and the blank line above."""
        lines += [*self._blank_above(start), text]

    def _innermost(self, index: int) -> Piece:
        """Of the pieces that end at the place of an event, the innermost."""
        end = self._events[index].offset
        while (
            index > 0
            and self._events[index - 1].at is _At.END
            and self._events[index - 1].offset == end
        ):
            index -= 1
        return self._events[index].piece

    def _inside(self, following: _Event | None) -> list[str]:
        """The lines a comment belongs to that stands in a collection before `following`."""
        assert following is not None, "a collection ends after its comments"
        return following.piece.lead if following.at is _At.START else following.piece.foot

    def _after(self, start: int, count: int, following: _Event | None) -> list[str]:
        """The lines a comment belongs to that comes after the end of something."""
        if following is not None and following.at is not _At.START:
            return self._inside(following)
        column = start - self._masked.rfind("\n", 0, start) - 1
        first = count
        while first > 0 and self._events[first - 1].at is _At.END:
            first -= 1
        # The last that has ended stands beside what follows, the ones before it further in.
        for _, _, ended in self._events[first : count - 1]:
            parent = ended.parent
            assert parent is not None, "the root is no event"
            # A list may stand in the column of its key; then only deeper comments are its own.
            least = ended.column + (ended.column == parent.column)
            if not parent.is_flow and column >= least:
                return parent.foot
        return self._whole.foot if following is None else following.piece.lead
