"""A thousand streams at once through one worker, and what they take of it.

`python -m tests.soak.many_streams [COUNT [EVENTS [PAUSE]]]`; exits 1 where a word is lost.
"""

import asyncio
import resource
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.load_lab import LoadLab, crowd, load_lab
from tests.soak.process_facts import Facts, facts

COUNT, EVENTS, PAUSE = 1000, 50, 0.1
EVERY = 0.2
"""Seconds between two looks at the process."""


async def watched(lab: LoadLab, count: int, events: int, pause: float) -> tuple[list[str], Facts]:
    """What went wrong, and the most of everything that was seen meanwhile."""
    seen: list[Facts] = []

    async def look() -> None:
        while True:
            seen.append(facts(lab.pid))
            await asyncio.sleep(EVERY)

    looking = asyncio.create_task(look())
    try:
        wrong = await crowd(lab, count, events=events, pause=pause)
    finally:
        looking.cancel()
    most = Facts(
        rss=max(one.rss for one in seen),
        files=max(one.files for one in seen),
        sockets=max(one.sockets for one in seen),
        threads=max(one.threads for one in seen),
        cpu=facts(lab.pid).cpu,
    )
    return wrong, most


def main(count: int, events: int, pause: float) -> int:
    """Run, and tell."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder, load_lab(Path(folder)) as lab:
        before, began = facts(lab.pid), time.monotonic()
        wrong, most = asyncio.run(watched(lab, count, events, pause))
        took = time.monotonic() - began
    cpu, words = most.cpu - before.cpu, count * events
    sys.stdout.write(
        f"{count} streams of {events} events at once in {took:.1f} s: {len(wrong)} not whole\n"
        f"gateway: {cpu:.1f} s of CPU, {cpu / words * 1e6:.0f} us an event, "
        f"{most.sockets} sockets\n"
        f"memory: {before.rss / 1e6:.0f} MB before, {most.rss / 1e6:.0f} MB at most, "
        f"{(most.rss - before.rss) / count / 1e3:.0f} kB a stream\n"
    )
    for line in wrong[:10]:
        sys.stdout.write(line + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(
        main(
            int(given[0]) if given else COUNT,
            int(given[1]) if len(given) > 1 else EVENTS,
            float(given[2]) if len(given) > 2 else PAUSE,
        )
    )
