"""Findings about a document the reader already faulted, to those that hold all the same.

What the reader could not decode is left out of the surface tree, so a name may only look unknown,
unused or missing because its definition is broken. Such a finding would send its reader astray.
"""

import re
from collections.abc import Sequence

from lynkrc.diagnostics import sema_codes as codes
from lynkrc.diagnostics.codes import OUT_OF_RANGE, REPEATED_ITEM
from lynkrc.diagnostics.model import Code, Diagnostic
from lynkrc.syntax.config import Config

_LOCAL: frozenset[Code] = frozenset(
    (
        codes.WRONG_TYPE,
        codes.TYPES_DIFFER,
        codes.WRONG_OPERATOR,
        codes.LITERAL_RANGE,
        codes.ARGUMENT_COUNT,
        codes.ARGUMENT_VALUE,
        codes.PRODUCT,
        codes.DECIMAL,
        codes.BAD_LIST,
        codes.NUMBER_TOO_LARGE,
        codes.EXPRESSION_TOO_LARGE,
        codes.TARGET_PLACE,
        codes.UNKNOWN_BASE,
        codes.CIRCULAR_BASE,
        codes.RECURSIVE_FEATURE,
        codes.NAME_TAKEN,
        codes.DUPLICATE_NAME,
        codes.TARGET_TWICE,
        codes.NOT_ALLOWABLE,
        codes.UNKNOWN_FILE,
        codes.BASES_TOO_DEEP,
        OUT_OF_RANGE,
        REPEATED_ITEM,
    )
)
"""Findings about one place, whatever else the document holds."""

_NAMES: frozenset[Code] = frozenset(
    (
        codes.UNKNOWN_NAME,
        codes.UNKNOWN_ENUMERATOR,
        codes.UNKNOWN_LEXICON,
        codes.UNKNOWN_PROVIDER,
        codes.UNKNOWN_TARGET,
        codes.UNKNOWN_TIER,
        codes.UNKNOWN_TRUST,
    )
)
"""Findings about a name; they hold when the document nowhere defines it, soundly or not."""

_QUOTED = re.compile(r"`([^`]*)`")
_BY_LEXICON = re.compile(r"`(?:distinct|points)\(")


def certain(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Those of `found` that are about one place, whatever else was not to be had."""
    return [one for one in found if one.code in _LOCAL and not _follows_from_entries(one)]


def without_cascades(found: Sequence[Diagnostic], config: Config) -> list[Diagnostic]:
    """Those of `found` that do not follow from what the reader left out of a document."""
    text = config.span.file.text
    hidden = _unjudged(config, text)
    return [
        one
        for one in found
        if (one.code in _LOCAL and not _follows_from_entries(one))
        or (
            one.code in _NAMES
            # No definition has a dot in its name.
            and (one.code not in hidden or "." in _name(one))
            and not _is_defined(_name(one), text)
        )
    ]


def _unjudged(config: Config, text: str) -> frozenset[Code]:
    """What cannot be called unknown, as the reader left out the base it may come from."""
    if not config.extends and _is_key("extends", text):
        return _NAMES
    if not config.trust_levels and _is_key("trust_levels", text):
        return frozenset((codes.UNKNOWN_TRUST,))
    use = None if config.score is None else config.score.use
    if use is None and _is_key("use", text):
        return frozenset((codes.UNKNOWN_NAME, codes.UNKNOWN_LEXICON))
    return frozenset()


def _is_key(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){word}[\"']?\s*:", text) is not None


def _follows_from_entries(finding: Diagnostic) -> bool:
    """Whether a finding is about a range that a lexicon gets from its entries."""
    return finding.code == codes.LITERAL_RANGE and bool(_BY_LEXICON.search(finding.message))


def _name(finding: Diagnostic) -> str:
    """The name a finding of `_NAMES` is about: the first its message quotes."""
    quoted = _QUOTED.search(finding.message)
    assert quoted is not None, finding.code.id
    return quoted.group(1)


def _is_defined(name: str, text: str) -> bool:
    """Whether the text has `name` as a key, or as the value of a `name` key."""
    word = re.escape(name)
    return bool(name) and (
        re.search(rf"(?<![\w-]){word}[\"']?\s*:|\bname\s*:\s*[\"']?{word}(?![\w-])", text)
        is not None
    )
