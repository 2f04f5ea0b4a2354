"""What Redis is asked and holds for a gateway, and what the gateway has open: prints all of it.

    PYTHONPATH=.:runtime python tests/bench/measure_shared_state.py [REQUESTS] [--workers N]

Starts a real redis-server (the settings of deploy/compose/redis.conf), an upstream that answers at
once, and a gateway with keys, limits of requests and tokens, two budgets and sessions. Each request
is of another session, 16 at a time.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import redis

from lynkrc_runtime.state.interface import Account
from lynkrc_runtime.state.redis import RedisStore
from tests.bench.load import CONCURRENCY, cpu_seconds, process
from tests.redis_server import RedisServer

HERE = Path(__file__).resolve().parent
CONF = HERE.parents[1] / "deploy" / "compose" / "redis.conf"
SPEC = """
version: 1
name: shared
providers:
  up: {{kind: anthropic-compatible, base_url: "http://127.0.0.1:{port}", trust: local}}
targets:
  one: {{provider: up, model: claude-sonnet-5-5, price: {{input: 3, output: 15}}}}
  two: {{provider: up, model: claude-haiku-5-5, price: {{input: 1, output: 5}}}}
score:
  dimensions:
    size: {{weight: 100, value: "ramp(ask.words, 0, 20)"}}
tiers:
  - {{name: LOW, up_to: 50, chain: [two, one]}}
  - {{name: HIGH, chain: [one, two]}}
otherwise: escalate
keys:
  ci: {{secret: "${{CI_KEY}}", team: web}}
limits:
  - {{name: pace, per: key, requests: 1000000, within: 1m}}
  - {{name: tokens, per: team, tokens: 1000000000, within: 1m}}
budgets:
  - {{name: all, usd: 100000, period: month}}
  - {{name: each, per: key, usd: 100000, period: month}}
sessions: {{within: session}}
state: {{store: redis, url: "${{REDIS_URL}}"}}
"""
KEY = "a-key-for-one-measurement-alone"
KINDS: Mapping[str, str] = {
    "lynkr:w:": "window of a limit",
    "lynkr:a:": "account of a budget",
    "lynkr:e:": "its reservations",
    "lynkr:s:": "mark of a settlement",
    "lynkr:v:": "session, or who made which reasoning",
    "lynkr:ping": "look whether it answers",
}


class ComposedRedis(RedisServer):
    """A server with the settings that are shipped, but for where it listens and writes."""

    def _options(self, log: Path) -> list[str]:
        ours = self.folder / "redis.conf"
        lines = CONF.read_text(encoding="utf-8").splitlines(keepends=True)
        # Its folder is the container's.
        ours.write_text("".join(line for line in lines if not line.startswith("dir ")))
        return [str(ours), *super()._options(log), "--appendonly", "yes"]


async def send(url: str, requests: int) -> None:
    """Requests of as many sessions, whole answers."""
    left = iter(range(requests))
    headers = {
        "content-type": "application/json",
        "anthropic-version": "2023-06-01",
        "x-api-key": KEY,
    }
    body = {
        "model": "auto",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Explain this function to me. " * 4}],
    }
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def worker() -> None:
            for number in left:
                named = headers | {"x-session-id": f"session-{number:08}"}
                async with session.post(f"{url}/v1/messages", json=body, headers=named) as answer:
                    said = await answer.read()
                    assert answer.status == 200, said[:300]

        await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))


def commands(client: "redis.Redis[bytes]") -> Counter[str]:
    """How often each command was called, those of scripts included."""
    found = client.info("commandstats")
    return Counter({name.removeprefix("cmdstat_"): row["calls"] for name, row in found.items()})


def sizes(client: "redis.Redis[bytes]") -> Mapping[str, list[int]]:
    """`MEMORY USAGE` of every key, by what it is for."""
    found: dict[str, list[int]] = defaultdict(list)
    for key in client.scan_iter(count=1000):
        name = key.decode()
        kind = next((one for prefix, one in KINDS.items() if name.startswith(prefix)), name)
        found[kind].append(int(client.memory_usage(key) or 0))
    return found


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(below for child in children for below in tree(int(child)))]


def resident(pid: int) -> float:
    """MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1000


@contextmanager
def gateway(folder: Path, upstream: int, url: str, workers: int) -> Iterator[tuple[int, str]]:
    """The served spec: pid and address."""
    spec = folder / "routing.yaml"
    spec.write_text(SPEC.format(port=upstream), encoding="utf-8")
    build = [sys.executable, "-m", "lynkrc", "build", str(spec), "-o", str(folder), "--quiet"]
    subprocess.run(build, check=True)
    serve = [sys.executable, "-m", "lynkrc_runtime", "serve", str(folder / "shared.lynkr")]
    options = ["--port=0", "--admin-port=0", "--stop-delay=0", "--log-level=error"]
    with subprocess.Popen(
        [*serve, *options, f"--workers={workers}"],
        stdout=subprocess.PIPE,
        env=os.environ | {"CI_KEY": KEY, "REDIS_URL": url},
    ) as running:
        assert running.stdout is not None
        try:
            yield running.pid, json.loads(running.stdout.readline())["url"]
        finally:
            running.terminate()


def report(client: "redis.Redis[bytes]", pid: int, server: int, url: str, requests: int) -> None:
    """Send, and print what that took."""
    asyncio.run(send(url, 50))
    memory, before = client.info("memory")["used_memory"], commands(client)
    trips = client.info("stats")["total_commands_processed"]
    busy, ours = cpu_seconds(server), sum(map(cpu_seconds, tree(pid)))
    asyncio.run(send(url, requests))
    busy, ours = cpu_seconds(server) - busy, sum(map(cpu_seconds, tree(pid))) - ours
    stats: Mapping[str, Any] = client.info("stats")
    called = commands(client) - before
    written = client.info("persistence").get("aof_current_size", 0)
    print(f"{requests} requests, {len(tree(pid))} processes of the gateway")
    print(
        f"redis, CPU a request: {busy / requests * 1e6:.0f} us; gateway {ours / requests * 1e6:.0f}"
    )
    every = stats["total_commands_processed"] - trips
    print(f"commands a request, those of scripts too: {every / requests:.1f}")
    for name, count in called.most_common():
        if count >= requests / 20:
            print(f"  {name}: {count / requests:.2f}")
    print(f"memory a request: {(client.info('memory')['used_memory'] - memory) / requests:.0f} B")
    print(f"append-only file: {written / (requests + 50):.0f} B a request")
    for kind, found in sorted(sizes(client).items()):
        print(f"  {kind}: {len(found)} keys of {statistics.median(found):.0f} B, most {max(found)}")
    print(f"connections of redis: {client.info('clients')['connected_clients'] - 1}")
    for one in tree(pid):
        files = len(list(Path(f"/proc/{one}/fd").iterdir()))
        print(f"process of the gateway: {resident(one):.0f} MB, {files} files open")


async def reserved(url: str, held: int = 500) -> tuple[str, str]:
    """Set money aside `held` times, and give back none; returns the keys of the account."""
    store = RedisStore(url)
    until = time.time() + 86_400
    account = Account(key="measured", limit=10**12, amount=60_000, until=until)
    try:
        for number in range(held):
            await store.reserve(f"{number:032x}", (account,), 660.0)
    finally:
        await store.close()
    return "lynkr:a:measured", "lynkr:e:measured"


def main() -> None:
    """Measure once."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("requests", nargs="?", type=int, default=2000)
    words.add_argument("--workers", type=int, default=1)
    told = words.parse_args()
    with tempfile.TemporaryDirectory() as name, process("canned_upstream.py") as (_, upstream):
        server = ComposedRedis(Path(name))
        server.start()
        assert server._process is not None
        try:
            with (
                gateway(Path(name), upstream, server.url, told.workers) as (pid, url),
                redis.Redis.from_url(server.url) as client,
            ):
                report(client, pid, server._process.pid, url, told.requests)
                keys = asyncio.run(reserved(server.url))
                held = sum(int(client.memory_usage(key, samples=0) or 0) for key in keys)
                print(f"a reservation under way: {held / 500:.0f} B")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
