"""A scalar's text to where each of its characters stands in the file.

An expression or a pattern is parsed in the text of a scalar: after quotes, escapes, folding and
indentation are gone. `place_in` leads an offset in that text back to the file.

>>> from lynkrc.source.text import SourceFile
>>> from lynkrc.source.yaml_nodes import read_nodes
>>> file = SourceFile(path="routing.yaml", text="when: 'a == ''b'''\\n")
>>> root, _ = read_nodes(file)
>>> place = place_in(root.entries[0][1])
>>> place(5, 8).text
"''b''"
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from lynkrc.source.nodes import ScalarNode, Style
from lynkrc.source.text import Span

Place: TypeAlias = Callable[[int, int], Span]
"""Offsets ``[start, end)`` in a text to the span in the file."""


class Origin(NamedTuple):
    """One character of a scalar's text and the file's range ``[start, end)`` it comes from."""

    char: str
    start: int
    end: int


def place_in(node: ScalarNode) -> Place:
    """The places of a scalar's text. An empty range is where its next character stands.

    The work is done at the first use: most scalars never need it.
    """
    origins: list[Origin] = []

    def place(start: int, end: int) -> Span:
        if not origins:
            origins.extend(map_scalar(node))
            text_end = origins[-1].end if origins else _text_start(node)
            origins.append(Origin("", text_end, text_end))
        first = origins[start].start
        last = origins[end - 1].end if end > start else first
        return Span(file=node.span.file, start=first, end=last)

    return place


def map_scalar(node: ScalarNode) -> tuple[Origin, ...]:
    """The origin of each character of `node.text`, in order."""
    text, start, end = node.span.file.text, node.span.start, node.span.end
    match node.style:
        case Style.PLAIN:
            origins = tuple(_flow(text, start, end, Style.PLAIN))
        case Style.SINGLE | Style.DOUBLE:
            origins = tuple(_flow(text, start + 1, end - 1, node.style))
        case Style.LITERAL | Style.FOLDED:
            origins = _block(node)
    if "".join(origin.char for origin in origins) != node.text:
        raise AssertionError(f"the map of a {node.style.value} scalar differs from its text")
    return origins


def _text_start(node: ScalarNode) -> int:
    quoted = node.style in (Style.SINGLE, Style.DOUBLE)
    return node.span.start + 1 if quoted else node.span.start


# Plain and quoted scalars: a line end with the blanks around it folds into a space, further ones
# stay line ends (YAML 1.2, 6.5 and 7.3).

_ESCAPES = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    " ": " ",
    '"': '"',
    "/": "/",
    "\\": "\\",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}
_HEX_ESCAPES = {"x": 2, "u": 4, "U": 8}


def _flow(text: str, start: int, end: int, style: Style) -> Iterator[Origin]:
    i = start
    while i < end:
        char = text[i]
        if char in " \t\r\n":
            stop = _blank_end(text, i, end)
            yield from _folded_blanks(text, i, stop)
        elif style is Style.SINGLE and char == "'":
            stop = i + 2
            yield Origin("'", i, stop)
        elif style is Style.DOUBLE and char == "\\" and text[i + 1] in "\r\n":
            stop = _blank_end(text, i + 1, end)
            yield from _line_ends(text, i + 1, stop)[1:]
        elif style is Style.DOUBLE and char == "\\":
            value, stop = _unescape(text, i)
            yield Origin(value, i, stop)
        else:
            stop = i + 1
            yield Origin(char, i, stop)
        i = stop


def _unescape(text: str, start: int) -> tuple[str, int]:
    name = text[start + 1]
    digits = _HEX_ESCAPES.get(name)
    if digits is None:
        return _ESCAPES[name], start + 2
    stop = start + 2 + digits
    return chr(int(text[start + 2 : stop], 16)), stop


def _blank_end(text: str, start: int, end: int) -> int:
    while start < end and text[start] in " \t\r\n":
        start += 1
    return start


def _folded_blanks(text: str, start: int, stop: int) -> Iterator[Origin]:
    ends = _line_ends(text, start, stop)
    if not ends:
        yield from (Origin(text[i], i, i + 1) for i in range(start, stop))
    elif len(ends) == 1:
        yield Origin(" ", ends[0].start, ends[0].end)
    else:
        yield from ends[1:]


def _line_ends(text: str, start: int, stop: int) -> list[Origin]:
    return [_line_end(text, i) for i in range(start, stop) if text[i] == "\n"]


def _line_end(text: str, newline: int) -> Origin:
    crlf = newline > 0 and text[newline - 1] == "\r"
    return Origin("\n", newline - crlf, newline + 1)


# Block scalars: the indentation is the first text line's or the one the header states relative to
# a parent we do not see, so the candidates are tried against the known text.


def _block(node: ScalarNode) -> tuple[Origin, ...]:
    text = node.span.file.text
    header_end = text.find("\n", node.span.start)
    if header_end < 0:
        return ()
    header = text[node.span.start : header_end].split("#", 1)[0]
    chomping = "-" if "-" in header else "+" if "+" in header else ""
    stop = _blank_end(text, node.span.end, len(text))
    lines = text[header_end + 1 : stop].split("\n")
    indents = [len(line) - len(line.lstrip(" ")) for line in lines]
    written = zip(lines, indents, strict=True)
    # The one of the first line with text it is, mostly; where there is text, no other fits.
    likely = [indent for line, indent in written if indent and line.strip()][:1]
    for indent in dict.fromkeys((*likely, *range(1, max(*indents, 1) + 1))):
        origins = tuple(_block_text(node, header_end + 1, indent, chomping))
        if "".join(origin.char for origin in origins) == node.text:
            return origins
    return ()


def _block_text(node: ScalarNode, start: int, indent: int, chomping: str) -> Iterator[Origin]:
    """The text of a block at one indentation, after libyaml's scanner (and YAML 1.2, 8.1)."""
    text = node.span.file.text
    folded = node.style is Style.FOLDED
    pending: list[Origin] = []
    leading: Origin | None = None
    was_blank = False
    i, pending = _empty_lines(text, start, indent)
    while i < len(text) and text[_start_of_line(text, i) : i] == " " * indent:
        is_blank = text[i] in " \t"
        if folded and leading is not None and not was_blank and not is_blank:
            if not pending:
                yield Origin(" ", leading.start, leading.end)
        elif leading is not None:
            yield leading
        yield from pending
        was_blank, leading = is_blank, None
        while i < len(text) and text[i] not in "\r\n":
            yield Origin(text[i], i, i + 1)
            i += 1
        if i < len(text):
            leading = _line_end(text, text.index("\n", i))
            i = leading.end
        i, pending = _empty_lines(text, i, indent)
    if chomping != "-" and leading is not None:
        yield leading
    if chomping == "+":
        yield from pending


def _empty_lines(text: str, start: int, indent: int) -> tuple[int, list[Origin]]:
    """Skip indentation and the lines that hold nothing else; where text begins, their ends."""
    ends: list[Origin] = []
    while True:
        i = start
        while i < len(text) and i - start < indent and text[i] == " ":
            i += 1
        if i < len(text) and text[i] in "\r\n":
            ends.append(_line_end(text, text.index("\n", i)))
            start = ends[-1].end
        else:
            return i, ends


def _start_of_line(text: str, offset: int) -> int:
    """Where the line of `offset` begins."""
    return text.rfind("\n", 0, offset) + 1
