"""A draft to the text of a `routing.yaml`: aligned rows, quoted where YAML needs it, comments."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias, TypeVar

from lynkrc.migrate.draft import Draft, DraftModel, DraftProvider, DraftTarget, DraftTier
from lynkrc.source.scalars import resolve_plain, trap

_Row = TypeVar("_Row")

_Shaped: TypeAlias = tuple[str, tuple[str, ...], str]
"""A row: its name, its entries `key: value`, and a comment on it."""

_WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+@-]*")


def write_spec(draft: Draft, *, schema: str | None) -> str:
    """The text. `schema` is where editors find the JSON Schema, relative to the spec."""
    lines = [f"# yaml-language-server: $schema={schema}"] if schema else []
    lines += _comments(draft.intro)
    lines += ["version: 1", f"name: {draft.name}"]
    if draft.scored:
        lines.append(_noted("extends: builtin/lynkr", "client profiles, force rules, floors"))
    lines += ["", "providers:", *_rows(draft.providers, _provider)]
    lines += ["", *_targets(draft.targets)]
    if draft.models:
        lines += ["", _noted("models:", draft.models_note), *_rows(draft.models, _model)]
    if draft.scored:
        lines += ["", "score:", "  use: builtin/lynkr-13"]
    lines += ["", _noted("tiers:", draft.tiers_note), *_tiers(draft.tiers)]
    lines += ["", _noted(f"otherwise: {draft.otherwise}", draft.otherwise_note)]
    for block in (draft.hints, draft.ending):
        if block:
            lines += ["", *_comments(block)]
    return "\n".join(lines) + "\n"


def scalar(text: str) -> str:
    """A text as a YAML scalar, in double quotes where a plain one would be read otherwise.

    >>> scalar("gpt-4o"), scalar("llama3.2:3b"), scalar("1.0"), scalar("yes")
    ('gpt-4o', '"llama3.2:3b"', '"1.0"', '"yes"')
    """
    plain = _PLAIN.fullmatch(text) and trap(text) is None and isinstance(resolve_plain(text), str)
    return text if plain else json.dumps(text, ensure_ascii=False)


def size(tokens: int) -> str:
    """A number of tokens, with `k` or `M` where it is whole.

    >>> size(128_000), size(1_000_000), size(16_384)
    ('128k', '1M', '16384')
    """
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if tokens % unit == 0:
            return f"{tokens // unit}{letter}"
    return str(tokens)


def number(value: float) -> str:
    """A number without a fraction that says nothing: 90, 1.5."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _provider(row: DraftProvider) -> _Shaped:
    parts = [f"kind: {row.kind}"]
    if row.base_url is not None:
        parts.append(f"base_url: {_address(row.base_url)}")
    if row.api_key is not None:
        parts.append(f"api_key: {scalar(row.api_key)}")
    parts.append(f"trust: {row.trust}")
    if row.headers:
        pairs = ", ".join(f"{scalar(name)}: {scalar(value)}" for name, value in row.headers)
        parts.append(f"headers: {{{pairs}}}")
    if row.retries is not None:
        parts.append(f"retries: {row.retries}")
    if row.timeouts:
        pairs = ", ".join(f"{name}: {number(seconds)}" for name, seconds in row.timeouts)
        parts.append(f"timeouts: {{{pairs}}}")
    return row.name, tuple(parts), row.note


def _address(url: str) -> str:
    return json.dumps(url)


def _targets(targets: Sequence[DraftTarget]) -> list[str]:
    assumed = any(row.assumed for row in targets)
    note = "`assumed` is what nobody has stated of a model: correct it" if assumed else ""
    return [_noted("targets:", note), *_rows(targets, _target)]


def _target(row: DraftTarget) -> _Shaped:
    parts = [f"provider: {row.provider}", f"model: {scalar(row.model)}"]
    if row.context is not None:
        parts.append(f"context: {size(row.context)}")
    if row.max_output is not None:
        parts.append(f"max_output: {size(row.max_output)}")
    if row.capabilities is not None:
        parts.append(f"capabilities: [{', '.join(row.capabilities)}]")
    if row.price:
        parts.append(f"price: {{{', '.join(f'{key}: {usd}' for key, usd in row.price)}}}")
    note = "; ".join(part for part in (row.note, "assumed" if row.assumed else "") if part)
    return row.name, tuple(parts), note


def _model(row: DraftModel) -> _Shaped:
    pin = f"tier: {row.tier}" if row.tier is not None else f"target: {row.target}"
    return scalar(row.pattern), (pin,), ""


def _tiers(tiers: Sequence[DraftTier]) -> list[str]:
    names = max(len(tier.name) for tier in tiers) + 1
    bounds = max((len(f"{tier.up_to},") for tier in tiers if tier.up_to is not None), default=0)
    lines = []
    for tier in tiers:
        bound = f"up_to: {f'{tier.up_to},':{bounds}} " if tier.up_to is not None else ""
        pad = bound or " " * (bounds + 8 if bounds else 0)
        chain = ", ".join(tier.chain)
        row = f"  - {{name: {f'{tier.name},':{names}} {pad}chain: [{chain}]}}"
        fits = len(_noted(row, tier.note)) <= _WIDTH
        lines += [_noted(row, tier.note)] if fits else [f"  # {tier.note}", row]
    return lines


def _rows(rows: Iterable[_Row], shape: Callable[[_Row], _Shaped]) -> list[str]:
    """Rows `name: {...}` with their braces in one column; a long one takes a line for each key."""
    shaped = [(*shape(row), len(_flow(*shape(row), 0)) <= _WIDTH) for row in rows]
    width = max((len(name) for name, _, _, is_short in shaped if is_short), default=0) + 1
    lines = []
    for name, parts, note, is_short in shaped:
        if is_short:
            lines.append(_flow(name, parts, note, width))
        else:
            lines += [_noted(f"  {name}:", note), *(f"    {part}" for part in parts)]
    return lines


def _flow(name: str, parts: Iterable[str], note: str, width: int) -> str:
    return _noted(f"  {f'{name}:':{width}} {{{', '.join(parts)}}}", note)


def _noted(line: str, note: str) -> str:
    return f"{line}  # {note}" if note else line


def _comments(lines: Iterable[str]) -> list[str]:
    return [f"# {line}".rstrip() for line in lines]
