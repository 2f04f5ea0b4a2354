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
from lynkrc.migrate.served import not_yet
from lynkrc.migrate.vendors import MESSAGES, VENDORS, Vendor, Way, way_to
from lynkrc_runtime.providers.kind import Credentials, ProviderKind

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
    missing: tuple[str, ...] = ()
    """Variables it needs that the file does not set."""


_QUEUE = 50
"""How many calls Lynkr lets wait for one of Z.AI's to end."""


def call_of(
    row: LynkrProvider, values: Mapping[str, str], kinds: Mapping[str, ProviderKind]
) -> Call | str:
    """How to call the provider, or why the spec cannot."""
    match row.id:
        case "azure-openai":
            return _azure_openai(row, values)
        case "azure-anthropic":
            return _azure_anthropic(row, values)
        case "databricks":
            return _databricks(row, values)
    if row.vendor is None:
        return row.without
    return _plain(row, VENDORS[row.vendor], values, kinds)


def _plain(
    row: LynkrProvider,
    vendor: Vendor,
    values: Mapping[str, str],
    kinds: Mapping[str, ProviderKind],
) -> Call | str:
    """A vendor with a key and, at most, an address of its own."""
    way = way_to(vendor, kinds)
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
    asked = key or (row.keys[0] if needed and row.keys else None)
    missing = [name for name in (asked, row.region) if name and not values.get(name)]
    if key is not None:
        used.append((key, f"`{where}.api_key`, by name"))
    if row.region is not None:
        used.append((row.region, f"`{where}.region`, by name"))
    concurrency = _concurrency(row, values)
    if concurrency:
        path = f"providers.{row.id}.concurrency"
        used.append((row.concurrent or "", f"`{path}`{not_yet(('providers', 'concurrency'))}"))
    elif row.concurrent is not None:
        lost.append((row.concurrent, "no number of calls"))
    headers = tuple((header, name) for header, name in row.headers if values.get(name))
    used += [(name, f"`{where}.headers`, by name") for _, name in headers]
    return Call(
        provider=DraftProvider(
            name=row.id,
            kind=way.kind,
            trust=trust,
            base_url=address,
            region=f"${{{row.region}}}" if row.region else None,
            api_key=f"${{{asked}}}" if asked else None,
            headers=tuple((header, f"${{{name}}}") for header, name in headers),
            concurrency=concurrency,
        ),
        model=values.get(row.model or "") or row.default_model,
        fixed_model=False,
        used=tuple(used),
        lost=tuple(lost),
        missing=tuple(missing),
    )


def _concurrency(row: LynkrProvider, values: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    """Lynkr's limit on calls at once, with the length of its queue."""
    written = values.get(row.concurrent or "", "")
    if not re.fullmatch(r"[1-9][0-9]{0,3}", written):
        return ()
    return (("limit", int(written)), ("queue", _QUEUE))


def _azure_openai(row: LynkrProvider, values: Mapping[str, str]) -> Call | str:
    """Azure's v1 API (wire reference B.4): the model is the deployment, the key a header."""
    key, endpoint, deployment = row.keys[0], row.endpoint or "", row.model or ""
    host = _host(values.get(endpoint, ""))
    if host is None:
        return f"{endpoint} holds no address"
    return Call(
        provider=DraftProvider(
            name=row.id,
            kind="azure-openai",
            trust="cloud",
            base_url=f"https://{host}",
            api_key=f"${{{key}}}",
            note="Azure's v1 API: a target's `model` is a deployment",
        ),
        model=values.get(deployment) or row.default_model,
        fixed_model=False,
        used=(
            (key, f"`providers.{row.id}.api_key`, by name"),
            (endpoint, f"its host is in `providers.{row.id}.base_url`"),
        ),
        missing=() if values.get(key) else (key,),
    )


def _azure_anthropic(row: LynkrProvider, values: Mapping[str, str]) -> Call | str:
    """Claude on Azure, or at Anthropic itself, which Lynkr calls by the same name."""
    key, endpoint = row.keys[0], row.endpoint or ""
    parts = plain_address(values.get(endpoint, ""))
    if parts is None:
        return f"{endpoint} holds no address"
    host = parts.hostname or ""
    direct = host == "api.anthropic.com"
    elsewhere = row.id if host.endswith(".azure.com") else MESSAGES
    return Call(
        provider=DraftProvider(
            name="anthropic" if direct else row.id,
            kind="anthropic" if direct else elsewhere,
            trust="cloud",
            base_url=None if direct else f"${{{endpoint}}}",
            api_key=f"${{{key}}}",
        ),
        model=values.get(row.model or "") or row.default_model,
        fixed_model=False,
        used=(
            (key, f"`providers.{'anthropic' if direct else row.id}.api_key`, by name"),
            (endpoint, "kind `anthropic`" if direct else f"`providers.{row.id}.base_url`"),
        ),
        missing=() if values.get(key) else (key,),
    )


def _databricks(row: LynkrProvider, values: Mapping[str, str]) -> Call | str:
    """Serving endpoints (wire reference B.6): the model is the endpoint's name."""
    key, base, path = row.keys[0], row.endpoint or "", row.model or ""
    if plain_address(values.get(base, "")) is None:
        return f"{base} holds no address"
    found = _INVOCATIONS.fullmatch(values.get(path) or row.default_model)
    if found is None:
        return f"{path} is not /serving-endpoints/NAME/invocations"
    return Call(
        provider=DraftProvider(
            name=row.id,
            kind=row.id,
            trust="cloud",
            base_url=f"${{{base}}}",
            api_key=f"${{{key}}}",
            note="a target's `model` is the name of a serving endpoint",
        ),
        model=found[1],
        fixed_model=True,
        used=(
            (key, f"`providers.{row.id}.api_key`, by name"),
            (base, f"`providers.{row.id}.base_url`"),
            (path, "its endpoint is the target's `model`"),
        ),
        missing=() if values.get(key) else (key,),
    )


def _host(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        return parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        return None
