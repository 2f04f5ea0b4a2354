"""Requests over their rates: who is refused, what they hear, and when there is room again."""

import asyncio

import pytest

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.settings import Limit
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    body,
)
from tests.runtime.metering_lab import (
    CI,
    answers,
    in_time,
    lab,
)
from tests.runtime.test_serve_whole import MESSAGE, fails, whole


@pytest.mark.parametrize(
    ("dialect", "kind"), [(MESSAGES, "rate_limit_error"), (CHAT, "rate_limit_error")]
)
def test_a_request_over_its_rate_waits_and_is_served_then(dialect: str, kind: str) -> None:
    async def main() -> None:
        made = lab({"one": answers(3)}, limits=[Limit(name="fair", requests=2, within=30.0)])
        for _ in range(2):
            assert (await made.ask(caller=CI)).status == 200
        over = await made.ask(caller=CI, content=body(dialect), dialect=dialect)
        assert over.status == 429
        assert over.headers["x-should-retry"] == "true"
        assert (
            over.json["error"]["message"]
            == "limit fair: at most 2 requests in 30 seconds for key ci"
        )
        assert over.json["error"]["type"] == kind or over.json["error"]["code"]
        wait = int(over.headers["retry-after"])
        assert 0 < wait <= 31
        assert made.events("request")[-1]["class"] == "limited"
        await asyncio.sleep(wait)
        assert (await made.ask(caller=CI)).status == 200

    in_time(main)


def test_one_key_over_its_rate_leaves_another_alone() -> None:
    async def main() -> None:
        made = lab({"one": answers(2)}, limits=[Limit(name="fair", requests=1)])
        assert (await made.ask(caller=CI)).status == 200
        assert (await made.ask(caller=CI)).status == 429
        assert (await made.ask(caller=Caller(name="other"))).status == 200

    in_time(main)


def test_who_has_no_team_is_not_counted_by_a_limit_of_teams() -> None:
    async def main() -> None:
        made = lab({"one": answers(3)}, limits=[Limit(name="t", per="team", requests=1)])
        for _ in range(3):
            assert (await made.ask(caller=Caller(name="lone"))).status == 200

    in_time(main)


def test_tokens_are_those_of_the_answer_once_it_is_there() -> None:
    """Ten tokens were used: a limit of eleven has room for none of the estimated input."""

    async def main() -> None:
        made = lab({"one": answers(2)}, limits=[Limit(name="t", tokens=11, within=60.0)])
        assert (await made.ask(caller=CI)).status == 200
        await made.served.meter.drain()
        over = await made.ask(caller=CI)
        assert over.status == 429 and "at most 11 tokens" in over.json["error"]["message"]
        assert over.headers["x-should-retry"] == "true"
        await asyncio.sleep(int(over.headers["retry-after"]))
        assert (await made.ask(caller=CI)).status == 200

    in_time(main)


def test_tokens_of_a_request_that_came_to_nothing_are_given_back() -> None:
    async def main() -> None:
        refused = {"one": [fails(500)], "two": [fails(500), whole(MESSAGE)]}
        refused["one"].append(fails(500))
        made = lab(refused, limits=[Limit(name="t", tokens=11, within=60.0)])
        assert (await made.ask(caller=CI)).status == 529
        await made.served.meter.drain()
        assert (await made.ask(caller=CI)).status == 200

    in_time(main)


def test_a_request_no_wait_makes_room_for_is_not_to_be_repeated() -> None:
    async def main() -> None:
        made = lab({}, limits=[Limit(name="t", tokens=5)])
        over = await made.ask(content=body(text="word " * 100))
        assert over.status == 429
        assert over.headers["x-should-retry"] == "false" and "retry-after" not in over.headers
        assert "this request alone has about" in over.json["error"]["message"]

    in_time(main)


def test_a_refused_request_takes_nothing() -> None:
    """It waits for both windows; had it been counted in the first, it would never end."""

    async def main() -> None:
        limits = [Limit(name="many", requests=2), Limit(name="t", tokens=12)]
        made = lab({"one": answers(2)}, limits=limits)
        assert (await made.ask()).status == 200
        await made.served.meter.drain()
        for _ in range(5):
            assert "limit t:" in (await made.ask()).json["error"]["message"]
        await asyncio.sleep(62)
        assert (await made.ask()).status == 200

    in_time(main)
