"""Ended requests to OTLP over HTTP: a server span each, a client span for each call of a target.

Names are those of OpenTelemetry's semantic conventions, whose part about generative AI is in
development: as `opentelemetry-semantic-conventions` 0.66b2 has them. What is the gateway's own is
called `lynkr.*`. Nothing anybody said is in a span but the model's name a client asked for.
"""

import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any, cast, final
from uuid import uuid4

import requests
from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from lynkrc_runtime import __version__
from lynkrc_runtime.attempt import AttemptRecord, Fault, Result
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.protocol.conversation import Stop, Usage
from lynkrc_runtime.telemetry.outcome import Ending
from lynkrc_runtime.telemetry.spans import Ended, Lost

PATH = "/v1/traces"
"""Where a collector takes spans, below its address."""
PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "anthropic": "anthropic",
        "azure-anthropic": "anthropic",
        "azure-openai": "azure.ai.openai",
        "bedrock": "aws.bedrock",
        "deepseek": "deepseek",
        "gemini": "gcp.gemini",
        "groq": "groq",
        "mistral": "mistral_ai",
        "openai": "openai",
        "vertex": "gcp.vertex_ai",
        "xai": "x_ai",
    }
)
"""Provider kinds that the conventions have a word for; others are called by their own."""
FINISHES: Mapping[Stop, str] = MappingProxyType(
    {
        Stop.END: "stop",
        Stop.LENGTH: "length",
        Stop.STOP_SEQUENCE: "stop",
        Stop.TOOL_USE: "tool_call",
        Stop.PAUSE: "pause",
        Stop.REFUSAL: "content_filter",
        Stop.CONTEXT: "length",
    }
)
"""Why an answer ended, in the words of the conventions' schema of messages; `pause` is ours."""
_MODEL_LIMIT = 200
"""Characters of the model name a client sent that are told."""
_MOST = 2**63 - 1
"""The largest number of OTLP."""
_BILLION = 1_000_000_000
_WELL = frozenset((Ending.SERVED, Ending.RESPONDED))
_OUT_OF_ORDER = frozenset((Ending.BROKEN, Ending.INTERNAL))
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_ERROR, _UNSET = Status(StatusCode.ERROR), Status(StatusCode.UNSET)
_PROTOBUF = "application/x-protobuf"
_FILLED = re.compile(r"%[sr]")
_SILENT = logging.NullHandler()
_SCOPE = InstrumentationScope("lynkrc", __version__)


@final
class _Session(requests.Session):
    """Remembers how the last call ended, as the exporter tells its logger alone."""

    told = "nothing was sent"
    rejected = 0
    """Spans that a collector which took the others did not."""
    took = False

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """See `requests.Session`. A redirect is not followed: it would ask for a page instead."""
        self.took, self.rejected = False, 0
        try:
            response = super().send(request, **(kwargs | {"allow_redirects": False}))
        except requests.RequestException as error:
            # Its message may quote the address, which may hold a password.
            self.told = type(error).__name__
            raise
        self.told = f"status {response.status_code}"
        self.took = 200 <= response.status_code < 300
        if self.took and response.headers.get("content-type") == _PROTOBUF:
            with suppress(DecodeError):
                answer = ExportTraceServiceResponse.FromString(response.content)
                self.rejected = answer.partial_success.rejected_spans
        return response


@final
class _Doubts(logging.Handler):
    """What the exporter would have logged and gone on, when it is made.

    Only the unfilled messages: headers, which hold keys, are what some are filled with.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        self.told.append(_FILLED.sub("...", str(record.msg)))


@final
class _Paced:
    """The spans of requests, each made when it is written, the event loop let in between.

    Python lets a thread that computes go on for 5 ms before another may, and the event loop asks
    anew at each of its turns: a hundred spans in one go would hold up whoever is served meanwhile.
    """

    __slots__ = ("_requests", "_resource")

    def __init__(self, requests: Sequence[Ended], resource: Resource) -> None:
        self._requests, self._resource = requests, resource

    def __len__(self) -> int:
        return sum(ended.spans for ended in self._requests)

    def __iter__(self) -> Iterator[ReadableSpan]:
        for ended in self._requests:
            for span in spans_of(ended, self._resource):
                yield span
                time.sleep(0)


@final
class OtlpExporter:
    """Sends spans to a collector; `endpoint` is its address, or that of its traces. ValueError
    where the environment says what the exporter does not take.

    Without one, and for headers, certificates, compression and time-out, the environment's
    `OTEL_EXPORTER_OTLP_*` count, as for every program; `OTEL_SERVICE_NAME` and
    `OTEL_RESOURCE_ATTRIBUTES` too.
    """

    __slots__ = ("_exporter", "_resource", "_session")

    def __init__(self, endpoint: str | None) -> None:
        # What fails later is told once, in the gateway's log, in its own form.
        logger, doubts = logging.getLogger("opentelemetry"), _Doubts()
        logger.propagate = False
        logger.addHandler(doubts)
        self._session = _Session()
        self._exporter = OTLPSpanExporter(
            endpoint=None if endpoint is None else traces_url(endpoint), session=self._session
        )
        own = {
            "service.name": "lynkrc",
            "service.version": __version__,
            "service.instance.id": str(uuid4()),
        }
        self._resource = Resource(own).merge(OTELResourceDetector().detect())
        logger.removeHandler(doubts)
        logger.addHandler(_SILENT)
        if doubts.told:
            raise ValueError("; ".join(doubts.told))

    def send(self, requests: Sequence[Ended]) -> Lost | None:
        """See `Exporter`."""
        spans = _Paced(requests, self._resource)
        # It is gone over once, and asked for its length.
        result = self._exporter.export(cast(Sequence[ReadableSpan], spans))
        session = self._session
        if result is not SpanExportResult.SUCCESS or not session.took:
            return Lost(len(spans), session.told)
        if session.rejected:
            return Lost(session.rejected, "the collector took the others")
        return None

    def close(self) -> None:
        """See `Exporter`."""
        self._exporter.shutdown()


def traces_url(endpoint: str) -> str:
    """Where spans are posted.

    >>> traces_url("http://collector:4318/"), traces_url("http://collector:4318/v1/traces")
    ('http://collector:4318/v1/traces', 'http://collector:4318/v1/traces')
    """
    return f"{endpoint.rstrip('/').removesuffix(PATH)}{PATH}"


def spans_of(ended: Ended, resource: Resource) -> Iterator[ReadableSpan]:
    """The span of a request, then those of its calls."""
    outcome, context = ended.outcome, ended.context
    state = None if context.state is None else TraceState.from_header([context.state])
    begun = ended.moment - _nanoseconds(outcome.seconds)
    mine = SpanContext(
        context.trace, context.span, is_remote=False, trace_flags=_SAMPLED, trace_state=state
    )
    parent = None
    if context.parent is not None:
        parent = SpanContext(
            context.trace, context.parent, is_remote=True, trace_flags=_SAMPLED, trace_state=state
        )
    operation = EMBEDDINGS if outcome.surface == EMBEDDINGS else "chat"
    passed, calls = [], []
    for number, record in enumerate(outcome.attempts):
        start = begun + _nanoseconds(record.started - ended.arrived)
        if record.result is Result.SKIPPED or record.fault is Fault.UNSENT:
            passed.append(Event("lynkr.skipped", _skipped(ended, record), start))
            continue
        calls.append(
            ReadableSpan(
                f"{operation} {ended.tracing.dispatch.targets[record.target].model}",
                context=SpanContext(
                    context.trace,
                    context.attempt(number),
                    is_remote=False,
                    trace_flags=_SAMPLED,
                    trace_state=state,
                ),
                parent=mine,
                resource=resource,
                attributes=_of_call(ended, operation, record),
                kind=SpanKind.CLIENT,
                status=_UNSET if record.failure is None else _ERROR,
                start_time=start,
                end_time=start + _nanoseconds(record.seconds),
                instrumentation_scope=_SCOPE,
            )
        )
    is_error = outcome.status >= 500 or outcome.ending in _OUT_OF_ORDER
    model = _text(outcome.model)
    yield ReadableSpan(
        # Collectors count by name, and a client may ask for whatever comes to its mind.
        f"{operation} {model}" if model in ended.tracing.models else operation,
        context=mine,
        parent=parent,
        resource=resource,
        attributes=_of_request(ended, operation, model),
        events=passed,
        kind=SpanKind.SERVER,
        status=_ERROR if is_error else _UNSET,
        start_time=begun,
        end_time=ended.moment,
        instrumentation_scope=_SCOPE,
    )
    yield from calls


def _of_request(ended: Ended, operation: str, model: str) -> dict[str, Any]:
    outcome, dispatch = ended.outcome, ended.tracing.dispatch
    target = None if outcome.target is None else dispatch.targets[outcome.target]
    cost = outcome.cost
    told: dict[str, Any] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": None if target is None else _provider(ended, target.provider),
        "gen_ai.request.model": model or None,
        "gen_ai.request.stream": outcome.stream,
        "gen_ai.response.model": None if target is None else target.model,
        "gen_ai.response.finish_reasons": _finishes(outcome.stop),
        "gen_ai.response.time_to_first_chunk": outcome.first_byte,
        "http.response.status_code": outcome.status or None,
        "error.type": None if outcome.ending in _WELL else outcome.ending.value,
        "lynkr.request_id": outcome.request_id,
        "lynkr.policy": dispatch.name,
        "lynkr.bundle": ended.tracing.digest,
        "lynkr.surface": outcome.surface,
        "lynkr.class": outcome.ending.value,
        "lynkr.tier": outcome.tier,
        "lynkr.rule": outcome.rule,
        "lynkr.score": outcome.score,
        "lynkr.verdict": outcome.verdict,
        "lynkr.target": None if target is None else target.name,
        "lynkr.fallback": outcome.fallback,
        "lynkr.attempts": outcome.calls,
        "lynkr.cost_micro_usd": None if cost is None else min(cost.total, _MOST),
        "lynkr.estimated": outcome.is_estimated,
        "lynkr.key": outcome.key,
        "lynkr.team": outcome.team,
        "lynkr.tenant": outcome.tenant,
    }
    return _present(told | _tokens(outcome.usage))


def _of_call(ended: Ended, operation: str, record: AttemptRecord) -> dict[str, Any]:
    target = ended.tracing.dispatch.targets[record.target]
    host, port = ended.tracing.servers[record.target]
    failure, charge = record.failure, record.charge
    cost = None if charge is None or charge.cost is None else charge.cost.total
    told: dict[str, Any] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": _provider(ended, target.provider),
        "gen_ai.request.model": target.model,
        "gen_ai.request.stream": ended.outcome.stream,
        "gen_ai.response.finish_reasons": _finishes(
            ended.outcome.stop if record.result is Result.SERVED else None
        ),
        "gen_ai.response.time_to_first_chunk": record.first,
        "server.address": host,
        "server.port": port,
        "http.response.status_code": None if failure is None else failure.status or None,
        "error.type": None if failure is None else failure.kind.value,
        "lynkr.target": target.name,
        "lynkr.result": record.result.value,
        "lynkr.fault": None if record.fault is None else record.fault.value,
        "lynkr.retry": record.is_retry,
        "lynkr.cost_micro_usd": None if cost is None else min(cost, _MOST),
    }
    return _present(told | _tokens(None if charge is None else charge.usage))


def _skipped(ended: Ended, record: AttemptRecord) -> dict[str, Any]:
    told = {
        "lynkr.target": ended.tracing.dispatch.targets[record.target].name,
        "lynkr.fault": None if record.fault is None else record.fault.value,
    }
    return _present(told)


def _provider(ended: Ended, provider: int) -> str:
    kind = ended.tracing.dispatch.providers[provider].kind
    return PROVIDERS.get(kind, kind)


def _tokens(usage: Usage | None) -> dict[str, Any]:
    """What a call used. The conventions count what a cache read or wrote as input, too."""
    if usage is None:
        return {}
    whole = usage.input + usage.cache_read + usage.cache_write
    counts = {
        "gen_ai.usage.input_tokens": whole,
        "gen_ai.usage.output_tokens": usage.output,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read or None,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write or None,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
    }
    return {name: None if n is None else min(n, _MOST) for name, n in counts.items()}


def _finishes(stop: Stop | None) -> list[str] | None:
    return None if stop is None else [FINISHES[stop]]


def _present(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}


def _text(model: str) -> str:
    """What a client sent, within bounds; half a character has no UTF-8 and would cost the batch."""
    return model[:_MODEL_LIMIT].encode(errors="replace").decode()


def _nanoseconds(seconds: float) -> int:
    return round(seconds * _BILLION)
