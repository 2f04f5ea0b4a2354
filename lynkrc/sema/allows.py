"""Findings and the `allow` of the items they lie in to those that are left.

An `allow` silences one code inside its item. One that silences nothing, names no code, or one that
cannot be allowed is itself a finding: nothing is allowed ahead of time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from lynkrc.diagnostics.codes import CODES
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.sema_codes import NOT_ALLOWABLE, PROVED, UNNEEDED_ALLOW
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import shown
from lynkrc.source.text import Span
from lynkrc.syntax.config import (
    Allow,
    Client,
    Config,
    Dimension,
    Lexicon,
    NamedExpression,
    Provider,
    Rule,
    Target,
    Tier,
)

_PROVED = frozenset(code.id for code in PROVED)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    allow: Allow
    item: Span


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAllow:
    """An `allow` of what a proof may find: its code, the item it is for, and where it stands.

    `is_needed`: it silenced something already, or stands in a base, where it is not judged.
    """

    code: str
    item: Span
    span: Span
    is_needed: bool


_Item: TypeAlias = Provider | Target | Lexicon | NamedExpression | Client | Tier | Rule | Dimension


def check_allows(config: Config) -> Iterable[Diagnostic]:
    """Allows of the document that name no code, or one that cannot be allowed."""
    for scope in _scopes(config):
        name = scope.allow.code
        code = CODES.get(name.value)
        if code is None:
            known = [one.id for one in CODES.values() if one.allowable]
            yield Diagnostic(
                code=NOT_ALLOWABLE,
                message=f"there is no code {shown(name.value)}",
                span=name.span,
                help=did_you_mean(name.value, known, "codes"),
            )
        elif not code.allowable:
            yield Diagnostic(
                code=NOT_ALLOWABLE,
                message=f"{shown(name.value)} ({code.name}) cannot be allowed: without mending it "
                "the spec has no meaning",
                span=name.span,
                help=f"`lynkrc explain {name.value}` says how to mend it",
            )


def without_allowed(
    findings: Sequence[Diagnostic], documents: Sequence[Config]
) -> list[Diagnostic]:
    """The findings that no `allow` of the document they lie in silences."""
    scopes = [scope for document in documents for scope in _sound(document)]
    return [one for one in findings if _answering(scopes, one) is None]


def unneeded_allows(findings: Sequence[Diagnostic], config: Config) -> list[Diagnostic]:
    """The allows that silence none of the findings, which are expected to be all there are."""
    scopes = _sound(config)
    needed = {_answering(scopes, one) for one in findings}
    return [
        _unneeded(scope.allow.code.value, scope.allow.code.span)
        for i, scope in enumerate(scopes)
        if i not in needed and scope.allow.code.value not in _PROVED
    ]


def open_allows(
    findings: Sequence[Diagnostic], config: Config, documents: Sequence[Config]
) -> tuple[OpenAllow, ...]:
    """The allows of what a proof may find, of `config` and of the `documents` it builds on."""
    found = []
    for document in (config, *documents):
        scopes = _sound(document)
        needed = {_answering(scopes, one) for one in findings}
        found += [
            OpenAllow(
                code=scope.allow.code.value,
                item=scope.item,
                span=scope.allow.code.span,
                is_needed=i in needed or document is not config,
            )
            for i, scope in enumerate(scopes)
            if scope.allow.code.value in _PROVED
        ]
    return tuple(found)


def after_proofs(found: Sequence[Diagnostic], allows: Sequence[OpenAllow]) -> list[Diagnostic]:
    """Those of the proved findings that no allow silences, and the allows that nothing needs."""
    answers = [_answer(allows, one) for one in found]
    left = [one for one, answer in zip(found, answers, strict=True) if answer is None]
    unneeded = [
        _unneeded(allow.code, allow.span)
        for i, allow in enumerate(allows)
        if not allow.is_needed and i not in answers
    ]
    return [*left, *unneeded]


def _answer(allows: Sequence[OpenAllow], finding: Diagnostic) -> int | None:
    silencing = [
        i
        for i, allow in enumerate(allows)
        if allow.code == finding.code.id and _lies_in(finding.span, allow.item)
    ]
    return min(silencing, key=lambda i: _length(allows[i].item), default=None)


def _answering(scopes: Sequence[_Scope], finding: Diagnostic) -> int | None:
    """The allow that silences a finding: the innermost, so that a wider one shows as unneeded."""
    silencing = [i for i, scope in enumerate(scopes) if _silences(scope, finding)]
    return min(silencing, key=lambda i: _length(scopes[i].item), default=None)


def _sound(config: Config) -> list[_Scope]:
    return [scope for scope in _scopes(config) if _is_allowable(scope.allow)]


def _is_allowable(allow: Allow) -> bool:
    code = CODES.get(allow.code.value)
    return code is not None and code.allowable


def _silences(scope: _Scope, finding: Diagnostic) -> bool:
    return finding.code.id == scope.allow.code.value and _lies_in(finding.span, scope.item)


def _lies_in(span: Span, item: Span) -> bool:
    return span.file is item.file and item.start <= span.start and span.end <= item.end


def _length(span: Span) -> int:
    return span.end - span.start


def _unneeded(code: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code=UNNEEDED_ALLOW,
        message=f"there is no {shown(code)} here to allow",
        span=span,
        help="remove it: what it was for has been mended, or lies elsewhere",
    )


def _scopes(config: Config) -> Iterator[_Scope]:
    file = config.span.file
    whole = Span(file=file, start=0, end=len(file.text))
    for allow in config.allow:
        yield _Scope(allow=allow, item=whole)
    for assertion in config.assertions:
        for allow in assertion.allow:
            yield _Scope(allow=allow, item=assertion.span)
    groups: tuple[Sequence[_Item], ...] = (
        config.providers,
        config.targets,
        config.lexicons,
        config.features,
        config.clients,
        config.tiers,
        config.rules,
        () if config.score is None else config.score.dimensions,
    )
    for item in (one for group in groups for one in group):
        # The key of an entry lies before its value, and findings often point at it.
        start = min(item.span.start, item.name.span.start)
        for allow in item.allow:
            yield _Scope(allow=allow, item=Span(file=file, start=start, end=item.span.end))
