"""A feature with its arguments to a typed leaf: ``count(ask, greeting)``, ``header("x")``."""

import re

from lynkrc.diagnostics.sema_codes import ARGUMENT_COUNT, ARGUMENT_VALUE, UNKNOWN_LEXICON
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.sema.comparisons import quoted_hint
from lynkrc.sema.context import Context, Value, of_type
from lynkrc.sema.naming import in_quotes, nearest
from lynkrc.sema.scope import LexiconFacts, type_of_feature, usage
from lynkrc.sema.typed import Feature
from lynkrc.sema.types import StringType
from lynkrc.source.text import Span
from lynkrc.syntax.expr import Binary, Call, Ref, StringLiteral, hyphenated
from lynkrc_runtime.feature_table import TEXTS, FeatureType
from lynkrc_runtime.feature_table import Feature as TableFeature

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def lexicon(context: Context, name: str, span: Span) -> LexiconFacts | None:
    """The lexicon of this name, noted as used."""
    facts = context.scope.lexicons.get(name)
    if facts is None:
        context.report(
            UNKNOWN_LEXICON,
            span,
            f"there is no lexicon {shown(name)}",
            did_you_mean(name, context.scope.lexicons, "lexicons"),
            fix=nearest(span, name, context.scope.lexicons),
        )
        return None
    context.read_lexicons.add(name)
    return facts


def over_lexicon(context: Context, feature: TableFeature, call: Call) -> Value | None:
    """``count(TEXT, LEXICON)`` and its like."""
    match call.args:
        case (Ref() as text, Ref(name=name) | StringLiteral(value=name) as written):
            facts = lexicon(context, name, written.span)
            if text.name not in TEXTS:
                context.report(
                    ARGUMENT_VALUE,
                    text.span,
                    f"{shown(text.name)} is no text",
                    did_you_mean(text.name, TEXTS, "texts"),
                    fix=nearest(text.span, text.name, TEXTS),
                )
                return None
            if facts is None:
                return None
            return leaf(context, feature, (text.name, facts.shown), call.span, facts)
        case (Ref(), Binary() as difference) if spelled := hyphenated(difference):
            context.report(
                UNKNOWN_LEXICON,
                difference.span,
                *quoted_hint(spelled),
                fix=in_quotes(difference.span, spelled, context.scope.lexicons),
            )
            return None
        case _:
            context.report(
                ARGUMENT_COUNT,
                call.span,
                f"{shown(call.name)} takes a text and a lexicon",
                f"write `{usage(feature)}`; texts are {listed(TEXTS, 'and')}",
            )
            return None


def of_literal(context: Context, feature: TableFeature, call: Call) -> Value | None:
    """``header("name")`` and its like."""
    match call.args:
        case (StringLiteral(value=value) as literal,):
            is_header = feature.name == "header"
            if not value or (is_header and not _HEADER.fullmatch(value)):
                what = "a header" if is_header else "anything"
                context.report(
                    ARGUMENT_VALUE,
                    literal.span,
                    f"{shown(value)} cannot name {what}",
                    "a header has a name of ASCII letters, digits and `-`" if is_header else None,
                )
                return None
            return leaf(context, feature, (value.lower() if is_header else value,), call.span)
        case _:
            context.report(
                ARGUMENT_COUNT,
                call.span,
                f"{shown(call.name)} takes one text in quotes",
                f"write `{usage(feature)}`",
            )
            return None


def leaf(
    context: Context,
    feature: TableFeature,
    args: tuple[str, ...],
    span: Span,
    lexicon: LexiconFacts | None = None,
) -> Value:
    """The feature as the value its type makes it; `lexicon` narrows its range."""
    type_ = type_of_feature(feature, context.scope, lexicon)
    if feature.type is FeatureType.STRING:
        type_ = StringType(name=f'{feature.name}("{args[0]}")' if args else feature.name)
    return of_type(Feature(name=feature.name, args=args, type=type_, span=span))
