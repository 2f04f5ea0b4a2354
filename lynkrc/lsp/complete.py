"""A text and a place in it to what may be written there: keys, choices, names, expressions."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import final

from lynkrc.diagnostics.codes import CODES
from lynkrc.lsp.analysis import Analysis
from lynkrc.lsp.complete_expression import Word, WordKind, words_at
from lynkrc.lsp.names import takes_expression
from lynkrc.lsp.roles import ANY, USING_KEYS, USING_VALUES, Kind, role
from lynkrc.lsp.schema_words import (
    description,
    examples,
    fixed_choices,
    is_required,
    kind_of_value,
    names_codes,
    shape_at,
)
from lynkrc.lsp.spot import Spot, find_spot
from lynkrc.sema.catalog import ModelFacts, names_for, provision_of
from lynkrc.sema.chains import STRATEGIES
from lynkrc.source.resources import spec_names
from lynkrc.source.scalars import resolve_plain, trap
from lynkrc.syntax.shape import Shape
from lynkrc_runtime.providers.table import KINDS

_DECLARED = frozenset((Kind.PROVIDER, Kind.TARGET, Kind.TIER, Kind.TRUST, Kind.LEXICON, Kind.MODEL))
"""What is named elsewhere, so that the schema's examples name nothing here."""

_PLAIN = re.compile(r"[A-Za-z_.][A-Za-z0-9_./:@-]*")
_REST_OF_KEY = re.compile(r"[\w-]*")
_LINE_KEY = re.compile(r"""(?P<blanks> *)(?P<key>[\w.-]+)[ \t]*:(?:[ \t\r]|$)""")
_FLOW_KEY = re.compile(r"""[{,]\s*(?P<key>[\w.-]+)[ \t]*:""")
_FLOW_REACH = 2_000


class ItemKind(Enum):
    """What a completion is, for the sign beside it."""

    KEY = "key"
    CHOICE = "choice"
    NAME = "name"
    FEATURE = "feature"
    FUNCTION = "function"
    KEYWORD = "keyword"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One completion: `insert` takes the place of ``[start, end)``.

    `snippet` is the same with ``${1:name}`` where the cursor goes, for editors that know these.
    """

    label: str
    kind: ItemKind
    start: int
    end: int
    insert: str
    snippet: str | None = None
    detail: str = ""
    doc: str = ""
    rank: int = 0
    """What matters more has a lower one."""


_OF_WORD = {
    WordKind.FEATURE: ItemKind.FEATURE,
    WordKind.NAME: ItemKind.NAME,
    WordKind.FUNCTION: ItemKind.FUNCTION,
    WordKind.KEYWORD: ItemKind.KEYWORD,
}


def complete(text: str, offset: int, analysis: Analysis) -> list[Item]:
    """What may be written at an offset, the likeliest first."""
    spot = find_spot(text[:offset])
    shape = shape_at(spot.path)
    found: list[Item] = []
    if spot.keys:
        found += _keys(text, offset, spot, shape, analysis)
    if spot.values and takes_expression(spot.path, shape):
        found += _expression(offset, spot, analysis)
    elif spot.values:
        found += _values(offset, spot, shape, analysis)
    before = text[offset - 1 : offset]
    if before == ":" and not spot.typed and not spot.quote:
        found = [_after_blank(item) for item in found]
    return sorted(found, key=lambda item: (item.rank, item.label))


def _after_blank(item: Item) -> Item:
    """A value needs a blank after its colon."""
    snippet = None if item.snippet is None else f" {item.snippet}"
    return replace(item, insert=f" {item.insert}", snippet=snippet)


# -- keys ----------------------------------------------------------------------------------------


def _keys(text: str, offset: int, spot: Spot, shape: Shape, analysis: Analysis) -> Iterator[Item]:
    rest = _REST_OF_KEY.match(text, offset)
    end = rest.end() if rest is not None else offset
    has_colon = text[end : end + 1] == ":" or (
        spot.quote and text[end : end + 2] == f"{spot.quote}:"
    )
    if not has_colon:
        end = offset
    written = {*spot.written, *_later_keys(text, offset, spot)}
    for key, detail, doc, rank in _known_keys(spot, shape, analysis):
        if key in written:
            continue
        yield Item(
            label=key,
            kind=ItemKind.KEY,
            start=spot.start,
            end=end,
            insert=key if has_colon or spot.quote else f"{key}: ",
            detail=detail,
            doc=doc,
            rank=rank,
        )


def _known_keys(
    spot: Spot, shape: Shape, analysis: Analysis
) -> Iterator[tuple[str, str, str, int]]:
    for index, key in enumerate(shape.keys()):
        below = shape.at(key)
        needed = is_required(shape, key)
        detail = ("required, " if needed else "") + kind_of_value(below)
        yield key, detail, description(below), index if needed else 100 + index
    if names_codes(shape):
        for code in CODES.values():
            if code.allowable:
                yield code.id, code.name, "", 0
    kind = role(USING_KEYS, (*spot.path, ANY))
    if kind is not None:
        for name in analysis.names(kind):
            yield name, kind.value, "", 0


def _later_keys(text: str, offset: int, spot: Spot) -> Iterator[str]:
    """Keys of the same mapping that stand after the place."""
    if spot.column < 0:
        depth, end = 0, min(len(text), offset + _FLOW_REACH)
        for i in range(offset, end):
            if text[i] in "{[":
                depth += 1
            elif text[i] in "}]":
                depth -= 1
                if depth < 0:
                    end = i
                    break
            elif text[i] == "," and depth == 0:
                match = _FLOW_KEY.match(text, i)
                if match is not None:
                    yield match["key"]
        return
    line = text.find("\n", offset)
    while line >= 0:
        start = line + 1
        line = text.find("\n", start)
        content = text[start : line if line >= 0 else len(text)]
        blanks = len(content) - len(content.lstrip(" "))
        if not content.strip() or content.lstrip(" ").startswith("#"):
            continue
        match = _LINE_KEY.match(content)
        if blanks < spot.column:
            return
        if match is not None and blanks == spot.column:
            yield match["key"]


# -- values --------------------------------------------------------------------------------------


def _values(offset: int, spot: Spot, shape: Shape, analysis: Analysis) -> Iterator[Item]:
    kind = role(USING_VALUES, spot.path)
    named = list(_named(kind, spot, analysis)) if kind is not None else []
    seen = {name for name, _ in named}
    for index, (name, detail) in enumerate(named):
        yield _value(offset, spot, name, ItemKind.NAME, detail, index)
    fixed = fixed_choices(shape)
    doc = description(shape)
    for index, choice in enumerate(fixed or examples(shape)):
        if choice not in seen and (kind not in _DECLARED or choice in STRATEGIES):
            detail = "" if fixed else "for example"
            yield _value(offset, spot, choice, ItemKind.CHOICE, detail, 500 + index, doc)


def _value(
    offset: int, spot: Spot, text: str, kind: ItemKind, detail: str, rank: int, doc: str = ""
) -> Item:
    return Item(
        label=text,
        kind=kind,
        start=spot.start,
        end=offset,
        insert=text if spot.quote else _as_scalar(text),
        detail=detail,
        doc=doc,
        rank=rank,
    )


def _as_scalar(text: str) -> str:
    """A value as YAML: in quotes where it is not the text it looks like."""
    is_number = not isinstance(resolve_plain(text), str)
    is_safe = _PLAIN.fullmatch(text) is not None and not text.endswith(":") and trap(text) is None
    return text if is_number or is_safe else f'"{text}"'


def _named(kind: Kind, spot: Spot, analysis: Analysis) -> Iterable[tuple[str, str]]:
    match kind:
        case Kind.BASE:
            return ((name, "ships with lynkrc") for name in spec_names("builtin"))
        case Kind.PROVIDER_KIND:
            return ((one.name, one.base_url or "with `base_url`") for one in KINDS.values())
        case Kind.MODEL:
            return _models(spot.written.get("provider", ""), analysis)
        case _:
            return ((name, kind.value) for name in analysis.names(kind))


def _models(provider: str, analysis: Analysis) -> Iterator[tuple[str, str]]:
    """Models of the catalog, those that the target's provider offers where that is known."""
    spec = analysis.spec
    own = next((one.item for one in spec.providers if one.name == provider), None) if spec else None
    provision = None
    if own is not None:
        address = None if own.base_url is None else own.base_url.value
        provision = provision_of(own.kind.value, address)
    facts = {name: entry for entry in analysis.catalog for name in names_for([entry], provision)}
    for name, entry in facts.items():
        yield name, _model_detail(entry)


def _model_detail(entry: ModelFacts) -> str:
    parts = [] if entry.context is None else [f"{entry.context:,} tokens"]
    if entry.price is not None:
        price = entry.price.price
        parts.append(f"${price.input:g} in, ${price.output:g} out")
    return "; ".join(parts)


# -- expressions ---------------------------------------------------------------------------------


def _expression(offset: int, spot: Spot, analysis: Analysis) -> Iterator[Item]:
    for word in words_at(spot.path, spot.typed, spot.quote, analysis):
        yield _item(offset, word)


def _item(offset: int, word: Word) -> Item:
    return Item(
        label=word.label,
        kind=_OF_WORD[word.kind],
        start=offset - word.replaces,
        end=offset,
        insert=word.insert,
        snippet=word.snippet,
        detail=word.detail,
        doc=word.doc,
        rank=word.rank,
    )
