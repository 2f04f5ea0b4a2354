"""The tables of features, names, provider kinds and codes to the other parts of the page."""

from lynkrc.diagnostics.codes import CODES, PHASES
from lynkrc.diagnostics.pages import introduction, read_page
from lynkrc.docs.markdown import code, codes, link, table
from lynkrc.docs.words import CAPABILITY_MEANINGS, OPERATORS
from lynkrc.lsp.words import FUNCTION_MEANINGS, PROVENANCES
from lynkrc.sema.scope import ABSENT, FUNCTIONS, OUTCOMES, usage
from lynkrc.sema.shaping import usage_of
from lynkrc.sema.types import TRUST_LEVELS
from lynkrc_runtime.feature_table import (
    CAPABILITIES,
    FEATURES,
    FIXED_UNIT,
    NO_TIER,
    OTHER_CLIENT,
    TEXTS,
    Feature,
    FeatureType,
    Parameter,
)
from lynkrc_runtime.providers.kind import Credentials, ProviderKind
from lynkrc_runtime.providers.table import KINDS
from lynkrc_runtime.served import NOT_SERVED

_PAGES = "../lynkrc/diagnostics/pages"


def features_part() -> str:
    """Every feature: type, range, what it reads."""
    rows = (
        (code(usage(one)), _type(one), _reads(one), _sentence(one.doc)) for one in FEATURES.values()
    )
    return table(("feature", "type and range", "reads", "meaning"), rows)


def provenances_part() -> str:
    """What the words of the column `reads` stand for."""
    return table(
        ("reads", "that is"), [(where.value, words) for where, words in PROVENANCES.items()]
    )


def _type(feature: Feature) -> str:
    match feature.type:
        case FeatureType.BOOL:
            return "boolean"
        case FeatureType.INT:
            return f"{feature.low:,} to {feature.high:,}"
        case FeatureType.FIXED:
            low, high = feature.low // FIXED_UNIT, feature.high // FIXED_UNIT
            return f"{low:,} to {high:,}, in steps of 1/{FIXED_UNIT}"
        case FeatureType.STRING:
            return "text"
        case FeatureType.ENUM:
            return _members(feature)


def _members(feature: Feature) -> str:
    if feature.members:
        return codes(feature.members)
    if feature.name == "client":
        return f"{code(OTHER_CLIENT)}, and the names of `clients`"
    return f"{code(NO_TIER)} and the tiers, in order"


def _reads(feature: Feature) -> str:
    if feature.parameter is Parameter.TEXT_AND_LEXICON:
        return "TEXT"
    return feature.provenance.value


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def texts() -> str:
    """What TEXT stands for."""
    return codes(TEXTS)


def operators_part() -> str:
    """The operators, loosest first."""
    return table(
        ("operator", "holds where, or is"), [(codes(ops), words) for ops, words in OPERATORS]
    )


def functions_part() -> str:
    """The functions of numbers."""
    rows = [(code(usage_of(name)), FUNCTION_MEANINGS[name]) for name in FUNCTIONS]
    return table(("function", "is"), rows)


def target_part() -> str:
    """What is read of a target and of the decision."""
    rows = [
        (code("target"), "a name of `targets`", "the target itself"),
        (code("target.provider"), "a name of `providers`", "who serves it"),
        (
            code("target.trust"),
            "one of `trust_levels`, ordered",
            f"by itself {' < '.join(map(code, TRUST_LEVELS))}",
        ),
        (code("target.context"), "number", "its context window in tokens"),
        (code("target.max_output"), "number", "most tokens it writes"),
        (
            f"{code(f'target.{CAPABILITIES[0]}')} and so on",
            "boolean",
            f"whether it has this one of the {link('capabilities', 'Capabilities')}",
        ),
    ]
    return table(("name", "type", "meaning"), rows)


def decided_part() -> str:
    """What only assertions read."""
    rows = [
        (code("tier"), "a tier, ordered", "the tier after floors and ceilings"),
        (code("outcome"), codes(OUTCOMES), "how the decision ended"),
        (code("rule"), "a rule, `score` or `pin`", "what decided"),
        (code("target.first"), "boolean", "the target is the first of the chain"),
    ]
    return table(("name", "type", "meaning"), rows)


def absent_words() -> str:
    """How a header that was not sent is asked for."""
    return f'`header("x") == {ABSENT}`'


def capabilities_part() -> str:
    """What targets can do."""
    rows = [(code(name), CAPABILITY_MEANINGS[name]) for name in CAPABILITIES]
    return table(("capability", "the target can"), rows)


_KEYS = {
    Credentials.REQUIRED: "required",
    Credentials.OPTIONAL: "optional",
    Credentials.NONE: "none",
    Credentials.FOUND: "or what the cloud's own tools find",
}


def kinds_part() -> str:
    """Every provider kind."""
    rows = [
        (code(kind.name), kind.dialect, _address(kind), _credentials(kind))
        for kind in KINDS.values()
    ]
    return table(("kind", "first called in", "address", "`api_key`"), rows)


def _address(kind: ProviderKind) -> str:
    if kind.base_url is None:
        return f"`base_url` **required**, then {code(kind.endpoints[0].path)}"
    if kind.credentials is Credentials.NONE:
        return "in the process"
    return code(kind.base_url + kind.endpoints[0].path)


def _credentials(kind: ProviderKind) -> str:
    words = _KEYS[kind.credentials]
    if kind.credentials is Credentials.NONE:
        return words
    return f"{words}, in {codes(kind.auth_headers)}"


def unserved_part() -> str:
    """What is compiled and not served, and what happens instead."""
    rows = [(code(path), instead) for path, instead in NOT_SERVED.items()]
    return table(("part", "until then"), rows)


def codes_part() -> str:
    """Every finding, by the phase that makes it."""
    parts = []
    for prefix in PHASES:
        rows = [
            (
                f"[{one.id}]({_PAGES}/{one.id}.md)",
                one.name,
                one.severity.value + (", allowable" if one.allowable else ""),
                _first_sentence(one.id),
            )
            for one in CODES.values()
            if one.id.startswith(prefix)
        ]
        found = table(("code", "name", "", "found"), rows)
        parts.append(f"### {codes_heading(prefix)}\n\n{found}")
    return "\n\n".join(parts)


def codes_heading(prefix: str) -> str:
    """The heading of the codes that begin alike."""
    return f"{prefix}xx: {PHASES[prefix]}"


def _first_sentence(id: str) -> str:
    sentence, _, _ = introduction(read_page(id))[0].partition(". ")
    return sentence.rstrip(".") + "."
