"""A LiteLLM proxy `config.yaml` to a draft, with an account of every setting in it.

LiteLLM sends a request to the group its model name says. So does the draft: `models` maps each name
to a target, or, where there is more than one to try, to a tier whose chain is the group's
deployments and then those of its fallbacks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

from lynkrc.diagnostics.wording import printable, shown
from lynkrc.migrate.account import Account, Fate, account_lines, carried, left
from lynkrc.migrate.draft import (
    PROFILE,
    Draft,
    DraftModel,
    DraftProvider,
    DraftTarget,
    DraftTier,
    Known,
    draft_target,
    free_name,
    ollama_lines,
    simulated,
)
from lynkrc.migrate.litellm_deployment import Deployment, is_pattern, read_deployment
from lynkrc.migrate.litellm_file import entries_of, items_of, read_litellm, text_of
from lynkrc.migrate.litellm_keys import reason_of
from lynkrc.migrate.litellm_settings import read_settings
from lynkrc.migrate.migration import Migration, Unreadable
from lynkrc.migrate.served import not_yet
from lynkrc.source.nodes import MappingNode, Node
from lynkrc_runtime.providers.kind import ProviderKind
from lynkrc_runtime.providers.table import KINDS

_SETTINGS = ("router_settings", "litellm_settings")
_FALLBACKS = ("fallbacks", "context_window_fallbacks")
_PICKS = {
    "simple-shuffle": "weighted",
    "latency-based-routing": "fastest",
    "cost-based-routing": "cheapest",
}
"""Strategies with an order of the language; the others go by counts that a spec does not know."""
_MOST_TIERS = 101
"""Bounds of tiers are scores from 0 to 100, and the last has none."""


@final
@dataclass(slots=True, kw_only=True)
class _Work:
    """What is known so far."""

    root: MappingNode
    known: Known
    kinds: Mapping[str, ProviderKind]
    accounts: dict[str, Account] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    providers: list[DraftProvider] = field(default_factory=list)
    targets: dict[tuple[str, str], DraftTarget] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    """A group's name to the names of its targets."""
    weights: dict[str, dict[str, int]] = field(default_factory=dict)
    """A group's name to the weights of its targets, where one has another than 1."""
    pick: str | None = None
    """How the targets of a group are chosen among; None is in the order written."""

    def say(self, account: Account) -> None:
        """Answer for a setting; what is said first holds."""
        self.accounts.setdefault(account.name, account)


def migrate_litellm(
    path: str, data: bytes, known: Known, kinds: Mapping[str, ProviderKind] = KINDS
) -> Migration | Unreadable:
    """The draft that routes as the proxy does. `path` is how messages call the file."""
    root = read_litellm(path, data)
    if isinstance(root, Unreadable):
        return root
    work = _Work(root=root, known=known, kinds=kinds)
    _read_strategy(work)
    _read_groups(work)
    chains = {group: _chain(work, group, own) for group, own in work.groups.items()}
    settings, accounts_of_settings = read_settings(root)
    for account in accounts_of_settings:
        work.say(account)
    aliases = _aliases(work)
    _the_rest(work)
    accounts = tuple(work.accounts.values())
    intro = (
        "Taken over from a LiteLLM config. At the end of this file stands what became of each of",
        "its settings. Keys stay in the environment.",
    )
    ending = (
        "What became of the settings of the LiteLLM config:",
        "",
        *account_lines(accounts, Fate),
    )
    if not chains:
        work.notices.append(
            "no model of the file can be called, so the spec runs on the simulator: put a "
            "provider of yours in its place"
        )
        draft = simulated(name="routing", intro=intro, ending=ending)
    else:
        draft = _draft(work, tuple(work.providers), chains, aliases, intro, ending)
    draft = replace(draft, settings=tuple(settings))
    return Migration(draft=draft, accounts=accounts, notices=tuple(work.notices))


def _read_strategy(work: _Work) -> None:
    """How LiteLLM chooses among the deployments of a group: at random, unless it is told."""
    name = "router_settings.routing_strategy"
    written = text_of(_setting(work, "router_settings", "routing_strategy"))
    work.pick = _PICKS.get(written or "simple-shuffle")
    if written and work.pick is not None:
        where = f"`pick: {work.pick}` of groups of several targets"
        work.say(carried(name, where + not_yet(("pick", work.pick))))


def _read_groups(work: _Work) -> None:
    seen: dict[str, str] = {}
    for at, node in enumerate(items_of(work.root.get("model_list"))):
        place = f"model_list[{at}]"
        found, accounts = read_deployment(node, place, work.known, work.kinds)
        first = seen.setdefault(found.group.casefold(), found.group) if found else ""
        if found is not None and first != found.group:
            why = f"case does not count, and {shown(first)} is there already"
            found, accounts = None, [left(one.name, why) for one in accounts]
        for account in accounts:
            work.say(account)
        if found is None:
            name = text_of(node.get("model_name")) if isinstance(node, MappingNode) else ""
            reason = next((one.text for one in accounts), "it is empty")
            label = f"{shown(name)} ({place})" if name else place
            work.notices.append(f"{label} is not carried over: {reason}")
            continue
        target = _target(work, found)
        own = work.groups.setdefault(found.group, [])
        if target.name not in own:
            own.append(target.name)
        if found.weight is not None:
            work.weights.setdefault(found.group, {})[target.name] = found.weight


def _target(work: _Work, found: Deployment) -> DraftTarget:
    provider = _provider(work, found.provider)
    key = (provider.name, found.model)
    if key not in work.targets:
        taken = [one.name for one in work.targets.values()]
        name = free_name(found.model.rsplit("/", 1)[-1], taken)
        work.targets[key] = draft_target(
            name, provider, found.model, work.known, stated=found.stated, price=found.price
        )
    return work.targets[key]


def _provider(work: _Work, wanted: DraftProvider) -> DraftProvider:
    """The provider of the same address and key that is there already, else this one."""
    for one in work.providers:
        if replace(wanted, name=one.name) == one:
            return one
    name = free_name(wanted.name, [one.name for one in work.providers])
    work.providers.append(replace(wanted, name=name))
    return work.providers[-1]


def _chain(work: _Work, group: str, own: Sequence[str]) -> tuple[str, ...]:
    """The targets of a group, then those of its fallbacks, of those for long prompts, of all."""
    names = [*own]
    for kind in _FALLBACKS:
        for section in _SETTINGS:
            path = f"{section}.{kind}"
            for item in items_of(_setting(work, section, kind)):
                for source, listed in entries_of(item):
                    if source in (group, "*"):
                        names += _targets_of(work, path, listed)
    defaults = _setting(work, "litellm_settings", "default_fallbacks")
    names += _targets_of(work, "litellm_settings.default_fallbacks", defaults)
    return tuple(dict.fromkeys(names))


def _targets_of(work: _Work, path: str, listed: Node | None) -> list[str]:
    names: list[str] = []
    for item in items_of(listed):
        group = text_of(item)
        if group in work.groups:
            names += work.groups[group]
        else:
            what = shown(group) if group else "what is no name"
            notice = f"{path} names {what}, which is not carried over: it is not in the chain"
            if notice not in work.notices:
                work.notices.append(notice)
    return names


def _setting(work: _Work, section: str, key: str) -> Node | None:
    node = work.root.get(section)
    return node.get(key) if isinstance(node, MappingNode) else None


def _aliases(work: _Work) -> dict[str, str]:
    """Further names of groups."""
    aliases: dict[str, str] = {}
    taken = {group.casefold() for group in work.groups}
    for section in _SETTINGS:
        for name, value in entries_of(_setting(work, section, "model_group_alias")):
            group = text_of(value.get("model") if isinstance(value, MappingNode) else value)
            path = f"{section}.model_group_alias.{printable(name)}"
            if group in work.groups and is_pattern(name) and name.casefold() not in taken:
                taken.add(name.casefold())
                aliases[name] = group
                work.say(carried(path, "`models`"))
            else:
                work.say(left(path, "its group is not carried over, or its name is taken or none"))
    return aliases


def _the_rest(work: _Work) -> None:
    """Answer for every setting outside `model_list`."""
    for section in _SETTINGS:
        for kind in (*_FALLBACKS, "default_fallbacks"):
            if items_of(_setting(work, section, kind)) and work.groups:
                work.say(carried(f"{section}.{kind}", "chains of `tiers`, after a group's own"))
    for name, node in entries_of(work.root):
        if name == "model_list":
            continue
        inner = entries_of(node)
        for key, value in inner:
            path = f"{printable(name)}.{printable(key)}"
            deeper = entries_of(value)
            if key == "cache_params" and deeper:
                for last, _ in deeper:
                    work.say(left(f"{path}.{printable(last)}", reason_of(f"{path}.{last}")))
            elif key != "model_group_alias" or not deeper:
                work.say(left(path, reason_of(path)))
        if not inner:
            work.say(left(printable(name), reason_of(name)))


def _draft(
    work: _Work,
    providers: tuple[DraftProvider, ...],
    chains: Mapping[str, tuple[str, ...]],
    aliases: Mapping[str, str],
    intro: tuple[str, ...],
    ending: tuple[str, ...],
) -> Draft:
    tiers: dict[str, str] = {}
    taken = [one.name for one in work.targets.values()]
    for group, chain in chains.items():
        # The first is a tier also where it has one target: a spec has a tier for other names.
        if (len(chain) > 1 or not tiers) and len(tiers) < _MOST_TIERS:
            wanted = group.removesuffix("*") or "any"
            clash = free_name(wanted, ()) != free_name(wanted, taken)
            tiers[group] = free_name(f"{wanted}-group" if clash else wanted, taken)
            taken.append(tiers[group])
        elif len(chain) > 1:
            work.notices.append(f"{shown(group)} keeps its first target only: too many chains")
    window = ollama_lines(tuple(work.targets.values()), providers)
    mapped = {**{group: group for group in chains}, **aliases}
    return Draft(
        name="routing",
        intro=intro,
        providers=providers,
        targets=tuple(work.targets.values()),
        models=tuple(
            DraftModel(pattern=name, tier=tiers[group])
            if group in tiers
            else DraftModel(pattern=name, target=chains[group][0])
            for name, group in mapped.items()
        ),
        models_note="as LiteLLM's groups; every other name takes the first tier",
        tiers=tuple(
            _tier(
                work,
                group,
                DraftTier(
                    name=name, up_to=None if at == len(tiers) - 1 else at, chain=chains[group]
                ),
            )
            for at, (group, name) in enumerate(tiers.items())
        ),
        tiers_note="a chain is tried from left to right; `up_to` tells nothing without a `score`",
        profile=None,
        otherwise="deny",
        otherwise_note="never another group than the one that was asked for",
        hints=(*_HINTS, *(("", *window) if window else ())),
        ending=ending,
    )


def _tier(work: _Work, group: str, tier: DraftTier) -> DraftTier:
    """The tier with its own deployments as a group, where there are several to choose from."""
    own = work.groups[group]
    if len(own) < 2 or work.pick is None:
        return tier
    weights = work.weights.get(group, {}) if work.pick == "weighted" else {}
    known = tuple((name, weights[name]) for name in own if name in weights)
    return replace(tier, group=len(own), pick=work.pick, weights=known)


_HINTS = (
    "LiteLLM routes by the requested name alone, and so does this. To let the difficulty of a",
    "request choose, name four tiers SIMPLE, MEDIUM, COMPLEX and REASONING, cheapest first; add:",
    "",
    "extends: builtin/lynkr          # client profiles, force rules, floors",
    "score:",
    f"  use: {PROFILE}",
)
