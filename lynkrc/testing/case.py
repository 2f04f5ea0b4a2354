"""What a file of tests says, decoded: requests or vectors, and what is expected of each."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import TypeAlias, final

from lynkrc.source.nodes import Node
from lynkrc.source.text import Span
from lynkrc_runtime.features import RequestFacts, SessionFacts

NEW_SESSION = SessionFacts()
"""Nothing is remembered."""


class Subject(Enum):
    """What an expectation is about; the values are the keys of `expect`."""

    OUTCOME = "outcome"
    TIER = "tier"
    RULE = "rule"
    TARGET = "target"
    CHAIN = "chain"
    CHAIN_HAS = "chain_has"
    CHAIN_LACKS = "chain_lacks"
    SCORE = "score"
    POINTS = "points"
    HEADERS = "headers"


Expected: TypeAlias = str | int | Decimal | tuple[str, ...] | None
"""A name, the score, points, targets in order; None where there is to be none."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One thing that must be so. `name` is the dimension, rule or header it is about.

    `node` is the value as written.
    """

    subject: Subject
    name: str | None
    wanted: Expected
    node: Node = field(compare=False, repr=False)

    @property
    def path(self) -> str:
        """How it is named in reports: ``tier``, ``points.size``."""
        return self.subject.value if self.name is None else f"{self.subject.value}.{self.name}"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the gateway knows beside a request: its key's team and tenant, its session, its budget.

    `budget_used` is in percent.
    """

    team: str | None = None
    tenant: str | None = None
    session: SessionFacts = NEW_SESSION
    budget_used: int = 0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as it reaches the gateway; header names are in lower case."""

    surface: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    beside: Beside = Beside()

    @property
    def facts(self) -> RequestFacts:
        """What its features are read of, beside the body."""
        beside = self.beside
        return RequestFacts(
            surface=self.surface,
            headers=dict(self.headers),
            team=beside.team,
            tenant=beside.tenant,
            session=beside.session,
            budget_used=beside.budget_used,
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """A clamped vector in slot order."""

    vector: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test; `span` is its name in the file."""

    name: str
    given: Sent | Features
    expected: tuple[Expectation, ...]
    span: Span = field(compare=False, repr=False)
