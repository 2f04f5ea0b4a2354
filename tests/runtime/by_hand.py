"""A gateway made by hand: a small dispatch table, a scorer of one line, scripted upstreams."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.access.keyring import KeyRing
from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.decide import Decider, Verdict
from lynkrc_runtime.dispatch import (
    Chain,
    Deny,
    Dispatch,
    Provider,
    ProviderSettings,
    Rule,
    Target,
    Tier,
)
from lynkrc_runtime.features import Extractor
from lynkrc_runtime.metering.interface import NoMeter
from lynkrc_runtime.pick import Rotation
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.resilience.health import Health
from lynkrc_runtime.resilience.places import Places
from lynkrc_runtime.server.breakers import tell
from lynkrc_runtime.server.exchange import Incoming
from lynkrc_runtime.server.fix_ups import FixUpMemory
from lynkrc_runtime.server.gateway import Gateway, Policy
from lynkrc_runtime.server.makers import Makers
from lynkrc_runtime.server.plan import Plans
from lynkrc_runtime.server.routes import Settings, build_routes
from lynkrc_runtime.server.serve import serve
from lynkrc_runtime.server.trace_store import TraceStore
from lynkrc_runtime.sessions.interface import NoSessions
from lynkrc_runtime.settings import Settings as Declared
from lynkrc_runtime.simulator import Simulator
from lynkrc_runtime.telemetry.log import Log
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.upstream import Upstream, UpstreamFault, UpstreamRequest, UpstreamResponse

MESSAGES, CHAT, RESPONSES = "anthropic-messages", "openai-chat", "openai-responses"
SURFACE = {MESSAGES: "messages", CHAT: "chat", RESPONSES: "responses"}


def provider(name: str, kind: str, **members: Any) -> Provider:
    values: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "trust": "cloud",
        "base_url": None if kind in ("anthropic", "openai") else "http://upstream.test",
        "api_key": "${KEY}" if kind in ("anthropic", "openai") else None,
        "headers": {},
        "connect": None,
        "first_event": None,
        "idle": None,
        "total": None,
        "retries": None,
        "backoff": None,
        "max_backoff": None,
        "rest": ProviderSettings(),
        "simulate": None,
    }
    return Provider(**(values | members))


def target(name: str, provider_index: int, **members: Any) -> Target:
    values: dict[str, Any] = {
        "name": name,
        "provider": provider_index,
        "model": f"model-{name}",
        "context": 200_000,
        "max_output": 8_000,
        "capabilities": ["tools", "vision", "thinking", "parallel_tools", "json_schema"],
        "price": None,
        "shape": RequestShape(),
        "dialect": None,
        "on_loss": "warn",
    }
    return Target(**(values | members))


def dispatch(
    providers: Sequence[Provider], targets: Sequence[Target], chain: Sequence[int] | None = None
) -> Dispatch:
    return Dispatch(
        name="by-hand",
        slots=[],
        lexicons=[],
        clients=[],
        providers=list(providers),
        targets=list(targets),
        chains=[
            Chain(
                name="all",
                groups=[[one] for one in (range(len(targets)) if chain is None else chain)],
                pick="order",
                weights=[],
            )
        ],
        tiers=[Tier(name="ONLY", up_to=None, chain=0)],
        rules=[
            Rule(
                name="no-entry",
                deny=Deny(status=403, message="not for you"),
                respond=None,
                prefer=None,
            )
        ],
        needs=[],
        dimensions=[],
        models=["house", "house-*"],
        settings=Declared(),
    )


def route_all(_: list[int]) -> Verdict:
    return (0, 0, -1, 0, (1 << 62) - 1, 42, -1)


def explanation(verdict: Verdict) -> dict[str, Any]:
    """What a bundle without rules, needs or dimensions says of a verdict."""
    outcome, tier, rule, chain, _, score, _ = verdict
    return {
        "verdict": list(verdict),
        "outcome": ("route", "deny", "respond", "refuse")[outcome],
        "tier": None if tier < 0 else "ONLY",
        "rule": "score" if rule < 0 else "no-entry",
        "score": None if score < 0 else score,
        "chain": None if chain < 0 else "all",
        "targets": [],
        "points": {"offset": 0, "dimensions": [], "adds": [], "sum": 0, "rounded": 0},
        "rules": [],
        "pin": None,
        "tiers": None,
        "needs": [],
        "chain_rule": None,
        "prefer": None,
        "chains": [],
    }


def policy(table: Dispatch, scorer: Callable[[list[int]], Verdict] = route_all) -> Policy:
    return Policy(
        dispatch=table,
        extractor=Extractor(table, None),
        scorer=scorer,
        explain=lambda vector: explanation(scorer(vector)),
        digest="d" * 64,
        engine="python",
        notice=None,
        routes_text="the route table\n",
    )


@dataclass
class Said:
    """What a gateway wrote to its log."""

    lines: list[dict[str, Any]] = field(default_factory=list)

    def write(self, line: str) -> None:
        assert line.endswith("\n")
        self.lines.append(msgspec.json.decode(line))

    @property
    def request(self) -> dict[str, Any]:
        (line,) = [line for line in self.lines if line["event"] == "request"]
        return line


def gateway(
    made: Policy, said: Said, *, http: Upstream | None = None, settings: Settings | None = None
) -> Gateway:
    settings = settings or Settings()
    simulator = Simulator(CLIENT_DIALECTS, clock=lambda: 1_700_000_000.0)
    metrics = Metrics(version="0")
    metrics.serves(made.dispatch, made.digest, made.engine, "portable")
    places = Places()
    places.declare({one.name: one.rest.concurrency for one in made.dispatch.providers})
    log = Log(write=said.write, clock=lambda: 1_700_000_000.0)
    watch = Health().watch(made.dispatch, partial(tell, metrics, log))
    metrics.watches(watch.states())
    routes = build_routes(
        made.dispatch, {"KEY": "secret-key"}, settings, http=http or simulator, simulator=simulator
    )
    return Gateway(
        policy=made,
        decider=Decider(made.dispatch, made.scorer),
        routes=routes,
        plans=Plans(routes, made.digest),
        rotation=Rotation(),
        makers=Makers(lambda: asyncio.get_running_loop().time()),
        fix_ups=FixUpMemory(lambda: asyncio.get_running_loop().time()),
        traces=TraceStore(lambda: asyncio.get_running_loop().time()),
        dialects=CLIENT_DIALECTS,
        settings=settings,
        metrics=metrics,
        keys=KeyRing({}, {}),
        meter=NoMeter(),
        watch=watch,
        places=places,
        sessions=NoSessions(),
        log=log,
        random=lambda: 1.0,
    )


@dataclass
class Recorder:
    """A client that writes down what it gets, and when."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    streamed: bool = False
    writes: list[tuple[float, bytes]] = field(default_factory=list)
    started_at: float | None = None
    gone: bool = False
    slow: float = 0.0
    """Seconds until it can take more, after each write."""

    async def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, dict(headers), body

    async def start(self, headers: Mapping[str, str]) -> None:
        self.status, self.headers, self.streamed = 200, dict(headers), True
        self.started_at = asyncio.get_running_loop().time()

    async def write(self, data: bytes) -> None:
        if self.gone:
            raise ConnectionResetError("gone")
        self.writes.append((asyncio.get_running_loop().time(), data))
        self.body += data
        await asyncio.sleep(self.slow)

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass
class Script:
    """One upstream call: an answer whose steps are bytes, waits in seconds, or a fault."""

    steps: Sequence[bytes | float | Fault] = ()
    status: int = 200
    headers: Mapping[str, str] = field(
        default_factory=lambda: {"content-type": "text/event-stream"}
    )
    before: float = 0.0
    """Seconds until the headers come."""
    fault: Fault | None = None
    """No answer at all."""


class _ScriptedResponse:
    def __init__(self, script: Script, upstream: "Scripted") -> None:
        self.status = script.status
        self.headers = script.headers
        self._steps = list(script.steps)
        self._upstream = upstream
        self._until: float | None = None

    def named(self, names: Iterable[str]) -> Mapping[str, str]:
        return {name: self.headers[name] for name in names if name in self.headers}

    def at_once(self) -> bytes | None:
        return None

    async def read(self) -> bytes:
        loop = asyncio.get_running_loop()
        while self._steps:
            step = self._steps[0]
            if isinstance(step, float):
                # A cancelled wait goes on where it was: time on the wire does not start anew.
                self._until = loop.time() + step if self._until is None else self._until
                await asyncio.sleep(self._until - loop.time())
                self._until = None
            del self._steps[0]
            if isinstance(step, bytes):
                return step
            if isinstance(step, Fault):
                raise UpstreamFault(step, "scripted")
        return b""

    def close(self) -> None:
        self._upstream.closed += 1


class Scripted:
    """An upstream that follows a script per target, and keeps the requests."""

    def __init__(self, scripts: Mapping[str, Sequence[Script]]) -> None:
        self._scripts = {name: list(calls) for name, calls in scripts.items()}
        self.requests: list[UpstreamRequest] = []
        self.closed = 0
        self.cancelled = 0

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        self.requests.append(request)
        script = self._scripts[request.target].pop(0)
        try:
            await asyncio.sleep(script.before)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if script.fault is not None:
            raise UpstreamFault(script.fault, "scripted")
        return _ScriptedResponse(script, self)

    @property
    def called(self) -> list[str]:
        return [request.target for request in self.requests]


def body(
    dialect: str = MESSAGES, *, stream: bool = False, text: str = "Hello", **more: Any
) -> bytes:
    members: dict[str, Any] = {
        "model": "auto",
        "input" if dialect == RESPONSES else "messages": [{"role": "user", "content": text}],
        "stream": stream,
    }
    if dialect == MESSAGES:
        members["max_tokens"] = 100
    return msgspec.json.encode(members | more)


async def ask(
    served: Gateway,
    content: bytes,
    dialect: str = MESSAGES,
    *,
    headers: Mapping[str, str] | None = None,
    client: Recorder | None = None,
    caller: Caller | None = None,
    request_id: str = "req_test",
) -> Recorder:
    client = client or Recorder()
    incoming = Incoming(
        surface=SURFACE[dialect],
        dialect=dialect,
        headers=dict(headers or {}),
        repeated=frozenset(),
        body=content,
        request_id=request_id,
        answer_id="a" * 24,
        created=1_700_000_000,
        arrived=asyncio.get_running_loop().time(),
        caller=caller,
    )
    await serve(served, incoming, client)
    return client
