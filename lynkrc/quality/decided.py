"""Rows of data to what a bundle decides about each, by exactly the code that serves."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import final

from lynkrc.quality.rows import Row
from lynkrc_runtime.bundle import LoadedBundle
from lynkrc_runtime.feature_table import DIALECTS, SURFACES
from lynkrc_runtime.features import Extractor, RefusedRequest, RequestFacts
from lynkrc_runtime.protocol.anthropic import require_max_tokens
from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS

_DIALECTS = dict(zip(SURFACES, DIALECTS, strict=True))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A routed row: `tier` by its index from the cheapest, `points` the score in 1/6400 point.

    `key` orders rows by how much the spec would spend on them: by tier, and by points within one.
    `chars` are those of the ask. `vector` is what was decided on, in slot order. `ask` is the text
    itself, None where only a log is left of the request.
    """

    row: Row
    tier: int
    rule: str
    score: int
    points: int
    chars: int
    vector: tuple[int, ...]
    ask: str | None = field(default=None, repr=False)

    @property
    def key(self) -> tuple[int, int]:
        """Greater: sooner to the strong model."""
        return self.tier, self.points


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """A row that no model would answer, and why."""

    row: Row
    reason: str


def decide_rows(
    bundle: LoadedBundle, rows: Iterable[Row]
) -> tuple[tuple[Decided, ...], tuple[Undecided, ...]]:
    """Decide every row, each as the first request of a caller without a key or a session."""
    extractor = Extractor(bundle.dispatch, bundle.tables)
    tiers = {tier.name: number for number, tier in enumerate(bundle.dispatch.tiers)}
    decided: list[Decided] = []
    undecided: list[Undecided] = []
    for row in rows:
        found = _decide(bundle, extractor, tiers, row)
        if isinstance(found, Decided):
            decided.append(found)
        else:
            undecided.append(Undecided(row=row, reason=found))
    return tuple(decided), tuple(undecided)


def _decide(
    bundle: LoadedBundle, extractor: Extractor, tiers: dict[str, int], row: Row
) -> Decided | str:
    asked = row.request
    facts = RequestFacts(surface=asked.surface, headers=asked.headers)
    try:
        request = CLIENT_DIALECTS[_DIALECTS[asked.surface]].read_request(asked.body, asked.headers)
        if asked.surface == "messages":
            require_max_tokens(request)
        vector = extractor.extract(request, facts)
        ask = extractor.text(request, facts, "ask")
    except MalformedRequest as problem:
        return f"the gateway answers 400: {problem.message}"
    except RefusedRequest as problem:
        return f"the gateway answers 400: {problem.message}"
    explained = bundle.explain(vector)
    if explained["outcome"] != "route":
        return f"the outcome is {explained['outcome']} (rule {explained['rule']})"
    return Decided(
        row=row,
        tier=tiers[explained["tier"]],
        rule=explained["rule"],
        score=explained["score"],
        points=explained["points"]["sum"],
        chars=len(ask),
        vector=tuple(vector),
        ask=ask,
    )
