"""What an evaluation found, as values: figures with their intervals, curves, tiers, costs.

`lynkrc.quality.evaluate` makes them, the reports and the picture show them. A *policy* is an order
of the requests by how much they seem to need the strong model: the spec, an older one, the length
of the ask, or chance. A *share* is that of requests sent to the strong model, between 0 and 1. All
intervals are 95 % and come from one bootstrap, so figures and differences are of the same draws.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias, final

SPEC = "spec"
OLD = "older spec"
LENGTH = "length"
RANDOM = "random"
"""The policies: the spec under test, one it is compared with, the characters of the ask, chance."""

Alike: TypeAlias = Literal["share", "cost"]
"""What two ways to route have in common where their scores are compared."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A value and its 95 % interval; `low` and `high` equal `value` where nothing was drawn."""

    value: float
    low: float
    high: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How well one policy orders requests.

    `apgr`: mean share of the gap between the weak and the strong model's scores that is recovered,
    over all shares (0.5 by chance). `cpt50`, `cpt80`: the share sent to the strong model at which
    50 and 80 % of the gap is recovered (0.5 and 0.8 by chance; less is better). Of RouteLLM, arXiv
    2406.18665, section 2. `auroc`: how often a request that the strong model answers better stands
    above one that it does not (0.5 by chance), None where it does so on all or on none. `aiq`: the
    mean score over all costs, on the convex hull of what the policy reaches, of RouterBench, arXiv
    2403.12031; None without costs.
    """

    apgr: Figure
    cpt50: Figure
    cpt80: Figure
    auroc: Figure | None
    aiq: Figure | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What a policy reaches as more is sent to the strong model.

    Points in rising order of share, the first at 0 and the last at 1: shares, mean scores (0 to 1),
    mean costs in USD a request (None without costs). `bounds` are the 95 % interval of each score,
    all lower ends and all upper ends: of the spec alone, and None where nothing was drawn.
    """

    shares: tuple[float, ...]
    scores: tuple[float, ...]
    costs: tuple[float, ...] | None
    bounds: tuple[tuple[float, ...], tuple[float, ...]] | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy on one set of requests."""

    name: str
    figures: Figures
    curve: Curve | None
    """None where there is no single set of requests, as in a mean of suites."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The spec's figures less another policy's, paired: both on the same draws."""

    against: str
    figures: Figures


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TierShare:
    """How many requests a tier gets (`share` of all), and the models' mean scores on them."""

    tier: str
    requests: int
    share: Figure
    weak_score: float | None
    strong_score: float | None
    """None where the tier gets none."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Mean cost of a request in USD and mean score, of one way to route; cost None if unknown."""

    name: str
    score: Figure
    cost: Figure | None
    share: float
    """Sent to the strong model."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """The mean score of the spec as its tiers are set, less another policy's that spends the same.

    `alike` is what is the same: the share sent to the strong model, or the mean cost.
    """

    against: str
    alike: Alike
    score: Figure


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """One suite of requests, or the plain mean of all suites (`suite` is then "mean").

    `spending` begins with all-weak and all-strong; then the spec as its tiers are set, and chance
    at the same share. `gains` are at the spec's share, and, where costs are known, at its cost.
    """

    suite: str
    requests: int
    groups: int
    weak: str
    strong: str
    policies: tuple[Policy, ...]
    differences: tuple[Difference, ...]
    tiers: tuple[TierShare, ...]
    spending: tuple[Spending, ...]
    gains: tuple[Gain, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """How well one policy orders requests for which people chose different tiers.

    `value`: how often the request of the higher tier stands above the other, ties counting half
    (0.5 by chance). `gain`: the spec's less this one's, on the same draws; None for the spec.
    """

    policy: str
    value: Figure
    gain: Figure | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Requests that carry the tier a person chose, against the spec's.

    `table[i][j]`: so many that should have tier i got tier j. `over` and `under`: the share sent
    higher and lower than chosen; `exact`: the rest. `tasks`: each task's requests, exact, under.
    """

    tiers: tuple[str, ...]
    table: tuple[tuple[int, ...], ...]
    exact: Figure
    over: Figure
    under: Figure
    tasks: tuple[tuple[str, int, int, int], ...]
    misses: tuple[tuple[str, str, str], ...]
    """Id, tier chosen, tier got; all of them, in the order of the file."""
    rankings: tuple[Ranking, ...]
    """The spec's first; empty where all have one tier, or are of one group."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """So many rows were not compared, for this reason; `first` is the id of the first.

    A row whose tier the spec does not have is among them, though its scores count.
    """

    reason: str
    rows: int
    first: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that was found. `suites` are those with scores; `mean` is over them, None for
    fewer than two; `strong_from` is the first tier that is taken for the strong model.
    """

    spec: str
    digest: str
    old: str | None
    strong_from: str
    suites: tuple[SuiteResult, ...]
    mean: SuiteResult | None
    agreement: Agreement | None
    left_out: tuple[LeftOut, ...]
    rows: int
    seed: int
    resamples: int
