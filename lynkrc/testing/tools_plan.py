"""What is wished of the client and its tools, to a User-Agent and the names of the tools.

A client is told by its User-Agent or, where that is wished to be something else, by bringing the
tools of its baseline. Tools beyond the baseline have the weights that the profile gives them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import final

from lynkrc.testing.strings import values_of
from lynkrc.testing.wanted import Bounds, Wanted
from lynkrc_runtime.clients import Profile, recognise
from lynkrc_runtime.dispatch import Client
from lynkrc_runtime.offered import DEFAULT_TOOL_WEIGHT

MOST_TOOLS = 4_096
"""Requests with more tools are not built."""
_MOST_AGENTS = 12
_MOST_ADDED = 24


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPlan:
    """The User-Agent, None for none, and the tools in the order they are offered."""

    agent: str | None
    tools: tuple[str, ...]


def plan_tools(wanted: Wanted, clients: Sequence[Client], names: Iterator[str]) -> ToolPlan:
    """The plan; one that misses least is a plan too. `names` are for tools that may have any."""
    profiles = [Profile(client) for client in clients]
    fallback: ToolPlan | None = None
    spare = list(islice(names, 64))
    for number in _clients(wanted, clients):
        for agent in _agents(wanted, clients, number):
            for whole in (False, True):
                tools = _tools(wanted, clients, number, whole, spare)
                if tools is None:
                    continue
                made = ToolPlan(agent=agent, tools=tools)
                fallback = fallback or made
                if recognise(profiles, agent, frozenset(tools)) == number:
                    return made
    if fallback is not None:
        return fallback
    needed = tuple(name for name, offered in wanted.tools.items() if offered)
    missing = min(wanted.least("tools.count"), MOST_TOOLS) - len(needed)
    more = _unnamed(spare, max(0, missing))
    return ToolPlan(agent=None, tools=(*needed, *more))


def _clients(wanted: Wanted, clients: Sequence[Client]) -> Iterator[int | None]:
    if wanted.client is not None:
        numbers = {client.name: number for number, client in enumerate(clients)}
        yield numbers.get(wanted.client)
        return
    yield None
    yield from range(len(clients))


def _agents(wanted: Wanted, clients: Sequence[Client], number: int | None) -> Iterator[str | None]:
    """User-Agents worth a try, those first that tell the client."""
    wish = wanted.headers.get("user-agent")
    own = () if number is None else tuple(f"{one}1.0" for one in clients[number].user_agent)
    if wish is None:
        yield from own
        yield None
        if number is None:
            yield "lynkrc-test/1.0"
    elif wish.classes[wish.wanted].kind == "absent":
        yield None
    else:
        yield from islice(values_of(wish, own), _MOST_AGENTS)


def _tools(
    wanted: Wanted, clients: Sequence[Client], number: int | None, whole: bool, names: list[str]
) -> tuple[str, ...] | None:
    """Tools that meet all bounds; `whole` offers the whole baseline, so that it is recognised."""
    client = None if number is None else clients[number]
    baseline = [] if client is None else [
        name for name in client.baseline_tools if wanted.tools.get(name) is not False
    ]  # fmt: skip
    needed = [name for name, offered in wanted.tools.items() if offered]
    kept = baseline if whole else [name for name in needed if name in baseline]
    beyond = [name for name in needed if name not in kept and name not in baseline]
    total, added = wanted.of("tools.count"), wanted.of("tools.added")
    first = max(len(beyond), added.least or 0)
    for extra in range(first, min(first + _MOST_ADDED, MOST_TOOLS) + 1):
        if not added.allows(extra):
            continue
        all_in = total.nearest(extra + len(kept))
        from_baseline = all_in - extra
        if not len(kept) <= from_baseline <= len(baseline):
            continue
        rest = [name for name in baseline if name not in kept]
        chosen = kept + rest[: from_baseline - len(kept)]
        weights = {} if client is None else client.tool_weights
        taken = set(baseline) | set(wanted.tools) | set(client.baseline_tools if client else ())
        more = _added(wanted, extra, beyond, weights, taken, names)
        if more is not None:
            return (*chosen, *more)
    # Where only the number of all is wished, as many are added as the baseline has not.
    if total.least is not None and added == Bounds() and total.least <= MOST_TOOLS:
        extra = total.least - len(kept)
        weights = {} if client is None else client.tool_weights
        taken = set(baseline) | set(wanted.tools) | set(client.baseline_tools if client else ())
        if extra >= len(beyond):
            more = _added(wanted, extra, beyond, weights, taken, names)
            return None if more is None else (*kept, *more)
    return None


def _added(
    wanted: Wanted, number: int, beyond: Sequence[str], weights: Mapping[str, int],
    taken: set[str], names: Sequence[str],
) -> list[str] | None:  # fmt: skip
    """So many tools beyond the baseline, `beyond` among them, of the wished weights."""
    most, mean = wanted.of("tools.max_weight"), wanted.of("tools.mean_weight")
    if not number:
        return [] if most.allows(0) and mean.allows(0) else None
    given = [weights.get(name, DEFAULT_TOOL_WEIGHT) for name in beyond]
    left = number - len(beyond)
    limited = [
        (name, weight)
        for name, weight in weights.items()
        if name not in taken and (most.most is None or weight <= most.most)
    ]
    plain = [name for name in names if name not in taken and name not in weights]
    if any(most.most is not None and weight > most.most for weight in given):
        return None
    plain_fits = most.most is None or most.most >= DEFAULT_TOOL_WEIGHT
    for picks in _picks(limited, left):
        rest = left - len(picks)
        if rest and not plain_fits:
            continue
        every = given + [weight for _, weight in picks] + [DEFAULT_TOOL_WEIGHT] * rest
        if most.allows(max(every)) and mean.allows(sum(every) // number):
            return [*beyond, *(name for name, _ in picks), *_unnamed(plain, rest)]
    return None


def _picks(limited: Sequence[tuple[str, int]], most: int) -> Iterator[tuple[tuple[str, int], ...]]:
    """Sets of at most so many, one for each number, sum and greatest weight."""
    seen: dict[tuple[int, int, int], tuple[tuple[str, int], ...]] = {(0, 0, 0): ()}
    yield ()
    for one in limited:
        for (size, total, greatest), picks in list(seen.items()):
            key = (size + 1, total + one[1], max(greatest, one[1]))
            if size < most and key not in seen:
                seen[key] = (*picks, one)
                yield seen[key]


def _unnamed(names: Sequence[str], number: int) -> list[str]:
    """So many different names."""
    more = (f"{names[0]}_{n}" for n in count(1))
    return [*names[:number], *islice(more, max(0, number - len(names)))]
