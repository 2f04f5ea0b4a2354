"""Findings and the `allow` of the items they lie in to those that are left.

An `allow` silences one code inside its item. One that silences nothing, names no code, or one that
cannot be allowed is itself a finding: nothing is allowed ahead of time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from lynkrc.diagnostics.codes import CODES
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.sema_codes import NOT_ALLOWABLE, UNNEEDED_ALLOW
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


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    allow: Allow
    item: Span


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
    return [_unneeded(scope.allow) for i, scope in enumerate(scopes) if i not in needed]


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
    span, item = finding.span, scope.item
    return (
        finding.code.id == scope.allow.code.value
        and span.file is item.file
        and item.start <= span.start
        and span.end <= item.end
    )


def _length(span: Span) -> int:
    return span.end - span.start


def _unneeded(allow: Allow) -> Diagnostic:
    return Diagnostic(
        code=UNNEEDED_ALLOW,
        message=f"there is no {shown(allow.code.value)} here to allow",
        span=allow.code.span,
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
