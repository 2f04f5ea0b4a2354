"""The settings of a RouteTable to their violated invariants: whole, canonical, and of one spec.

A part of `lynkrc.ir.verify`: settings change no route, but the names in them are those of targets
and tiers, and a name that is not there would silently mean nothing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from lynkrc.ir.table import RouteTable
from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.settings import Settings


def broken_settings(table: RouteTable) -> Iterator[str]:
    """What is wrong with the settings of the spec and of its providers, a line each."""
    for provider in table.providers:
        place = f"provider {provider.name}"
        yield from _form(place, provider.rest, ProviderSettings)
    broken = list(_form("the settings", table.settings, Settings))
    yield from broken
    if not broken:
        yield from _names(msgspec.json.decode(table.settings, type=Settings), table)


def _form(place: str, text: str, shape: type[Settings] | type[ProviderSettings]) -> Iterator[str]:
    try:
        found = msgspec.json.decode(text, type=shape)
    except msgspec.MsgspecError as error:
        yield f"{place}: {error}"
        return
    if msgspec.json.encode(found, order="sorted").decode() != text:
        yield f"{place}: not canonical JSON"


def _names(settings: Settings, table: RouteTable) -> Iterator[str]:
    targets = [target.name for target in table.targets]
    tiers = [tier.name for tier in table.tiers]
    for pattern, target in settings.embeddings.items():
        yield from _known(f"embeddings {pattern}", "target", [target], targets)
    for name, key in settings.keys.items():
        yield from _known(f"key {name}", "target", key.targets, targets)
        yield from _known(f"key {name}", "tier", key.tiers, tiers)
        if (key.secret is None) == (key.sha256 is None):
            yield f"key {name}: must have a secret or its digest"
    for budget in settings.budgets:
        yield from _known(f"budget {budget.name}", "target", budget.targets, targets)
    if settings.cache is not None and settings.cache.semantic is not None:
        embedder = settings.cache.semantic.embedder
        yield from _known("the semantic cache", "target", [embedder], targets)
    if settings.optimize is not None and settings.optimize.tool_results is not None:
        shortened = settings.optimize.tool_results.tiers
        yield from _known("shortened tool results", "tier", shortened, tiers)
    yield from _twice("limit", [limit.name for limit in settings.limits])
    yield from _twice("budget", [budget.name for budget in settings.budgets])


def _known(place: str, kind: str, names: Sequence[str], known: Sequence[str]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{place}: no {kind} {name}"


def _twice(kind: str, names: Sequence[str]) -> Iterator[str]:
    for name, times in Counter(names).items():
        if times > 1:
            yield f"{kind} {name} is there twice"
