"""The rows of the fault table, asked of real gateway processes, to what each client was told.

A gateway for each surface and form, so that every row has a target of its own; all of them run
and are asked at once, since most of the time passes in waiting for time-outs.
"""

import asyncio
import json
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.fault_server import MARK, FaultServer, fault_server
from tests.e2e.fault_table import Row, spec
from tests.e2e.gateway import GatewayProcess, built, serving
from tests.e2e.hostile_lab import Heard
from tests.e2e.planted import WORD

PATHS = {
    "messages": "/v1/messages",
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "embeddings": "/v1/embeddings",
}
PATIENCE = 60


@dataclass(frozen=True)
class Told:
    """All that came of a row: the client's answer, the log line, the usage record, the metrics.

    `samples` are those of the row's gateway, by name and labels; `breaker` is what operators are
    told of the row's target.
    """

    heard: Heard
    line: Mapping[str, Any]
    record: Mapping[str, Any]
    samples: Sequence[tuple[str, Mapping[str, str], float]]
    breaker: Mapping[str, Any]

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        return sum(
            value
            for found, has, value in self.samples
            if found == name and labels.items() <= has.items()
        )


@dataclass(frozen=True)
class _Asked:
    gateway: GatewayProcess
    usage: Path
    rows: Sequence[Row]
    heard: Sequence[Heard]
    samples: Sequence[tuple[str, Mapping[str, str], float]]
    breakers: Mapping[str, Mapping[str, Any]]


def told(rows: Sequence[Row], folder: Path) -> dict[str, Told]:
    """Ask every row; what came of it, by the row's name."""
    bundles = {
        kind: built(_written(folder, kind), folder, f"faults-{kind}")
        for kind in {_kind(row) for row in rows}
    }
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(f"{row.surface}-{row.stream}", []).append(row)
    with ExitStack() as stack:
        asked = asyncio.run(_ask_all(groups, bundles, folder, stack))
        found: dict[str, Told] = {}
        for one in asked:
            assert one.gateway.stop() == 0
            lines = [json.loads(line) for line in one.usage.read_text().splitlines()]
            records = {line["request_id"]: line for line in lines if line["kind"] == "request"}
            assert len(records) == len(one.rows)
            logged = {line["request_id"]: line for line in one.gateway.requests}
            assert not [line for line in one.gateway.lines if line["event"] == "mistake"]
            for row, heard in zip(one.rows, one.heard, strict=True):
                identity = heard.headers["x-lynkr-request-id"]
                found[row.name] = Told(
                    heard,
                    logged[identity],
                    records[identity],
                    one.samples,
                    one.breakers[row.target],
                )
    return found


async def _ask_all(
    groups: Mapping[str, Sequence[Row]],
    bundles: Mapping[str, Path],
    folder: Path,
    stack: ExitStack,
) -> list[_Asked]:
    nobody = stack.enter_context(socket.socket())
    # Bound and never listening: every connection is refused, and nobody else takes the port.
    nobody.bind(("127.0.0.1", 0))
    async with fault_server() as upstream:
        environ = {
            "FAR_URL": upstream.url,
            "NOWHERE_URL": f"http://127.0.0.1:{nobody.getsockname()[1]}",
        }
        gateways = []
        for name, rows in groups.items():
            bundle, usage = bundles[_kind(rows[0])], folder / f"{name}.usage"
            entering = serving(bundle, folder / f"{name}.log", ("--usage-log", str(usage)), environ)
            gateways.append((stack.enter_context(entering), usage, rows))
        made = await asyncio.gather(*(_ask(*one, upstream) for one in gateways))
        await _all_closed(upstream)
    return made


async def _ask(
    gateway: GatewayProcess, usage: Path, rows: Sequence[Row], upstream: FaultServer
) -> _Asked:
    async with ClientSession(timeout=ClientTimeout(total=PATIENCE)) as session:
        heard = await asyncio.gather(
            *(_ask_row(session, gateway.url, row, upstream) for row in rows)
        )
        async with session.get(gateway.admin + "/metrics") as answer:
            text = await answer.text()
        async with session.get(gateway.admin + "/metrics/circuit-breakers") as answer:
            reports = (await answer.json())["targets"]
    samples = [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
    return _Asked(gateway, usage, rows, heard, samples, {one["target"]: one for one in reports})


async def _ask_row(session: ClientSession, url: str, row: Row, upstream: FaultServer) -> Heard:
    body = body_of(row.surface, f"{WORD} {row.name}") | {
        "model": "auto" if row.next else row.target
    }
    if row.stream:
        body["stream"] = True
    headers = {"x-row": row.target}
    heard = upstream.heard[row.name] = asyncio.Event()
    async with session.post(url + PATHS[row.surface], json=body, headers=headers) as answer:
        found = {name.lower(): value for name, value in answer.headers.items()}
        content = b""
        while piece := await answer.content.readany():
            content += piece
            if MARK in content:
                heard.set()
    return Heard(answer.status, found, content)


def body_of(surface: str, prompt: str) -> dict[str, Any]:
    """A small request of a surface, but for its model."""
    match surface:
        case "messages":
            return {"max_tokens": 99, "messages": [{"role": "user", "content": prompt}]}
        case "chat":
            return {"messages": [{"role": "user", "content": prompt}]}
        case _:
            return {"input": prompt}


async def _all_closed(upstream: FaultServer) -> None:
    """Until nothing is left open that the gateways were told, or gave up on."""
    async with asyncio.timeout(PATIENCE):
        while upstream.open:
            await asyncio.sleep(0)


def _kind(row: Row) -> str:
    """The provider kind that speaks the surface's dialect; Responses is translated."""
    return "anthropic-compatible" if row.surface == "messages" else "openai-compatible"


def _written(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.yaml"
    path.write_text(spec(kind), encoding="utf-8")
    return path
