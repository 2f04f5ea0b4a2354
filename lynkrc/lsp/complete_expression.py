"""The beginning of an expression to the words that may stand at its end."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import final

from lynkrc.lsp.analysis import Analysis
from lynkrc.lsp.expression_spot import Slot, find
from lynkrc.lsp.roles import Kind
from lynkrc.lsp.spot import Path
from lynkrc.lsp.words import FUNCTION_MEANINGS, feature_summary
from lynkrc.sema.scope import ABSENT, FUNCTIONS, Place, Scope, type_of_feature, usage
from lynkrc.sema.shaping import usage_of
from lynkrc.sema.types import EnumType, StringType, Type, describe
from lynkrc_runtime.feature_table import FEATURES, TEXTS, Parameter

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ARGUMENT = re.compile(r'"\.\.\."|[A-Za-z]+')


class WordKind(Enum):
    """What a word of an expression is."""

    FEATURE = "feature"
    NAME = "name"
    FUNCTION = "function"
    KEYWORD = "keyword"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word; it takes the place of the last `replaces` characters."""

    label: str
    kind: WordKind
    insert: str
    replaces: int
    snippet: str | None = None
    detail: str = ""
    doc: str = ""
    rank: int = 0


def place_of(path: Path) -> Place:
    """Which facts an expression at a place of the document may read."""
    if path[:1] == ("assert",):
        return Place.ASSERTION
    return Place.REQUIREMENT if path[-1:] == ("require",) else Place.GUARD


def words_at(path: Path, typed: str, quote: str, analysis: Analysis) -> list[Word]:
    """The words that may follow `typed`, the beginning of the expression at `path`.

    `quote` is how the scalar is written, so that a word with quotes of its own fits in.
    """
    if quote == '"':
        typed = typed.replace('\\"', '"')
    elif quote == "'":
        typed = typed.replace("''", "'")
    slot = find(typed)
    scope = analysis.scope
    if slot.in_text:
        return list(_in_text(slot, path, scope, analysis))
    if slot.after_value and not slot.word:
        operators = ("and", "or", "implies", "in", "starts_with")
        return [_keyword(name, slot) for name in operators]
    mark = "'" if quote == '"' else '"'
    feature = FEATURES.get(slot.call or "")
    if feature is not None and feature.parameter is Parameter.TEXT_AND_LEXICON:
        if slot.argument == 0:
            return [_name(text, "a text of the request", slot, mark) for text in TEXTS]
        return [_lexicon(name, slot, mark, scope) for name in analysis.names(Kind.LEXICON)]
    members = _members(slot.opposite, path, scope)
    if members:
        return [_name(name, f"of {slot.opposite}", slot, mark) for name in members]
    return [*_anything(slot, path, scope, analysis, mark)]


def _in_text(slot: Slot, path: Path, scope: Scope, analysis: Analysis) -> Iterator[Word]:
    """Names that are written in quotes."""
    feature = FEATURES.get(slot.call or "")
    over_lexicon = feature is not None and feature.parameter is Parameter.TEXT_AND_LEXICON
    names = analysis.names(Kind.LEXICON) if over_lexicon else _members(slot.opposite, path, scope)
    for name in names:
        if name != ABSENT:
            yield Word(label=name, kind=WordKind.NAME, insert=name, replaces=len(slot.word))


def _members(opposite: str | None, path: Path, scope: Scope) -> tuple[str, ...]:
    type_ = None if opposite is None else _type(opposite, path, scope)
    match type_:
        case EnumType(members=members):
            return members
        case StringType():
            return (ABSENT,)
        case _:
            return ()


def _type(name: str, path: Path, scope: Scope) -> Type | None:
    feature = FEATURES.get(name)
    if feature is not None:
        return type_of_feature(feature, scope)
    return scope.beside(place_of(path)).get(name)


def _anything(
    slot: Slot, path: Path, scope: Scope, analysis: Analysis, mark: str
) -> Iterator[Word]:
    for name in analysis.names(Kind.FEATURE):
        yield _plain(name, WordKind.NAME, "a feature of the spec", slot, 0)
    if place_of(path) is not Place.GUARD:
        for name, type_ in scope.beside(place_of(path)).items():
            yield _plain(name, WordKind.FEATURE, describe(type_), slot, 1)
    for feature in FEATURES.values():
        summary = feature_summary(feature, scope)
        if feature.parameter is Parameter.NONE:
            yield _plain(feature.name, WordKind.FEATURE, summary, slot, 2, feature.doc)
        else:
            yield _function(feature.name, usage(feature), summary, feature.doc, slot, mark)
    for name in FUNCTIONS:
        written = usage_of(name)
        yield _function(name, written, written, FUNCTION_MEANINGS[name], slot, mark)
    for name in ("not", "true", "false"):
        yield _keyword(name, slot)


def _plain(name: str, kind: WordKind, detail: str, slot: Slot, rank: int, doc: str = "") -> Word:
    return Word(
        label=name,
        kind=kind,
        insert=name,
        replaces=len(slot.word),
        detail=detail,
        doc=doc,
        rank=rank,
    )


def _name(name: str, detail: str, slot: Slot, mark: str) -> Word:
    """A name that is bare where it can be."""
    insert = name if _NAME.fullmatch(name) else f"{mark}{name}{mark}"
    return Word(
        label=name, kind=WordKind.NAME, insert=insert, replaces=len(slot.word), detail=detail
    )


def _lexicon(name: str, slot: Slot, mark: str, scope: Scope) -> Word:
    facts = scope.lexicons.get(name)
    detail = "a lexicon" if facts is None else f"a lexicon of {facts.entries}"
    return _name(name, detail, slot, mark)


def _keyword(name: str, slot: Slot) -> Word:
    return _plain(name, WordKind.KEYWORD, "", slot, 9)


def _function(name: str, written: str, detail: str, doc: str, slot: Slot, mark: str) -> Word:
    return Word(
        label=name,
        kind=WordKind.FUNCTION,
        insert=f"{name}(",
        snippet=_snippet(written, mark),
        replaces=len(slot.word),
        detail=detail,
        doc=doc,
        rank=3,
    )


def _snippet(written: str, mark: str) -> str:
    """How a function is written with places to fill in.

    >>> _snippet("steps(x, [[FROM, VALUE], ...])", '"')
    'steps(${1:x}, [[${2:FROM}, ${3:VALUE}]])'
    """
    name, _, arguments = written.removesuffix(")").partition("(")
    arguments = arguments.replace(", ...", "")
    count = 0

    def fill(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        word = match.group()
        if word == '"..."':
            return f"{mark}${{{count}:name}}{mark}"
        return f"${{{count}:{'ask' if word == 'TEXT' else word}}}"

    return f"{name}({_ARGUMENT.sub(fill, arguments)})"
