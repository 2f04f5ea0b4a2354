"""Nodes of `providers`, `targets`, `models` and `clients` to their part of the surface tree."""

from collections.abc import Iterator

from lynkrc.diagnostics import codes
from lynkrc.diagnostics.model import Fix
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import shown
from lynkrc.source.fixes import fix_of, rename, replacing
from lynkrc.source.nodes import MappingNode, ScalarNode
from lynkrc.source.parts import removal
from lynkrc.source.quoting import quote
from lynkrc.syntax.config import (
    Client,
    ModelMapping,
    Name,
    Ordinary,
    Price,
    Provider,
    Target,
)
from lynkrc.syntax.decode_parts import (
    Record,
    allows,
    mapping,
    name_of,
    names,
    number,
    optional_name,
    optional_whole,
    required_name,
    scalar,
    size,
)
from lynkrc.syntax.decode_resilience import (
    decode_breaker,
    decode_concurrency,
    decode_retry,
    decode_timeouts,
)
from lynkrc_runtime.providers.kind import CREDENTIAL_HEADERS, Credentials, ProviderKind
from lynkrc_runtime.providers.table import KINDS

_SIMULATOR = "simulator"
_CALLER = "caller"
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
        before = len(record.findings)
        _check_fit(record, name_of(key), node)
        headers = node.get("headers")
        provider = Provider(
            name=name_of(key),
            kind=required_name(node, "kind"),
            trust=required_name(node, "trust"),
            base_url=optional_name(node, "base_url"),
            region=optional_name(node, "region"),
            project=optional_name(node, "project"),
            api_version=optional_name(node, "api_version"),
            dialect=optional_name(node, "dialect"),
            api_key=optional_name(node, "api_key"),
            forwards_credentials=_forwards(node),
            headers=()
            if headers is None
            else tuple((name_of(one), name_of(two)) for one, two in mapping(headers).entries),
            timeouts=decode_timeouts(record, node),
            retry=decode_retry(record, node),
            breaker=decode_breaker(record, node),
            concurrency=decode_concurrency(record, node),
            proxy=optional_name(node, "proxy"),
            ca_file=optional_name(node, "ca_file"),
            simulate=optional_name(node, "simulate"),
            allow=allows(node),
            span=node.span,
        )
        if name is not None and provider.kind.value in KINDS and len(record.findings) == before:
            yield provider


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
                fix=rename(kind.span, kind.text, KINDS),
            )


def _check_fit(record: Record, name: Name, node: MappingNode) -> None:
    """The provider has the keys its kind needs and none that it cannot use."""
    kind = KINDS.get(required_name(node, "kind").value)
    if kind is None:
        return
    for key in _unusable(kind):
        found = node.key(key)
        if found is not None:
            record.report(
                codes.NOT_OF_KIND,
                f"{shown(key)} means nothing to a provider of kind {shown(kind.name)}",
                found.span,
                "remove it, or choose another kind",
                fix=_removed(found),
            )
    if kind.base_url is None and node.get("base_url") is None:
        record.report(
            codes.MISSING_KEY,
            f"{shown(f'providers.{name.value}')} has no `base_url`",
            name.span,
            f"kind {shown(kind.name)} has no address of its own",
        )
    _check_place(record, name, node, kind)
    secret = optional_name(node, "api_key")
    may_lack = kind.credentials is Credentials.FOUND or _has_own(node)
    if kind.credentials in (Credentials.OPTIONAL, Credentials.NONE) or _forwards(node):
        pass
    elif secret is None and not may_lack:
        record.report(
            codes.MISSING_KEY,
            f"{shown(f'providers.{name.value}')} has no `api_key`",
            name.span,
            'write api_key: "${NAME}" with the name of an environment variable',
        )
    elif secret is not None and secret.value.endswith(":-}"):
        required = secret.value.removesuffix(":-}") + "}"
        record.report(
            codes.BAD_REFERENCE,
            f"without the variable the key is empty, and kind {shown(kind.name)} needs one",
            secret.span,
            f"write {shown(required)}: the gateway then asks for it",
            fix=replacing(secret.span, quote(required), f"write {shown(required)}", safe=True),
        )
    _check_headers(record, node)


def _check_place(record: Record, name: Name, node: MappingNode, kind: ProviderKind) -> None:
    """What the kind's own address holds is written, unless another address is."""
    if node.get("base_url") is not None:
        return
    if kind.keyed_url and node.get("api_key") and not (node.get("project") or node.get("region")):
        return
    for key, needed in (("project", kind.needs_project), ("region", kind.needs_region)):
        if needed and node.get(key) is None:
            or_key = ", or an `api_key` alone" if kind.keyed_url else ""
            record.report(
                codes.MISSING_KEY,
                f"{shown(f'providers.{name.value}')} has no `{key}`",
                name.span,
                f"the address of kind {shown(kind.name)} holds one: write `{key}`, or a `base_url`"
                f"{or_key}",
            )


def _has_own(node: MappingNode) -> bool:
    """Whether a header of the provider's own holds its credentials."""
    headers = node.get("headers")
    written = mapping(headers).entries if headers is not None else ()
    return any(key.text.lower() in CREDENTIAL_HEADERS for key, _ in written)


def _unusable(kind: ProviderKind) -> Iterator[str]:
    """Keys of providers that mean nothing to one of the kind."""
    if kind.name == _SIMULATOR:
        yield from ("base_url", "proxy", "ca_file")
    else:
        yield "simulate"
    if kind.credentials is Credentials.NONE:
        yield from ("api_key", "credentials")
    if not kind.needs_region:
        yield "region"
    if not kind.needs_project:
        yield "project"
    if not kind.takes_api_version:
        yield "api_version"


def _forwards(node: MappingNode) -> bool:
    credentials = node.get("credentials")
    return credentials is not None and scalar(credentials).text == _CALLER


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
                fix=_removed(key),
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


def _removed(key: ScalarNode) -> Fix | None:
    edit = removal(key.span)
    return None if edit is None else fix_of(edit, "remove it", safe=False)


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
            dialect=optional_name(node, "dialect"),
            on_loss=optional_name(node, "on_loss"),
            allow=allows(node),
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
        written = node.get("ordinary")
        ordinary = None if written is None else _ordinary(record, mapping(written))
        if written is not None and ordinary is None:
            continue
        yield Client(
            name=name,
            user_agent=names(node.get("user_agent")),
            injected_tags=names(inside.get("tags") if inside else None),
            injected_prefixes=names(inside.get("prefixes") if inside else None),
            injected_wrappers=names(inside.get("wrappers") if inside else None),
            baseline_tools=names(node.get("baseline_tools")),
            tool_weights=()
            if weights is None
            else tuple(
                (name_of(tool), int(number(weight))) for tool, weight in mapping(weights).entries
            ),
            ordinary=ordinary,
            allow=allows(node),
            span=node.span,
        )


def _ordinary(record: Record, node: MappingNode) -> Ordinary | None:
    """The facts of an ordinary request; None when a size is out of range."""
    sizes = {"context": 0, "max_tokens": 0}
    for key in sizes:
        written = node.get(key)
        if written is not None:
            found = size(record, written)
            if found is None:
                return None
            sizes[key] = found.value
    tools = optional_whole(node, "tools")
    return Ordinary(
        surface=optional_name(node, "surface"),
        context=sizes["context"],
        max_tokens=sizes["max_tokens"],
        tools=0 if tools is None else tools.value,
        thinking=_flag(node, "thinking"),
        stream=_flag(node, "stream"),
    )


def _flag(node: MappingNode, key: str) -> bool:
    written = node.get(key)
    return written is not None and scalar(written).value is True
