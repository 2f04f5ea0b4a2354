"""A tuned score and a spec to the spec's text with that score: what a reviewer is shown.

What is written in the document is edited where it stands, and all else stays byte for byte. A
profile (`use`) is taken apart: a dimension of it cannot be left out beside `use`, so all that are
kept are written out, and the profile goes to `extends`, which still brings its lexicons. One that
holds more than a score and words stays, and what is not kept of it gets the weight 0.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from lynkrc.ir.table import RouteTable
from lynkrc.quality.patch import FileChange
from lynkrc.quality.span_edits import SpanEdits
from lynkrc.quality.tuned import FittedScore
from lynkrc.quality.written import (
    dimension_lines,
    lexicon_lines,
    points_of,
    points_text,
    scalar,
    terms_text,
)
from lynkrc.source.additions import written_end
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from lynkrc.source.text import SourceFile
from lynkrc.source.yaml_nodes import read_nodes

INLINE = 100
"""Terms that stand in the spec; more go into a file."""
LEXICON = "tuned_terms"
TERMS_FILE = "terms.tsv"
_PROFILE = frozenset({"version", "name", "lexicons", "features", "score"})
"""Sections of a profile that `extends` takes over as `use` does, or not at all (the score)."""

Load: TypeAlias = Callable[[str, str], SourceFile | None]
"""The file of that name, as the file at that path refers to it."""


@final
class CannotPropose(Exception):
    """The spec is written in a way that is not edited; the message has a place and a way out."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class WeightChange:
    """A dimension before and after: `old` is None for a new one, `new` for one that goes away.

    Of a dimension of terms both are None where it goes away (`value` is then the lexicon's).
    """

    name: str
    value: str
    old: float | None
    new: float | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The files as they would be: the spec first, then the file of terms if there is one.

    Paths are relative to the folder of the spec, that of the spec itself as it was read.
    """

    spec: FileChange
    terms: FileChange | None
    weights: tuple[WeightChange, ...]
    offset: tuple[float, float]
    up_to: tuple[tuple[str, int, int], ...]
    """Of each tier but the last: name, bound before and after."""
    lexicon: str | None
    removed: tuple[str, ...] = ()
    """Lexicons and named expressions that only dimensions read which are gone."""


def propose(
    file: SourceFile, table: RouteTable, tuned: FittedScore, load: Load, *, extends_profile: bool
) -> Proposal:
    """Write `tuned` into the spec `file`, which compiles to `table` as it is.

    `extends_profile`: a profile that is taken apart is still needed, for words that it brings.
    CannotPropose where the text cannot be edited.
    """
    root, _ = read_nodes(file)
    if not isinstance(root, MappingNode) or root.flow:
        raise CannotPropose(f"{file.path}:1: the spec is one {{...}}; `lynkrc fmt` writes it out")
    writer = _Writer(file, root, table, tuned, load)
    terms = writer.write_terms()
    writer.write_score(extends_profile=extends_profile)
    writer.write_tiers()
    return Proposal(
        spec=FileChange(path=file.path, before=file.text, after=writer.edits.applied()),
        terms=terms,
        weights=tuple(_weights(table, tuned)),
        offset=(table.offset64 / 64, tuned.offset),
        up_to=tuple(
            (tier.name, tier.up_to, new)
            for tier, new in zip(table.tiers, tuned.up_to, strict=False)
            if tier.up_to is not None
        ),
        lexicon=writer.lexicon if tuned.terms else None,
    )


def without(file: SourceFile, names: Collection[int]) -> str:
    """The text without the definitions whose names begin there, and the comments right above."""
    root, _ = read_nodes(file)
    edits = SpanEdits(file=file)
    for key, section in root.entries if isinstance(root, MappingNode) else ():
        if not isinstance(section, MappingNode):
            continue
        gone = [entry for entry in section.entries if entry[0].span.start in names]
        kept = [entry for entry in section.entries if entry[0].span.start not in names]
        if gone and not kept:
            edits.remove_entry(key, section)
        elif gone and section.flow:
            _no_comments(section, key.text)
            text = ", ".join(f"{name.span.text}: {value.span.text}" for name, value in kept)
            edits.replace(section.span.start, section.span.end, f"{{{text}}}")
        else:
            for entry in gone:
                edits.remove_entry(*entry)
    return edits.applied()


def _weights(table: RouteTable, tuned: FittedScore) -> Iterator[WeightChange]:
    kept = {one.declared: one for one in tuned.weights if one.declared is not None}
    for dimension in table.dimensions:
        new = kept.get(dimension.name)
        yield WeightChange(
            name=dimension.name,
            value=dimension.source,
            old=None if dimension.value is None else dimension.weight64 / 64,
            new=None if new is None else new.weight,
        )
    for one in tuned.weights:
        if one.declared is None:
            yield WeightChange(name=one.name, value=one.value, old=None, new=one.weight)


@final
class _Writer:
    """The edits of one spec."""

    def __init__(
        self, file: SourceFile, root: MappingNode, table: RouteTable, tuned: FittedScore, load: Load
    ) -> None:
        self.edits = SpanEdits(file=file)
        self.lexicon = LEXICON
        self._file = file
        self._root = root
        self._table = table
        self._tuned = tuned
        self._load = load

    # -- terms -----------------------------------------------------------------------------

    def write_terms(self) -> FileChange | None:
        """The lexicon of the terms; the file, where there are too many for the spec."""
        lexicons, section = self._root.get("lexicons"), self._root.key("lexicons")
        own = lexicons if isinstance(lexicons, MappingNode) and lexicons.entries else None
        self.lexicon = self._free_name(own)
        old = None if own is None else own.get(self.lexicon)
        old_key = None if own is None else own.key(self.lexicon)
        terms = self._tuned.terms
        change = self._terms_file(old) if len(terms) > INLINE else None

        def lines(indent: int) -> list[str]:
            if change is None:
                return lexicon_lines(self.lexicon, terms, indent) if terms else []
            return [f"{' ' * indent}{self.lexicon}: {{file: {scalar(change.path, flow=True)}}}"]

        if own is None or section is None:
            if terms:
                self._insert_section(["lexicons:", *lines(2)])
        elif own.flow and (terms or old is not None):
            _no_comments(own, "lexicons")
            kept = [
                f"  {key.span.text}: {_joined(value.span.text)}"
                for key, value in own.entries
                if key is not old_key
            ]
            self._replace_by_lines(section, own, [*kept, *lines(2)])
        elif old is not None and old_key is not None and not terms and len(own.entries) == 1:
            self.edits.remove_entry(section, own)
        elif old is not None and old_key is not None:
            indent = self.edits.indent_of(old_key)
            self.edits.insert_lines(self.edits.lead_of(old_key), lines(indent))
            self.edits.remove_entry(old_key, old)
        else:
            indent = self.edits.indent_of(own.entries[0][0])
            self.edits.insert_lines(self.edits.after(*own.entries[-1]), lines(indent))
        return change

    def _terms_file(self, old: Node | None) -> FileChange:
        """The file: that of the lexicon which is replaced, or one that is not there yet."""
        number, name = 1, TERMS_FILE
        if isinstance(old, MappingNode) and isinstance(named := old.get("file"), ScalarNode):
            name = named.text
            found = self._load(name, self._file.path)
        else:
            while (found := self._load(name, self._file.path)) is not None:
                number += 1
                name = f"terms-{number}.tsv"
        before = None if found is None else found.text
        return FileChange(path=name, before=before, after=terms_text(self._tuned.terms))

    def _free_name(self, own: MappingNode | None) -> str:
        """Of the lexicon: that of an earlier tuning, if only a dimension reads it, or a new one."""
        number, name = 1, LEXICON
        inherited = {lexicon.name.rpartition("/")[2] for lexicon in self._table.lexicons}
        # The dimension of the terms has the same name.
        weighed = {one.name for one in self._tuned.weights}
        while name in weighed or (
            name in inherited and (own is None or own.get(name) is None or self._reads(name))
        ):
            number += 1
            name = f"{LEXICON}_{number}"
        return name

    def _reads(self, name: str) -> bool:
        """Whether anything but a dimension of terms and the lexicon itself has this name in it."""
        return any(
            name in text.text
            for key, value in self._root.entries
            if key.text != "lexicons"
            for path, text in _scalars(value, ())
            if (key.text, *path[-1:]) != ("score", "terms")
        )

    # -- score -----------------------------------------------------------------------------

    def write_score(self, *, extends_profile: bool) -> None:
        """Dimensions, offset, and what becomes of the profile."""
        score, key = self._root.get("score"), self._root.key("score")
        if not isinstance(score, MappingNode) or key is None:
            lines = [*self._offset(2, keeps_use=False), *self._dimensions(2, 4, {})]
            self._insert_section(["score:", *lines])
            return
        use = score.get("use")
        keeps_use = isinstance(use, ScalarNode) and not self._is_profile(use.text)
        if isinstance(use, ScalarNode) and not keeps_use and extends_profile:
            self._extend(use.text)
        dimensions = score.get("dimensions")
        if score.flow:
            _no_comments(score, "score")
            own = _flow_texts(dimensions, self._tuned)
            lines = [f"  use: {_text_of(use)}"] if keeps_use else []
            rest = self._dimensions(2, 4, own, silenced=keeps_use)
            lines += self._offset(2, keeps_use=keeps_use)
            self._replace_by_lines(key, score, [*lines, *rest])
            return
        indent = self.edits.indent_of(score.entries[0][0])
        if (offset := score.get("offset")) is not None:
            self._set_number(offset, self._tuned.offset)
        else:
            # Before all else: `use` or `dimensions` may go away.
            first = self.edits.lead_of(score.entries[0][0])
            self.edits.insert_lines(first, self._offset(indent, keeps_use=keeps_use))
        if isinstance(use, ScalarNode) and not keeps_use:
            use_key = score.key("use")
            assert use_key is not None
            self.edits.remove_entry(use_key, use)
        if not isinstance(dimensions, MappingNode):
            lines = self._dimensions(indent, indent + 2, {}, silenced=keeps_use)
            self.edits.insert_lines(self.edits.after(*score.entries[-1]), lines)
            return
        dimensions_key = score.key("dimensions")
        assert dimensions_key is not None
        if dimensions.flow:
            _no_comments(dimensions, "dimensions")
            own = _flow_texts(dimensions, self._tuned)
            lines = self._dimensions(indent, indent + 2, own, silenced=keeps_use)
            self._replace_by_lines(dimensions_key, dimensions, lines[1:])
            return
        self._edit_dimensions(dimensions_key, dimensions, keeps_use=keeps_use)

    def _edit_dimensions(
        self, key: ScalarNode, dimensions: MappingNode, *, keeps_use: bool
    ) -> None:
        kept = {one.declared: one.weight for one in self._tuned.weights if one.declared}
        is_empty = not any(name.text in kept for name, _ in dimensions.entries)
        own = {name.text: "" for name, _ in dimensions.entries}
        indent = self.edits.indent_of(dimensions.entries[0][0])
        lines = self._dimensions(0, indent, own, silenced=keeps_use)[1:]
        if is_empty and not lines:
            self.edits.remove_entry(key, dimensions)
            return
        for name, dimension in dimensions.entries:
            if name.text not in kept:
                self.edits.remove_entry(name, dimension)
            elif isinstance(dimension, MappingNode):
                self._set_number(dimension.get("weight"), kept[name.text])
        self.edits.insert_lines(self.edits.after(*dimensions.entries[-1]), lines)

    def _dimensions(
        self, indent: int, inner: int, own: dict[str, str], *, silenced: bool = False
    ) -> list[str]:
        """The lines of `dimensions`; `own` are those the document has, "" where they stay.

        `silenced`: inherited ones that are not kept get no weight, instead of going away.
        """
        lines: list[str] = [" " * inner + text for text in own.values() if text]
        for one in self._tuned.weights:
            if one.declared is None or one.declared not in own:
                lines += dimension_lines(one.name, points_text(one.weight), one.value, inner)
        if self._tuned.terms:
            lines.append(f"{' ' * inner}{self.lexicon}: {{terms: {self.lexicon}}}")
        if silenced:
            kept = {one.declared for one in self._tuned.weights}
            for dimension in self._table.dimensions:
                name = dimension.name.rpartition("/")[2]
                if dimension.name not in kept and "/" in dimension.name:
                    silent = 'weight: 0, value: "0", allow: {LK508: it is not in the tuned score}'
                    lines.append(f"{' ' * inner}{name}: {{{silent}}}")
        return [f"{' ' * indent}dimensions:", *lines] if lines else []

    def _offset(self, indent: int, *, keeps_use: bool) -> list[str]:
        """The line of the offset; none where 0 is what holds without one."""
        text = points_text(self._tuned.offset)
        has_more = self._tuned.weights or self._tuned.terms or keeps_use
        of_profile = keeps_use and self._table.offset64 != 0
        return (
            [f"{' ' * indent}offset: {text}"] if text != "0" or of_profile or not has_more else []
        )

    def _is_profile(self, name: str) -> bool:
        """Whether `extends` can take the place of `use`: the file has a score and words alone."""
        found = self._load(name, self._file.path)
        root = None if found is None else read_nodes(found)[0]
        return isinstance(root, MappingNode) and all(
            key.text in _PROFILE for key, _ in root.entries
        )

    def _extend(self, name: str) -> None:
        """Name one more base."""
        node, key = self._root.get("extends"), self._root.key("extends")
        text = scalar(name, flow=True)
        match node:
            case ScalarNode():
                first = scalar(node.text, flow=True)
                self.edits.replace(node.span.start, written_end(node), f"[{first}, {text}]")
            case SequenceNode(items=items, flow=True) if items:
                self.edits.insert(written_end(items[-1]), f", {text}")
            case SequenceNode(items=items) if items:
                start = self._file.text.rfind("\n", 0, items[-1].span.start) + 1
                margin = self._file.text[start : items[-1].span.start]
                at = self.edits.next_line(written_end(items[-1]))
                self.edits.insert_lines(at, [f"{margin}{scalar(name, flow=False)}"])
            case _:
                key = self._root.key("name")
                value = self._root.get("name")
                assert key is not None and value is not None
                line = f"extends: {scalar(name, flow=False)}"
                self.edits.insert_lines(self.edits.after(key, value), [line])

    # -- tiers -----------------------------------------------------------------------------

    def write_tiers(self) -> None:
        """The bounds of the tiers; where a base has them, the tiers are written out."""
        wanted = self._tuned.up_to
        if tuple(tier.up_to for tier in self._table.tiers[:-1]) == wanted:
            return
        if isinstance(own := self._root.get("tiers"), SequenceNode):
            for bound, up_to in zip(_bounds(own), wanted, strict=True):
                self._set_number(bound, up_to)
            return
        found = self._inherited_tiers(self._file, self._root)
        if found is None:
            raise CannotPropose(f"{self._file.path}: no tiers are found in it or its bases")
        file, key, tiers = found
        edits = SpanEdits(file=file)
        for bound, up_to in zip(_bounds(tiers), wanted, strict=True):
            edits.replace(bound.span.start, written_end(bound), str(up_to))
        end = edits.after(key, tiers)
        kept = len(file.text) - end
        text = edits.applied()
        self._insert_section(text[key.span.start : len(text) - kept].splitlines())

    def _inherited_tiers(
        self, file: SourceFile, root: MappingNode
    ) -> tuple[SourceFile, ScalarNode, SequenceNode] | None:
        match root.get("extends"):
            case ScalarNode(text=name):
                names: Sequence[str] = (name,)
            case SequenceNode(items=items):
                names = [item.text for item in items if isinstance(item, ScalarNode)]
            case _:
                return None
        for name in names:
            base = self._load(name, file.path)
            node = None if base is None else read_nodes(base)[0]
            if base is None or not isinstance(node, MappingNode):
                continue
            tiers, key = node.get("tiers"), node.key("tiers")
            if isinstance(tiers, SequenceNode) and key is not None:
                return base, key, tiers
            if (found := self._inherited_tiers(base, node)) is not None:
                return found
        return None

    # -- text ------------------------------------------------------------------------------

    def _insert_section(self, lines: Sequence[str]) -> None:
        """A section of its own, before the score or what follows it, else at the end."""
        for name in ("score", "tiers", "otherwise", "needs", "rules"):
            if (key := self._root.key(name)) is not None:
                self.edits.insert_lines(self.edits.lead_of(key), [*lines, ""])
                return
        self.edits.insert_lines(len(self._file.text), ["", *lines])

    def _set_number(self, node: Node | None, number: float) -> None:
        """Write another number, unless the one there means the same."""
        if not isinstance(node, ScalarNode):
            raise CannotPropose(f"{self._file.path}: a number of the score is not written")
        text = points_text(number)
        if _number_of(node) != number:
            self.edits.replace(node.span.start, written_end(node), text)

    def _replace_by_lines(self, key: ScalarNode, value: Node, lines: Sequence[str]) -> None:
        """A flow value by a block below its key; a comment behind it stays behind the key."""
        end = self.edits.next_line(written_end(value))
        rest = self._file.text[written_end(value) : end].rstrip("\r\n")
        self.edits.replace(key.span.end, written_end(value), ":")
        at = written_end(value) + len(rest)
        self.edits.insert(at, "".join(f"{self.edits.line_end}{line}" for line in lines))


def _number_of(node: ScalarNode) -> float | None:
    match node.value:
        case int():  # which may be written as 0x14
            return float(node.value)
        case float():
            return points_of(node.text)
        case _:
            return None


def _no_comments(node: MappingNode, name: str) -> None:
    if "#" in node.span.text:
        raise CannotPropose(
            f"{node.span.file.path}:{node.span.line}: `{name}` is one {{...}} that holds a "
            "comment; `lynkrc fmt` writes it in lines, which can be edited"
        )


def _flow_texts(dimensions: Node | None, tuned: FittedScore) -> dict[str, str]:
    """Each dimension of a mapping on one line: as it is with its new weight, "" if not kept."""
    found: dict[str, str] = {}
    weights = {one.declared: one.weight for one in tuned.weights}
    entries = dimensions.entries if isinstance(dimensions, MappingNode) else ()
    for name, dimension in entries:
        found[name.text] = ""
        weight = dimension.get("weight") if isinstance(dimension, MappingNode) else None
        if name.text in weights and weight is not None:
            start = dimension.span.start
            before = dimension.span.text[: weight.span.start - start]
            after = dimension.span.text[written_end(weight) - start :]
            text = before + points_text(weights[name.text]) + after
            found[name.text] = f"{name.span.text}: {_joined(text)}"
    return found


def _bounds(tiers: SequenceNode) -> list[ScalarNode]:
    bounds = [item.get("up_to") for item in tiers.items if isinstance(item, MappingNode)]
    return [bound for bound in bounds if isinstance(bound, ScalarNode)]


def _scalars(node: Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], ScalarNode]]:
    match node:
        case ScalarNode():
            yield path, node
        case SequenceNode(items=items):
            for item in items:
                yield from _scalars(item, path)
        case MappingNode(entries=entries):
            for key, value in entries:
                yield from _scalars(value, (*path, key.text))


def _joined(text: str) -> str:
    """A flow value on one line."""
    return " ".join(line.strip() for line in text.splitlines())


def _text_of(node: Node | None) -> str:
    return "" if node is None else node.span.text
