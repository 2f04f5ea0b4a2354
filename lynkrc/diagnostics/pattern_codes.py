"""The findings about lexicon entries: LK201 to LK210."""

from lynkrc.diagnostics.model import Code, Severity


def _error(number: int, name: str) -> Code:
    return Code(id=f"LK{number}", name=name, severity=Severity.ERROR)


UNBALANCED_BRACKET = _error(201, "pattern-unbalanced-bracket")
MALFORMED_PATTERN = _error(202, "pattern-malformed")
EMPTY_MATCH = _error(203, "pattern-empty-match")
UNBOUNDED_REPETITION = _error(204, "pattern-unbounded-repetition")
NOT_REGULAR = _error(205, "pattern-not-regular")
MATCH_TOO_LONG = _error(206, "pattern-match-too-long")
LOST_SYMBOL = _error(207, "pattern-lost-symbol")
EDGE_BLANK = _error(208, "pattern-edge-blank")
AUTOMATON_TOO_LARGE = _error(209, "automaton-too-large")
PATTERN_TOO_LONG = _error(210, "pattern-too-long")

PATTERN_CODES: tuple[Code, ...] = (
    UNBALANCED_BRACKET,
    MALFORMED_PATTERN,
    EMPTY_MATCH,
    UNBOUNDED_REPETITION,
    NOT_REGULAR,
    MATCH_TOO_LONG,
    LOST_SYMBOL,
    EDGE_BLANK,
    AUTOMATON_TOO_LARGE,
    PATTERN_TOO_LONG,
)
"""All of them, in order."""
