"""One entry of LiteLLM's `model_list` to the provider to call, the model and its facts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import final
from urllib.parse import urlsplit

from lynkrc.diagnostics.wording import printable
from lynkrc.migrate.account import Account, carried, left
from lynkrc.migrate.address import fitting_way, plain_address, trust_at
from lynkrc.migrate.draft import ASSUMED_CAPABILITIES, DraftProvider, Known, Price, Stated
from lynkrc.migrate.litellm_file import entries_of, is_true, number_of, reference_of, text_of
from lynkrc.migrate.litellm_keys import reason_of
from lynkrc.migrate.litellm_settings import MOST_RETRIES, duration, whole
from lynkrc.migrate.litellm_vendors import PREFIXES, split_model
from lynkrc.migrate.vendors import VENDORS, Way, way_to
from lynkrc.source.nodes import MappingNode, Node
from lynkrc_runtime.feature_table import BIG
from lynkrc_runtime.providers.kind import Credentials, ProviderKind

_MODEL = re.compile(r"[A-Za-z0-9~][A-Za-z0-9._:/@+~-]{0,199}")
_PLACEHOLDERS = frozenset({"none", "dummy", "empty", "fake", "anything", "not-needed", "no-key"})
_CHAT_MODES = frozenset({"", "chat", "completion", "responses"})
_CAPABILITIES = {
    "supports_function_calling": "tools",
    "supports_parallel_function_calling": "parallel_tools",
    "supports_vision": "vision",
    "supports_pdf_input": "documents",
    "supports_response_schema": "json_schema",
    "supports_reasoning": "thinking",
    "supports_prompt_caching": "prompt_cache",
}
_SIZES = {"max_input_tokens": "context", "max_output_tokens": "max_output"}
_COSTS = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployment that can be called. `provider` has the vendor's name, which may be taken."""

    group: str
    provider: DraftProvider
    model: str
    stated: Stated
    price: Price | None
    weight: int | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Called:
    """A provider and which of `api_key` and `api_base` it took up, with what is to be said."""

    provider: DraftProvider
    said: tuple[Account, ...]


def read_deployment(
    node: Node, place: str, known: Known, kinds: Mapping[str, ProviderKind]
) -> tuple[Deployment | None, list[Account]]:
    """The deployment, None where it cannot be called, and an account of each of its settings."""
    if not isinstance(node, MappingNode):
        return None, [left(place, "no mapping")]
    params, info = node.get("litellm_params"), node.get("model_info")
    group, written = text_of(node.get("model_name")), _model_text(params)
    why = _unusable(group, written, text_of(_get(info, "mode")))
    prefix, model = split_model(written)
    called = why or _called(prefix, params, f"{place}.litellm_params", kinds)
    if isinstance(called, str):
        return None, _all_left(node, place, called)
    said = {one.name: one for one in called.said}
    catalog = known(model, called.provider.kind, called.provider.base_url)
    stated, price = _facts(info, params, place, catalog, said)
    weight = whole(_get(params, "weight"), 1, 10_000)
    if weight is not None:
        name = f"{place}.litellm_params.weight"
        said[name] = carried(name, "`weights` of a tier, where its group is picked by them")
    said[f"{place}.model_name"] = carried(f"{place}.model_name", "`models`")
    name = f"{place}.litellm_params.model"
    said[name] = carried(name, "`model` of a target")
    paths = _paths(node, place)
    accounts = [said.get(path) or left(path, reason_of(general)) for path, general in paths]
    deployment = Deployment(
        group=group,
        provider=called.provider,
        model=model,
        stated=stated,
        price=price,
        weight=weight,
    )
    return deployment, accounts


def _model_text(params: Node | None) -> str:
    return text_of(_get(params, "model"))


def _unusable(group: str, written: str, mode: str) -> str:
    """Why no request can be routed to it; "" where one can."""
    if not group or not written:
        return "it has no `model_name` or no `litellm_params.model`"
    if "*" in written:
        return "a wildcard names no model: write a deployment for each"
    if not is_pattern(group):
        return "no requested name: no blanks, a `*` at its end only, not `auto` or `lynkr/...`"
    if mode not in _CHAT_MODES:
        return "the gateway serves chat, nothing else"
    prefix, model = split_model(written)
    if prefix not in PREFIXES:
        return "its prefix names no provider that lynkrc knows an address for"
    if prefix == "vertex_ai" and "claude" in model:
        return "Claude on Google Cloud is called in a dialect that no provider kind speaks"
    return "" if _MODEL.fullmatch(model) else "its model is no model's name"


def is_pattern(name: str) -> bool:
    """Whether `models` of a spec can map a requested name."""
    folded = name.lower()
    return (
        re.fullmatch(r"[^\s*]{1,199}\*?|\*", name) is not None
        and printable(name) == name
        and folded != "auto"
        and not folded.startswith(("lynkr/", "claude-lynkr-"))
    )


def _all_left(node: MappingNode, place: str, why: str) -> list[Account]:
    return [left(path, why) for path, _ in _paths(node, place)]


def _paths(node: MappingNode, place: str) -> list[tuple[str, str]]:
    """Each setting of the entry, with the general path it has in any entry."""
    paths = []
    for key, value in entries_of(node):
        inner = entries_of(value) if key in ("litellm_params", "model_info") else ()
        paths += [(f"{place}.{key}.{printable(name)}", f"{key}.{name}") for name, _ in inner]
        if not inner:
            paths.append((f"{place}.{printable(key)}", key))
    return paths


def _get(node: Node | None, key: str) -> Node | None:
    return node.get(key) if isinstance(node, MappingNode) else None


def _called(
    prefix: str, params: Node | None, place: str, kinds: Mapping[str, ProviderKind]
) -> _Called | str:
    """The provider of a deployment, or why there is none."""
    row = PREFIXES[prefix]
    base = text_of(_get(params, "api_base") or _get(params, "base_url"))
    base_name = f"{place}.{'api_base' if _get(params, 'api_base') else 'base_url'}"
    parts = plain_address(base)
    address = reference_of(base) or (base if parts else None)
    if base and address is None:
        return "its address has a user, a query, or is none"
    said = [carried(base_name, "`base_url` of a provider")] if base else []
    key, key_said = _key(row.key or f"{row.vendor.upper()}_API_KEY", params, f"{place}.api_key")
    said += key_said
    if row.vendor == "azure":
        return _azure(address, key or "${AZURE_API_KEY}", params, place, said)
    if row.vendor == "vertex":
        return _vertex(address, params, key, place, said)
    vendor = VENDORS[row.vendor]
    way = way_to(vendor, kinds)
    if parts is not None:
        way = fitting_way(vendor, way, parts, kinds)
    elif address is not None and vendor.compatible is not None:
        # Where it leads is known when the gateway starts: no kind of a vendor's own is sure.
        way = Way(kind=vendor.compatible, base_url=None) if vendor.id != "ollama" else way
    if key is None and row.key is not None and not _get(params, "api_key"):
        key = f"${{{row.key}}}"
    if key is None and kinds[way.kind].credentials is Credentials.REQUIRED:
        key = f"${{{row.key}}}"
    return _Called(
        provider=DraftProvider(
            name=vendor.id,
            kind=way.kind,
            trust=trust_at(vendor.trust, parts.hostname or "") if parts else vendor.trust,
            base_url=address or way.base_url,
            region=_region(params, place, said) if kinds[way.kind].needs_region else None,
            api_key=key,
            timeouts=_timeouts(params, place, said),
            retries=_retries(params, place, said),
        ),
        said=tuple(said),
    )


def _timeouts(params: Node | None, place: str, said: list[Account]) -> tuple[tuple[str, str], ...]:
    written = duration(_get(params, "timeout"))
    if written is None:
        return ()
    said.append(carried(f"{place}.timeout", "`timeouts.total` of a provider"))
    return (("total", written),)


def _retries(params: Node | None, place: str, said: list[Account]) -> int | None:
    for key in ("num_retries", "max_retries"):
        written = whole(_get(params, key), 0, MOST_RETRIES)
        if written is not None:
            said.append(carried(f"{place}.{key}", "`retry.times` of a provider"))
            return written
    return None


def _region(params: Node | None, place: str, said: list[Account]) -> str:
    """The region, by name or as it is written; where LiteLLM looks for it otherwise."""
    written = _part(params, "aws_region_name")
    if written is None:
        return "${AWS_REGION_NAME}"
    said.append(carried(f"{place}.aws_region_name", "`region` of a provider"))
    return written


def _part(params: Node | None, key: str) -> str | None:
    """A reference, or a piece of an address that is no secret: letters, digits and ``-``."""
    text = text_of(_get(params, key))
    return reference_of(text) or (text if re.fullmatch(r"[a-z0-9][a-z0-9-]*", text) else None)


def _vertex(
    address: str | None, params: Node | None, key: str | None, place: str, said: list[Account]
) -> _Called | str:
    """Gemini on Google Cloud (wire reference B.7): the address names project and place."""
    project, location = _part(params, "vertex_project"), _part(params, "vertex_location")
    if address is None and (project is None or location is None):
        return "a deployment of Vertex needs `vertex_project` and `vertex_location`"
    if address is None:
        said += [
            carried(f"{place}.{name}", "`base_url` of a provider")
            for name in ("vertex_project", "vertex_location")
        ]
        host = "" if location == "global" else f"{location}-"
        root = f"https://{host}aiplatform.googleapis.com/v1"
        address = f"{root}/projects/{project}/locations/{location}"
    return _Called(
        provider=DraftProvider(
            name="vertex",
            kind="vertex",
            trust="cloud",
            base_url=address,
            api_key=key or "${VERTEX_ACCESS_TOKEN}",
            note="its key is an access token of Google Cloud",
        ),
        said=tuple(said),
    )


def _azure(
    address: str | None, key: str, params: Node | None, place: str, said: list[Account]
) -> _Called | str:
    """Azure's v1 API (wire reference B.4): the model is the deployment, the key a header."""
    if address is None:
        return "a deployment of Azure needs `api_base`"
    host = urlsplit(address).hostname
    root = f"https://{host}" if host else address
    return _Called(
        provider=DraftProvider(
            name="azure",
            kind="azure-openai",
            trust="cloud",
            base_url=root,
            api_key=key,
            timeouts=_timeouts(params, place, said),
            retries=_retries(params, place, said),
            note="Azure's v1 API: a target's `model` is a deployment",
        ),
        said=tuple(said),
    )


def _key(usual: str, params: Node | None, name: str) -> tuple[str | None, list[Account]]:
    """The reference to a deployment's key, and what is to be said of `api_key`."""
    node = _get(params, "api_key")
    if node is None:
        return None, []
    written = text_of(node)
    reference = reference_of(written)
    if reference is not None:
        return reference, [carried(name, "`api_key` of a provider")]
    if not written or written.lower() in _PLACEHOLDERS:
        return None, [carried(name, "a placeholder: the provider has no `api_key`")]
    why = f"a key written out is never copied: set {usual} in the environment"
    return f"${{{usual}}}", [left(name, why)]


def _facts(
    info: Node | None, params: Node | None, place: str, catalog: Stated, said: dict[str, Account]
) -> tuple[Stated, Price | None]:
    """What `model_info` states of the model, and its price; adds to what is said."""
    sizes: dict[str, int] = {}
    for key, what in (*_SIZES.items(), ("max_tokens", "max_output")):
        value = number_of(_get(info, key))
        if value is not None and 0 < value < BIG and value == int(value) and what not in sizes:
            sizes[what] = int(value)
            name = f"{place}.model_info.{key}"
            said[name] = carried(name, f"`{what}` of a target")
    stated = [(key, one) for key, one in _CAPABILITIES.items() if _get(info, key) is not None]
    before = catalog.capabilities if catalog.capabilities is not None else ASSUMED_CAPABILITIES
    able = set(before)
    for key, one in stated:
        able = able | {one} if is_true(_get(info, key)) else able - {one}
        name = f"{place}.model_info.{key}"
        said[name] = carried(name, "`capabilities` of a target")
    news = bool(stated) and (catalog.capabilities is None or able != set(before))
    capabilities = tuple(one for one in _CAPABILITIES.values() if one in able) if news else None
    return (
        Stated(
            context=sizes.get("context"),
            max_output=sizes.get("max_output"),
            capabilities=capabilities,
        ),
        _price(info, params, place, said),
    )


def _price(
    info: Node | None, params: Node | None, place: str, said: dict[str, Account]
) -> Price | None:
    """USD per million tokens, where input and output are both stated."""
    for section, node in (("model_info", info), ("litellm_params", params)):
        found = {
            key: number
            for key in _COSTS
            if (number := number_of(_get(node, key))) is not None and 0 <= number <= 1
        }
        if {"input_cost_per_token", "output_cost_per_token"} <= found.keys():
            for key in found:
                name = f"{place}.{section}.{key}"
                said[name] = carried(name, "`price` of a target, per million tokens")
            if not any(found.values()):
                return "free"
            return tuple((_COSTS[key], _per_million(found[key])) for key in found)
    return None


def _per_million(cost: float) -> str:
    """The cost of a million tokens without a binary fraction's noise.

    >>> _per_million(3e-06), _per_million(1.5e-05), _per_million(0.0)
    ('3', '15', '0')
    """
    exact = Decimal(repr(cost)) * 1_000_000
    return f"{exact.normalize():f}"
