"""What an exchange tells is all there is to tell, in its place, and each request's own."""

import asyncio
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.cost import Cost, Prices, cost_of, in_usd, micro_of
from lynkrc_runtime.protocol.conversation import Stop, Usage
from lynkrc_runtime.server.admit import admit, admitted
from lynkrc_runtime.server.exchange import Exchange, Incoming
from lynkrc_runtime.server.gateway import Gateway, read_request
from lynkrc_runtime.telemetry.outcome import Ending, Outcome
from tests.runtime.by_hand import (
    MESSAGES,
    Recorder,
    Said,
    ask,
    body,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)
from tests.runtime.virtual_time import run

CALLER = Caller(name="k", team="blue", tenant="acme")


def served_by() -> Gateway:
    table = dispatch([provider("near", "simulator")], [target("one", 0), target("two", 0)])
    return gateway(policy(table), Said())


def exchange_of(served: Gateway, caller: Caller | None = None) -> Exchange:
    incoming = Incoming(
        surface="messages",
        dialect=MESSAGES,
        headers={"x-team": "blue"},
        repeated=frozenset({"x-team"}),
        body=body(),
        request_id="req_mine",
        answer_id="a" * 24,
        created=1,
        arrived=10.0,
        caller=caller,
    )
    return Exchange(served, incoming, Recorder())


def test_an_outcome_has_everything_in_its_place() -> None:
    async def told() -> Outcome:
        client = Recorder()
        served = served_by()
        await ask(served, body(), client=client)
        exchange = exchange_of(served, CALLER)
        incoming = exchange.incoming
        exchange.request = read_request(served, MESSAGES, incoming.body, incoming.headers)
        exchange.decision = replace(
            served.decider.decide([0] * len(served.policy.dispatch.slots)),
            tier="LOW",
            rule="a rule",
            score=7,
        )
        exchange.vector = [3, 4]
        exchange.route, exchange.first = served.routes[1], 0
        exchange.transforms, exchange.losses = ("changed",), ("lost",)
        exchange.usage, exchange.stop = Usage(input=5, output=6), Stop.LENGTH
        exchange.began, exchange.status, exchange.ending = 10.25, 201, Ending.BROKEN
        return exchange.outcome(12.0)

    assert run(told()) == Outcome(
        request_id="req_mine",
        surface="messages",
        dialect=MESSAGES,
        model="auto",
        stream=False,
        ending=Ending.BROKEN,
        status=201,
        seconds=2.0,
        first_byte=0.25,
        tier="LOW",
        rule="a rule",
        score=7,
        verdict="route",
        vector=(3, 4),
        target=1,
        fallback=True,
        calls=0,
        attempts=(),
        usage=Usage(input=5, output=6),
        stop=Stop.LENGTH,
        transforms=("changed",),
        losses=("lost",),
        key="k",
        team="blue",
        tenant="acme",
        client=None,
    )


def test_what_begins_an_outcome_is_known_of_a_request_that_nobody_read() -> None:
    async def told() -> Outcome:
        return exchange_of(served_by()).outcome(10.5)

    assert run(told()) == Outcome(
        request_id="req_mine",
        surface="messages",
        dialect=MESSAGES,
        model="",
        stream=False,
        ending=Ending.INTERNAL,
        status=0,
        seconds=0.5,
    )


def test_no_answer_has_the_headers_of_another() -> None:
    async def asked() -> list[Recorder]:
        served = served_by()
        first = await ask(served, body(), request_id="req_first")
        told = [first.headers["x-lynkr-cost-usd"], *list(first.headers)]
        second = await ask(
            served, body(stream=True), request_id="req_second", headers={"x-lynkr-explain": "1"}
        )
        third = await ask(served, body(), request_id="req_third")
        assert [third.headers["x-lynkr-cost-usd"], *list(third.headers)] == told
        return [first, second, third]

    answers = asyncio.run(asked())
    ids = ("x-lynkr-request-id", "request-id", "x-request-id")
    for answer, name in zip(answers, ("first", "second", "third"), strict=True):
        assert [answer.headers[one] for one in ids] == [f"req_{name}"] * 3
        assert list(answer.headers)[:4] == [*ids, "x-lynkr-bundle"]
    assert ["x-lynkr-trace-id" in answer.headers for answer in answers] == [False, True, False]
    assert ["x-lynkr-cost-usd" in answer.headers for answer in answers] == [True, False, True]


def test_who_is_not_asked_would_have_said_the_same() -> None:
    async def agreed(caller: Caller | None) -> None:
        served = served_by()
        exchange = exchange_of(served, caller)
        incoming = exchange.incoming
        request = read_request(served, MESSAGES, incoming.body, incoming.headers)
        facts = admitted(exchange)
        assert facts is not None and facts == await admit(exchange, request)

    for caller in (None, CALLER):
        run(agreed(caller))


def test_who_counts_or_remembers_is_asked() -> None:
    class Other:
        """Neither of those that know nothing."""

    async def asked() -> None:
        for name in ("meter", "sessions"):
            other = replace(served_by(), **{name: Other()})
            assert admitted(exchange_of(other)) is None

    run(asked())


tokens = st.integers(0, 10**9)
prices = st.builds(
    Prices,
    input=st.integers(0, 10**13),
    output=st.integers(0, 10**13),
    cache_read=st.integers(0, 10**13),
    cache_write=st.integers(0, 10**13),
)
usages = st.builds(Usage, input=tokens, output=tokens, cache_read=tokens, cache_write=tokens)


@given(usages, prices)
def test_a_cost_is_rounded_by_kind_also_where_there_is_none_of_it(used: Usage, at: Prices) -> None:
    cost = cost_of(used, at)
    assert cost is not None
    for kind in ("input", "output", "cache_read", "cache_write"):
        exact = getattr(used, kind) * getattr(at, kind) + 5 * 10**8
        assert getattr(cost, kind) == exact // 10**9
    assert (
        micro_of(cost) == cost.total == sum(getattr(cost, kind) for kind in Cost.__struct_fields__)
    )


@given(st.integers(0, 10**15))
def test_dollars_have_six_decimals(micro: int) -> None:
    assert in_usd(micro) == f"{micro // 10**6}.{micro % 10**6:06}"
