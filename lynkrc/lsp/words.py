"""Words of the language to what they mean, in one line each."""

from collections.abc import Mapping
from types import MappingProxyType

from lynkrc.sema.scope import LexiconFacts, Scope, type_of_feature
from lynkrc.sema.types import describe
from lynkrc_runtime.feature_table import TEXTS, Feature, Parameter, Provenance

FUNCTION_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "min": "the least of its arguments",
        "max": "the greatest of its arguments",
        "clamp": "x, but at least LOW and at most HIGH",
        "when": "a where the condition holds, else b",
        "steps": "the VALUE of the last step whose FROM is at most x; 0 below the first",
        "ramp": "0 up to LOW, 100 from HIGH on, a straight line between, rounded down",
        "saturate": "100 x / FULL, rounded down, at most 100",
    }
)
"""What the functions compute."""

PROVENANCES: Mapping[Provenance, str] = MappingProxyType(
    {
        Provenance.ASK: "what the user wrote in this turn, without what the client injects",
        Provenance.ENVELOPE: "the system prompt and the tools, which are the client's",
        Provenance.HISTORY: "the conversation before this turn",
        Provenance.LOOP: "what happened since the user last wrote",
        Provenance.REQUEST: "the request as a whole",
        Provenance.CALLER: "who calls: client, headers, key",
        Provenance.SESSION: "what the gateway remembers of the session",
    }
)
"""What a provenance is, in words."""


def provenance_of(feature: Feature, text: str | None = None) -> Provenance | None:
    """Which part of a request a feature reads; None where that depends on a text not given."""
    if feature.parameter is Parameter.TEXT_AND_LEXICON:
        return None if text is None else TEXTS.get(text)
    return feature.provenance


def feature_summary(feature: Feature, scope: Scope, lexicon: LexiconFacts | None = None) -> str:
    """The type of a feature with its range, and what it reads."""
    type_ = describe(type_of_feature(feature, scope, lexicon))
    provenance = provenance_of(feature)
    return type_ if provenance is None else f"{type_}, of the {provenance.value}"
