"""A place in a document to the entry, item or scalar there, and to edits of it.

Phases after the reader hold spans, not nodes; a fix that removes or quotes something needs to know
what stands around it. The nodes are read again, once a file: findings are few.

>>> file = SourceFile(path="routing.yaml", text="chain: [small, mid, small]\\n")
>>> edit = removal(Span(file=file, start=20, end=25))
>>> edit.span.text, edit.text
(', small', '')
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, final

from lynkrc.diagnostics.model import Edit
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode, Style
from lynkrc.source.quoting import quote
from lynkrc.source.text import SourceFile, Span
from lynkrc.source.yaml_nodes import read_nodes

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """An entry from its key, or an item from its value, to the end."""

    start: int
    end: int
    is_item: bool
    is_flow: bool
    siblings: "list[_Part]"
    owner: "_Part | None"
    """The part whose value it stands in."""


class _Index(NamedTuple):
    parts: dict[int, _Part]
    """By start; of several that start together the innermost."""
    keys: dict[int, Span]
    """The keys of entries by where their values start."""
    scalars: list[ScalarNode]
    """In the order of the text."""


def removal(at: Span) -> Edit | None:
    """Remove the entry whose key, or the item whose value, begins at a span.

    An entry that would leave its mapping empty goes with the entry that holds that mapping. None
    where no such part is written, or a comment would be lost inside of a flow collection.
    """
    part = _index(at.file).parts.get(at.start)
    while part is not None and len(part.siblings) == 1:
        part = part.owner
    if part is None:
        return None
    index = part.siblings.index(part)
    following = part.siblings[index + 1] if index + 1 < len(part.siblings) else None
    text = at.file.text
    if part.is_flow:
        if following is not None:
            start, end = part.start, following.start
        else:
            start, end = part.siblings[index - 1].end, part.end
        between = text[start : part.start] + text[part.end : end]
        return None if "#" in between else _cut(at.file, start, end)
    line = text.rfind("\n", 0, part.start) + 1
    before = text[line : part.start]
    if before.strip(" -"):
        return None
    if before.count("-") > part.is_item:
        # A dash before it is not its own: it stays, for what follows.
        return None if following is None else _cut(at.file, part.start, following.start)
    end = text.find("\n", part.end)
    return _cut(at.file, line, len(text) if end < 0 else end + 1)


def entry_of(value: Span) -> Span:
    """The key of the entry whose value begins at a span; the span itself where there is none."""
    return _index(value.file).keys.get(value.start, value)


def naming(span: Span, name: str) -> Edit | None:
    """Write `name` in the place of a part of an expression, in quotes where it needs them.

    None where no scalar holds the span.
    """
    node = _scalar_holding(span)
    if node is None:
        return None
    if _IDENTIFIER.fullmatch(name):
        return Edit(span=span, text=name)
    if node.style is not Style.PLAIN:
        return Edit(span=span, text=f"'{name}'" if node.style is Style.DOUBLE else f'"{name}"')
    if span.start > node.span.start:
        return Edit(span=span, text=f'"{name}"')
    if "\n" in node.span.text:
        return None
    # A plain scalar cannot begin with a quote.
    rest = node.span.text[span.end - span.start :]
    return Edit(span=node.span, text=quote(f'"{name}"{rest}'))


def _scalar_holding(span: Span) -> ScalarNode | None:
    scalars = _index(span.file).scalars
    at = bisect_right(scalars, span.start, key=lambda node: node.span.start)
    found = scalars[at - 1] if at else None
    return found if found is not None and span.end <= found.span.end else None


def _cut(file: SourceFile, start: int, end: int) -> Edit:
    return Edit(span=Span(file=file, start=start, end=end), text="")


@lru_cache(maxsize=4)
def _index(file: SourceFile) -> _Index:
    index = _Index({}, {}, [])
    root, _ = read_nodes(file)
    if root is not None:
        _collect(root, None, index)
        index.scalars.sort(key=lambda node: node.span.start)
    return index


def _collect(node: Node, owner: _Part | None, index: _Index) -> None:
    parts: list[tuple[int, ScalarNode | None, Node]] = []
    match node:
        case ScalarNode():
            index.scalars.append(node)
            return
        case MappingNode(entries=entries):
            parts.extend((key.span.start, key, value) for key, value in entries)
        case SequenceNode(items=items):
            parts.extend((item.span.start, None, item) for item in items)
    siblings: list[_Part] = []
    made: list[tuple[_Part, Node]] = []
    for start, key, value in parts:
        part = _Part(
            start=start,
            end=max(value.span.end, start),
            is_item=key is None,
            is_flow=node.flow,
            siblings=siblings,
            owner=owner,
        )
        siblings.append(part)
        made.append((part, value))
        index.parts[start] = part
        if key is not None:
            index.scalars.append(key)
            index.keys[value.span.start] = key.span
    for part, value in made:
        _collect(value, part, index)
