"""A decision to what all requests that are decided so have in common, worked out once.

What follows from a `Decision` alone does not change from request to request:

- the candidates that the attempt machine gets, for whole answers and for streams, where the order
  of the targets is always the same;
- the headers of the answer that name the bundle, the rule, the tier and the score, and, by the
  target that serves, its provider and its model.

So a request looks its `Plan` up and adds what is its own. A plan changes nothing of what is done:
whoever finds the targets in another order, or some of them left out, works from those.
"""

from collections.abc import Sequence
from typing import final

from lynkrc_runtime.attempt import Candidate
from lynkrc_runtime.decide import Decision
from lynkrc_runtime.decision_headers import decision_headers, name_value
from lynkrc_runtime.server.routes import Route

IDS = ("x-lynkr-request-id", "request-id", "x-request-id")
"""Headers that name the request, the first ones of every answer."""
MOST = 4096
"""Plans that are kept at a time."""


@final
class Plan:
    """What is known of every request with one decision."""

    __slots__ = ("_headers", "_routes", "_streamed", "_targets", "_whole")

    def __init__(self, decision: Decision, routes: Sequence[Route], digest: str) -> None:
        self._routes = routes
        self._targets = decision.targets
        self._whole = [routes[index].whole for index in decision.targets]
        self._streamed = [routes[index].streamed for index in decision.targets]
        self._headers: dict[tuple[int | None, bool], dict[str, str]] = {
            (None, False): {
                **dict.fromkeys(IDS, ""),
                "x-lynkr-bundle": digest,
                **decision_headers(decision),
            }
        }

    def candidates(self, targets: Sequence[int], stream: bool) -> Sequence[Candidate]:
        """The targets, in the order they are to be tried, for the attempt machine."""
        if targets == self._targets:
            return self._streamed if stream else self._whole
        routes = self._routes
        return [routes[index].streamed if stream else routes[index].whole for index in targets]

    def headers(self, target: int | None, fallback: bool) -> dict[str, str]:
        """Of an answer: what the decision fixes, and the target that serves, if one does.

        To be copied; the copy has a place for each of `IDS` before them.
        """
        found = self._headers.get((target, fallback))
        if found is None:
            assert target is not None
            route = self._routes[target]
            found = self._headers[target, fallback] = {
                **self._headers[None, False],
                "x-lynkr-provider": name_value(route.provider.name),
                "x-lynkr-model": name_value(route.target.model),
                "x-lynkr-fallback": "true" if fallback else "false",
            }
        return found


@final
class Plans:
    """The plans of one gateway; `digest` is its bundle's."""

    __slots__ = ("_digest", "_known", "_routes")

    def __init__(self, routes: Sequence[Route], digest: str) -> None:
        self._routes = routes
        self._digest = digest
        self._known: dict[tuple[object, ...], Plan] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, decision: Decision) -> Plan:
        """The plan of a decision."""
        # What a plan is made of: decisions that differ otherwise share one.
        key = (decision.rule, decision.tier, decision.score, decision.targets)
        plan = self._known.get(key)
        if plan is None:
            if len(self._known) >= MOST:
                self._known.clear()
            plan = self._known[key] = Plan(decision, self._routes, self._digest)
        return plan
