"""High load of every kind for SOAK_SECONDS: memory must stay flat, and nothing may be left over.

`make soak` runs this, and `tests.soak.many_streams` before it.
"""

import asyncio
import itertools
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from tests.soak.load_lab import PATHS, LoadLab, body_of, client, load_lab, text_of
from tests.soak.paced_server import Wish
from tests.soak.process_facts import facts
from tests.soak.slope import slope

SECONDS = 600.0
WORKERS = 40
EVERY = 2.0
"""Seconds between two samples."""
WARM_UP = 0.3
"""Share of the time after which memory must have found its level."""
MOST_GROWTH = 20_000
"""Bytes a second of growth after the warm-up, 72 MB an hour: allocators are not perfectly level,
and one kilobyte lost for each request would be fifteen times as much."""
PATIENCE = 60
"""Seconds for what is left over to be let go after the load."""


@dataclass
class Soak:
    """What happened so far; `samples` are (seconds, resident bytes)."""

    lab: LoadLab
    until: float
    ended: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    samples: list[tuple[float, float]] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=itertools.count)

    async def work(self, session: ClientSession, dice: random.Random) -> None:
        """One client: a request of some kind after the other."""
        while time.monotonic() < self.until:
            surface = dice.choice(list(PATHS))
            wish = Wish(
                id=next(self.ids),
                events=dice.choice((1, 5, 20, 60)),
                size=dice.choice((16, 40, 400)),
                pause=dice.choice((0.0, 0.0, 0.0, 0.002)),
            )
            model = dice.choice(("lynkr/claude", "lynkr/gpt", "lynkr/LOW"))
            kind = dice.choices(("stream", "whole", "leave", "oops"), (6, 3, 2, 1))[0]
            try:
                await self.ask(session, surface, wish, model, kind)
                self.ended[kind] += 1
            except (AssertionError, OSError, ValueError) as error:
                self.wrong.append(f"{kind} {surface} {model}: {type(error).__name__} {error}")

    async def ask(
        self, session: ClientSession, surface: str, wish: Wish, model: str, kind: str
    ) -> None:
        """One request, and what must come of it."""
        url = self.lab.gateway.url + PATHS[surface]
        if kind == "oops":
            async with session.post(url, json={"model": model, "stream": "?"}) as answer:
                assert answer.status == 400, answer.status
                await answer.read()
            return
        body = body_of(surface, wish, model, stream=kind != "whole")
        async with session.post(url, json=body) as answer:
            assert answer.status == 200, await answer.text()
            if kind == "leave":
                await answer.content.readany()
                answer.close()
                return
            data = await answer.read()
        if kind == "stream":
            assert text_of(surface, data) == wish.text(), "a word is missing"
        else:
            assert wish.text().encode() in data, "a word is missing"

    async def sample(self) -> None:
        """Look at the process as long as there is load."""
        began = time.monotonic()
        while time.monotonic() < self.until:
            self.samples.append((time.monotonic() - began, facts(self.lab.pid).rss))
            await asyncio.sleep(EVERY)


async def metric(lab: LoadLab, name: str) -> float:
    """The sum of a metric's samples."""
    async with client() as session, session.get(lab.gateway.admin + "/metrics") as answer:
        text = await answer.text()
    families = text_string_to_metric_families(text)
    found = (sample for family in families for sample in family.samples)
    return sum(sample.value for sample in found if sample.name == name)


async def soak(lab: LoadLab, seconds: float) -> list[str]:
    """What is wrong, after so long; what was seen goes to standard output."""
    async with client() as session:
        # Once through, so that what is made once is there.
        warm = Soak(lab, until=time.monotonic() + 2)
        await asyncio.gather(*(warm.work(session, random.Random(7)) for _ in range(4)))
    base, tasks = await _at_rest(lab, None)
    run = Soak(lab, until=time.monotonic() + seconds)
    cpu = facts(lab.pid).cpu
    async with client() as session:
        working = (run.work(session, random.Random(seed)) for seed in range(WORKERS))
        await asyncio.gather(run.sample(), *working)
    cpu = facts(lab.pid).cpu - cpu
    after, tasks_after = await _at_rest(lab, (base, tasks))
    steady = [one for one in run.samples if one[0] >= seconds * WARM_UP]
    growth = slope(steady)
    count = sum(run.ended.values())
    shown = ", ".join(f"{kind} {number}" for kind, number in sorted(run.ended.items()))
    sys.stdout.write(
        f"{count} requests in {seconds:.0f} s ({count / seconds:.0f} a second): {shown}\n"
        f"gateway: {cpu / seconds:.0%} of a CPU\n"
        f"memory: {steady[0][1] / 1e6:.1f} MB after the warm-up, {steady[-1][1] / 1e6:.1f} MB "
        f"at the end, {max(value for _, value in run.samples) / 1e6:.1f} MB at most, "
        f"slope {growth * 3600 / 1e6:+.1f} MB an hour\n"
        f"left over: files {base[0]} -> {after[0]}, sockets {base[1]} -> {after[1]}, "
        f"threads {base[2]} -> {after[2]}, tasks {tasks:.0f} -> {tasks_after:.0f}\n"
    )
    wrong = run.wrong[:10] + ([f"... {len(run.wrong)} in all"] if run.wrong else [])
    if growth > MOST_GROWTH:
        wrong.append(f"memory grows by {growth:.0f} bytes a second")
    grown = any(now > then for now, then in zip(after, base, strict=True))
    if grown or tasks_after > tasks:
        wrong.append("something is left over")
    return wrong


async def _at_rest(
    lab: LoadLab, base: tuple[tuple[int, int, int], float] | None
) -> tuple[tuple[int, int, int], float]:
    """Files, sockets, threads and tasks when nothing is under way; back at `base`, if given.

    Kept connections end by themselves, half a minute after their last use.
    """
    end = time.monotonic() + PATIENCE
    while True:
        tasks = await metric(lab, "lynkr_tasks")
        under_way = await metric(lab, "lynkr_requests_in_flight")
        seen = facts(lab.pid)
        found = (seen.files, seen.sockets, seen.threads), tasks
        is_there = base is None or (
            all(now <= then for now, then in zip(found[0], base[0], strict=True))
            and tasks <= base[1]
        )
        settled = under_way == 0 and (base is not None or seen.sockets <= 16)
        if (settled and is_there) or time.monotonic() > end:
            return found
        await asyncio.sleep(0.5)


def main(seconds: float) -> int:
    """Run, and tell; 1 where something is wrong."""
    with tempfile.TemporaryDirectory() as folder, load_lab(Path(folder)) as lab:
        wrong = asyncio.run(soak(lab, seconds))
    for line in wrong:
        sys.stdout.write(f"WRONG: {line}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(float(os.environ.get("SOAK_SECONDS") or SECONDS)))
