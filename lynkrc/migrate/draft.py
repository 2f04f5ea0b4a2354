"""A spec to be written, as data: names, references and the comments that explain them.

A draft holds no secret: keys are references to the environment by name.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

from lynkrc.source.scalars import resolve_plain, trap
from lynkrc.syntax.decode_parts import RESERVED
from lynkrc_runtime.providers.table import KINDS


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the catalog states of a model; None is not stated. `priced`: a price, where it is."""

    context: int | None
    max_output: int | None
    capabilities: tuple[str, ...] | None
    priced: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether a target of the model needs no facts of its own."""
        return None not in (self.context, self.max_output, self.capabilities) and self.priced


Known: TypeAlias = Callable[[str, str, str | None], Stated]
"""A model's name, a provider's kind and `base_url` to what the catalog states of it there."""

Price: TypeAlias = tuple[tuple[str, str], ...] | Literal["free"]
"""`free`, or amounts in USD per million tokens as decimal text."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DraftProvider:
    """A row of `providers`. `timeouts` are durations as a spec writes them."""

    name: str
    kind: str
    trust: str
    base_url: str | None = None
    region: str | None = None
    api_key: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    timeouts: tuple[tuple[str, str], ...] = ()
    retries: int | None = None
    concurrency: tuple[tuple[str, int], ...] = ()
    note: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DraftTarget:
    """A row of `targets`. Facts that are None come from the catalog.

    `assumed` says that facts are written that nobody stated, `unpriced` that nobody stated a price:
    none is invented, so the spec has a finding until somebody writes it.
    """

    name: str
    provider: str
    model: str
    context: int | None = None
    max_output: int | None = None
    capabilities: tuple[str, ...] | None = None
    price: Price | None = None
    assumed: bool = False
    unpriced: bool = False
    note: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DraftModel:
    """A row of `models`: a requested name to a tier or a target."""

    pattern: str
    tier: str | None = None
    target: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DraftTier:
    """A row of `tiers`; the last has no `up_to`. The first `group` of the chain are a group."""

    name: str
    up_to: int | None
    chain: tuple[str, ...]
    group: int = 0
    pick: str | None = None
    weights: tuple[tuple[str, int], ...] = ()
    note: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSetting:
    """One setting of a section: where it stands, and its value as YAML. ``-`` is a list's entry."""

    path: tuple[str, ...]
    value: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A whole spec. `intro`, `hints` and `ending` are lines of comments without their ``#``."""

    name: str
    intro: tuple[str, ...]
    providers: tuple[DraftProvider, ...]
    targets: tuple[DraftTarget, ...]
    tiers: tuple[DraftTier, ...]
    profile: str | None
    """What scores requests (`extends` and `score`); None where they go by the requested name."""
    otherwise: str
    otherwise_note: str
    tiers_note: str
    models: tuple[DraftModel, ...] = ()
    models_note: str = ""
    settings: tuple[DraftSetting, ...] = ()
    hints: tuple[str, ...] = ()
    ending: tuple[str, ...] = ()


def variables_of(draft: Draft) -> tuple[str, ...]:
    """The variables without which it cannot be served, in the order they come."""
    texts = [
        text
        for one in draft.providers
        for text in (one.base_url, one.region, one.api_key, *(value for _, value in one.headers))
    ]
    texts += [setting.value for setting in draft.settings]
    found = re.findall(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", " ".join(text or "" for text in texts))
    return tuple(dict.fromkeys(found))


TIERS: tuple[tuple[str, int | None], ...] = (
    ("SIMPLE", 22),
    ("MEDIUM", 56),
    ("COMPLEX", 80),
    ("REASONING", None),
)
"""The tiers `builtin/lynkr` has rules for, with the bounds that the scores of `PROFILE` have."""

PROFILE = "builtin/lynkrc-1"
"""What scores the requests of a new spec."""

ASSUMED_CONTEXT = 128_000
"""The window a model is given that nobody stated one for: what Lynkr assumes, too."""
ASSUMED_OUTPUT = 8_000
ASSUMED_CAPABILITIES = ("tools",)
OWN_KINDS = frozenset({"ollama", "llamacpp", "lmstudio", "mlx", "vllm"})
"""Kinds of servers that people run themselves: nobody sends them a bill for tokens."""
OLLAMA_CONTEXT = 32_000
"""Ollama cuts a prompt off, silently, at a window of its own, which is small unless set."""


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """A name of a spec made of `wanted`: at most 64 letters, digits, ``_`` and ``-``, not taken.

    Case does not count: names of tiers and targets are asked for without regard to it.

    >>> free_name("openai/gpt-4.1", ()), free_name("4o", ()), free_name("no", ())
    ('openai-gpt-4-1', 'm-4o', 'm-no')
    >>> free_name("small", ["Small"])
    'small-2'
    """
    name = re.sub(r"[^A-Za-z0-9_]+", "-", wanted).strip("-")[:56] or "model"
    is_word = isinstance(resolve_plain(name), str) and trap(name) is None
    if not re.match(r"[A-Za-z_]", name) or not is_word or name in RESERVED:
        name = f"m-{name}"
    folded = {one.casefold() for one in taken}
    number, found = 2, name
    while found.casefold() in folded:
        found, number = f"{name}-{number}", number + 1
    return found


def short_name(model: str) -> str:
    """What people would call a model.

    >>> short_name("claude-haiku-5-5"), short_name("openai/gpt-oss-120b"), short_name("qwen3:8b")
    ('haiku', 'gpt-oss-120b', 'qwen3')
    """
    words = model.rsplit("/", 1)[-1].split(":", maxsplit=1)[0].split("-")
    return words[1] if words[0] == "claude" and len(words) > 1 else "-".join(words)


def draft_target(
    name: str,
    provider: DraftProvider,
    model: str,
    known: Known,
    *,
    stated: Stated | None = None,
    price: Price | None = None,
) -> DraftTarget:
    """A target with the facts that a spec must state because the catalog does not.

    `stated` and `price` are what the author stated elsewhere; they come before the catalog.
    """
    catalog = known(model, provider.kind, provider.base_url)
    own = stated or Stated(context=None, max_output=None, capabilities=None)
    window = OLLAMA_CONTEXT if provider.kind == "ollama" else ASSUMED_CONTEXT
    context = own.context or (None if catalog.context else window)
    top = context or catalog.context or window
    output = own.max_output or (None if catalog.max_output else min(ASSUMED_OUTPUT, top))
    capabilities = own.capabilities
    if capabilities is None and catalog.capabilities is None:
        capabilities = ASSUMED_CAPABILITIES
    if price is None and not catalog.priced and _is_own(provider):
        price = "free"
    return DraftTarget(
        name=name,
        provider=provider.name,
        model=model,
        context=context,
        max_output=output,
        capabilities=capabilities,
        price=price,
        unpriced=price is None and not catalog.priced,
        assumed=(own.context is None and catalog.context is None)
        or (own.max_output is None and catalog.max_output is None)
        or (own.capabilities is None and catalog.capabilities is None),
    )


def _is_own(provider: DraftProvider) -> bool:
    """Whether it runs on a machine of the user's."""
    return provider.kind in OWN_KINDS or provider.trust == "local"


def ollama_lines(
    targets: Sequence[DraftTarget], providers: Sequence[DraftProvider]
) -> tuple[str, ...]:
    """What to know of Ollama's window, where a target runs on one."""
    kinds = {one.name: one.kind for one in providers}
    names = [f"`{one.name}`" for one in targets if kinds.get(one.provider) == "ollama"]
    if not names:
        return ()
    return (
        "Ollama cuts long prompts off at a window of its own, without saying so: start it with",
        f"OLLAMA_CONTEXT_LENGTH at least the `context` of {', '.join(names[:6])}.",
    )


def simulated(*, name: str, intro: tuple[str, ...], ending: tuple[str, ...] = ()) -> Draft:
    """The spec of somebody who has no provider yet: it builds, serves, and costs nothing."""
    simulator = KINDS["simulator"].name
    targets = tuple(
        DraftTarget(name=name, provider="simulator", model=f"simulated-{name}")
        for name in ("small", "large")
    )
    chains = (("small", "large"), ("small", "large"), ("large", "small"), ("large", "small"))
    return Draft(
        name=name,
        intro=intro,
        providers=(
            DraftProvider(
                name="simulator", kind=simulator, trust="local", note="answers without a model"
            ),
        ),
        targets=targets,
        tiers=tuple(
            DraftTier(name=tier, up_to=up_to, chain=chain)
            for (tier, up_to), chain in zip(TIERS, chains, strict=True)
        ),
        profile=PROFILE,
        otherwise="escalate",
        otherwise_note=ESCALATE_NOTE,
        tiers_note=TIERS_NOTE,
        hints=(
            "A provider of your own takes the simulator's place: set its key in the environment,",
            "write it here, and name it in the targets.",
            "",
            "providers:",
            '  anthropic: {kind: anthropic, api_key: "${ANTHROPIC_API_KEY}", trust: cloud}',
            "targets:",
            "  small: {provider: anthropic, model: claude-haiku-5-5}",
            "  large: {provider: anthropic, model: claude-opus-5-5}",
        ),
        ending=ending,
    )


TIERS_NOTE = "cheapest first; a chain is tried from left to right"
ESCALATE_NOTE = "a need that a tier cannot meet goes to the next tier that can"
