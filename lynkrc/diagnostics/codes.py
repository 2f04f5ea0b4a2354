"""Every kind of finding in one table, in ranges by the phase that finds it (`PHASES`).

Each code has a page beside this module, `pages/LKnnn.md`.

>>> found("lk101").name, found("unknown-key").id, found("LK999")
('unknown-key', 'LK101', None)
"""

from collections.abc import Mapping
from types import MappingProxyType

from lynkrc.diagnostics.case_codes import CASE_CODES
from lynkrc.diagnostics.model import Code, Severity
from lynkrc.diagnostics.pattern_codes import PATTERN_CODES
from lynkrc.diagnostics.proof_codes import PROOF_CODES
from lynkrc.diagnostics.sema_codes import SEMA_CODES
from lynkrc.diagnostics.settings_codes import SETTINGS_CODES


def _error(id: str, name: str) -> Code:
    return Code(id=id, name=name, severity=Severity.ERROR)


FILE_TOO_LARGE = _error("LK001", "file-too-large")
NOT_UTF8 = _error("LK002", "not-utf8")
BAD_CHARACTER = _error("LK003", "bad-character")
YAML_SYNTAX = _error("LK004", "yaml-syntax")
YAML_LIMIT = _error("LK005", "yaml-limit")
EMPTY_DOCUMENT = _error("LK006", "empty-document")
SECOND_DOCUMENT = _error("LK007", "second-document")
DIRECTIVE = _error("LK008", "yaml-directive")
ALIAS = _error("LK009", "alias-or-anchor")
TAG = _error("LK010", "tag")
MERGE_KEY = _error("LK011", "merge-key")
DUPLICATE_KEY = _error("LK012", "duplicate-key")
KEY_NOT_TEXT = _error("LK013", "key-not-text")
AMBIGUOUS_SCALAR = _error("LK014", "ambiguous-scalar")
NUMBER_RANGE = _error("LK015", "inexact-number")
CUT_BY_COMMA = _error("LK016", "cut-by-comma")
MORE_FINDINGS = Code(id="LK017", name="more-findings", severity=Severity.NOTE)

UNKNOWN_KEY = _error("LK101", "unknown-key")
WRONG_TYPE = _error("LK102", "wrong-type")
MISSING_KEY = _error("LK103", "missing-key")
UNKNOWN_CHOICE = _error("LK104", "unknown-choice")
OUT_OF_RANGE = _error("LK105", "out-of-range")
MALFORMED = _error("LK106", "malformed-value")
EMPTY = _error("LK107", "empty")
REPEATED_ITEM = _error("LK108", "repeated-item")
KEY_CONFLICT = _error("LK109", "key-conflict")
UNKNOWN_KIND = _error("LK110", "unknown-provider-kind")
LITERAL_SECRET = _error("LK111", "literal-secret")
REFERENCE_PLACE = _error("LK112", "reference-not-allowed")
BAD_REFERENCE = _error("LK113", "malformed-reference")
RESERVED_NAME = _error("LK114", "reserved-name")
UNSUPPORTED_VERSION = _error("LK115", "unsupported-version")
NOT_OF_KIND = _error("LK116", "key-not-of-kind")
WITHOUT_USE = _error("LK117", "key-without-use")

EXPRESSION_SYNTAX = _error("LK300", "expression-syntax")
EXPRESSION_EMPTY = _error("LK301", "empty-expression")
EXPRESSION_DEPTH = _error("LK302", "expression-too-deep")
EXPRESSION_NUMBER = _error("LK303", "malformed-number")
EXPRESSION_STRING = _error("LK304", "malformed-string")
EXPRESSION_LENGTH = _error("LK305", "expression-too-long")

_FILE: tuple[Code, ...] = (
    FILE_TOO_LARGE,
    NOT_UTF8,
    BAD_CHARACTER,
    YAML_SYNTAX,
    YAML_LIMIT,
    EMPTY_DOCUMENT,
    SECOND_DOCUMENT,
    DIRECTIVE,
    ALIAS,
    TAG,
    MERGE_KEY,
    DUPLICATE_KEY,
    KEY_NOT_TEXT,
    AMBIGUOUS_SCALAR,
    NUMBER_RANGE,
    CUT_BY_COMMA,
    MORE_FINDINGS,
)
_STRUCTURE: tuple[Code, ...] = (
    UNKNOWN_KEY,
    WRONG_TYPE,
    MISSING_KEY,
    UNKNOWN_CHOICE,
    OUT_OF_RANGE,
    MALFORMED,
    EMPTY,
    REPEATED_ITEM,
    KEY_CONFLICT,
    UNKNOWN_KIND,
    LITERAL_SECRET,
    REFERENCE_PLACE,
    BAD_REFERENCE,
    RESERVED_NAME,
    UNSUPPORTED_VERSION,
    NOT_OF_KIND,
    WITHOUT_USE,
)
_EXPRESSIONS: tuple[Code, ...] = (
    EXPRESSION_SYNTAX,
    EXPRESSION_EMPTY,
    EXPRESSION_DEPTH,
    EXPRESSION_NUMBER,
    EXPRESSION_STRING,
    EXPRESSION_LENGTH,
)

CODES: Mapping[str, Code] = MappingProxyType(
    {
        code.id: code
        for code in sorted(
            (
                *_FILE,
                *_STRUCTURE,
                *PATTERN_CODES,
                *_EXPRESSIONS,
                *SEMA_CODES,
                *SETTINGS_CODES,
                *PROOF_CODES,
                *CASE_CODES,
            ),
            key=lambda code: code.id,
        )
    }
)
"""Every code by id, in order."""

PHASES: Mapping[str, str] = MappingProxyType(
    {
        "LK0": "the file and its YAML",
        "LK1": "structure: keys, values and their form",
        "LK2": "patterns of lexicons",
        "LK3": "expressions",
        "LK4": "names, bases and the catalog",
        "LK5": "tiers, chains, rules and score",
        "LK6": "bundle, output, runtime and tests",
    }
)
"""What the codes of a range are about, by how their ids begin."""


def found(word: str) -> Code | None:
    """The code with this id or short name, in capitals or not."""
    by_name = {code.name: code for code in CODES.values()}
    return CODES.get(word.upper()) or by_name.get(word.lower())
