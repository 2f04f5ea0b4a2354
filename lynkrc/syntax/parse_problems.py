"""Lark's errors to findings in the user's words: what was found, what was expected, a way out."""

import re
from collections.abc import Callable, Collection
from typing import TypeAlias

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from lynkrc.diagnostics.codes import EXPRESSION_STRING, EXPRESSION_SYNTAX
from lynkrc.diagnostics.model import Diagnostic, Fix, Label
from lynkrc.diagnostics.wording import shown
from lynkrc.source.fixes import replacing
from lynkrc.source.text import Span

Place: TypeAlias = Callable[[int, int], Span]

# Habits of other languages: what stands at the place of the error -> what to write here. The rows
# apply anywhere, where a value is expected, and where an operator is.
_Hints: TypeAlias = tuple[tuple[str, str], ...]

_ANYWHERE: _Hints = (
    (r"&&?", "write `and`"),
    (r"\|\|?", "write `or`"),
    (r"!(?!=)", "write `not`"),
    (r"=>", "write `>=` to compare, or `implies`"),
    (r"(?<=-)>", "write `implies`"),
    (r"(?<===)=", "write `==`"),
    (r"(?<=[<>!])==?|=[<>]", "comparisons are `== != < <= > >=`"),
    (r"=(?!=)", "`==` compares"),
    (r"(?<=<)>", "write `!=`"),
    (r"(?<=\*)\*|//?|%", "only `+`, `-` and `*` calculate; multiply by a constant"),
    (r"\?|:", "a choice is written `when(condition, value, other)`"),
    ("[\u201c\u201d\u2018\u2019\u00ab\u00bb`]", "use straight quotes"),
    ("[\u00a0\u2000-\u200b\u3000]", "this blank is not a space: replace it"),
    (r"[^\x00-\x7f]", "names are plain letters; text stands in quotes"),
    ("#", "a comment stands outside the text of an expression"),
    (r"\$", "expressions read no environment: use a feature of the request"),
)
_FOR_A_VALUE: _Hints = (
    (r"not\b", "put it in brackets: `(not ...)`"),
    (r"(?:and|or|implies|in|starts_with)\b|[=!<>]=|[<>*+]", "a part is missing before this"),
)
_FOR_AN_OPERATOR: _Hints = (
    (r"not\s+in\b", "write `not (x in [...])`"),
    (r"(?:in|starts_with)\b|[=!<>]=|[<>]", "this does not chain: join two comparisons by `and`"),
    (r"(?:AND|And|OR|Or|NOT|Not|IN|In|IMPLIES|Implies)\b", "operators are written small"),
    (r"(?:is|eq|equals)\b", "write `==`"),
    (r"(?:contains|matches|like)\b", "text is searched with `matches(ask, LEXICON)`"),
    (r"(?:if|then|else)\b", "write `when(condition, value, other)` or `implies`"),
    (r"[A-Za-z_0-9\"']", "join two parts by an operator such as `and`; text stands in quotes"),
)

# What is meant beyond doubt -> what to write instead.
_MENDS: tuple[tuple[str, str], ...] = (
    (r"&&?", "and"),
    (r"\|\|?", "or"),
    (r"=>", "implies"),
    (r"(?<![=<>!])=(?![=<>])", "=="),
    (r"(?:AND|And)\b", "and"),
    (r"(?:OR|Or)\b", "or"),
    (r"(?:IMPLIES|Implies)\b", "implies"),
    ("[\u00a0\u2000-\u200b\u3000]", " "),
)

_OPERANDS = frozenset({"NAME", "NUMBER", "STRING"})
_CLOSERS = {"RPAR": "`)`", "RSQB": "`]`", "COMMA": "`,`"}
_PAIRS = {"(": ")", "[": "]"}
_WORD = re.compile(r"""[A-Za-z0-9_.]+|[=<>!]=|.""", re.DOTALL)
_STRING_OR_BRACKET = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[()\[\]]""", re.DOTALL)


def syntax_finding(text: str, place: Place, error: UnexpectedInput) -> Diagnostic:
    """The one finding of a text that is no expression."""
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return _at_end(text, place, error.accepts or ())
    # Both other errors know where they are.
    at = error.pos_in_stream or 0
    found = _WORD.match(text, at)
    end = found.end() if found else at + 1
    if text[at] in "\"'" and isinstance(error, UnexpectedCharacters):
        return Diagnostic(
            code=EXPRESSION_STRING,
            message="this string is never closed",
            span=place(at, len(text.rstrip())),
            help=f"add the closing {text[at]}",
        )
    if isinstance(error, UnexpectedToken):
        accepts: Collection[str] = error.accepts or ()
        message = f"{shown(text[at:end])} stands where {_expected(accepts)} is expected"
        hints = _ANYWHERE + (_FOR_A_VALUE if set(accepts) >= _OPERANDS else _FOR_AN_OPERATOR)
    else:
        message = f"{shown(text[at])} is not part of an expression"
        end, hints = at + 1, _ANYWHERE
    return Diagnostic(
        code=EXPRESSION_SYNTAX,
        message=message,
        span=place(at, end),
        help=_hint(hints, text, at),
        fix=_mend(text, place, at),
    )


def _at_end(text: str, place: Place, accepts: Collection[str]) -> Diagnostic:
    end = len(text.rstrip())
    labels: tuple[Label, ...] = ()
    opened = _innermost_open(text)
    if opened is not None and not _OPERANDS & set(accepts):
        message = f"the expression ends before its `{_PAIRS[text[opened]]}`"
        labels = (Label(span=place(opened, opened + 1), message="opened here"),)
        hint = f"add `{_PAIRS[text[opened]]}`"
    else:
        message = f"the expression ends where {_expected(accepts)} is expected"
        hint = "complete it, or remove what stands before"
    return Diagnostic(
        code=EXPRESSION_SYNTAX,
        message=message,
        span=place(end - 1, end),
        help=hint,
        labels=labels,
    )


def _expected(accepts: Collection[str]) -> str:
    """What could stand here, in words.

    >>> _expected({"NAME", "NUMBER", "STRING", "LPAR"}), _expected({"PLUS", "RPAR", "COMMA"})
    ('a value', 'an operator, `)` or `,`')
    """
    words = [word for terminal, word in _CLOSERS.items() if terminal in accepts]
    if set(accepts) >= _OPERANDS:
        words.insert(0, "a value")
    elif "$END" in accepts:
        words[:0] = ["an operator", "the end"]
    else:
        words.insert(0, "an operator")
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _hint(hints: _Hints, text: str, at: int) -> str | None:
    return next((hint for pattern, hint in hints if re.compile(pattern).match(text, at)), None)


def _mend(text: str, place: Place, at: int) -> Fix | None:
    """The operator of another language in the words of ours, apart from the names beside it."""
    for pattern, operator in _MENDS:
        found = re.compile(pattern).match(text, at)
        if found is not None:
            before = "" if text[:at].endswith(" ") or operator == " " else " "
            after = "" if text.startswith(" ", found.end()) or operator == " " else " "
            span = place(at, found.end())
            what = "write a space" if operator == " " else f"write `{operator}`"
            return replacing(span, before + operator + after, what, safe=True)
    return None


def _innermost_open(text: str) -> int | None:
    """The offset of the last bracket that is not closed."""
    opened: list[int] = []
    for match in _STRING_OR_BRACKET.finditer(text):
        if match.group() in _PAIRS:
            opened.append(match.start())
        elif match.group() in ")]" and opened:
            opened.pop()
    return opened[-1] if opened else None
