"""Reloads to what they changed: which parts of the bundle, by name, and lines of its route table.

Kept are the ends of the last reloads, and the last change with the facts of both bundles. Names of
members are told, never values: those stand in the route table where an operator may read them.
"""

import difflib
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, final

import msgspec

from lynkrc_runtime.bundle import BrokenBundle, OpenedBundle
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.server.gateway import Policy
from lynkrc_runtime.telemetry.reloads import Reloaded

MOST: Final = 20
"""Reloads that are kept."""
LINES: Final = 600
"""Lines of a difference that are told."""

_PARTS: Final = (
    *("tiers", "chains", "targets", "providers", "rules", "dimensions"),
    *("needs", "clients", "lexicons", "models"),
)
"""Lists of a bundle whose entries have names, in the order they are told."""
_RULES, _SCORE = "RULES, in order", "SCORE, "
"""How the titles of the rules and of the dimensions begin in a route table."""
_OFFSET = "offset"
"""What stands in the route table after the dimensions: points that every request gets."""
_AROUND = 2
"""Unchanged lines about a change."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What of a bundle is compared: its meaning digest, its dispatch and its route table."""

    digest: str
    dispatch: Dispatch = field(repr=False)
    routes: str = field(repr=False)


def facts_of_policy(policy: Policy) -> Facts:
    """The facts of a bundle that serves."""
    return Facts(digest=policy.digest, dispatch=policy.dispatch, routes=policy.routes_text)


def facts_of_bundle(opened: OpenedBundle, dispatch: Dispatch) -> Facts:
    """The facts of a bundle that is served elsewhere. Raises BrokenBundle."""
    try:
        routes = opened.files["routes.txt"].decode()
    except ValueError as error:
        raise BrokenBundle(f"{opened.path}: {error}") from error
    return Facts(digest=opened.manifest.meaning_digest, dispatch=dispatch, routes=routes)


@final
class Changes:
    """The last reloads of a gateway. `clock` gives Unix seconds."""

    __slots__ = ("_clock", "_ended", "_last", "_told")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._ended: deque[dict[str, Any]] = deque(maxlen=MOST)
        self._last: tuple[int, Facts, Facts] | None = None
        self._told: dict[str, Any] | None = None

    def ended(self, reloaded: Reloaded, before: Facts, after: Facts) -> None:
        """A reload ended; the bundles that served before it and after it, which may be one."""
        now = int(self._clock())
        self._ended.appendleft({"time": now, **reloaded.members})
        if before is not after:
            self._last, self._told = (now, before, after), None

    def told(self) -> dict[str, Any]:
        """`reloads`, newest first, and `change`: what the last one that changed anything did.

        Takes long for long route tables the first time after a reload.
        """
        if self._told is None and self._last is not None:
            when, before, after = self._last
            self._told = {"time": when, **difference(before, after)}
        return {"reloads": list(self._ended), "change": self._told}


def difference(old: Facts, new: Facts) -> dict[str, Any]:
    """What differs between two bundles, as plain data.

    `parts` name what was added, removed, or changed in which members; `settings` the sections that
    differ, `lines` those of the route table: ``-`` and ``+`` with two unchanged ones around them,
    ``@`` where some are left out.
    """
    lines = list(_lines(old.routes.splitlines(), new.routes.splitlines()))
    return {
        "old": old.digest,
        "new": new.digest,
        "parts": [
            found
            for part in _PARTS
            if (found := _part(part, _by_name(old, part), _by_name(new, part))) is not None
        ],
        "settings": _differing(old.dispatch.settings, new.dispatch.settings),
        "lines": lines[:LINES],
        "omitted": max(0, len(lines) - LINES),
    }


def _by_name(facts: Facts, part: str) -> dict[str, Any]:
    """The entries of a part, those it points to by name instead of by place."""
    targets, chains = facts.dispatch.targets, facts.dispatch.chains
    found: dict[str, Any] = {}
    if part in ("dimensions", "needs", "models"):
        found = {name: {} for name in getattr(facts.dispatch, part)}
        if part == "dimensions":
            for name, text in _written(facts, _SCORE, "weight", [*found, _OFFSET]):
                found.setdefault(name, {})["weight or measure"] = text
        return found
    for one in getattr(facts.dispatch, part):
        members = msgspec.structs.asdict(one)
        match part:
            case "tiers":
                members["chain"] = chains[one.chain].name
            case "chains":
                members["groups"] = [[targets[at].name for at in group] for group in one.groups]
            case "targets":
                members["provider"] = facts.dispatch.providers[one.provider].name
            case "lexicons":
                del members["first"]
            case "rules" if one.prefer is not None and one.prefer.target is not None:
                members["prefer"] = targets[one.prefer.target].name
            case _:
                pass
        found[one.name] = members
    if part == "rules":
        names = [rule.name for rule in facts.dispatch.rules]
        for name, text in _written(facts, _RULES, "effect", names):
            found[name]["condition or effect"] = text
    return found


def _written(
    facts: Facts, title: str, second: str, names: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Each name with the rest of its row in a section of the route table, as it was written.

    The dispatch has no conditions and no weights: those are in the scorer. Rows stand in the order
    of `names`; `second` heads the column after them.
    """
    lines = iter(facts.routes.splitlines())
    column = next((line.find(second) for line in _after(lines, title)), 0)
    waiting = list(names)
    row: list[str] = []
    name = ""
    for line in lines:
        if not line:
            break
        begin = line[:column].strip()
        if waiting and begin and waiting[0].startswith(begin):
            if name:
                yield name, " ".join(row)
            name, row = waiting.pop(0), []
        row += line[column:].split()
    if name:
        yield name, " ".join(row)


def _after(lines: Iterator[str], title: str) -> Iterator[str]:
    """The lines after the one that begins with a title, none where it is not there."""
    for line in lines:
        if line.startswith(title):
            return lines
    return iter(())


def _part(part: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any] | None:
    """What became of a part; None where it is as it was."""
    both = [name for name in new if name in old]
    changed = [
        {"name": name, "members": members}
        for name in both
        if (members := [key for key, value in new[name].items() if old[name].get(key) != value])
    ]
    told = {
        "part": part,
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
        "changed": changed,
        "reordered": both != [name for name in old if name in new],
    }
    return told if any(told[name] for name in told if name != "part") else None


def _differing(old: msgspec.Struct, new: msgspec.Struct) -> list[str]:
    return [name for name in old.__struct_fields__ if getattr(old, name) != getattr(new, name)]


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterator[dict[str, str]]:
    """
    >>> [line["kind"] + line["text"] for line in _lines(["a", "b"], ["a", "c"])]
    [' a', '-b', '+c']
    """
    # The two lines that name files say nothing here.
    found = list(difflib.unified_diff(old, new, lineterm="", n=_AROUND))[2:]
    for index, line in enumerate(found):
        if line.startswith("@@"):
            if index:
                yield {"kind": "@", "text": ""}
        else:
            yield {"kind": line[0], "text": line[1:]}
