"""The nodes of one YAML document: frozen, with the span of each, nothing resolved."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias, assert_never, final

from lynkrc.source.scalars import Value, resolve_plain
from lynkrc.source.text import Span


class Style(Enum):
    """How a scalar is written."""

    PLAIN = "plain"
    SINGLE = "single-quoted"
    DOUBLE = "double-quoted"
    LITERAL = "literal"
    FOLDED = "folded"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarNode:
    """A scalar: its text after unescaping and folding; the span covers quotes and indicators.

    An entry with nothing after its colon has an empty plain scalar with an empty span.
    """

    text: str
    style: Style
    span: Span = field(compare=False, repr=False)

    @property
    def value(self) -> Value:
        """What the scalar means: a quoted or block scalar is text."""
        return resolve_plain(self.text) if self.style is Style.PLAIN else self.text


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MappingNode:
    """Entries in the order written; keys are text and distinct. `flow` is the ``{...}`` form."""

    entries: tuple[tuple[ScalarNode, "Node"], ...]
    flow: bool
    span: Span = field(compare=False, repr=False)

    def get(self, key: str) -> "Node | None":
        """The value under `key`."""
        return next((value for name, value in self.entries if name.text == key), None)

    def key(self, key: str) -> ScalarNode | None:
        """The node of the key itself."""
        return next((name for name, _ in self.entries if name.text == key), None)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceNode:
    """Items in the order written. `flow` is the ``[...]`` form."""

    items: tuple["Node", ...]
    flow: bool
    span: Span = field(compare=False, repr=False)


Node: TypeAlias = ScalarNode | MappingNode | SequenceNode

Plain: TypeAlias = Value | list["Plain"] | dict[str, "Plain"]
"""What JSON knows."""


def plain(node: Node) -> Plain:
    """The value of a node as JSON knows it."""
    match node:
        case ScalarNode():
            return node.value
        case SequenceNode(items=items):
            return [plain(item) for item in items]
        case MappingNode(entries=entries):
            return {key.text: plain(value) for key, value in entries}
        case _:
            assert_never(node)
