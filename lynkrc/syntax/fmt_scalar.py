"""A scalar to its canonical text: plain where that is safe, else in quotes; long ones keep their
style and their lines."""

from dataclasses import replace

from lynkrc.source.nodes import ScalarNode, Style
from lynkrc.source.quoting import is_plain, quote


def one_line(node: ScalarNode, *, flow: bool, quoted: bool = False) -> str:
    """The scalar on one line; `quoted` asks for quotes that it may not need."""
    value = node.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return node.text
    return node.text if not quoted and is_plain(node.text, flow=flow) else quote(node.text)


def block_lines(node: ScalarNode, indent: int) -> tuple[str, list[str]] | None:
    """The header and the lines, indented by `indent`, of a literal or folded scalar.

    None where it is better in quotes: its last line is blank, which nobody sees, or it ends in
    several line ends, which look like the space before the next entry.
    """
    text = node.text
    end = text.rstrip("\n")
    if not end.rpartition("\n")[2].strip() or text.endswith("\n\n"):
        return None
    written = node.span.text.splitlines()[1:]
    # The span ends with the last word, the text may hold blanks behind it.
    written[-1] += end[len(end.rstrip()) :]
    first = next(line for line in written if line.strip(" "))
    # The text's own blanks before its first word come after the indentation.
    body = text.lstrip("\n")
    own = len(body) - len(body.lstrip(" "))
    cut = len(first) - len(first.lstrip(" ")) - own
    sign = ">" if node.style is Style.FOLDED else "|"
    header = sign + ("2" if own else "") + ("" if text.endswith("\n") else "-")
    margin = " " * indent
    return header, [(margin + line[cut:]) if line[cut:] else "" for line in written]


def continued_lines(node: ScalarNode, indent: int) -> list[str]:
    """The lines of a plain or quoted scalar as they are written, those after the first indented
    by `indent`: YAML does not read the blanks at their beginning."""
    first, *rest = [_without_last_blanks(line) for line in node.span.text.splitlines()]
    margin = " " * indent
    return [first, *(margin + line.lstrip(" \t") if line.strip(" \t") else "" for line in rest)]


def _without_last_blanks(line: str) -> str:
    """YAML does not read them either, unless the first of them is escaped."""
    stripped = line.rstrip(" \t")
    return line if stripped.endswith("\\") else stripped


def retexted(node: ScalarNode, text: str) -> ScalarNode:
    """The scalar with another text of the same kind."""
    return replace(node, text=text)
