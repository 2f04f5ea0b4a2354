"""A draft to the text of a `routing.yaml` in canonical form, with its comments.

What is written here is put down loosely; `lynkrc.syntax.fmt` lays it out and quotes it.
"""

import json
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from lynkrc.migrate.draft import (
    Draft,
    DraftModel,
    DraftProvider,
    DraftSetting,
    DraftTarget,
    DraftTier,
)
from lynkrc.source.text import SourceFile
from lynkrc.syntax.fmt import format_spec

_WIDTH = 100

_Tree: TypeAlias = "dict[str, str | _Tree]"

_ASSUMED = "`assumed`: nobody has stated these facts of the model; correct them."
_FREE = "`free`: the model runs on a machine of yours; if somebody bills its tokens, write a price."
_PRICE = (
    "price: {input: ..., output: ...}  # USD per million tokens, from your provider's price page"
)


def write_spec(draft: Draft, *, schema: str | None) -> str:
    """The text. `schema` is where editors find the JSON Schema, relative to the spec."""
    lines = [f"# yaml-language-server: $schema={schema}"] if schema else []
    lines += _comments(draft.intro)
    lines += ["version: 1", f"name: {draft.name}"]
    if draft.profile is not None:
        lines.append(_noted("extends: builtin/lynkr", "client profiles, force rules, floors"))
    lines += ["", "providers:", *(_provider(row) for row in draft.providers)]
    lines += ["", *_targets(draft.targets)]
    if draft.models:
        lines += ["", _noted("models:", draft.models_note), *(_model(row) for row in draft.models)]
    if draft.profile is not None:
        lines += ["", "score:", f"  use: {draft.profile}"]
    lines += ["", _noted("tiers:", draft.tiers_note)]
    lines += [line for tier in draft.tiers for line in _tier(tier)]
    lines += ["", _noted(f"otherwise: {draft.otherwise}", draft.otherwise_note)]
    lines += _settings(draft.settings)
    for block in (draft.hints, draft.ending):
        if block:
            lines += ["", *_comments(block)]
    return _canonical("\n".join(lines) + "\n")


def _canonical(text: str) -> str:
    """The text as `lynkrc fmt` would write it."""
    laid_out, findings = format_spec(SourceFile(path="routing.yaml", text=text))
    if laid_out is None:
        raise AssertionError(f"a draft is no spec: {[one.message for one in findings]}")
    return laid_out


def seconds(value: float) -> str:
    """A time as a spec writes it.

    >>> seconds(90), seconds(1.5), seconds(300), seconds(21_600)
    ('90s', '1500ms', '5m', '6h')
    """
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        if value % length == 0 and (value >= 2 * length or value == length):
            return f"{int(value) // length}{unit}"
    return f"{max(1, round(value * 1000))}ms"


def size(tokens: int) -> str:
    """A number of tokens, with `k` or `M` where it is whole.

    >>> size(128_000), size(1_000_000), size(16_384)
    ('128k', '1M', '16384')
    """
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if tokens % unit == 0:
            return f"{tokens // unit}{letter}"
    return str(tokens)


def _provider(row: DraftProvider) -> str:
    parts = [f"kind: {row.kind}"]
    for key, text in (("base_url", row.base_url), ("region", row.region), ("api_key", row.api_key)):
        if text is not None:
            parts.append(f"{key}: {_quoted(text)}")
    parts.append(f"trust: {row.trust}")
    if row.timeouts:
        parts.append(f"timeouts: {_mapping(row.timeouts)}")
    if row.retries is not None:
        parts.append(f"retry: {{times: {row.retries}}}")
    if row.concurrency:
        parts.append(f"concurrency: {_mapping(row.concurrency)}")
    if row.headers:
        headers = [(_quoted(name), _quoted(value)) for name, value in row.headers]
        parts.append(f"headers: {_mapping(headers)}")
    return _noted(f"  {row.name}: {{{', '.join(parts)}}}", row.note)


def _targets(targets: Sequence[DraftTarget]) -> list[str]:
    notes = [_ASSUMED] if any(row.assumed for row in targets) else []
    notes += [_FREE] if any(row.price == "free" for row in targets) else []
    lines = [*_comments(notes), "targets:"]
    for row in targets:
        note = "; ".join(part for part in (row.note, "assumed" if row.assumed else "") if part)
        parts = _target(row)
        if row.unpriced:
            # In lines of its own, so that the comment on the price stands in it.
            lines += [_noted(f"  {row.name}:", note), *(f"    {part}" for part in parts)]
            lines.append(f"    # {_PRICE}")
        else:
            lines.append(_noted(f"  {row.name}: {{{', '.join(parts)}}}", note))
    return lines


def _target(row: DraftTarget) -> list[str]:
    parts = [f"provider: {row.provider}", f"model: {_quoted(row.model)}"]
    if row.context is not None:
        parts.append(f"context: {size(row.context)}")
    if row.max_output is not None:
        parts.append(f"max_output: {size(row.max_output)}")
    if row.capabilities is not None:
        parts.append(f"capabilities: [{', '.join(row.capabilities)}]")
    if row.price is not None:
        price = row.price if isinstance(row.price, str) else _mapping(row.price)
        parts.append(f"price: {price}")
    return parts


def _model(row: DraftModel) -> str:
    pin = f"tier: {row.tier}" if row.tier is not None else f"target: {row.target}"
    return f"  {_quoted(row.pattern)}: {{{pin}}}"


def _tier(tier: DraftTier) -> list[str]:
    own, rest = tier.chain[: tier.group], tier.chain[tier.group :]
    chain = [*([f"[{', '.join(own)}]"] if own else []), *rest]
    parts = [f"name: {tier.name}"]
    if tier.up_to is not None:
        parts.append(f"up_to: {tier.up_to}")
    parts.append(f"chain: [{', '.join(chain)}]")
    if tier.pick is not None:
        parts.append(f"pick: {tier.pick}")
    if tier.weights:
        parts.append(f"weights: {_mapping(tier.weights)}")
    row = f"  - {{{', '.join(parts)}}}"
    fits = not tier.note or len(_noted(row, tier.note)) <= _WIDTH
    return [_noted(row, tier.note)] if fits else [f"  # {tier.note}", row]


def _settings(settings: Iterable[DraftSetting]) -> list[str]:
    """Sections, each in lines of its own; what is deeper in one line."""
    sections: _Tree = {}
    for setting in settings:
        at = sections
        for key in setting.path[:-1]:
            inner = at.setdefault(key, {})
            if isinstance(inner, str):
                raise AssertionError(f"{key} is a value and a section")
            at = inner
        at[setting.path[-1]] = setting.value
    lines: list[str] = []
    for name, section in sections.items():
        lines += ["", f"{name}:"]
        for key, value in section.items() if isinstance(section, dict) else ():
            lines.append(f"  {key} {_flow(value)}" if key == "-" else f"  {key}: {_flow(value)}")
    return lines


def _flow(value: "str | _Tree") -> str:
    if isinstance(value, str):
        return value
    return _mapping([(key, _flow(inner)) for key, inner in value.items()])


def _mapping(pairs: Iterable[tuple[str, object]]) -> str:
    return f"{{{', '.join(f'{key}: {value}' for key, value in pairs)}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _noted(line: str, note: str) -> str:
    return f"{line}  # {note}" if note else line


def _comments(lines: Iterable[str]) -> list[str]:
    return [f"# {line}".rstrip() for line in lines]
