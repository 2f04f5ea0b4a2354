"""The text of an expression to the same tokens with canonical blanks between them.

Numbers, quotes and brackets stay as written (``4k`` says more than ``4000``, and brackets that
are not needed help a reader), so this does not print the tree. A text that holds anything
but tokens stays as it is.

>>> space_expression("tools.count>0 and(turns  in[ 1,2 ])")
'tools.count > 0 and (turns in [1, 2])'
>>> space_expression("- 3*turns-  4k")
'-3 * turns - 4k'
"""

from collections.abc import Sequence

from lynkrc.syntax.parse import Token, tokens

_OPENING = frozenset({"(", "["})
_NO_BLANK_BEFORE = frozenset({")", "]", ","})
_OPERANDS = frozenset({"NAME", "NUMBER", "STRING", "TRUE", "FALSE", "RPAR", "RSQB"})


def space_expression(text: str) -> str:
    """`text` with canonical blanks, on one line."""
    written = tokens(text)
    if written is None:
        return text
    spaced = _spaced(text, written)
    # Blanks that mean something would be our mistake; the author's text is right in any case.
    return spaced if _words(tokens(spaced)) == _words(written) else text


def _spaced(text: str, written: Sequence[Token]) -> str:
    words: list[str] = []
    before, end = "", 0
    glued = True  # nothing stands before the first token
    for token in written:
        is_minus = token.kind == "MINUS"
        is_call = token.text == "(" and before == "NAME"
        # `claude-code` without quotes is a mistake that is found by its hyphen touching both names.
        touches = token.start == end and _name_follows(text, token.end)
        is_hyphen = is_minus and touches and before == "NAME"
        if not (glued or is_call or is_hyphen or token.text in _NO_BLANK_BEFORE):
            words.append(" ")
        words.append(token.text)
        is_sign = is_minus and before not in _OPERANDS
        glued = token.text in _OPENING or is_sign or is_hyphen
        before, end = token.kind, token.end
    return "".join(words)


def _words(found: Sequence[Token] | None) -> list[tuple[str, str]]:
    return [(token.kind, token.text) for token in found or ()]


def _name_follows(text: str, at: int) -> bool:
    return at < len(text) and (text[at].isalpha() or text[at] == "_")
