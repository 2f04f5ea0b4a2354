"""The findings of `lynkrc.sema`: LK211, LK31x-LK32x types, LK4xx names, LK5xx the decision."""

from lynkrc.diagnostics.model import Code, Severity


def _error(number: int, name: str, *, allowable: bool = False) -> Code:
    return Code(id=f"LK{number}", name=name, severity=Severity.ERROR, allowable=allowable)


def _warning(number: int, name: str) -> Code:
    return Code(id=f"LK{number}", name=name, severity=Severity.WARNING, allowable=True)


NEEDLESS_EDGE_SIGN = _warning(211, "needless-edge-sign")

WRONG_TYPE = _error(310, "expression-wrong-type")
TYPES_DIFFER = _error(311, "expression-types-differ")
WRONG_OPERATOR = _error(312, "operator-not-for-type")
LITERAL_RANGE = _error(313, "literal-out-of-range")
ARGUMENT_COUNT = _error(314, "argument-count")
ARGUMENT_VALUE = _error(315, "argument-value")
PRODUCT = _error(316, "product-of-variables")
DECIMAL = _error(317, "decimal-with-integer")
BAD_LIST = _error(318, "malformed-list")
NUMBER_TOO_LARGE = _error(319, "number-too-large")
EXPRESSION_TOO_LARGE = _error(320, "expression-too-large")
CONSTANT_ATOM = _warning(321, "constant-atom")
TARGET_PLACE = _error(322, "target-outside-require")

UNKNOWN_NAME = _error(401, "unknown-name")
UNKNOWN_ENUMERATOR = _error(402, "unknown-enumerator")
UNKNOWN_LEXICON = _error(403, "unknown-lexicon")
UNKNOWN_PROVIDER = _error(404, "unknown-provider")
UNKNOWN_TARGET = _error(405, "unknown-target")
UNKNOWN_TIER = _error(406, "unknown-tier")
UNKNOWN_BASE = _error(407, "unknown-base")
CIRCULAR_BASE = _error(408, "circular-extends")
CONFLICTING_BASES = _error(409, "conflicting-bases")
RECURSIVE_FEATURE = _error(410, "recursive-feature")
NAME_TAKEN = _error(411, "name-taken")
DUPLICATE_NAME = _error(412, "duplicate-name")
UNUSED = _error(413, "unused-definition", allowable=True)
MISSING_FACT = _error(414, "missing-fact")
MALFORMED_CATALOG = _error(415, "malformed-catalog")
NO_PROFILE = _error(416, "profile-without-score")
OVERLAPPING_CLIENTS = _error(417, "overlapping-clients")
UNKNOWN_TRUST = _error(418, "unknown-trust-level")
NOT_ALLOWABLE = _error(419, "not-allowable")
UNNEEDED_ALLOW = Code(id="LK420", name="unneeded-allow", severity=Severity.WARNING)
OVERLAPPING_ENTRIES = _warning(421, "overlapping-entries")
UNKNOWN_FILE = _error(422, "unknown-file")
BASES_TOO_DEEP = _error(424, "bases-too-deep")
UNSPOKEN_DIALECT = _error(425, "unspoken-dialect")

MISSING_SECTION = _error(501, "missing-section")
TIER_BOUNDS = _error(502, "tier-bounds")
TARGET_TWICE = _error(503, "target-twice")
DEAD_FALLBACK = _error(504, "dead-fallback", allowable=True)
UNREACHABLE_TIER = _error(505, "unreachable-tier", allowable=True)
WEIGHTS_REACH = _warning(506, "weights-cannot-reach-tier")
SHADOWED_RULE = _error(507, "shadowed-rule", allowable=True)
WITHOUT_EFFECT = _warning(508, "without-effect")
CHAIN_MAY_BE_EMPTY = _error(509, "chain-may-be-empty")
TOO_MANY_TARGETS = _error(510, "too-many-targets")
ENVELOPE_DIMENSION = _warning(511, "envelope-dimension")
FLOOR_OVER_CEILING = _warning(512, "floor-over-ceiling")
REQUIREMENT_UNMET = _warning(513, "requirement-unmet")
CONTRADICTORY = _error(514, "contradictory-condition", allowable=True)
UNDECIDED = Code(id="LK515", name="undecided", severity=Severity.NOTE)
PROVED: frozenset[Code] = frozenset(
    (
        CONSTANT_ATOM,
        DEAD_FALLBACK,
        UNREACHABLE_TIER,
        WEIGHTS_REACH,
        SHADOWED_RULE,
        WITHOUT_EFFECT,
        FLOOR_OVER_CEILING,
        CONTRADICTORY,
    )
)
"""What may be found by proof as well, after `lynkrc.sema`: an `allow` of it may be needed then."""

NOT_SERVED = _warning(601, "not-served")
LOSSY_PAIR = Code(id="LK602", name="lossy-pair", severity=Severity.NOTE, allowable=True)
COUNTS_NOTHING = _warning(603, "counts-nothing")
NOT_COUNTED = _warning(604, "not-counted")
KEY_REACHES_NOTHING = _error(605, "key-reaches-nothing")
OPEN_SERVER = _warning(606, "open-server")
OPEN_ADMIN = _error(607, "open-admin")
FORGOTTEN_SPEND = Code(id="LK608", name="forgotten-spend", severity=Severity.NOTE, allowable=True)

SEMA_CODES: tuple[Code, ...] = (
    NEEDLESS_EDGE_SIGN,
    WRONG_TYPE,
    TYPES_DIFFER,
    WRONG_OPERATOR,
    LITERAL_RANGE,
    ARGUMENT_COUNT,
    ARGUMENT_VALUE,
    PRODUCT,
    DECIMAL,
    BAD_LIST,
    NUMBER_TOO_LARGE,
    EXPRESSION_TOO_LARGE,
    CONSTANT_ATOM,
    TARGET_PLACE,
    UNKNOWN_NAME,
    UNKNOWN_ENUMERATOR,
    UNKNOWN_LEXICON,
    UNKNOWN_PROVIDER,
    UNKNOWN_TARGET,
    UNKNOWN_TIER,
    UNKNOWN_BASE,
    CIRCULAR_BASE,
    CONFLICTING_BASES,
    RECURSIVE_FEATURE,
    NAME_TAKEN,
    DUPLICATE_NAME,
    UNUSED,
    MISSING_FACT,
    MALFORMED_CATALOG,
    NO_PROFILE,
    OVERLAPPING_CLIENTS,
    UNKNOWN_TRUST,
    NOT_ALLOWABLE,
    UNNEEDED_ALLOW,
    OVERLAPPING_ENTRIES,
    UNKNOWN_FILE,
    BASES_TOO_DEEP,
    UNSPOKEN_DIALECT,
    MISSING_SECTION,
    TIER_BOUNDS,
    TARGET_TWICE,
    DEAD_FALLBACK,
    UNREACHABLE_TIER,
    WEIGHTS_REACH,
    SHADOWED_RULE,
    WITHOUT_EFFECT,
    CHAIN_MAY_BE_EMPTY,
    TOO_MANY_TARGETS,
    ENVELOPE_DIMENSION,
    FLOOR_OVER_CEILING,
    REQUIREMENT_UNMET,
    CONTRADICTORY,
    UNDECIDED,
    NOT_SERVED,
    LOSSY_PAIR,
    COUNTS_NOTHING,
    NOT_COUNTED,
    KEY_REACHES_NOTHING,
    OPEN_SERVER,
    OPEN_ADMIN,
    FORGOTTEN_SPEND,
)
"""All of them, in order."""
