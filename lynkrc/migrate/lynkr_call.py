"""A provider of a Lynkr `.env` to a row of `providers`: kind, address, key, trust.

Only names of variables and, for Azure, the host of an address go into the row.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final
from urllib.parse import urlsplit

from lynkrc.migrate.address import fitting_way, plain_address, trust_at
from lynkrc.migrate.draft import DraftProvider
from lynkrc.migrate.lynkr_providers import LynkrProvider
from lynkrc.migrate.vendors import CHAT, MESSAGES, VENDORS, Vendor, Way, way_to
from lynkrc_runtime.providers.table import Credentials, ProviderKind

_INVOCATIONS = re.compile(r"/?serving-endpoints/([A-Za-z0-9_.-]+)/invocations/?")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A provider that can be called, the model of it where a tier names none, and the rest.

    `used` are the variables it takes up, with where they went; `lost` those it cannot, with why.
    """

    provider: DraftProvider
    model: str
    fixed_model: bool
    """Whether the model of a tier means nothing to it: Lynkr asks for `model` whatever it says."""
    used: tuple[tuple[str, str], ...]
    lost: tuple[tuple[str, str], ...] = ()
    missing_key: str | None = None
    """The variable of a key that the file does not set."""


def call_of(
    row: LynkrProvider,
    values: Mapping[str, str],
    kinds: Mapping[str, ProviderKind],
    timeouts: tuple[tuple[str, float], ...],
) -> Call | str:
    """How to call the provider, or why the spec cannot."""
    match row.id:
        case "azure-openai":
            return _azure_openai(row, values, timeouts)
        case "azure-anthropic":
            return _azure_anthropic(row, values, timeouts)
        case "databricks":
            return _databricks(row, values, timeouts)
    if row.vendor is None:
        return row.without
    return _plain(row, VENDORS[row.vendor], values, kinds, timeouts)


def _plain(
    row: LynkrProvider,
    vendor: Vendor,
    values: Mapping[str, str],
    kinds: Mapping[str, ProviderKind],
    timeouts: tuple[tuple[str, float], ...],
) -> Call | str:
    """A vendor with a key and, at most, an address of its own."""
    way = way_to(vendor, kinds)
    if way is None:
        return vendor.without
    if row.messages_url is not None:
        way = Way(kind=MESSAGES, base_url=row.messages_url)
    where = f"providers.{row.id}"
    used: list[tuple[str, str]] = []
    lost: list[tuple[str, str]] = []
    address, trust = way.base_url, vendor.trust
    written = values.get(row.endpoint or "")
    if written:
        parts = plain_address(written)
        if parts is None:
            why = "no plain address (http or https, without a user, a query or `/responses`)"
            lost.append((row.endpoint or "", why))
        else:
            way = fitting_way(vendor, way, parts, kinds)
            default = kinds[way.kind].base_url or way.base_url
            address = f"${{{row.endpoint}:-{default}}}" if default else f"${{{row.endpoint}}}"
            trust = trust_at(vendor.trust, parts.hostname or "")
            used.append((row.endpoint or "", f"`{where}.base_url`"))
    key = next((name for name in row.keys if values.get(name)), None)
    needed = vendor.key is not None or kinds[way.kind].credentials is Credentials.REQUIRED
    missing = row.keys[0] if key is None and needed and row.keys else None
    if key is not None:
        used.append((key, f"`{where}.api_key`, by name"))
    headers = tuple((header, name) for header, name in row.headers if values.get(name))
    used += [(name, f"`{where}.headers`, by name") for _, name in headers]
    model = values.get(row.model or "") or row.default_model
    asked = key or missing
    return Call(
        provider=DraftProvider(
            name=row.id,
            kind=way.kind,
            trust=trust,
            base_url=address,
            api_key=f"${{{asked}}}" if asked else None,
            headers=tuple((header, f"${{{name}}}") for header, name in headers),
            timeouts=timeouts,
        ),
        model=model,
        fixed_model=False,
        used=tuple(used),
        lost=tuple(lost),
        missing_key=missing,
    )


def _azure_openai(
    row: LynkrProvider, values: Mapping[str, str], timeouts: tuple[tuple[str, float], ...]
) -> Call | str:
    """Azure's v1 API (wire reference B.4): the model is the deployment, the key a header."""
    key, endpoint, deployment = row.keys[0], row.endpoint or "", row.model or ""
    host = _host(values.get(endpoint, ""))
    if host is None:
        return f"{endpoint} holds no address"
    return Call(
        provider=DraftProvider(
            name=row.id,
            kind=CHAT,
            trust="cloud",
            base_url=f"https://{host}/openai/v1",
            headers=(("api-key", f"${{{key}}}"),),
            timeouts=timeouts,
            note="Azure's v1 API: a target's `model` is a deployment",
        ),
        model=values.get(deployment) or row.default_model,
        fixed_model=False,
        used=(
            (key, f"`providers.{row.id}.headers`, by name"),
            (endpoint, f"its host is in `providers.{row.id}.base_url`"),
        ),
        missing_key=None if values.get(key) else key,
    )


def _azure_anthropic(
    row: LynkrProvider, values: Mapping[str, str], timeouts: tuple[tuple[str, float], ...]
) -> Call | str:
    """Claude on Azure, or at Anthropic itself, which Lynkr calls by the same name."""
    key, endpoint = row.keys[0], row.endpoint or ""
    parts = plain_address(values.get(endpoint, ""))
    if parts is None:
        return f"{endpoint} holds no address"
    direct = parts.hostname == "api.anthropic.com"
    return Call(
        provider=DraftProvider(
            name="anthropic" if direct else row.id,
            kind="anthropic" if direct else MESSAGES,
            trust="cloud",
            base_url=None if direct else f"${{{endpoint}}}",
            api_key=f"${{{key}}}",
            timeouts=timeouts,
        ),
        model=values.get(row.model or "") or row.default_model,
        fixed_model=False,
        used=(
            (key, f"`providers.{'anthropic' if direct else row.id}.api_key`, by name"),
            (endpoint, "kind `anthropic`" if direct else f"`providers.{row.id}.base_url`"),
        ),
        missing_key=None if values.get(key) else key,
    )


def _databricks(
    row: LynkrProvider, values: Mapping[str, str], timeouts: tuple[tuple[str, float], ...]
) -> Call | str:
    """Serving endpoints (wire reference B.6): the model is the endpoint's name."""
    key, base, path = row.keys[0], row.endpoint or "", row.model or ""
    if plain_address(values.get(base, "")) is None:
        return f"{base} holds no address"
    found = _INVOCATIONS.fullmatch(values.get(path) or row.default_model)
    if found is None:
        return f"{path} is not /serving-endpoints/NAME/invocations"
    slash = "" if values[base].endswith("/") else "/"
    return Call(
        provider=DraftProvider(
            name=row.id,
            kind=CHAT,
            trust="cloud",
            base_url=f"${{{base}}}{slash}serving-endpoints",
            api_key=f"${{{key}}}",
            timeouts=timeouts,
            note="a target's `model` is the name of a serving endpoint",
        ),
        model=found[1],
        fixed_model=True,
        used=(
            (key, f"`providers.{row.id}.api_key`, by name"),
            (base, f"`providers.{row.id}.base_url`"),
            (path, "its endpoint is the target's `model`"),
        ),
        missing_key=None if values.get(key) else key,
    )


def _host(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        return parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        return None
