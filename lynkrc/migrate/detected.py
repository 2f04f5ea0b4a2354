"""What a machine has (keys in its environment, an Ollama) to a draft of a first spec.

The environment comes in as a value: names of variables, never what they hold.

>>> nothing = Stated(context=None, max_output=None, capabilities=None)
>>> draft = draft_detected(Environment(variables=frozenset(), ollama=None), lambda *_: nothing)
>>> [provider.kind for provider in draft.providers]
['simulator']
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.migrate.draft import (
    ESCALATE_NOTE,
    OLLAMA_CONTEXT,
    PROFILE,
    TIERS,
    TIERS_NOTE,
    Draft,
    DraftProvider,
    DraftTarget,
    DraftTier,
    Known,
    Stated,
    draft_target,
    free_name,
    ollama_lines,
    short_name,
    simulated,
)
from lynkrc.migrate.vendors import VENDORS, Vendor, way_to
from lynkrc_runtime.providers.kind import ProviderKind
from lynkrc_runtime.providers.table import KINDS

_OLLAMA = "ollama"
_MODEL = "MODEL"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaModel:
    """A model of a local Ollama; None is what it did not say. `context` is what it was made for."""

    name: str
    context: int | None
    capabilities: tuple[str, ...] | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ollama:
    """An Ollama that answered: how a spec writes its address, and its models, latest first."""

    base_url: str
    trust: str
    models: tuple[OllamaModel, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What there is: the names of the variables that are set and not empty, and an Ollama."""

    variables: frozenset[str]
    ollama: Ollama | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A provider with the target it gives each of the four tiers."""

    provider: DraftProvider
    ladder: tuple[DraftTarget, ...]


def draft_detected(
    environment: Environment, known: Known, kinds: Mapping[str, ProviderKind] = KINDS
) -> Draft:
    """A spec on what is there; on the simulator where nothing is."""
    local = _local(environment.ollama, known)
    clouds = _clouds(environment, known, kinds)
    sources = [*([local] if local else []), *clouds]
    rest = _unused_keys(environment, {one.provider.name for one in sources}, kinds)
    ending = (*_ollama_lines(environment.ollama, local), *rest)
    if not sources:
        return simulated(
            name="routing",
            intro=(
                "No provider key in the environment and no Ollama on this machine: this policy",
                "runs on the simulator until there is one.",
            ),
            ending=ending,
        )
    targets = {target.name: target for source in sources for target in source.ladder}
    chains = _chains(local, clouds)
    used = {name for chain in chains for name in chain}
    return Draft(
        name="routing",
        intro=_intro(sources),
        providers=tuple(source.provider for source in sources),
        targets=tuple(target for name, target in targets.items() if name in used),
        tiers=tuple(
            DraftTier(name=name, up_to=up_to, chain=chain)
            for (name, up_to), chain in zip(TIERS, chains, strict=True)
        ),
        profile=PROFILE,
        otherwise="escalate",
        otherwise_note=ESCALATE_NOTE,
        tiers_note=TIERS_NOTE,
        hints=_hints(local is not None),
        ending=ending,
    )


def _local(ollama: Ollama | None, known: Known) -> _Source | None:
    """The Ollama with the model to use of it: the latest that can call tools, else the latest."""
    chats = _chat_models(ollama)
    if ollama is None or not chats:
        return None
    able = [one for one in chats if "tools" in (one.capabilities or ())]
    chosen = (able or chats)[0]
    provider = DraftProvider(
        name=_OLLAMA, kind=_OLLAMA, trust=ollama.trust, base_url=ollama.base_url
    )
    window = None if chosen.context is None else min(chosen.context, OLLAMA_CONTEXT)
    target = draft_target(
        "local",
        provider,
        chosen.name,
        known,
        stated=Stated(context=window, max_output=None, capabilities=_of_ours(chosen)),
    )
    return _Source(provider=provider, ladder=(target,))


def _chat_models(ollama: Ollama | None) -> list[OllamaModel]:
    """Those that answer prompts; one that did not say what it can counts as such."""
    return [
        one
        for one in (ollama.models if ollama else ())
        if one.capabilities is None or "completion" in one.capabilities
    ]


def _of_ours(model: OllamaModel) -> tuple[str, ...] | None:
    """What it can, in our words."""
    if model.capabilities is None:
        return None
    return tuple(one for one in ("tools", "vision", "thinking") if one in model.capabilities)


def _clouds(
    environment: Environment, known: Known, kinds: Mapping[str, ProviderKind]
) -> list[_Source]:
    """Vendors with a key, a kind of their own, and models the catalog knows."""
    sources: list[_Source] = []
    taken: set[str] = {"local"}
    for vendor in VENDORS.values():
        kind = kinds.get(vendor.id)
        if vendor.key not in environment.variables or kind is None or kind.base_url is None:
            continue
        models = [model for model in vendor.models if known(model, kind.name, None).is_whole]
        if not models:
            continue
        provider = DraftProvider(
            name=vendor.id, kind=kind.name, trust=vendor.trust, api_key=f"${{{vendor.key}}}"
        )
        rows: dict[str, DraftTarget] = {}
        for model in models:
            if model not in rows:
                name = free_name(short_name(model), taken)
                taken.add(name)
                rows[model] = draft_target(name, provider, model, known)
        padded = [*models, *[models[-1]] * (len(TIERS) - len(models))]
        sources.append(_Source(provider=provider, ladder=tuple(rows[one] for one in padded)))
    return sources


def _chains(local: _Source | None, clouds: Sequence[_Source]) -> list[tuple[str, ...]]:
    """Per tier: the local model where the work is simple, then each cloud's target of the tier,
    for a lone cloud a neighbour of it, so that one model's failure is not the end."""
    chains = []
    for at in range(len(TIERS)):
        first = [local.ladder[0].name] if local and (at == 0 or not clouds) else []
        own = [source.ladder[at].name for source in clouds]
        near = _neighbour(clouds[0].ladder, at) if len(clouds) == 1 else []
        chains.append(tuple(dict.fromkeys([*first, *own, *near])))
    return chains


def _neighbour(ladder: Sequence[DraftTarget], at: int) -> list[str]:
    """The next target up the ladder; for MEDIUM, which is most of the work, the next one down."""
    up, down = list(ladder[at + 1 :]), list(reversed(ladder[:at]))
    order = [*down, *up] if at == 1 else [*up, *down]
    return [one.name for one in order if one.name != ladder[at].name][:1]


def _intro(sources: Sequence[_Source]) -> tuple[str, ...]:
    names = [source.provider.name for source in sources]
    found = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return (
        f"Found: {found}. Each request is scored from 0 to 100 and goes to the first tier that",
        "takes its score; `lynkrc trace` shows why one goes where it goes.",
    )


def _hints(has_local: bool) -> tuple[str, ...]:
    local = (
        "  # What is marked confidential stays on this machine.",
        '  - {name: stay-home, when: \'header("x-data-class") == "confidential"\', '
        'require: "target.trust == local"}',
    )
    return (
        "Rules hold beside the score; those of builtin/lynkr apply already. To add your own, take",
        "the `#` away:",
        "",
        "rules:",
        "  # Long questions are hard ones more often than not.",
        '  - {name: long-asks, when: "ask.tokens > 4000", floor: COMPLEX}',
        *(local if has_local else ()),
        "models:                       # names that clients ask for, pinned",
        "  quick: {tier: SIMPLE}",
    )


def _ollama_lines(ollama: Ollama | None, local: _Source | None) -> tuple[str, ...]:
    if ollama is None:
        return ()
    if local is None:
        return ("Ollama answers, but has no model yet: `ollama pull` one, and make it a target.",)
    chosen = local.ladder[0].model
    others = [one.name for one in _chat_models(ollama) if one.name != chosen]
    lines = ollama_lines(local.ladder, (local.provider,))
    more = (f"It has these models, too: {', '.join(others[:8])}.",) if others else ()
    return (*lines, *more)


def _unused_keys(
    environment: Environment, used: set[str], kinds: Mapping[str, ProviderKind]
) -> tuple[str, ...]:
    """What to write for a key that is set and that nothing above uses."""
    lines: list[str] = []
    for vendor in VENDORS.values():
        if vendor.key not in environment.variables or vendor.id in used:
            continue
        way = way_to(vendor, kinds)
        lines += [
            "",
            f"{vendor.key} is set, too. The catalog knows no model of {vendor.title}, so a target",
            "states what its model can and costs, in USD per million tokens; add it to a chain:",
            *_suggestion(vendor, way.kind, way.base_url),
        ]
    return tuple(lines[1:])


def _suggestion(vendor: Vendor, kind: str, base_url: str | None) -> tuple[str, ...]:
    address = f', base_url: "{base_url}"' if base_url else ""
    model = vendor.models[-1] if vendor.models else _MODEL
    return (
        f'  {vendor.id}: {{kind: {kind}{address}, api_key: "${{{vendor.key}}}", '
        f"trust: {vendor.trust}}}",
        f"  more: {{provider: {vendor.id}, model: {model}, context: 128k, max_output: 8k, "
        "capabilities: [tools], price: {input: ..., output: ...}}",
    )
