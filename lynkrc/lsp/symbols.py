"""The nodes of a document to its outline: sections, and what is defined in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from lynkrc.lsp.roles import DEFINING_KEYS, DEFINING_VALUES, Kind, role
from lynkrc.lsp.spot import ITEM, Path
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from lynkrc.source.text import Span


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A section or something defined: its name, the whole of it, and what is below."""

    name: str
    kind: Kind | None
    """None for a section."""
    whole: Span
    head: Span
    below: tuple["Symbol", ...] = ()


def outline(root: Node | None) -> tuple[Symbol, ...]:
    """The outline of a document; empty where it is no mapping."""
    if not isinstance(root, MappingNode):
        return ()
    return tuple(_sections(root))


def _sections(root: MappingNode) -> Iterator[Symbol]:
    for key, value in root.entries:
        yield Symbol(
            name=key.text or '""',
            kind=None,
            whole=_join(key.span, value.span),
            head=key.span,
            below=tuple(_defined(value, (key.text,))),
        )


def _defined(node: Node, path: Path) -> Iterator[Symbol]:
    match node:
        case MappingNode(entries=entries):
            for key, value in entries:
                below = (*path, key.text)
                kind = role(DEFINING_KEYS, below)
                if kind is not None:
                    yield Symbol(
                        name=key.text or '""',
                        kind=kind,
                        whole=_join(key.span, value.span),
                        head=key.span,
                    )
                else:
                    yield from _defined(value, below)
        case SequenceNode(items=items):
            for item in items:
                name = item.get("name") if isinstance(item, MappingNode) else None
                if isinstance(name, ScalarNode) and name.text:
                    yield Symbol(
                        name=name.text,
                        kind=role(DEFINING_VALUES, (*path, ITEM, "name")),
                        whole=item.span,
                        head=name.span,
                    )
        case ScalarNode():
            pass


def _join(one: Span, two: Span) -> Span:
    return Span(file=one.file, start=one.start, end=max(one.end, two.end))
