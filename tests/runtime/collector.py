"""A collector of spans: a real server that decodes what is sent to it by OTLP's own types."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent


@dataclass
class Collector:
    """What was sent; it answers with `status`, and that it rejects so many spans."""

    url: str = ""
    status: int = 200
    rejects: int = 0
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.paths.append(request.path)
        answer = ExportTraceServiceResponse(
            partial_success=ExportTracePartialSuccess(rejected_spans=self.rejects)
        )
        return web.Response(
            status=self.status,
            headers={"location": "/elsewhere", "content-type": "application/x-protobuf"},
            body=answer.SerializeToString(),
        )

    def forget(self) -> None:
        self.status, self.rejects = 200, 0
        for kept in (self.bodies, self.headers, self.paths):
            kept.clear()

    @property
    def exports(self) -> list[ExportTraceServiceRequest]:
        return [ExportTraceServiceRequest.FromString(body) for body in self.bodies]

    @property
    def spans(self) -> list[Sent]:
        return [
            span
            for export in self.exports
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


def attributes(of: Any) -> dict[str, Any]:
    """The attributes of a span, an event or a resource."""
    return {one.key: _value(one.value) for one in of.attributes}


def _value(value: AnyValue) -> Any:
    found = getattr(value, value.WhichOneof("value") or "string_value")
    return [one.string_value for one in found.values] if isinstance(found, ArrayValue) else found


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens on a free port, in a thread of its own."""
    collector, ready = Collector(), threading.Event()
    loop = asyncio.new_event_loop()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/{path:.*}", collector.take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    def serve() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield collector
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
