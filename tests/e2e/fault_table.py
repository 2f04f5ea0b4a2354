"""What each fault of an upstream becomes for the client: the table, and the words it is in.

A cell is `WORD/CALLS`: what the client is told (see `TOLD`) after how many upstream calls. The
target may be tried twice (one retry); a second target of the chain, where there is one, is well.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SURFACES = ("messages", "chat", "responses", "embeddings")

TABLE = """
fault           whole         whole+next    stream        stream+next   breaker
healthy         served/1      served/1      served/1      served/1      success
refused         overloaded/2  fallback/3    overloaded/2  fallback/3    failure
reset-early     overloaded/2  fallback/3    overloaded/2  fallback/3    failure
reset-headers   overloaded/2  fallback/3    overloaded/2  fallback/3    failure
e500            overloaded/2  fallback/3    overloaded/2  fallback/3    failure
e500-after      wait-7/1      fallback/2    wait-7/1      fallback/2    failure
e529            overloaded/2  fallback/3    overloaded/2  fallback/3    failure
e529-after      wait-7/1      fallback/2    wait-7/1      fallback/2    failure
e429            quota/1       fallback/2    quota/1       fallback/2    -
e429-after      limited/1     fallback/2    limited/1     fallback/2    throttled
e401            ours/1        fallback/2    ours/1        fallback/2    misconfigured
e404            ours/1        fallback/2    ours/1        fallback/2    misconfigured
e400            refused/1     refused/1     refused/1     refused/1     -
slow            overloaded/1  overloaded/1  overloaded/2  fallback/2    failure
stall           overloaded/1  overloaded/1  cut/1         cut/1         failure
torn            overloaded/2  fallback/3    cut/1         cut/1         failure
torn-early      overloaded/2  fallback/3    overloaded/2  fallback/3    failure
html            overloaded/2  fallback/3    overloaded/2  fallback/3    failure
garbage         overloaded/2  fallback/3    overloaded/2  fallback/3    failure
bad-sse         overloaded/2  fallback/3    overloaded/2  fallback/3    failure
bad-sse-later   overloaded/2  fallback/3    cut/1         cut/1         failure
blank           overloaded/2  fallback/3    overloaded/2  fallback/3    failure
empty           served/1      served/1      served/1      served/1      success
redirect        ours/1        fallback/2    ours/1        fallback/2    misconfigured
huge-header     overloaded/2  fallback/3    overloaded/2  fallback/3    failure
"""
"""`slow`: a whole answer has no limit but `total`, and then there is no time for anybody else;
a stream's first event has one, and a time-out is tried once more. `stall` is cut by `idle`."""

ON_SURFACE: Mapping[tuple[str, str], str] = {
    ("empty", "responses"): "overloaded/2  fallback/3    overloaded/2  fallback/3    failure",
    ("empty", "embeddings"): "overloaded/2  -             -             -             failure",
}
"""Rows that differ: an answer of another dialect that says nothing is a fault, one's own is not."""


@dataclass(frozen=True)
class Told:
    """What the client is told: on Messages, and on the surfaces of OpenAI.

    `ending` is the request's class in log, metric and usage record; None in `retry_after` or
    `should_retry` means there is no such header; `responses_after` is that of Responses, where
    it differs.
    """

    ending: str
    messages: tuple[int, str | None]
    openai: tuple[int, str | None]
    retry_after: str | None = None
    should_retry: str | None = None
    responses_after: str | None = None

    def wait(self, surface: str) -> str | None:
        """`retry-after` on this surface."""
        own = self.responses_after if surface == "responses" else None
        return own or self.retry_after


TOLD: Mapping[str, Told] = {
    "served": Told("served", (200, None), (200, None)),
    "fallback": Told("served", (200, None), (200, None)),
    "overloaded": Told(
        "transient", (529, "overloaded_error"), (503, "service_unavailable_error"), "2", "true", "5"
    ),
    "wait-7": Told(
        "transient", (529, "overloaded_error"), (503, "service_unavailable_error"), "7", "true"
    ),
    "limited": Told("throttled", (429, "rate_limit_error"), (429, "rate_limit_error"), "9", "true"),
    "quota": Told("throttled", (429, "rate_limit_error"), (429, "rate_limit_error"), None, "false"),
    "ours": Told("ours", (424, "api_error"), (424, "server_error"), None, "false"),
    "refused": Told(
        "callers",
        (400, "invalid_request_error"),
        (400, "invalid_request_error"),
        None,
        "false",
    ),
    "cut": Told("broken", (200, "overloaded_error"), (200, None)),
}
"""`cut`: the headers are long gone; the error is an event of the stream, and no clean end comes."""


@dataclass(frozen=True)
class Row:
    """One request: `next`, there is a healthy second target."""

    fault: str
    surface: str
    stream: bool
    next: bool
    word: str
    calls: int
    breaker: str

    @property
    def name(self) -> str:
        """Of the row, in test ids."""
        form = "stream" if self.stream else "whole"
        return f"{self.surface}-{form}{'+next' if self.next else ''}-{self.fault}"

    @property
    def target(self) -> str:
        """Its target: each row has one of its own in its gateway."""
        return f"{self.fault}-{'chain' if self.next else 'alone'}"


def rows(*surfaces: str) -> list[Row]:
    """The rows of these surfaces."""
    found = []
    for line in TABLE.strip().splitlines()[1:]:
        fault, *cells = line.split()
        for surface in surfaces:
            *told, breaker = ON_SURFACE.get((fault, surface), " ".join(cells)).split()
            for place, cell in enumerate(told):
                stream, next_ = place >= 2, place % 2 == 1
                # Embeddings are never streamed and fall back on nobody.
                if surface == "embeddings" and (stream or next_):
                    continue
                word, calls = cell.split("/")
                found.append(
                    Row(
                        fault=fault,
                        surface=surface,
                        stream=stream,
                        next=next_,
                        word=word,
                        calls=int(calls),
                        breaker=breaker,
                    )
                )
    return found


def faults() -> list[str]:
    """Every fault, in order."""
    return [line.split()[0] for line in TABLE.strip().splitlines()[1:]]


def spec(kind: str) -> str:
    """The spec of a gateway: two targets for each fault, of a provider of this kind."""
    place = "" if kind.startswith("anthropic") else "/v1"
    lines = [
        "version: 1",
        f"name: faults-{kind}",
        "resilience:",
        "  timeouts: {connect: 10, first_event: 3, idle: 3, total: 8}",
        "  retry: {times: 1, backoff: 0.05, max_backoff: 0.1}",
        "  breaker: {failures: 1000, within: 10m}",
        "providers:",
    ]
    for name, url in (("far", "FAR_URL"), ("nowhere", "NOWHERE_URL")):
        lines.append(f'  {name}: {{kind: {kind}, base_url: "${{{url}}}{place}", trust: cloud}}')
    lines.append("targets:")
    facts = "context: 128k, max_output: 8k, capabilities: [tools], price: {input: 1, output: 2}"
    lines.append(f"  second: {{provider: far, model: healthy, {facts}}}")
    for fault in faults():
        provider = "nowhere" if fault == "refused" else "far"
        for chain in ("alone", "chain"):
            lines.append(f"  {fault}-{chain}: {{provider: {provider}, model: {fault}, {facts}}}")
    if not kind.startswith("anthropic"):
        lines.append("embeddings:")
        lines += [f"  {fault}-alone: {{target: {fault}-alone}}" for fault in faults()]
    lines.append("models:")
    lines += [f"  {fault}-alone: {{target: {fault}-alone}}" for fault in faults()]
    lines += ["tiers:", "  - {name: ONLY, chain: [second]}", "score: {use: builtin/lynkr-13}"]
    lines.append("rules:")
    for fault in faults():
        when = f'header("x-row") == "{fault}-chain"'
        lines.append(f"  - {{name: {fault}, when: '{when}', chain: [{fault}-chain, second]}}")
    return "\n".join(lines) + "\n"
