"""Requests to a collector that reads OTLP: what its spans say, and what they never say."""

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import pytest
from msgspec.structs import replace as struct_replace
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.decide import Verdict
from lynkrc_runtime.dispatch import Price
from lynkrc_runtime.protocol.conversation import Stop, Usage
from lynkrc_runtime.providers.table import KINDS
from lynkrc_runtime.server.logs import note_lost
from lynkrc_runtime.settings import Observability, Settings, Traces
from lynkrc_runtime.telemetry import spans_otlp
from lynkrc_runtime.telemetry.log import Log
from lynkrc_runtime.telemetry.outcome import Ending, Outcome
from lynkrc_runtime.telemetry.spans import Ended, Lost, Recorded, Spans, tracing_of
from lynkrc_runtime.telemetry.spans_context import Context
from lynkrc_runtime.telemetry.spans_otlp import FINISHES, PROVIDERS, OtlpExporter
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    Recorder,
    Said,
    Script,
    Scripted,
    ask,
    body,
    dispatch,
    gateway,
    policy,
    provider,
    route_all,
    target,
)
from tests.runtime.collected_answers import ANSWER, BEGIN, BLAME, DOWN, END, PROMPT, WHOLE
from tests.runtime.collector import Collector, attributes, collecting
from tests.runtime.virtual_time import run

PATIENCE = 60.0
"""Seconds a collector that answers has for it."""
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def started() -> Iterator[Collector]:
    with collecting() as made:
        yield made


@pytest.fixture
def collector(started: Collector) -> Collector:
    started.forget()
    return started


class Served:
    """One request of a gateway of two targets, told to a collector."""

    def __init__(self, url: str, *, sample: int = 100, end_within: float = PATIENCE) -> None:
        self.said = Said()
        self.client = Recorder()
        self.upstream = Scripted({})
        self.metrics = ""
        self._url, self._sample, self._end_within = url, sample, end_within

    def run(
        self,
        scripts: Mapping[str, Sequence[Script]],
        content: bytes = body(text=PROMPT),
        *,
        dialect: str = MESSAGES,
        headers: Mapping[str, str] | None = None,
        scorer: Callable[[list[int]], Verdict] = route_all,
        caller: Caller | None = None,
        gone_after: float | None = None,
        times: int = 1,
    ) -> "Served":
        price = Price(input="3", output="15", cache_read="0.3", cache_write="3.75")
        table = struct_replace(
            dispatch(
                [provider("one", "anthropic"), provider("two", "anthropic-compatible", retries=0)],
                [target("big", 0, price=price), target("small", 1)],
            ),
            settings=Settings(observability=Observability(traces=Traces(sample=self._sample))),
        )
        self.upstream = Scripted({name: list(calls) * times for name, calls in scripts.items()})
        made = gateway(policy(table, scorer), self.said, http=self.upstream)
        log = Log(write=self.said.write)
        with Spans(OtlpExporter(self._url), log=log, end_within=self._end_within) as spans:
            bases = [route.address.base for route in made.routes]
            tracing = tracing_of(table, "d" * 64, bases, spans)
            served = replace(made, tracing=tracing)

            async def all_of_them() -> None:
                for _ in range(times):
                    asked = asyncio.ensure_future(
                        ask(
                            served,
                            content,
                            dialect,
                            headers=headers,
                            client=self.client,
                            caller=caller,
                        )
                    )
                    if gone_after is not None:
                        await asyncio.sleep(gone_after)
                        asked.cancel()
                    await asyncio.gather(asked, return_exceptions=gone_after is not None)

            run(all_of_them())
        note_lost(served)
        self.metrics = served.metrics.render().decode()
        return self


def only(collector: Collector) -> tuple[Sent, list[Sent]]:
    """The span of the request and those of its calls, in their order."""
    (request,) = [span for span in collector.spans if span.kind == Sent.SPAN_KIND_SERVER]
    calls = [span for span in collector.spans if span.kind == Sent.SPAN_KIND_CLIENT]
    assert all(span.trace_id == request.trace_id for span in calls)
    assert all(span.parent_span_id == request.span_id for span in calls)
    assert len({span.span_id for span in (request, *calls)}) == 1 + len(calls)
    return request, calls


def test_a_whole_answer(collector: Collector) -> None:
    served = Served(collector.url).run({"big": [WHOLE]})
    request, (call,) = only(collector)
    assert served.client.status == 200
    assert (request.name, call.name) == ("chat auto", "chat model-big")
    told = attributes(request)
    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "auto",
        "gen_ai.request.stream": False,
        "gen_ai.response.model": "model-big",
        "gen_ai.response.finish_reasons": ["stop"],
        # What a cache read or wrote counts as input.
        "gen_ai.usage.input_tokens": 116,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 100,
        "gen_ai.usage.cache_creation.input_tokens": 5,
        "http.response.status_code": 200,
        "lynkr.request_id": "req_test",
        "lynkr.policy": "by-hand",
        "lynkr.bundle": "d" * 64,
        "lynkr.surface": "messages",
        "lynkr.class": "served",
        "lynkr.tier": "ONLY",
        "lynkr.rule": "score",
        "lynkr.score": 42,
        "lynkr.verdict": "route",
        "lynkr.target": "big",
        "lynkr.fallback": False,
        "lynkr.attempts": 1,
        "lynkr.cost_micro_usd": served.said.request["cost_micro_usd"],
        "lynkr.estimated": False,
    }
    assert attributes(call) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "model-big",
        "gen_ai.request.stream": False,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 116,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 100,
        "gen_ai.usage.cache_creation.input_tokens": 5,
        "server.address": "api.anthropic.com",
        "server.port": 443,
        "lynkr.target": "big",
        "lynkr.result": "served",
        "lynkr.retry": False,
        "lynkr.cost_micro_usd": served.said.request["cost_micro_usd"],
    }
    assert request.status.code == call.status.code == Status.STATUS_CODE_UNSET
    assert not request.parent_span_id
    (export,) = collector.exports
    resource = attributes(export.resource_spans[0].resource)
    assert resource["service.name"] == "lynkrc" and resource["service.instance.id"]
    assert collector.paths == ["/v1/traces"]
    assert 'lynkr_records_lost{of="span"} 0.0' in served.metrics


def test_a_stream(collector: Collector) -> None:
    steps: list[bytes | float | Fault] = [0.5, BEGIN, 1.0, END]
    served = Served(collector.url).run(
        {"big": [Script(before=0.25, steps=steps)]}, body(stream=True, text=PROMPT)
    )
    request, (call,) = only(collector)
    assert served.client.streamed
    told = attributes(request)
    assert told["gen_ai.request.stream"] is True
    assert told["gen_ai.response.finish_reasons"] == ["stop"]
    assert told["gen_ai.response.time_to_first_chunk"] == 0.75
    assert attributes(call)["gen_ai.response.time_to_first_chunk"] == 0.75
    assert request.end_time_unix_nano - request.start_time_unix_nano == 1_750_000_000
    assert request.start_time_unix_nano <= call.start_time_unix_nano
    assert call.end_time_unix_nano <= request.end_time_unix_nano


def test_a_fallback_after_a_failure(collector: Collector) -> None:
    Served(collector.url).run({"big": [DOWN] * 3, "small": [WHOLE]})
    request, calls = only(collector)
    assert [span.name for span in calls] == ["chat model-big"] * 3 + ["chat model-small"]
    assert [span.status.code for span in calls] == [Status.STATUS_CODE_ERROR] * 3 + [
        Status.STATUS_CODE_UNSET
    ]
    first, again, _, last = map(attributes, calls)
    assert (first["error.type"], first["http.response.status_code"]) == ("transient", 503)
    assert (first["lynkr.fault"], first["lynkr.retry"]) == ("answered", False)
    assert again["lynkr.retry"] is True
    assert (last["server.address"], last["server.port"]) == ("upstream.test", 80)
    told = attributes(request)
    assert told["lynkr.fallback"] is True and told["lynkr.attempts"] == 4
    assert "error.type" not in told and request.status.code == Status.STATUS_CODE_UNSET
    starts = [span.start_time_unix_nano for span in calls]
    assert starts == sorted(starts) and starts[0] < starts[1]


def test_what_is_not_called_is_an_event(collector: Collector) -> None:
    Served(collector.url).run(
        {"big": [Script(fault=Fault.CONNECT)] * 60, "small": [WHOLE] * 20}, times=20
    )
    events = [event for span in collector.spans for event in span.events]
    assert events and {event.name for event in events} == {"lynkr.skipped"}
    assert attributes(events[0]) == {"lynkr.target": "big", "lynkr.fault": "breaker"}


def test_every_target_failed(collector: Collector) -> None:
    Served(collector.url).run({"big": [DOWN] * 3, "small": [DOWN]})
    request, _ = only(collector)
    assert request.status.code == Status.STATUS_CODE_ERROR
    told = attributes(request)
    assert told["error.type"] == told["lynkr.class"] == "transient"
    assert "gen_ai.response.finish_reasons" not in told
    assert BLAME.encode() not in b"".join(collector.bodies)


def test_denied_by_the_policy(collector: Collector) -> None:
    served = Served(collector.url).run({}, scorer=lambda _: (1, -1, 0, -1, 0, -1, -1))
    request, calls = only(collector)
    assert served.client.status == 403 and calls == []
    told = attributes(request)
    assert (told["error.type"], told["http.response.status_code"]) == ("denied", 403)
    # A client's error is none of the server: the conventions of HTTP leave it unset.
    assert request.status.code == Status.STATUS_CODE_UNSET
    assert "gen_ai.response.model" not in told


def test_a_client_that_leaves(collector: Collector) -> None:
    Served(collector.url).run({"big": [Script(before=60.0)]}, gone_after=1.5)
    request, (call,) = only(collector)
    assert attributes(request)["error.type"] == "aborted"
    assert attributes(call)["lynkr.result"] == "aborted"
    assert request.end_time_unix_nano - request.start_time_unix_nano == 1_500_000_000


def test_a_parent_is_gone_on_from_and_told_upstream(collector: Collector) -> None:
    came = {"traceparent": PARENT, "tracestate": "other=1"}
    served = Served(collector.url, sample=1).run(
        {"big": [DOWN] * 3, "small": [WHOLE]}, headers=came
    )
    request, calls = only(collector)
    assert request.trace_id.hex() == PARENT[3:35]
    assert request.parent_span_id.hex() == PARENT[36:52]
    assert request.trace_state == calls[0].trace_state == "other=1"
    sent = [one.headers for one in served.upstream.requests]
    assert [one["traceparent"] for one in sent] == [
        f"00-{PARENT[3:35]}-{span.span_id.hex()}-01" for span in calls
    ]
    assert {one["tracestate"] for one in sent} == {"other=1"}


@pytest.mark.parametrize(
    "broken",
    [
        "nonsense",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        PARENT + "-more",
    ],
)
def test_a_broken_parent_begins_a_trace_anew(collector: Collector, broken: str) -> None:
    came = {"traceparent": broken, "tracestate": "other=1"}
    served = Served(collector.url).run({"big": [WHOLE]}, headers=came)
    request, (call,) = only(collector)
    assert not request.parent_span_id and not request.trace_state
    (sent,) = served.upstream.requests
    expected = f"00-{request.trace_id.hex()}-{call.span_id.hex()}-01"
    assert sent.headers["traceparent"] == expected
    assert "tracestate" not in sent.headers


def test_what_its_parent_does_not_record_is_not_recorded_and_passes(collector: Collector) -> None:
    unsampled = PARENT[:-1] + "0"
    served = Served(collector.url).run({"big": [WHOLE]}, headers={"traceparent": unsampled})
    assert collector.bodies == []
    assert served.upstream.requests[0].headers["traceparent"] == unsampled


def test_a_part_is_recorded(collector: Collector) -> None:
    served = Served(collector.url, sample=50).run({"big": [WHOLE]}, times=60)
    recorded = [span for span in collector.spans if span.kind == Sent.SPAN_KIND_SERVER]
    # The chance of none or all of 60 is less than one in 10**17.
    assert 0 < len(recorded) < 60
    said = [one.headers.get("traceparent", "") for one in served.upstream.requests]
    assert {one[3:35] for one in said if one} == {span.trace_id.hex() for span in recorded}
    assert len(said) == 60


def test_nothing_anybody_said_is_sent(collector: Collector) -> None:
    caller = Caller(name="ci", team="web", tenant=None)
    served = Served(collector.url).run(
        {"big": [DOWN] * 3, "small": [WHOLE]},
        body(text=PROMPT, system=PROMPT, metadata={"user_id": PROMPT}),
        headers={
            "authorization": "Bearer sk-of-the-client",
            "traceparent": PARENT,
            "user-agent": PROMPT,
        },
        caller=caller,
    )
    assert served.client.status == 200
    bytes_sent = b"".join(collector.bodies)
    for text in (PROMPT, ANSWER, BLAME, "sk-of-the-client", "secret-key"):
        assert text.encode() not in bytes_sent
    request, _ = only(collector)
    told = attributes(request)
    assert (told["lynkr.key"], told["lynkr.team"]) == ("ci", "web")


def settled(
    url: str, model: str, *, usage: Usage | None = None, served_by: int | None = None
) -> Said:
    """What the log says when a request that ended so was told to a collector."""
    said = Said()
    table = dispatch([provider("one", "anthropic")], [target("big", 0)])
    with Spans(OtlpExporter(url), log=Log(write=said.write), end_within=PATIENCE) as spans:
        tracing = tracing_of(table, "d" * 64, ["https://api.anthropic.com"], spans)
        assert tracing is not None
        outcome = Outcome(
            request_id="r",
            surface="chat",
            dialect=CHAT,
            model=model,
            stream=False,
            ending=Ending.SERVED,
            status=200,
            seconds=1.0,
            usage=usage,
            target=served_by,
        )
        Recorded(tracing, Context(trace=1, span=1), 0.0).settled(outcome)
    return said


def test_what_otlp_cannot_say_costs_nobody_a_span(collector: Collector) -> None:
    settled(collector.url, "\ud800" + "x" * 300, usage=Usage(input=10**30, output=1))
    (request,) = collector.spans
    told = attributes(request)
    assert told["gen_ai.request.model"] == "?" + "x" * 199
    assert request.name == "chat"
    assert told["gen_ai.usage.input_tokens"] == 2**63 - 1


def test_a_mistake_of_ours_is_told_as_one(collector: Collector) -> None:
    said = settled(collector.url, "auto", served_by=99)
    assert "cannot be written" in said.lines[0]["reason"]


def test_a_collector_that_is_down_is_counted_and_in_nobodys_way(collector: Collector) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        served = Served(url, end_within=0.5).run({"big": [WHOLE]}, times=3)
    assert served.client.status == 200
    assert 'lynkr_records_lost{of="span"} 6.0' in served.metrics
    (line,) = [line for line in served.said.lines if line["event"] == "traces"]
    assert line["level"] == "error" and line["requests"] == 3


@pytest.mark.parametrize(
    ("status", "rejects", "lost", "reason"),
    [
        (400, 0, 2, "status 400"),
        # Followed, it would be a question for a page, and its answer no word on spans.
        (302, 0, 2, "status 302"),
        (200, 1, 1, "the collector took the others"),
    ],
)
def test_what_a_collector_does_not_take_is_counted_and_told(
    collector: Collector, status: int, rejects: int, lost: int, reason: str
) -> None:
    collector.status, collector.rejects = status, rejects
    served = Served(collector.url).run({"big": [WHOLE]})
    assert collector.paths == ["/v1/traces"]
    assert f'lynkr_records_lost{{of="span"}} {lost}.0' in served.metrics
    (line,) = [line for line in served.said.lines if line["event"] == "traces"]
    assert line["reason"] == reason


def test_the_event_loop_has_its_turn_between_two_spans(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []
    monkeypatch.setattr(spans_otlp.time, "sleep", rests.append)
    Served(collector.url).run({"big": [WHOLE]}, times=3)
    assert len(collector.spans) == 6 and rests == [0] * 6


class Held:
    """An exporter that keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[Ended] = []

    def send(self, requests: Sequence[Ended]) -> Lost | None:
        self.taken.extend(requests)
        return None

    def close(self) -> None:
        pass


def test_what_does_not_fit_is_lost_not_waited_for() -> None:
    table = struct_replace(
        dispatch([provider("one", "anthropic")], [target("big", 0)]),
        settings=Settings(observability=Observability(traces=Traces(sample=100))),
    )
    said, held = Said(), Held()
    with Spans(held, log=Log(write=said.write), most=0) as spans:
        tracing = tracing_of(table, "d" * 64, ["https://api.anthropic.com"], spans)
        made = gateway(policy(table), said, http=Scripted({"big": [WHOLE]}))
        client = run(ask(replace(made, tracing=tracing), body()))
    assert client.status == 200 and held.taken == [] and spans.lost == 2


def test_the_environment_says_what_the_standard_lets_it(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=acme")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "edge")
    said = Said()
    table = struct_replace(
        dispatch([provider("one", "anthropic")], [target("big", 0)]),
        settings=Settings(observability=Observability(traces=Traces(sample=100))),
    )
    with Spans(OtlpExporter(None), log=Log(write=said.write), end_within=PATIENCE) as spans:
        tracing = tracing_of(table, "d" * 64, ["https://api.anthropic.com"], spans)
        made = gateway(policy(table), said, http=Scripted({"big": [WHOLE]}))
        run(ask(replace(made, tracing=tracing), body()))
    (export,) = collector.exports
    resource = attributes(export.resource_spans[0].resource)
    assert resource["service.name"] == "edge"
    assert resource["deployment.environment.name"] == "prod"
    assert collector.headers[0]["x-tenant"] == "acme"
    assert collector.paths == ["/v1/traces"]


def test_names_are_those_of_the_conventions(collector: Collector) -> None:
    Served(collector.url).run({"big": [WHOLE]})
    known = {value for value in vars(gen_ai_attributes).values() if isinstance(value, str)}
    used = {name for span in collector.spans for name in attributes(span)}
    assert {name for name in used if name.startswith("gen_ai.")} <= known
    words = gen_ai_attributes.__dict__["GenAiProviderNameValues"]
    assert set(PROVIDERS.values()) <= {one.value for one in words}
    assert set(PROVIDERS) <= set(KINDS)
    assert set(FINISHES) == set(Stop)
