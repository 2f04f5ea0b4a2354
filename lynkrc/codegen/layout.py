"""Pieces of an expression to lines of Python that fit the page, broken before operators.

>>> piece = Chain(first=Leaf(text="a"), rest=(("and", Leaf(text="b")),))
>>> statement("if ", piece, ":", indent=4)
['if a and b:']
"""

from dataclasses import dataclass
from typing import TypeAlias, assert_never, final

from lynkrc.codegen.names import WIDTH


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """Text that stays on one line."""

    text: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Operands joined by operators; a line may end before each operator.

    String literals joined by the empty operator are one string.
    """

    first: "Piece"
    rest: tuple[tuple[str, "Piece"], ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bracketed:
    """Comma-separated pieces between ``name(`` and ``)``; plain brackets have no name.

    A `is_tuple` keeps its comma where it has one piece only.
    """

    name: str = ""
    pieces: tuple["Piece", ...]
    is_tuple: bool = False


Piece: TypeAlias = Leaf | Chain | Bracketed


def flat(piece: Piece) -> str:
    """The piece on one line."""
    match piece:
        case Leaf(text=text):
            return text
        case Chain(first=first, rest=rest):
            return " ".join([flat(first), *(_after(op, flat(operand)) for op, operand in rest)])
        case Bracketed(name=name, pieces=pieces):
            comma = "," if piece.is_tuple and len(pieces) == 1 else ""
            return f"{name}({', '.join(flat(part) for part in pieces)}{comma})"
        case _:
            assert_never(piece)


def statement(before: str, piece: Piece, after: str, *, indent: int) -> list[str]:
    """``before piece after`` as lines of a statement that starts in column `indent`."""
    line = f"{before}{flat(piece)}{after}"
    if indent + len(line) <= WIDTH or isinstance(piece, Leaf):
        return [line]
    if isinstance(piece, Bracketed):
        head, *inner, last = _broken(piece, WIDTH - indent)
        return [before + head, *inner, last + after]
    inner = _lines(piece, WIDTH - indent - 4)
    return [f"{before}(", *(f"    {line}" for line in inner), f"){after}"]


def _lines(piece: Piece, width: int) -> list[str]:
    """Lines of at most `width` columns where that can be, legal between brackets."""
    text = flat(piece)
    return [text] if len(text) <= width else _broken(piece, width)


def _broken(piece: Piece, width: int) -> list[str]:
    """The piece with its outermost breaks taken, whether or not it would fit without."""
    match piece:
        case Leaf(text=text):
            return [text]
        case Chain(first=first, rest=rest):
            lines = _lines(first, width)
            for op, operand in rest:
                head, *tail = _lines(operand, width - len(op) - 1)
                lines += [_after(op, head), *tail]
            return lines
        case Bracketed(name=name, pieces=pieces):
            lines = [f"{name}("]
            for part in pieces:
                broken = _lines(part, width - 5)
                comma = "," if len(pieces) > 1 or name or piece.is_tuple else ""
                lines += [f"    {line}" for line in broken[:-1]]
                lines.append(f"    {broken[-1]}{comma}")
            return [*lines, ")"]
        case _:
            assert_never(piece)


def _after(operator: str, text: str) -> str:
    return f"{operator} {text}" if operator else text
