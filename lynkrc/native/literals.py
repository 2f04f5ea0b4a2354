"""``scorer.py`` with its large numbers typed, for Cython alone.

Cython takes a literal beyond 32 bits for a Python object, which arithmetic of C has no place for.

>>> typed("left = keep & 0x1ffffffff  # 99999999999 targets\\n")
'import cython\\nleft = keep & cython.cast(cython.longlong, 0x1ffffffff)  # 99999999999 targets\\n'
>>> typed("left = keep & 0b111\\n")
'left = keep & 0b111\\n'
"""

import io
import tokenize

_BEYOND = 2**31


def typed(scorer: str) -> str:
    """The same program, each number that C's int does not hold said to be a long long."""
    rows = scorer.split("\n")
    found = False
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(scorer).readline))
    except (tokenize.TokenError, SyntaxError):
        return scorer  # Cython tells what is wrong with it.
    for token in reversed(tokens):
        if token.type == tokenize.NUMBER and int(token.string, 0) >= _BEYOND:
            row, (start, end) = token.start[0] - 1, (token.start[1], token.end[1])
            cast = f"cython.cast(cython.longlong, {token.string})"
            rows[row] = f"{rows[row][:start]}{cast}{rows[row][end:]}"
            found = True
    return ("import cython\n" if found else "") + "\n".join(rows)
