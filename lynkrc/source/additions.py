"""A section of a document to the edit that adds an entry to it; all else stays as it is written.

>>> file = SourceFile(path="routing.yaml", text="keys:\\n  ci: {team: web} # ours\\nname: x\\n")
>>> edit = addition(file, "keys", "bot", {"team": "ops", "tiers": ["LOW"]})
>>> print(file.text[: edit.span.start] + edit.text + file.text[edit.span.end :])
keys:
  ci: {team: web} # ours
  bot: {team: ops, tiers: [LOW]}
name: x
<BLANKLINE>
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from lynkrc.diagnostics.model import Edit
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from lynkrc.source.quoting import is_plain, quote
from lynkrc.source.text import SourceFile, Span
from lynkrc.source.yaml_nodes import read_nodes

Member: TypeAlias = str | bool | Sequence[str]


def addition(
    file: SourceFile, section: str, name: str, members: Mapping[str, Member]
) -> Edit | None:
    """Add ``name: {members}`` at the end of a section, or the section at the end of the file.

    None where the section is no mapping: there is no place for it.
    """
    root, _ = read_nodes(file)
    if not isinstance(root, MappingNode):
        return None
    line_end = "\r\n" if "\r\n" in file.text else "\n"
    entry = f"{_scalar(name)}: {_flow(members)}"
    node = root.get(section)
    if node is None:
        if root.flow:
            return _at(file, written_end(root.entries[-1][1]), f", {section}: {{{entry}}}")
        before = "" if file.text.endswith("\n") else line_end
        text = f"{before}{line_end}{section}:{line_end}  {entry}{line_end}"
        return _at(file, len(file.text), text)
    if not isinstance(node, MappingNode) or not node.entries:
        return None
    last = written_end(node.entries[-1][1])
    if node.flow:
        return _at(file, last, f", {entry}")
    first = node.entries[0][0].span.start
    indentation = file.text[file.text.rfind("\n", 0, first) + 1 : first]
    end = file.text.find("\n", last)
    if end < 0:
        return _at(file, len(file.text), f"{line_end}{indentation}{entry}{line_end}")
    return _at(file, end + 1, f"{indentation}{entry}{line_end}")


def _at(file: SourceFile, place: int, text: str) -> Edit:
    return Edit(span=Span(file=file, start=place, end=place), text=text)


def written_end(node: Node) -> int:
    """Where the last thing of a node is written: a block's own span may reach beyond."""
    match node:
        case MappingNode(flow=False, entries=entries) if entries:
            return (
                written_end(entries[-1][1]) if entries[-1][1].span.text else entries[-1][0].span.end
            )
        case SequenceNode(flow=False, items=items) if items:
            return written_end(items[-1])
        case ScalarNode():
            return node.span.start + len(node.span.text.rstrip())
        case _:
            return node.span.end


def _flow(members: Mapping[str, Member]) -> str:
    return "{" + ", ".join(f"{key}: {_value(value)}" for key, value in members.items()) + "}"


def _value(value: Member) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _scalar(value)
        case _:
            return "[" + ", ".join(map(_scalar, value)) + "]"


def _scalar(text: str) -> str:
    return text if is_plain(text, flow=True) else quote(text)
