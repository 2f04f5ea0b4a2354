"""One assertion as it is asked on a command line, to the assertion of the tree.

``KIND: CLAIM`` as under `assert`, or an expression alone, which claims `always`.

>>> asked, findings = read_question("never: target.trust == cloud")
>>> asked.kind, asked.expression.span.column, findings
(<AssertionKind.NEVER: 'never'>, 8, [])
"""

import re

from lynkrc.diagnostics.codes import (
    EXPRESSION_LENGTH,
    MALFORMED,
    OUT_OF_RANGE,
    UNKNOWN_CHOICE,
)
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import shown
from lynkrc.source.decode_text import check_characters
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.config import Assertion, AssertionKind, Located, Number
from lynkrc.syntax.decode_parts import DURATION_HELP, MAX_EXPRESSION, out_of_time
from lynkrc.syntax.expr import Expr
from lynkrc.syntax.parse import parse_expression
from lynkrc.syntax.units import seconds

PATH = "<question>"
"""What findings call the text of a question."""

MOST_USD = 10**9
"""Largest bound on costs, as the schema has it."""

_KIND = re.compile(r"\s*([A-Za-z_]+)\s*:\s*")
_AMOUNT = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_DURATION = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]{1,9})?(ms|s|m|h|d)?")
_KINDS = {kind.value: kind for kind in AssertionKind if kind is not AssertionKind.SAME_AS}


def read_question(text: str) -> tuple[Assertion | None, list[Diagnostic]]:
    """The assertion, or None and why; findings point into a file called `PATH`."""
    file = SourceFile(path=PATH, text=text)
    findings = check_characters(file)
    if findings:
        return None, findings
    named = _KIND.match(text)
    kind, start = AssertionKind.ALWAYS, 0
    if named is not None:
        word, start = named.group(1), named.end()
        if word not in _KINDS:
            return None, [_unknown(word, Span(file=file, start=named.start(1), end=named.end(1)))]
        kind = _KINDS[word]
    place = Span(file=file, start=start, end=len(text.rstrip()))
    expression: Expr | None = None
    amount: Number | None = None
    match kind:
        case AssertionKind.MAX_COST_USD:
            amount, findings = _usd(place)
        case AssertionKind.MAX_LATENCY:
            amount, findings = _seconds(place)
        case _:
            expression, findings = _expression(file, start)
    if findings:
        return None, findings
    asked = Assertion(
        name=None,
        kind=kind,
        expression=expression,
        amount=amount,
        file=None,
        waive=None,
        allow=(),
        span=Span(file=file, start=0, end=len(text)),
    )
    return asked, []


def _unknown(word: str, span: Span) -> Diagnostic:
    hint = did_you_mean(word, _KINDS, "claims")
    if word == AssertionKind.SAME_AS.value:
        hint = "`lynkrc diff OLD NEW` compares two policies"
    message = f"{shown(word)} is no claim that can be asked about"
    return Diagnostic(code=UNKNOWN_CHOICE, message=message, span=span, help=hint)


def _expression(file: SourceFile, start: int) -> tuple[Expr | None, list[Diagnostic]]:
    text = file.text[start:]
    if len(text) > MAX_EXPRESSION:
        message = (
            f"the expression has {len(text):,} characters, at most {MAX_EXPRESSION:,} are read"
        )
        span = Span(file=file, start=start, end=len(file.text))
        return None, [Diagnostic(code=EXPRESSION_LENGTH, message=message, span=span)]
    return parse_expression(text, lambda i, j: Span(file=file, start=start + i, end=start + j))


def _usd(place: Span) -> tuple[Number | None, list[Diagnostic]]:
    hint = f"write a number of USD from 0 to {MOST_USD:,}, as `max_cost_usd: 12.50`"
    if _AMOUNT.fullmatch(place.text) is None:
        message = f"{shown(place.text)} is no amount"
        return None, [Diagnostic(code=MALFORMED, message=message, span=place, help=hint)]
    amount = float(place.text)
    if amount > MOST_USD:
        message = f"{shown(place.text)} is out of range"
        return None, [Diagnostic(code=OUT_OF_RANGE, message=message, span=place, help=hint)]
    return Located(value=amount, span=place), []


def _seconds(place: Span) -> tuple[Number | None, list[Diagnostic]]:
    found = _DURATION.fullmatch(place.text)
    if found is None:
        message = f"{shown(place.text)} is no duration"
        return None, [Diagnostic(code=MALFORMED, message=message, span=place, help=DURATION_HELP)]
    time = seconds(place.text if found.group(3) else f"{place.text}s")
    if time is None:
        message = out_of_time(place.text)
        finding = Diagnostic(code=OUT_OF_RANGE, message=message, span=place, help=DURATION_HELP)
        return None, [finding]
    return Located(value=float(time), span=place), []
