"""A name in a document to where it is defined, where it is used, and what renaming it changes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from lynkrc.diagnostics.model import Edit
from lynkrc.diagnostics.wording import shown
from lynkrc.lsp.analysis import Analysis, defined_at
from lynkrc.lsp.hover import name_at
from lynkrc.lsp.names import Occurrence, occurrences
from lynkrc.lsp.roles import Kind
from lynkrc.sema.loader import Loader
from lynkrc.source.decode_text import decode_source
from lynkrc.source.scalars import resolve_plain, trap
from lynkrc.source.text import SourceFile, Span
from lynkrc.source.yaml_nodes import read_nodes

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_OWN_KINDS = frozenset(
    {
        Kind.PROVIDER,
        Kind.TARGET,
        Kind.TIER,
        Kind.TRUST,
        Kind.LEXICON,
        Kind.FEATURE,
        Kind.CLIENT,
        Kind.RULE,
        Kind.DIMENSION,
    }
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why something cannot be renamed."""

    reason: str


def definition(offset: int, analysis: Analysis, loader: Loader) -> Span | None:
    """Where the name at an offset is defined; the beginning of the file for a base spec."""
    one = name_at(offset, analysis)
    if one is None:
        return None
    if one.kind is Kind.BASE:
        base = loader.load(one.name, analysis.file.path)
        if base is None:
            return None
        file = SourceFile(path=base.path, text=base.data.decode("utf-8", "replace"))
        return Span(file=file, start=0, end=0)
    for own in analysis.found:
        if own.defines and (own.kind, own.name) == (one.kind, one.name):
            return own.span
    return None if analysis.spec is None else defined_at(analysis.spec, one.kind, one.name)


def references(offset: int, analysis: Analysis, *, with_definition: bool) -> list[Span]:
    """Where the document uses the name at an offset."""
    one = name_at(offset, analysis)
    if one is None:
        return []
    return [other.span for other in _same(one, analysis) if with_definition or not other.defines]


def renamable(offset: int, analysis: Analysis) -> Occurrence | Refused:
    """The name at an offset, if it is one that the document itself defines."""
    one = name_at(offset, analysis)
    if one is None or one.kind not in _OWN_KINDS:
        return Refused(reason="no name of the spec stands here")
    if not any(other.defines for other in _same(one, analysis)):
        reason = f"{shown(one.name)} is not defined in this file"
        return Refused(reason=reason)
    return one


def rename(offset: int, name: str, analysis: Analysis, loader: Loader) -> list[Edit] | Refused:
    """The edits that give the name at an offset another one, here and wherever it is used.

    A name that a base uses or defines too is refused: the base would go on with the old one.
    """
    one = renamable(offset, analysis)
    if isinstance(one, Refused):
        return one
    if _NAME.fullmatch(name) is None or (one.kind is Kind.FEATURE and not _BARE.fullmatch(name)):
        return Refused(reason=f"{shown(name)} is no name of a {one.kind.value}")
    if not isinstance(resolve_plain(name), str) or trap(name) is not None:
        return Refused(reason=f"{shown(name)} is read as something else without quotes")
    if name != one.name and name in analysis.names(one.kind):
        return Refused(reason=f"there is a {one.kind.value} {shown(name)} already")
    same = _same(one, analysis)
    if _BARE.fullmatch(name) is None and any(other.bare for other in same):
        return Refused(reason="expressions name it without quotes: write no `-` in it")
    base = _base_with(one, analysis, loader)
    if base is not None:
        return Refused(reason=f"{shown(base)} names {shown(one.name)} too")
    return [Edit(span=other.span, text=name) for other in same]


def _base_with(one: Occurrence, analysis: Analysis, loader: Loader) -> str | None:
    """A base of the document, or of one of its bases, in which the same name stands."""
    features = analysis.names(Kind.FEATURE)
    waiting = [(base, analysis.file.path) for base in _bases(analysis.found)]
    read: set[str] = set()
    while waiting:
        name, from_path = waiting.pop()
        base = loader.load(name, from_path)
        if base is None or base.path in read:
            continue
        read.add(base.path)
        file, _ = decode_source(base.path, base.data)
        root, _ = read_nodes(file)
        found = [] if root is None else occurrences(root, features)
        if any((other.kind, other.name) == (one.kind, one.name) for other in found):
            return name
        waiting += [(below, base.path) for below in _bases(found)]
    return None


def _bases(found: Iterable[Occurrence]) -> list[str]:
    return [one.name for one in found if one.kind is Kind.BASE]


def _same(one: Occurrence, analysis: Analysis) -> list[Occurrence]:
    return [other for other in analysis.found if (other.kind, other.name) == (one.kind, one.name)]
