"""Nodes of `providers`, `targets`, `models` and `clients` to their part of the surface tree."""

from collections.abc import Iterator

from lynkrc.diagnostics import codes
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import shown
from lynkrc.source.nodes import MappingNode, ScalarNode
from lynkrc.syntax.config import (
    Client,
    ModelMapping,
    Name,
    Price,
    Provider,
    Retry,
    Target,
    Timeouts,
)
from lynkrc.syntax.decode_parts import (
    Record,
    mapping,
    name_of,
    names,
    number,
    optional_name,
    optional_whole,
    required_name,
    size,
)
from lynkrc_runtime.providers.table import KINDS, Credentials

_SIMULATOR = "simulator"
_PINS = ("lynkr/", "claude-lynkr-")
_AUTO = "auto"
_OWN_HEADERS = frozenset(
    (
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers that follow from the request itself."""


def decode_providers(record: Record, root: MappingNode) -> Iterator[Provider]:
    """The sound providers, in the order written."""
    _check_kinds(record, root)
    for key, value in record.entries(root, "providers"):
        node = mapping(value)
        name = record.new_name(key)
        if not _fits_kind(record, name_of(key), node) or name is None:
            continue
        retries = optional_whole(node, "retries")
        headers = node.get("headers")
        yield Provider(
            name=name,
            kind=required_name(node, "kind"),
            trust=required_name(node, "trust"),
            base_url=optional_name(node, "base_url"),
            api_key=optional_name(node, "api_key"),
            headers=()
            if headers is None
            else tuple((name_of(one), name_of(two)) for one, two in mapping(headers).entries),
            timeouts=_timeouts(node),
            retry=Retry(times=None if retries is None else retries.value),
            simulate=optional_name(node, "simulate"),
            span=node.span,
        )


def _check_kinds(record: Record, root: MappingNode) -> None:
    """Report unknown kinds, also of providers that are broken elsewhere."""
    providers = root.get("providers")
    for _, value in providers.entries if isinstance(providers, MappingNode) else ():
        kind = value.get("kind") if isinstance(value, MappingNode) else None
        if isinstance(kind, ScalarNode) and record.is_sound(kind) and kind.text not in KINDS:
            record.report(
                codes.UNKNOWN_KIND,
                f"there is no provider kind {shown(kind.text)}",
                kind.span,
                did_you_mean(kind.text, KINDS, "kinds"),
            )


def _fits_kind(record: Record, name: Name, node: MappingNode) -> bool:
    """The kind is known, and the provider has the keys it needs and none that it cannot use."""
    before = len(record.findings)
    kind = KINDS.get(required_name(node, "kind").value)
    if kind is None:
        return False
    unusable = ["base_url" if kind.name == _SIMULATOR else "simulate"]
    if kind.credentials is Credentials.NONE:
        unusable.append("api_key")
    for key in unusable:
        found = node.key(key)
        if found is not None:
            record.report(
                codes.NOT_OF_KIND,
                f"{shown(key)} means nothing to a provider of kind {shown(kind.name)}",
                found.span,
                "remove it, or choose another kind",
            )
    if kind.base_url is None and node.get("base_url") is None:
        record.report(
            codes.MISSING_KEY,
            f"{shown(f'providers.{name.value}')} has no `base_url`",
            name.span,
            f"kind {shown(kind.name)} has no address of its own",
        )
    if kind.credentials is Credentials.REQUIRED and node.get("api_key") is None:
        record.report(
            codes.MISSING_KEY,
            f"{shown(f'providers.{name.value}')} has no `api_key`",
            name.span,
            'write api_key: "${NAME}" with the name of an environment variable',
        )
    secret = optional_name(node, "api_key")
    if (
        kind.credentials is Credentials.REQUIRED
        and secret is not None
        and secret.value.endswith(":-}")
    ):
        record.report(
            codes.BAD_REFERENCE,
            f"without the variable the key is empty, and kind {shown(kind.name)} needs one",
            secret.span,
            f"write {shown(secret.value.removesuffix(':-}') + '}')}: the gateway then asks for it",
        )
    _check_headers(record, node)
    return len(record.findings) == before


def _check_headers(record: Record, node: MappingNode) -> None:
    headers = node.get("headers")
    first: dict[str, ScalarNode] = {}
    for key, _ in mapping(headers).entries if headers is not None else ():
        name = key.text.lower()
        if name in _OWN_HEADERS:
            record.report(
                codes.RESERVED_NAME,
                f"the gateway writes the header {shown(name)} itself",
                key.span,
                "remove it",
            )
        elif name in first:
            record.report(
                codes.DUPLICATE_KEY,
                f"the header {shown(name)} stands twice: case does not count",
                key.span,
                "remove one of the two",
                first[name].span,
            )
        first.setdefault(name, key)


def _timeouts(node: MappingNode) -> Timeouts:
    written = node.get("timeouts")
    if written is None:
        return Timeouts()
    return Timeouts(**{key.text: float(number(value)) for key, value in mapping(written).entries})


def decode_targets(record: Record, root: MappingNode) -> Iterator[Target]:
    """The sound targets, in the order written."""
    for key, value in record.entries(root, "targets"):
        node = mapping(value)
        name = record.new_name(key)
        sizes = {
            word: size(record, part)
            for word in ("context", "max_output")
            if (part := node.get(word)) is not None
        }
        if name is None or None in sizes.values():
            continue
        capabilities = node.get("capabilities")
        yield Target(
            name=name,
            provider=required_name(node, "provider"),
            model=required_name(node, "model"),
            context=sizes.get("context"),
            max_output=sizes.get("max_output"),
            capabilities=None if capabilities is None else names(capabilities),
            price=_price(node),
            span=node.span,
        )


def _price(node: MappingNode) -> Price | None:
    written = node.get("price")
    if written is None:
        return None
    if not isinstance(written, MappingNode):  # `free`, says the schema
        return Price(input=0.0, output=0.0)
    return Price(**{key.text: float(number(value)) for key, value in written.entries})


def decode_models(record: Record, root: MappingNode) -> Iterator[ModelMapping]:
    """The sound mappings of requested names, in the order written."""
    for key, value in record.entries(root, "models"):
        pattern = name_of(key)
        folded = pattern.value.lower()  # as requested names are compared
        if folded == _AUTO or folded.startswith(_PINS):
            record.report(
                codes.RESERVED_NAME,
                f"{shown(pattern.value)} already has a meaning",
                pattern.span,
                "`auto` is always routed; `lynkr/NAME` and `claude-lynkr-NAME` pin a tier or "
                "target",
            )
            continue
        node = mapping(value)
        yield ModelMapping(
            pattern=pattern,
            tier=optional_name(node, "tier"),
            target=optional_name(node, "target"),
            span=node.span,
        )


def decode_clients(record: Record, root: MappingNode) -> Iterator[Client]:
    """The sound client profiles, in the order written."""
    for key, value in record.entries(root, "clients"):
        name = record.new_name(key)
        if name is None:
            continue
        node = mapping(value)
        injected, weights = node.get("injected"), node.get("tool_weights")
        inside = mapping(injected) if injected is not None else None
        yield Client(
            name=name,
            user_agent=names(node.get("user_agent")),
            injected_tags=names(inside.get("tags") if inside else None),
            injected_prefixes=names(inside.get("prefixes") if inside else None),
            baseline_tools=names(node.get("baseline_tools")),
            tool_weights=()
            if weights is None
            else tuple(
                (name_of(tool), int(number(weight))) for tool, weight in mapping(weights).entries
            ),
            span=node.span,
        )
