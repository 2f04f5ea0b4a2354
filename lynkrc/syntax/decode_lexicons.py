"""Nodes of `lexicons` and `features` to their part of the tree."""

from collections.abc import Iterator

from lynkrc.diagnostics import codes
from lynkrc.diagnostics.wording import shown
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from lynkrc.source.scalar_map import place_in
from lynkrc.syntax.config import Lexicon, LexiconEntry, NamedExpression
from lynkrc.syntax.decode_parts import Record, allows, number, optional_name, required, scalar
from lynkrc.syntax.pattern_parse import parse_pattern

_SOURCES = ("file", "entries")
_LONG_FORM = (*_SOURCES, "allow")
"""Keys of the long form; patterns called so stand under `entries`."""


def decode_lexicons(record: Record, root: MappingNode) -> Iterator[Lexicon]:
    """The sound lexicons, in the order written; an entry that cannot be read is left out."""
    for key, value in record.entries(root, "lexicons"):
        name = record.new_name(key)
        long_form = _is_long_form(value)
        if long_form and not _fits_long_form(record, key.text, value):
            continue
        patterns = value.get("entries") if isinstance(value, MappingNode) and long_form else value
        entries = tuple(_entries(record, patterns)) if patterns is not None else ()
        if name is not None:
            yield Lexicon(
                name=name,
                entries=entries,
                file=optional_name(value, "file") if isinstance(value, MappingNode) else None,
                allow=allows(value),
                span=value.span,
            )


def _is_long_form(node: Node) -> bool:
    return isinstance(node, MappingNode) and any(node.get(key) for key in _LONG_FORM)


def _fits_long_form(record: Record, name: str, node: Node) -> bool:
    """One of `file` and `entries`, and nothing that is a pattern."""
    if not isinstance(node, MappingNode):
        return True
    before = len(record.findings)
    sources = [key for key, _ in node.entries if key.text in _SOURCES]
    if not sources:
        record.report(
            codes.MISSING_KEY,
            f"`allow` in {shown(f'lexicons.{name}')} needs `entries` or `file`",
            node.entries[0][0].span,
            "write the patterns under `entries`, beside `allow`",
        )
        return False
    for key in sources[1:]:
        one, other = shown(sources[0].text), shown(key.text)
        record.report(
            codes.KEY_CONFLICT,
            f"{other} cannot stand beside {one}",
            key.span,
            f"keep one: {other} or {one}",
        )
    for key, _ in node.entries:
        if key.text not in _LONG_FORM:
            record.report(
                codes.UNKNOWN_KEY,
                f"unknown key {shown(key.text)} in {shown(f'lexicons.{name}')}",
                key.span,
                "write the pattern under `entries`"
                if sources[0].text == "entries"
                else "patterns stand in the file, or under `entries` instead of `file`",
            )
    return len(record.findings) == before


def _entries(record: Record, node: Node) -> Iterator[LexiconEntry]:
    written: list[tuple[ScalarNode, float | None]]
    match node:
        case SequenceNode(items=items):
            written = [(scalar(item), None) for item in items]
        case MappingNode(entries=entries):
            written = [(key, float(number(weight))) for key, weight in entries]
        case ScalarNode():
            raise AssertionError(f"a list or a mapping was expected: {node!r}")
    for entry, weight in written:
        pattern, findings = parse_pattern(entry.text, entry.span, place_in(entry))
        record.findings.extend(findings)
        if pattern is not None:
            yield LexiconEntry(
                pattern=pattern,
                weight=1.0 if weight is None else weight,
                weighted=weight is not None,
            )


def decode_features(record: Record, root: MappingNode) -> Iterator[NamedExpression]:
    """The sound named expressions, in the order written."""
    for key, value in record.entries(root, "features", "value"):
        written = required(value, "value") if isinstance(value, MappingNode) else value
        name, expression = record.new_name(key), record.expression(written)
        if name is not None and expression is not None:
            yield NamedExpression(
                name=name, expression=expression, allow=allows(value), span=value.span
            )
