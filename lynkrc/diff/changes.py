"""Two tables to what differs outside the decision: how requests are read, sent, charged, served.

No vector shows these: the same decision may now go to another address, or be made on another
reading of the same request.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from lynkrc.codegen.settings_text import settings_rows
from lynkrc.diff.identity import Destination, Pair, trust_ranks
from lynkrc.diff.items import Part, compare_parts
from lynkrc.diff.owners import READ_OTHERWISE, owner_changes
from lynkrc.diff.plan import Category, Change, Item
from lynkrc.ir.table import Provider, RouteTable, Target
from lynkrc_runtime.attempt import RETRIES
from lynkrc_runtime.settings import Settings

_LEFT_OUT = ("name", "trust", "retries")
_CALL_FACTS = ("provider", "model", "dialect", "on_loss", "shape")
_THINKS = "thinking"
"""The one capability that says how a target is called, beside whether it can serve."""
_READ_BY = {"keys": "key", "budgets": "budget", "sessions": "session"}
"""Sections of the settings that features are read by, and how the names of those begin."""
_APART = ("embeddings", "keys", "limits", "budgets")
"""Sections that are told entry by entry."""
_SERVED = "requests are served otherwise"
_MEANS = {
    "sessions": "targets are kept otherwise from one request to the next",
    "state": "counts, sessions and kept answers live elsewhere, or are served without otherwise",
    "resilience": "what fails is waited for, tried again or left alone otherwise",
    "observability": "what is told of requests is otherwise, not how they are served",
}
"""What a change of a section means."""


def other_changes(pair: Pair, *, old_name: str, new_name: str) -> tuple[Change, ...]:
    """Every difference of the tables that no decision shows, the gravest first."""
    old, new = pair.old, pair.new
    found = [
        *_trust(pair),
        *_embeddings(old, new),
        *_providers(old, new),
        *_targets(pair),
        *_prices(old, new),
        *_clients(old, new),
        *_settings(pair),
        *_listed(old, new),
    ]
    if old_name != new_name:
        item = Item(kind="name", name="", change="changed", before=old_name, after=new_name)
        found.append(_change(Category.COSMETIC, item, "the spec is called otherwise"))
    return tuple(sorted(found, key=lambda one: (one.category.rank, one.item.kind, one.item.name)))


def _change(category: Category, item: Item, words: str) -> Change:
    return Change(category=category, item=item, words=words)


def _changed(kind: str, name: str, before: object, after: object) -> Item:
    return Item(kind=kind, name=name, change="changed", before=str(before), after=str(after))


def _trust(pair: Pair) -> Iterator[Change]:
    """A label that is changed lets through, or stops, what is tested by it: always told first."""
    old, new = pair.old, pair.new
    before = {provider.name: provider.trust for provider in old.providers}
    for provider in new.providers:
        was = before.get(provider.name)
        if was is not None and was != provider.trust:
            item = _changed("provider", f"{provider.name}.trust", was, provider.trust)
            words = "the declared trust of the same provider is another; nothing checks it"
            yield _change(Category.PRIVACY, item, words)
    yield from _labels(pair)
    common = [
        [level for level in table.trust_levels if level in other.trust_levels]
        for table, other in ((old, new), (new, old))
    ]
    if old.trust_levels != new.trust_levels:
        item = _changed(
            "trust levels", "", " < ".join(old.trust_levels), " < ".join(new.trust_levels)
        )
        if common[0] != common[1]:
            yield _change(Category.PRIVACY, item, "classes are trusted in another order")
        else:
            yield _change(Category.COSMETIC, item, "the classes there are")


def _labels(pair: Pair) -> Iterator[Change]:
    """The same address, account and model under a provider of another name and another trust."""
    was: dict[Destination, set[str]] = {}
    for target, place in zip(pair.old.targets, pair.old_places, strict=True):
        was.setdefault(place, set()).add(target.trust)
    told = {provider.name for provider in pair.old.providers}
    for target, place in zip(pair.new.targets, pair.new_places, strict=True):
        labels = was.get(place, {target.trust})
        if target.trust not in labels and target.provider not in told:
            item = _changed(
                "target", f"{target.name}.trust", ", ".join(sorted(labels)), target.trust
            )
            words = "the same place is declared of another trust; nothing checks it"
            yield _change(Category.PRIVACY, item, words)


def _embeddings(old: RouteTable, new: RouteTable) -> Iterator[Change]:
    """Targets of embeddings are declared, not decided: no region shows them."""
    ranks = trust_ranks(old.trust_levels, new.trust_levels)
    declared = [json.loads(table.settings).get("embeddings", {}) for table in (old, new)]
    trusts = [{one.name: one.trust for one in table.targets} for table in (old, new)]
    for name in sorted({*declared[0], *declared[1]}):
        was, goes = declared[0].get(name), declared[1].get(name)
        if was == goes:
            continue
        rank = 0 if was is None else ranks.get(trusts[0].get(was, ""), 0)
        less_trusted = goes is not None and ranks.get(trusts[1].get(goes, ""), 0) > rank
        change = "added" if was is None else "removed" if goes is None else "changed"
        item = Item(kind="embeddings", name=name, change=change, before=was, after=goes)
        words = "embeddings of this name go elsewhere"
        yield _change(Category.PRIVACY if less_trusted else Category.OUTCOME, item, words)


def _providers(old: RouteTable, new: RouteTable) -> Iterator[Change]:
    before, after = ({one.name: one for one in table.providers} for table in (old, new))
    for name, provider in after.items():
        if name not in before:
            continue
        was, now = _facts(before[name]), _facts(provider)
        for fact, value in now.items():
            if was[fact] != value:
                item = _changed("provider", f"{name}.{fact}", was[fact], value)
                yield _change(Category.OUTCOME, item, "its targets are called otherwise")
        tries = [
            RETRIES if one.retries is None else one.retries for one in (before[name], provider)
        ]
        if tries[0] != tries[1]:
            grows = tries[1] > tries[0]
            item = _changed("provider", f"{name}.retries", *tries)
            words = f"{'more' if grows else 'fewer'} attempts of a target that fails"
            yield _change(Category.COST if grows else Category.CHAIN, item, words)


def _facts(provider: Provider) -> Mapping[str, object]:
    return {name: getattr(provider, name) for name in Provider.__slots__ if name not in _LEFT_OUT}


def _targets(pair: Pair) -> Iterator[Change]:
    before = {one.name: one for one in pair.old.targets}
    for target in pair.new.targets:
        was = before.get(target.name)
        if was is None:
            continue
        less_trusted = pair.ranks[target.trust] > pair.ranks[was.trust]
        for fact in _CALL_FACTS:
            facts = getattr(was, fact), getattr(target, fact)
            if facts[0] != facts[1]:
                item = _changed("target", f"{target.name}.{fact}", *facts)
                if fact == "provider" and less_trusted:
                    yield _change(Category.PRIVACY, item, "it lies with a less trusted class")
                    continue
                yield _change(Category.OUTCOME, item, "the target is another, or called otherwise")
        thinks = [_THINKS in one.capabilities for one in (was, target)]
        if thinks[0] != thinks[1]:
            item = _changed("target", f"{target.name}.{_THINKS}", *thinks)
            yield _change(Category.OUTCOME, item, "it is asked to think, or no longer")
        if (was.max_output, was.context) != (target.max_output, target.context):
            grows = target.max_output > was.max_output or target.context > was.context
            sizes = [f"{one.context} in, {one.max_output} out" for one in (was, target)]
            item = _changed("target", f"{target.name}.tokens", *sizes)
            yield _change(Category.COST if grows else Category.CHAIN, item, "tokens of one call")


def _prices(old: RouteTable, new: RouteTable) -> Iterator[Change]:
    before = {one.name: one for one in old.targets}
    for target in new.targets:
        was = before.get(target.name)
        if was is None or was.price == target.price:
            continue
        item = _changed("target", f"{target.name}.price", _price(was), _price(target))
        if was.price is not None and target.price is None:
            yield _change(Category.COST, item, "nobody states the price any more")
        elif was.price is None or target.price is None:
            yield _change(Category.CHAIN, item, "the price is stated now")
        else:
            pairs = zip(map(Decimal, was.price), map(Decimal, target.price), strict=True)
            dearer = any(now > then for then, now in pairs)
            words = "dearer" if dearer else "cheaper"
            yield _change(Category.COST if dearer else Category.CHAIN, item, words)


def _price(target: Target) -> str:
    if target.price is None:
        return "not stated"
    return "{} in, {} out, {} cache read, {} cache write".format(*target.price)


def _reading(pair: Pair) -> Category:
    """The category of another reading of requests: any of them may then go anywhere there is.

    What a request says is hidden from the rules that keep it, or no longer hidden; no point shows
    that. With targets of one class alone privacy is out of question.
    """
    went = {pair.ranks[target.trust] for target in pair.old.targets}
    goes = {pair.ranks[target.trust] for target in pair.new.targets}
    return Category.PRIVACY if max(goes) > min(went) else Category.OUTCOME


def _clients(old: RouteTable, new: RouteTable) -> Iterator[Change]:
    parts = [
        {
            one.name: Part(
                says=(
                    one.user_agent,
                    one.injected_tags,
                    one.injected_prefixes,
                    one.injected_wrappers,
                    one.baseline_tools,
                    one.tool_weights,
                ),
                text=f"{len(one.user_agent)} user agents, {len(one.injected_tags)} tags, "
                f"{len(one.baseline_tools)} baseline tools",
            )
            for one in table.clients
        }
        for table in (old, new)
    ]
    for item in compare_parts("client", *parts):
        words = "requests of this client may be read otherwise, and so decided otherwise"
        yield _change(Category.OUTCOME, item, words)
    if [one.name for one in old.clients] != [one.name for one in new.clients] and set(
        parts[0]
    ) == set(parts[1]):
        item = _changed("client order", "", ", ".join(parts[0]), ", ".join(parts[1]))
        yield _change(Category.OUTCOME, item, "the first profile that fits is the client's")


def _settings(pair: Pair) -> Iterator[Change]:
    old, new = pair.old, pair.new
    read = {slot.feature.partition(".")[0] for table in (old, new) for slot in table.slots}
    was_set, is_set = (msgspec.json.decode(table.settings, type=Settings) for table in (old, new))
    reading = {section: _reading(pair) for section, feature in _READ_BY.items() if feature in read}
    yield from owner_changes(was_set, is_set, reading)
    before, after = _parts(old, was_set), _parts(new, is_set)
    for path in sorted({*before, *after}):
        was, now = before.get(path), after.get(path)
        if was == now:
            continue
        change = "added" if was is None else "removed" if now is None else "changed"
        item = Item(
            kind="setting",
            name=path,
            change=change,
            before=was.text if was else None,
            after=now.text if now else None,
        )
        section = path.partition(".")[0]
        if section in reading:
            yield _change(reading[section], item, READ_OTHERWISE)
        else:
            yield _change(Category.OUTCOME, item, _MEANS.get(section, _SERVED))


def _parts(table: RouteTable, settings: Settings) -> Mapping[str, Part]:
    """Settings by path, as a reviewer reads their values; what is told apart is left out."""
    told = dict(settings_rows(settings))
    return {
        path: Part(says=value, text=told.get(path, value))
        for path, value in _flat("", json.loads(table.settings))
        if path.partition(".")[0].partition("[")[0] not in _APART
    }


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(f"{path}.{key}" if path else key, inner)
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for index, inner in enumerate(value):
            yield from _flat(f"{path}[{index}]", inner)
    else:
        yield path, json.dumps(value, ensure_ascii=False)


def _listed(old: RouteTable, new: RouteTable) -> Iterator[Change]:
    if set(old.calls) != set(new.calls):
        texts = [
            ", ".join(f"{one.surface}/{one.call} ({one.source})" for one in table.calls)
            for table in (old, new)
        ]
        yield _change(Category.OUTCOME, _changed("calls", "", *texts), "the calls that are made")
    if old.models != new.models:
        item = _changed("models", "", ", ".join(old.models), ", ".join(new.models))
        yield _change(Category.COSMETIC, item, "the names that `GET /v1/models` lists")
    parts = [
        {text: Part(says=text, text=text) for text in table.assertions} for table in (old, new)
    ]
    for item in compare_parts("assertion", *parts):
        yield _change(Category.COSMETIC, item, "it changes no route; what is promised changes")
