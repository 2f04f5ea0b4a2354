"""What the catalog says of models: which entry is about one, and what its price is where.

An id is matched whole; a trailing ``*`` matches any rest. An exact id wins over a prefix, a longer
prefix over a shorter one, an entry for some providers over one for all.

>>> anywhere = ModelFacts(ids=("big*",), context=8)
>>> at_ours = ModelFacts(ids=("big*",), context=4, only=Place(hosts=("ours.example",)))
>>> [facts_of((anywhere, at_ours), "big-2", Provision("openai-compatible", host)).context
...  for host in ("ours.example", "theirs.example")]
[4, 8]
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final
from urllib.parse import urlsplit

from lynkrc.syntax.config import Price
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.providers.table import KINDS


@final
@dataclass(frozen=True, slots=True)
class Provision:
    """Where a model is asked for: a provider kind, and its host as far as the spec says it."""

    kind: str
    host: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whom something is said of: providers of one of the kinds, and those at one of the hosts."""

    kinds: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    def holds(self, provision: Provision) -> bool:
        """Whether a provider is one of them."""
        return provision.kind in self.kinds or provision.host in self.hosts


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a figure stands, and the day (YYYY-MM-DD) on which it was read there."""

    url: str
    date: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogPrice:
    """What a seller takes; `below` is the price of prompts of up to `tokens` tokens.

    `price` is that of the longest prompts, the dearest: whoever bounds a cost takes it.
    """

    price: Price
    tokens: int | None = None
    below: Price | None = None
    sources: tuple[Source, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What is known of the models that `ids` cover; None is not stated. Windows are tokens.

    `only` limits all of it to some providers; `price` is that of `seller` and of nobody else.
    """

    ids: tuple[str, ...]
    only: Place | None = None
    context: int | None = None
    max_output: int | None = None
    capabilities: tuple[str, ...] | None = None
    shape: RequestShape = field(default_factory=RequestShape)
    price: CatalogPrice | None = None
    seller: str | None = None
    sold_at: Place | None = None
    retires: str | None = None
    sources: tuple[Source, ...] = ()


NOTHING = ModelFacts(ids=("*",))
"""The facts of a model nobody has written about."""


def provision_of(kind: str, base_url: str | None) -> Provision:
    """A provider's kind and host; no host where the environment has a say in the address.

    >>> provision_of("openai-compatible", "https://api.deepseek.com/v1").host
    'api.deepseek.com'
    >>> provision_of("openai", "${PROXY:-https://api.openai.com}").host
    """
    known = KINDS[kind].base_url if base_url is None and kind in KINDS else base_url
    if known is None or "${" in known:
        return Provision(kind)
    try:
        return Provision(kind, urlsplit(known).hostname)
    except ValueError:  # an address that is none, such as one with an unclosed "["
        return Provision(kind)


def facts_of(catalog: Sequence[ModelFacts], model: str, provision: Provision) -> ModelFacts:
    """The facts of the entry that fits a model at a provider best, else `NOTHING`."""
    fitting = [
        (_closeness(id_, entry), entry)
        for entry in catalog
        if entry.only is None or entry.only.holds(provision)
        for id_ in entry.ids
        if covers(id_, model)
    ]
    return max(fitting, key=lambda found: found[0])[1] if fitting else NOTHING


def price_of(facts: ModelFacts, provision: Provision) -> Price | None:
    """The price of a model at a provider, None where the catalog does not state it."""
    if facts.price is None or (facts.sold_at and not facts.sold_at.holds(provision)):
        return None
    return facts.price.price


def names_for(catalog: Sequence[ModelFacts], provision: Provision | None) -> list[str]:
    """The whole model names that the catalog knows of a provider; None: of any."""
    return [
        name
        for entry in catalog
        if provision is None or entry.only is None or entry.only.holds(provision)
        for name in entry.ids
        if not name.endswith("*")
    ]


def covers(id_: str, model: str) -> bool:
    """Whether an id of an entry, which may end in ``*``, is about a model."""
    return model.startswith(id_[:-1]) if id_.endswith("*") else model == id_


def _closeness(id_: str, entry: ModelFacts) -> tuple[bool, int, bool]:
    return not id_.endswith("*"), len(id_), entry.only is not None
