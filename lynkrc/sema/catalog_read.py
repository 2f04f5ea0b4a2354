"""The files of the catalog to facts about models, every figure with a source and its date.

>>> file = SourceFile(path="ours.yaml", text='''
... seller: {name: Ours, hosts: [ours.example], facts: everywhere}
... sources: {page: {url: "https://ours.example/models", date: "2026-01-01"}}
... models:
...   - {ids: [big-2], context: 1M, price: {input: 1, output: 2, sources: [page]}, sources: [page]}
... ''')
>>> (entry,), findings = read_catalog([file])
>>> entry.context, entry.price.price.output, findings
(1000000, 2.0, [])
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Annotated, Literal, TypeAlias, final

import msgspec

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.sema_codes import MALFORMED_CATALOG
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.sema.catalog import CatalogPrice, ModelFacts, Place, Source
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from lynkrc.source.text import SourceFile, Span
from lynkrc.source.yaml_nodes import read_nodes
from lynkrc.syntax.config import Price
from lynkrc_runtime.feature_table import BIG, CAPABILITIES
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.providers.table import KINDS

_Plain: TypeAlias = "str | int | float | bool | list[_Plain] | dict[str, _Plain] | None"
_Some: TypeAlias = Annotated[list[str], msgspec.Meta(min_length=1)]
_Usd: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=100_000)]

_TOKENS = re.compile(r"([1-9][0-9]*)([kM]?)")
_UNITS = {"": 1, "k": 1_000, "M": 1_000_000}
_URL = re.compile(r"(https://|lynkrc_runtime/)\S+")


class _Struct(msgspec.Struct, forbid_unknown_fields=True):
    """What is written, key by key; the keys are described in schema/catalog.schema.json."""


class _Seller(_Struct):
    name: str
    facts: Literal["everywhere", "here"]
    kinds: list[str] = []
    hosts: list[str] = []


class _Source(_Struct):
    url: str
    date: str


class _Price(_Struct):
    input: _Usd
    output: _Usd
    sources: _Some
    cache_read: _Usd | None = None
    cache_write: _Usd | None = None


class _Below(_Struct):
    tokens: str | int
    input: _Usd
    output: _Usd
    cache_read: _Usd | None = None
    cache_write: _Usd | None = None


class _Entry(_Struct):
    ids: _Some
    sources: _Some
    kinds: list[str] = []
    context: str | int | None = None
    max_output: str | int | None = None
    capabilities: list[str] | None = None
    shape: RequestShape = msgspec.field(default_factory=RequestShape)
    price: _Price | None = None
    price_below: _Below | None = None
    retires: str | None = None


class _Head(_Struct):
    sources: dict[str, _Source]
    seller: _Seller | None = None


class _Wrong(Exception):
    """What is written is no fact; the message says why."""


@final
@dataclass(frozen=True, slots=True)
class _File:
    """What a file says before its entries, and which of its sources they name."""

    seller: _Seller | None
    sources: Mapping[str, Source]
    named: set[str] = field(default_factory=set)

    def look_up(self, names: Sequence[str]) -> tuple[Source, ...]:
        unknown = [name for name in names if name not in self.sources]
        if unknown:
            raise _Wrong(f"{listed(unknown)} is no source of this file")
        self.named.update(names)
        return tuple(self.sources[name] for name in names)


def read_catalog(
    files: Sequence[SourceFile],
) -> tuple[tuple[ModelFacts, ...], list[Diagnostic]]:
    """The entries of a catalog, and what is wrong with it."""
    facts, findings = _read_files(tuple(files))
    return facts, [*findings]


@lru_cache(maxsize=2)  # every spec of a process is read with the same one
def _read_files(
    files: tuple[SourceFile, ...],
) -> tuple[tuple[ModelFacts, ...], tuple[Diagnostic, ...]]:
    facts: list[ModelFacts] = []
    findings: list[Diagnostic] = []
    for file in files:
        root, found = read_nodes(file)
        findings += found
        if root is not None:
            _read_file(root, facts, findings)
    return tuple(facts), tuple(findings)


def _read_file(root: Node, facts: list[ModelFacts], findings: list[Diagnostic]) -> None:
    models = root.get("models") if isinstance(root, MappingNode) else None
    if not isinstance(root, MappingNode) or not isinstance(models, SequenceNode):
        findings.append(_malformed(root.span, "a catalog is a list under `models`"))
        return
    try:
        head = {key.text: _plain(node) for key, node in root.entries if key.text != "models"}
        file = _file(msgspec.convert(head, _Head))
    except (msgspec.ValidationError, _Wrong) as error:
        findings.append(_malformed(root.span, str(error)))
        return
    for node in models.items:
        try:
            entry = _entry(msgspec.convert(_plain(node), _Entry), file)
            _reachable(entry, facts)
        except (msgspec.ValidationError, _Wrong) as error:
            findings.append(_malformed(node.span, str(error)))
        else:
            facts.append(entry)
    unused = sorted(set(file.sources) - file.named)
    if unused and not findings:
        findings.append(_malformed(root.span, f"no entry names the source {listed(unused)}"))


def _file(head: _Head) -> _File:
    sources = {}
    for name, source in head.sources.items():
        if not _URL.fullmatch(source.url):
            raise _Wrong(f"{shown(source.url)} is no address of a source")
        sources[name] = Source(url=source.url, date=_date(source.date))
    if head.seller is not None:
        _known("kind", head.seller.kinds, tuple(KINDS))
        if not (head.seller.kinds or head.seller.hosts):
            raise _Wrong("a seller is known by `kinds`, `hosts` or both")
    return _File(head.seller, sources)


def _entry(written: _Entry, file: _File) -> ModelFacts:
    """The facts of one entry; _Wrong or msgspec's error for what is none."""
    seller = file.seller
    _known("kind", written.kinds, tuple(KINDS))
    _known("capability", written.capabilities or [], CAPABILITIES)
    misplaced = [id_ for id_ in written.ids if not id_ or "*" in id_[:-1]]
    if misplaced:
        raise _Wrong(f"{listed(misplaced)} is no id: one is not empty, and `*` stands at its end")
    if written.kinds and seller is not None:
        raise _Wrong("`kinds` are those of the seller, where a file has one")
    sold_at = None
    if seller is not None:
        sold_at = Place(kinds=tuple(seller.kinds), hosts=tuple(seller.hosts))
    only = Place(kinds=tuple(written.kinds)) if written.kinds else None
    if seller is not None and seller.facts == "here":
        only = sold_at
    if written.price is not None and (only or sold_at) is None:
        raise _Wrong("a price is somebody's: state a `seller`, or the entry's `kinds`")
    context = None if written.context is None else _tokens(written.context)
    return ModelFacts(
        ids=tuple(written.ids),
        only=only,
        context=context,
        max_output=None if written.max_output is None else _tokens(written.max_output),
        capabilities=None if written.capabilities is None else tuple(written.capabilities),
        shape=written.shape,
        price=_price(written, context, file),
        seller=None if seller is None else seller.name,
        sold_at=sold_at,
        retires=None if written.retires is None else _date(written.retires),
        sources=file.look_up(written.sources),
    )


def _price(written: _Entry, context: int | None, file: _File) -> CatalogPrice | None:
    if written.price is None:
        if written.price_below is not None:
            raise _Wrong("`price_below` needs `price`, that of longer prompts")
        return None
    price, below, tokens = _usd(written.price), None, None
    if written.price_below is not None:
        below, tokens = _usd(written.price_below), _tokens(written.price_below.tokens)
        if any(low > high for low, high in zip(_figures(below), _figures(price), strict=True)):
            raise _Wrong("`price_below` is dearer than `price`, which bounds what a request costs")
        if context is not None and tokens >= context:
            raise _Wrong("`price_below` reaches the whole window: it is the price")
    return CatalogPrice(
        price=price, tokens=tokens, below=below, sources=file.look_up(written.price.sources)
    )


def _usd(written: _Price | _Below) -> Price:
    return Price(
        input=written.input,
        output=written.output,
        cache_read=written.cache_read,
        cache_write=written.cache_write,
    )


def _figures(price: Price) -> Iterator[float]:
    for figure in (price.input, price.output, price.cache_read, price.cache_write):
        yield price.input if figure is None else figure


def _reachable(entry: ModelFacts, others: Sequence[ModelFacts]) -> None:
    """_Wrong where an id could choose between two entries, or never chooses this one."""
    if len(set(entry.ids)) < len(entry.ids):
        raise _Wrong(f"{listed(entry.ids)}: one of them stands there twice")
    for other in others:
        same = sorted(set(entry.ids) & set(other.ids))
        if same and _overlap(entry.only, other.only):
            raise _Wrong(f"{listed(same)} has an entry already")


def _overlap(one: Place | None, other: Place | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(
        set(one.kinds) & set(other.kinds)
        or set(one.hosts) & set(other.hosts)
        # A provider has a kind and a host: it can be at a place by either.
        or (one.kinds and other.hosts)
        or (one.hosts and other.kinds)
    )


def _known(what: str, found: Sequence[str], known: Sequence[str]) -> None:
    unknown = [word for word in found if word not in known]
    if unknown:
        raise _Wrong(f"{listed(unknown)} is no {what}")


def _tokens(written: str | int) -> int:
    found = _TOKENS.fullmatch(str(written))
    tokens = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < tokens < BIG:
        # `context.tokens` counts to BIG: a longer window could never be seen to be exceeded.
        raise _Wrong(f"a number of tokens is in 1..{BIG - 1}, as in `128k`")
    return tokens


def _date(written: str) -> str:
    try:
        return date.fromisoformat(written).isoformat()
    except ValueError:
        raise _Wrong(f"{shown(written)} is no day, as in `2026-11-21`") from None


def _plain(node: Node) -> _Plain:
    match node:
        case ScalarNode():
            return node.value
        case SequenceNode(items=items):
            return [_plain(item) for item in items]
        case MappingNode(entries=entries):
            return {key.text: _plain(value) for key, value in entries}


def _malformed(span: Span, message: str) -> Diagnostic:
    return Diagnostic(
        code=MALFORMED_CATALOG,
        message=message,
        span=span,
        help="`lynkrc schema catalog` describes the form of the catalog's files",
    )
