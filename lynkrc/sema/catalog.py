"""The catalog document to facts about models: windows, capabilities, request shapes.

`match` is a model id, a trailing ``*`` matches any rest; an exact match wins over a prefix, a
longer prefix over a shorter one, an entry limited to kinds over one that is not.

>>> file = SourceFile(path="models.yaml", text='''
... models:
...   - {match: big-2, context: 1M, capabilities: [tools], source: docs, date: "2026-01-01"}
...   - {match: big*, context: 200k, source: docs, date: "2026-01-01"}
... ''')
>>> catalog, findings = read_catalog(file)
>>> [facts_of(catalog, model, "openai").context for model in ("big-2", "big-3")], findings
([1000000, 200000], [])
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import msgspec

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.sema_codes import MALFORMED_CATALOG
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from lynkrc.source.text import SourceFile, Span
from lynkrc.source.yaml_nodes import read_nodes
from lynkrc_runtime.feature_table import BIG, CAPABILITIES
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.providers.table import KINDS

_Plain: TypeAlias = "str | int | float | bool | list[_Plain] | dict[str, _Plain] | None"

_TOKENS = re.compile(r"([0-9]+)([kM]?)")
_UNITS = {"": 1, "k": 1_000, "M": 1_000_000}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What is known of the models that `match` covers; None is not stated. `kinds` empty: any."""

    match: str
    kinds: tuple[str, ...]
    context: int | None
    max_output: int | None
    capabilities: tuple[str, ...] | None
    shape: RequestShape


NOTHING = ModelFacts(
    match="*",
    kinds=(),
    context=None,
    max_output=None,
    capabilities=None,
    shape=RequestShape(),
)
"""The facts of a model nobody has written about."""


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    """One entry as written. `source` and `date` say where and when it was looked up."""

    match: str
    source: str
    date: str
    kinds: list[str] = []
    context: str | int | None = None
    max_output: str | int | None = None
    capabilities: list[str] | None = None
    shape: RequestShape = msgspec.field(default_factory=RequestShape)


def facts_of(catalog: Sequence[ModelFacts], model: str, kind: str) -> ModelFacts:
    """The facts of the entry that fits a model of a provider kind best, else `NOTHING`."""
    fitting = [
        entry
        for entry in catalog
        if (not entry.kinds or kind in entry.kinds) and _covers(entry.match, model)
    ]
    return max(fitting, key=_closeness, default=NOTHING)


def names_for(catalog: Sequence[ModelFacts], kind: str) -> list[str]:
    """The model names, or their beginnings, that the catalog knows of a provider kind."""
    names = (e.match.removesuffix("*") for e in catalog if not e.kinds or kind in e.kinds)
    return [name for name in names if name]


def _covers(match: str, model: str) -> bool:
    return model.startswith(match[:-1]) if match.endswith("*") else model == match


def _closeness(entry: ModelFacts) -> tuple[bool, int, bool]:
    return not entry.match.endswith("*"), len(entry.match), bool(entry.kinds)


def read_catalog(file: SourceFile) -> tuple[tuple[ModelFacts, ...], list[Diagnostic]]:
    """The entries of a catalog and what is wrong with it."""
    root, findings = read_nodes(file)
    if root is None:
        return (), findings
    models = root.get("models") if isinstance(root, MappingNode) else None
    if not isinstance(models, SequenceNode):
        return (), [*findings, _malformed(root.span, "a catalog is a list under `models`")]
    facts: list[ModelFacts] = []
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for node in models.items:
        entry, message = _entry(node)
        if entry is not None and (entry.match, entry.kinds) in seen:
            message = f"{shown(entry.match)} has an entry already"
        if message:
            findings.append(_malformed(node.span, message))
        elif entry is not None:
            seen.add((entry.match, entry.kinds))
            facts.append(entry)
    return tuple(facts), findings


def _entry(node: Node) -> tuple[ModelFacts | None, str]:
    """The facts of one entry, or what is wrong with it."""
    try:
        written = msgspec.convert(_plain(node), _Entry)
    except msgspec.ValidationError as error:
        return None, str(error)
    for what, found, known in (
        ("kind", written.kinds, tuple(KINDS)),
        ("capability", written.capabilities or [], CAPABILITIES),
    ):
        unknown = [word for word in found if word not in known]
        if unknown:
            return None, f"{listed(unknown)} is no {what}"
    limits = [_tokens(written.context), _tokens(written.max_output)]
    if any(limit is not None and not 0 < limit < BIG for limit in limits):
        # `context.tokens` counts to BIG: a longer window could never be seen to be exceeded.
        return None, f"a number of tokens is in 1..{BIG - 1}, as in `128k`"
    return (
        ModelFacts(
            match=written.match,
            kinds=tuple(written.kinds),
            context=limits[0],
            max_output=limits[1],
            capabilities=None if written.capabilities is None else tuple(written.capabilities),
            shape=written.shape,
        ),
        "",
    )


def _tokens(written: str | int | None) -> int | None:
    """A number of tokens, None where none is written, 0 for what is none."""
    if written is None:
        return None
    found = _TOKENS.fullmatch(str(written))
    return int(found[1]) * _UNITS[found[2]] if found else 0


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
        help="`{match, context, max_output, capabilities, kinds, shape, source, date}`",
    )
