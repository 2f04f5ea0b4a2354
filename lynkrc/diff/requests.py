"""Points of the joint domain of two tables, to whole requests that show the same to both.

What a request shows is read back of it by the code that serves. Where the client profiles of the
tables differ, both read it, and it counts only if they read the same.
"""

import json
from dataclasses import replace
from typing import final

from lynkrc.diff.identity import Pair
from lynkrc.diff.plan import Region, SentRequest
from lynkrc.ir.domain import Domain, Point
from lynkrc.ir.witness import at_rest
from lynkrc.testing.case_text import as_test_case
from lynkrc.testing.curl import as_curl
from lynkrc.testing.realise import Shows
from lynkrc.testing.replay import Replay
from lynkrc.testing.sample import Walker
from lynkrc.testing.synthesize import Synthesized, Synthesizer

GATEWAY = "http://localhost:8081"
"""Where the commands send the requests."""

_ORDINARY = {"ask.words": 3, "messages.count": 1, "turns": 1}
_SIZE = "context.tokens"
_ROOM = 200
_LETTERS = 4

READ_OTHERWISE = "the client profiles of the two specs read the request otherwise"


@final
class Requests:
    """Builds requests; `walker` knows the lexicons of both tables."""

    def __init__(self, pair: Pair, domain: Domain, walker: Walker) -> None:
        self._domain = domain
        self._synthesizer = Synthesizer(pair.new, domain, walker)
        same_clients = pair.old.clients == pair.new.clients
        self._old = None if same_clients else Replay(pair.old, domain, walker)

    def plainest(self) -> Point:
        """What is read of an ordinary request: one turn of a few words, and nothing else."""
        rest = tuple(
            min(_ORDINARY[slot.feature], slot.high) if slot.feature in _ORDINARY else value
            for slot, value in zip(self._domain.slots, at_rest(self._domain), strict=True)
        )
        return self._synthesizer.synthesize(rest, lambda _: True).point or rest

    def request(self, point: Point, shows: Shows) -> Synthesized:
        """A request of the point, or another one that shows what is wanted.

        Where it has no room for what it is to say, one with more.
        """
        made = self._synthesizer.synthesize(point, shows)
        if not made.realised:
            roomy = self._roomy(point)
            if roomy != point and shows(roomy):
                other = self._synthesizer.synthesize(roomy, shows)
                made = other if other.realised else made
        if not made.realised or self._old is None:
            return made
        values, _ = self._old.values(made.surface, made.headers, made.body)
        if tuple(values) == made.point:
            return made
        return replace(made, realised=False, missed=(READ_OTHERWISE,), point=None)

    def _roomy(self, point: Point) -> Point:
        """The point with words for its tokens and letters for its words, as people write them."""
        features = [slot.feature for slot in self._domain.slots]
        wanted = dict(zip(features, point, strict=True))
        tokens = wanted.get("ask.tokens", 0)
        least = {
            # A word and its blank are about a token; four letters are one at the most.
            "ask.words": tokens,
            "ask.chars": _LETTERS * tokens,
            "ask.bytes": _LETTERS * tokens,
            _SIZE: wanted.get(_SIZE, 0) + tokens + _ROOM,
        }
        return tuple(
            min(max(value, least.get(slot.feature, value)), slot.high)
            for slot, value in zip(self._domain.slots, point, strict=True)
        )


def sent(made: Synthesized, region: Region) -> SentRequest:
    """The request, with a command that sends it and a test of the new spec."""
    after = region.after
    expected: dict[str, object] = {"outcome": after.outcome}
    if after.tier is not None:
        expected["tier"] = after.tier
    if len(after.first) == 1:
        expected["target"] = after.first[0]
    return SentRequest(
        surface=made.surface,
        headers=tuple(made.headers.items()),
        body=json.dumps(made.body, ensure_ascii=False),
        curl=as_curl(made, GATEWAY),
        test=as_test_case(made, expected, name=f"{region.category.value}: {region.what.value}"),
    )
