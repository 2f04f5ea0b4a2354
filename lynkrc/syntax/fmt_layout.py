"""Pieces to the lines of the canonical form."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.source.nodes import MappingNode, ScalarNode, SequenceNode, Style
from lynkrc.source.quoting import is_plain
from lynkrc.syntax.fmt_expr import space_expression
from lynkrc.syntax.fmt_pieces import Piece
from lynkrc.syntax.fmt_scalar import block_lines, continued_lines, one_line, retexted
from lynkrc.syntax.shape import Shape

WIDTH = 100
"""Columns that a flow collection must fit in to stay on one line."""
_STEP = 2
_LONGEST_KEY = 1000
"""YAML wants the `:` of a key on its line within 1024 characters."""


@final
@dataclass(slots=True, kw_only=True)
class _Line:
    text: str
    note: str | None = None
    """The comment behind it."""


def lay_out(whole: Piece, shape: Shape) -> str:
    """The text of a document whose root is a mapping, with its last line end."""
    header, has_blank = _split_header(whole)
    lines = [_Line(text=text) for text in header]
    was_big = False
    for index, piece in enumerate(_ordered(whole, shape)):
        # A section of several lines stands alone; short ones keep the author's groups.
        lead = _without_first_blank(piece.lead)
        body = _part(piece, shape, 0)
        is_big = len(body) > len(lead) + 1
        if index == 0:
            blank = bool(header) and (has_blank or bool(lead))
        else:
            blank = was_big or is_big or piece.lead[:1] == [""]
        if blank:
            lines.append(_Line(text=""))
        lines += body
        was_big = is_big
    lines += [_Line(text=text) for text in whole.foot]
    return "\n".join(_with_notes(lines)).rstrip("\n") + "\n"


def _split_header(whole: Piece) -> tuple[list[str], bool]:
    """The comments above everything, and whether a blank line follows; taken from the first piece.

    The first paragraph is about the file, whatever comes to stand first below it.
    """
    if not whole.children:
        return [], False
    first = whole.children[0]
    lead = _without_first_blank(first.lead)
    if "" not in lead:
        first.lead = []
        return lead, False
    at = len(lead) - 1 - lead[::-1].index("")
    first.lead = ["", *lead[at + 1 :]]
    return lead[:at], True


def _ordered(parent: Piece, shape: Shape) -> list[Piece]:
    """The children of a piece; the known keys of a mapping in canonical order."""
    rank = {name: place for place, name in enumerate(shape.keys())}
    return sorted(
        parent.children,
        key=lambda piece: len(rank) if piece.key is None else rank.get(piece.key.text, len(rank)),
    )


def _children(parent: Piece, shape: Shape, indent: int) -> list[_Line]:
    lines: list[_Line] = []
    quoted = _all_quoted(parent, flow=False)
    for index, piece in enumerate(_ordered(parent, shape)):
        if index > 0 and piece.lead[:1] == [""]:
            lines.append(_Line(text=""))
        lines += _part(piece, shape, indent, quoted=quoted)
    margin = " " * indent
    return lines + [_Line(text=margin + text if text else "") for text in parent.foot]


def _part(piece: Piece, parent: Shape, indent: int, *, quoted: bool = False) -> list[_Line]:
    """An entry or an item with the comments above it, without the blank line before them."""
    margin = " " * indent
    lead = _without_first_blank(piece.lead)
    first: list[_Line] = []
    if piece.key is None:
        prefix, shape = f"{margin}-", parent.item()
    else:
        prefix, shape = f"{margin}{_key(piece.key, flow=False)}:", parent.at(piece.key.text)
        if len(prefix) > _LONGEST_KEY:
            first, prefix = [_Line(text=f"{margin}? {prefix[indent:-1]}")], f"{margin}:"
    body, noted = _value(piece, shape, indent, prefix, quoted=quoted)
    notes = [*piece.head, *piece.tail]
    if notes and noted is not None:
        # The last one behind a value, the first one behind a key that opens lines of its own.
        noted.note = notes.pop(0 if noted is body[0] and len(body) > 1 else -1)
    if not piece.children:
        notes += [text for text in piece.foot if text]
    above = [_Line(text=margin + text if text else "") for text in (*lead, *notes)]
    return [*above, *first, *body]


def _value(
    piece: Piece, shape: Shape, indent: int, prefix: str, *, quoted: bool
) -> tuple[list[_Line], _Line | None]:
    """The lines from `prefix` on, and the one that a comment may stand behind."""
    if isinstance(piece.value, ScalarNode):
        return _scalar(piece.value, shape, indent, prefix, quoted=quoted)
    if piece.is_flow or not piece.children:
        text = _inline(piece, shape)
        if text is not None and (not piece.children or len(prefix) + 1 + len(text) <= WIDTH):
            line = _Line(text=f"{prefix} {text}")
            return [line], line
    inner = _children(piece, shape, indent + _STEP)
    if piece.key is not None and prefix.strip() != ":":
        head = _Line(text=prefix)
        return [head, *inner], head
    # `- ` or `: ` and the first child share a line; comments above that child go above both.
    at = next(i for i, line in enumerate(inner) if line.text and not _is_comment(line))
    margin = " " * indent
    for line in inner[:at]:
        line.text = margin + line.text.lstrip(" ") if line.text else ""
    inner[at].text = f"{prefix} {inner[at].text[indent + _STEP :]}"
    return inner, None


def _is_comment(line: _Line) -> bool:
    return line.text.lstrip(" ").startswith("#")


def _scalar(
    node: ScalarNode, shape: Shape, indent: int, prefix: str, *, quoted: bool
) -> tuple[list[_Line], _Line]:
    """As `_value`."""
    text = _scalar_text(node, shape, flow=False, quoted=quoted)
    texts = [text]
    is_block = node.style in (Style.LITERAL, Style.FOLDED)
    block = block_lines(node, indent + _STEP) if is_block else None
    if block is not None:
        header, rest = block
        texts = [header, *rest]
    elif "\n" in node.span.text and not is_block and len(prefix) + 1 + len(text) > WIDTH:
        texts = continued_lines(node, indent + _STEP)
    lines = [_Line(text=f"{prefix} {texts[0]}"), *(_Line(text=line) for line in texts[1:])]
    return lines, lines[-1 if block is None else 0]


def _scalar_text(node: ScalarNode, shape: Shape, *, flow: bool, quoted: bool) -> str:
    if shape.is_expression and isinstance(node.value, str):
        node = retexted(node, space_expression(node.text))
    return one_line(node, flow=flow, quoted=quoted)


def _key(node: ScalarNode, *, flow: bool) -> str:
    return one_line(node, flow=flow, quoted=flow and " " in node.text)


def _inline(piece: Piece, shape: Shape) -> str | None:
    """A value on one line in flow form; None where a comment or a block stands in it."""
    match piece.value:
        case ScalarNode() as node:
            return _scalar_text(node, shape, flow=True, quoted=False)
        case MappingNode():
            opening, closing = "{", "}"
        case SequenceNode():
            opening, closing = "[", "]"
    if not piece.children:
        return opening + closing
    if any(text for text in piece.foot):
        return None
    quoted = _all_quoted(piece, flow=True)
    parts: list[str] = []
    for child in _ordered(piece, shape):
        if child.head or child.tail or any(text for text in child.lead):
            return None
        inner = shape.item() if child.key is None else shape.at(child.key.text)
        if isinstance(child.value, ScalarNode):
            text: str | None = _scalar_text(child.value, inner, flow=True, quoted=quoted)
        else:
            text = _inline(child, inner)
        if text is None:
            return None
        parts.append(text if child.key is None else f"{_key(child.key, flow=True)}: {text}")
    return f"{opening}{', '.join(parts)}{closing}"


def _all_quoted(parent: Piece, *, flow: bool) -> bool:
    """Whether the texts of a list are quoted: all of them, if one needs it.

    Between commas on one line several words are hard to tell apart, so they need it too.
    """
    return isinstance(parent.value, SequenceNode) and any(
        isinstance(item, ScalarNode)
        and isinstance(item.value, str)
        and (not is_plain(item.text, flow=flow) or (flow and " " in item.text))
        for item in parent.value.items
    )


def _without_first_blank(lines: Sequence[str]) -> list[str]:
    return list(lines[1:] if lines[:1] == [""] else lines)


def _with_notes(lines: Iterable[_Line]) -> list[str]:
    """The texts with the comments behind them: two blanks away, in one column where lines of one
    indentation follow each other."""
    found: list[str] = []
    run: list[_Line] = []
    for line in [*lines, _Line(text="")]:
        if run and (line.note is None or _indent(line) != _indent(run[0])):
            found += _aligned(run)
            run = []
        if line.note is None:
            found.append(line.text)
        else:
            run.append(line)
    return found[:-1]


def _aligned(run: Sequence[_Line]) -> list[str]:
    column = max(len(line.text) for line in run)
    if column + 2 + max(len(line.note or "") for line in run) > WIDTH:
        column = 0
    return [f"{line.text.ljust(column)}  {line.note}" for line in run]


def _indent(line: _Line) -> int:
    return len(line.text) - len(line.text.lstrip(" "))
