"""From a spec's `observability.traces` to a process that sends spans, and what it refuses."""

import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent

from lynkrc_runtime.bundle import open_bundle
from lynkrc_runtime.providers.extras import missing_extra
from lynkrc_runtime.server import tracing as opening
from lynkrc_runtime.server.embeddings import embed
from lynkrc_runtime.server.exchange import Incoming
from lynkrc_runtime.server.gateway import policy_of
from lynkrc_runtime.server.options import Options
from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.server.serve import serve
from lynkrc_runtime.server.serving import Serving, serving
from lynkrc_runtime.settings import Observability, Settings, Traces
from lynkrc_runtime.telemetry.log import Log
from lynkrc_runtime.telemetry.reloads import Result
from tests.e2e import versions
from tests.runtime.by_hand import Recorder, Said, ask, body
from tests.runtime.collector import Collector, attributes, collecting

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def started() -> Iterator[Collector]:
    with collecting() as made:
        yield made


@pytest.fixture
def collector(started: Collector) -> Collector:
    started.forget()
    return started


def traced(traces: Traces) -> Settings:
    return Settings(observability=Observability(traces=traces), embeddings={"vectors": "small"})


def written(folder: Path, traces: Traces, number: int = 1) -> Path:
    return versions.write(folder, number, settings=traced(traces))


@asynccontextmanager
async def process(
    bundle: Path, environ: Mapping[str, str] | None = None, *, dry_run: bool = False
) -> AsyncIterator[Serving]:
    opened = open_bundle(bundle)
    options = Options(bundle=bundle, drain=0.0, stop_delay=0.0, dry_run=dry_run)
    log = Log(write=Said().write)
    async with serving(opened, policy_of(opened), options, environ or {}, log) as made:
        yield made


OWN = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
REFERRED = Traces(sample=100, endpoint="${OTLP_ENDPOINT}")


async def test_a_process_sends_what_it_served_until_its_end(
    tmp_path: Path, collector: Collector
) -> None:
    bundle = written(tmp_path, REFERRED)
    async with process(bundle, {"OTLP_ENDPOINT": collector.url + "/"}) as made:
        client = await ask(made.site.gateway, body())
        assert client.status == 200
    names = sorted(Sent.SpanKind.Name(span.kind) for span in collector.spans)
    assert names == ["SPAN_KIND_CLIENT", "SPAN_KIND_SERVER"]
    assert collector.paths == ["/v1/traces"]


async def test_embeddings_are_called_so(tmp_path: Path, collector: Collector) -> None:
    bundle = written(tmp_path, REFERRED)
    async with process(bundle, {"OTLP_ENDPOINT": collector.url}) as made:
        incoming = Incoming(
            surface="embeddings",
            dialect="openai-chat",
            headers={},
            repeated=frozenset(),
            body=b'{"model":"unknown","input":"x"}',
            request_id="req",
            answer_id="a" * 24,
            created=1,
            arrived=0.0,
        )
        await serve(made.site.gateway, incoming, Recorder(), embed)
    (span,) = collector.spans
    told = attributes(span)
    assert (span.name, told["gen_ai.operation.name"]) == ("embeddings", "embeddings")
    assert told["error.type"] == "refused"


@pytest.mark.parametrize(
    ("traces", "environ", "dry_run"),
    [
        (Traces(), {}, False),
        (Traces(sample=100), {"OTEL_SDK_DISABLED": "TRUE"}, False),
        # Needs no collector, and so no word on where it is.
        (REFERRED, {}, True),
    ],
)
async def test_nothing_is_recorded(
    tmp_path: Path, traces: Traces, environ: Mapping[str, str], dry_run: bool
) -> None:
    async with process(written(tmp_path, traces), environ, dry_run=dry_run) as made:
        assert made.process.spans is None and made.site.gateway.tracing is None


async def test_what_cannot_be_sent_is_told_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = written(tmp_path, REFERRED)
    with pytest.raises(CannotServe, match=r"endpoint: the environment has no OTLP_ENDPOINT"):
        async with process(bundle):
            pass
    with monkeypatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli")
        with pytest.raises(CannotServe, match=r"OTEL_EXPORTER_OTLP_\*: .*compression type: \.\.\."):
            async with process(bundle, {"OTLP_ENDPOINT": "http://127.0.0.1:1"}):
                pass
    there = {"OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    with pytest.raises(CannotServe, match=r"PROTOCOL is grpc, .*TRACES_PROTOCOL=http/protobuf"):
        async with process(written(tmp_path, Traces(sample=100)), there):
            pass
    # Of an address in the spec the environment has no say.
    for traces, more in ((REFERRED, {}), (Traces(sample=100), {OWN: "http/protobuf"})):
        async with process(written(tmp_path, traces), there | more) as made:
            assert made.process.spans is not None
    with monkeypatch.context() as patch:
        patch.setattr(opening, "missing_extra", lambda extra: f"pip install 'lynkrc[{extra}]'")
        with pytest.raises(CannotServe, match=r"observability.traces: pip .*otel"):
            async with process(bundle):
                pass
    assert missing_extra("otel") is None


async def test_a_reload_follows_the_share_and_nothing_else(
    tmp_path: Path, collector: Collector
) -> None:
    environ = {"OTLP_ENDPOINT": collector.url}
    bundle = written(tmp_path, REFERRED)
    async with process(bundle, environ) as made:
        written(tmp_path, Traces(sample=0, endpoint="${OTLP_ENDPOINT}"), 2)
        assert (await made.reloader.reload()).result is Result.RELOADED
        await ask(made.site.gateway, body())
        written(tmp_path, Traces(sample=100, endpoint="http://elsewhere.example"), 3)
        ended = await made.reloader.reload()
        assert ended.result is Result.FAILED
        assert "a change of observability.traces needs a restart" in str(ended.reason)
    assert collector.bodies == []


def test_a_gateway_without_traces_imports_nothing_of_them() -> None:
    code = (
        "import sys, lynkrc_runtime.server.serving, lynkrc_runtime.server.worker\n"
        "print([n for n in sys.modules if n.partition('.')[0] in"
        " ('opentelemetry', 'requests', 'google')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "runtime")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_the_page_lists_the_attributes_there_are() -> None:
    source = (ROOT / "runtime/lynkrc_runtime/telemetry/spans_otlp.py").read_text(encoding="utf-8")
    page = (ROOT / "docs/observability.md").read_text(encoding="utf-8")
    used: dict[str, set[str]] = {}
    for place, part in (("request", "_of_request"), ("call", "_of_call"), ("both", "_tokens")):
        begin = source.index(f"def {part}(")
        code = source[begin : source.index("\ndef ", begin)]
        for name in re.findall(r'^ +"((?:gen_ai|lynkr|server|http|error)\.[\w.]+)":', code, re.M):
            used.setdefault(name, set()).update(("request", "call") if place == "both" else [place])
    rows = re.findall(r"^\| `([\w.]+)` \| (yes|) ?\| (yes|) ?\|", page, re.MULTILINE)
    told = {
        name: {place for place, word in (("request", one), ("call", two)) if word}
        for name, one, two in rows
    }
    assert told == used
