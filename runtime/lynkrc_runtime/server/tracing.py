"""What a bundle says of OpenTelemetry's traces to the way to a collector, opened."""

from collections.abc import Mapping

from lynkrc_runtime.providers.extras import missing_extra
from lynkrc_runtime.references import MissingVariable, expand
from lynkrc_runtime.server.gateway import Policy
from lynkrc_runtime.server.options import Options
from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.settings import Traces
from lynkrc_runtime.telemetry.log import Log
from lynkrc_runtime.telemetry.spans import Spans

_OFF = "OTEL_SDK_DISABLED"
"""The environment's word that no program here is to trace, whatever it is told."""
_PROTOCOLS = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"
_SPOKEN = "http/protobuf"


def open_spans(
    policy: Policy, options: Options, environ: Mapping[str, str], log: Log
) -> Spans | None:
    """The way to the collector; None where nothing is recorded, as in a dry run. CannotServe."""
    declared = policy.dispatch.settings.observability.traces
    disabled = environ.get(_OFF, "").strip().lower() == "true"
    if not declared.sample or options.dry_run or disabled:
        return None
    lacking = missing_extra("otel")
    if lacking is not None:
        raise CannotServe(f"observability.traces: {lacking}")
    # Late: most gateways trace nothing.
    from lynkrc_runtime.telemetry.spans_otlp import OtlpExporter

    if declared.endpoint is None:
        _check_protocol(environ)
    try:
        endpoint = None if declared.endpoint is None else expand(declared.endpoint, environ)
        return Spans(OtlpExporter(endpoint), log=log)
    except MissingVariable as lack:
        raise CannotServe(
            f"observability.traces.endpoint: the environment has no {lack.name}"
        ) from lack
    except ValueError as fault:
        raise CannotServe(f"observability.traces, from OTEL_EXPORTER_OTLP_*: {fault}") from fault


def _check_protocol(environ: Mapping[str, str]) -> None:
    """CannotServe where the collector the environment names is to be spoken to in another way."""
    for name in _PROTOCOLS:
        said = environ.get(name, "").strip()
        if said == _SPOKEN:
            return
        if said:
            raise CannotServe(
                f"observability.traces: {name} is {said}, and spans go out as {_SPOKEN} alone: "
                f"{_PROTOCOLS[0]}={_SPOKEN} with that port of the collector, or "
                "observability.traces.endpoint, names another way"
            )


def needs_restart(old: Traces, new: Traces) -> bool:
    """Whether a change cannot be followed: where spans go is settled at the start, as is whether.

    >>> off, some, more = Traces(), Traces(sample=5), Traces(sample=50)
    >>> needs_restart(some, more), needs_restart(more, off), needs_restart(off, some)
    (False, False, True)
    """
    return new.endpoint != old.endpoint or (new.sample > 0 and old.sample == 0)
