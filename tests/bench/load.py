"""Processes to measure, and the CPU time a process takes for a number of requests."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

HERE = Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")
CONCURRENCY = 16
"""Requests at a time."""
STREAMS = 64
"""Streams at a time."""


@contextmanager
def process(script: str, *arguments: str) -> Iterator[tuple[int, int]]:
    """Run a script of this folder that prints its port; yields its pid and port."""
    with subprocess.Popen(
        [sys.executable, str(HERE / script), *arguments], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        try:
            yield running.pid, int(running.stdout.readline())
        finally:
            running.kill()


def cpu_seconds(pid: int) -> float:
    """User and system time a process has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def cpu_per_request(pid: int, url: str, body: bytes, requests: int) -> float:
    """Microseconds of CPU of the process `pid` a request, `CONCURRENCY` at a time."""
    before = cpu_seconds(pid)
    asyncio.run(_send(url, body, requests))
    return (cpu_seconds(pid) - before) / requests * 1e6


def cpu_per_event(pid: int, url: str, body: bytes, events: int) -> float:
    """Microseconds of CPU of the process `pid` an event, of `STREAMS` streams of so many events."""
    before = cpu_seconds(pid)
    asyncio.run(_send(url, body, STREAMS, STREAMS))
    return (cpu_seconds(pid) - before) / (STREAMS * events) * 1e6


async def _send(url: str, body: bytes, requests: int, at_a_time: int = CONCURRENCY) -> None:
    headers = {"content-type": "application/json", "anthropic-version": "2023-06-01"}
    left = iter(range(requests))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def worker() -> None:
            for _ in left:
                async with session.post(url, data=body, headers=headers) as answer:
                    await answer.read()
                    if answer.status != 200:
                        raise AssertionError(f"{answer.status}: {(await answer.read())[:300]!r}")

        await asyncio.gather(*(worker() for _ in range(at_a_time)))
