"""Clients that read a long, fast stream slowly or not at all, and the memory they take.

`python -m tests.soak.slow_readers [READERS [SECONDS]]`. Each is offered 50 MB as fast as it likes
and reads 1 kB a second. Responses are left out: their last event repeats the text, so all of what
has been sent of it is kept.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tests.soak.load_lab import PATHS, LoadLab, body_of, load_lab
from tests.soak.paced_server import Wish
from tests.soak.process_facts import facts

READERS, SECONDS = 20, 30
SURFACES = ("messages", "chat")
EVENTS, SIZE = 5_000, 10_000
"""Of a stream: 50 MB."""
MOST_EACH = 2_000_000
"""Bytes a slow reader may cost: two buffers of the kind aiohttp has, and what is translated."""


async def read_slowly(lab: LoadLab, surface: str, wish: Wish, seconds: int) -> None:
    """Ask for a stream, read 1 kB of it each second for so long, and leave."""
    host, port = lab.gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    body = json.dumps(body_of(surface, wish, "lynkr/claude", stream=True)).encode()
    head = f"POST {PATHS[surface]} HTTP/1.1\r\nhost: localhost\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    try:
        assert (await reader.readline()).startswith(b"HTTP/1.1 200"), surface
        for _ in range(seconds):
            assert await reader.read(1_000), "it was cut"
            await asyncio.sleep(1)
    finally:
        transport = writer.transport
        transport.abort()


async def growth(lab: LoadLab, readers: int, seconds: int) -> int:
    """Bytes of memory so many slow readers cost, at most."""
    before, most = facts(lab.pid).rss, 0
    wishes = [Wish(id=number, events=EVENTS, size=SIZE) for number in range(readers)]
    surfaces = [SURFACES[number % len(SURFACES)] for number in range(readers)]
    reading = asyncio.gather(
        *(
            read_slowly(lab, surface, wish, seconds)
            for surface, wish in zip(surfaces, wishes, strict=True)
        )
    )
    while not reading.done():
        most = max(most, facts(lab.pid).rss)
        await asyncio.wait((reading,), timeout=0.2)
    await reading
    return most - before


def main(readers: int, seconds: int) -> int:
    """Run, and tell; 1 where a reader costs too much."""
    with tempfile.TemporaryDirectory() as folder, load_lab(Path(folder)) as lab:
        grown = asyncio.run(growth(lab, readers, seconds))
    sys.stdout.write(
        f"{readers} readers of 1 kB/s for {seconds} s, each offered {EVENTS * SIZE / 1e6:.0f} MB: "
        f"{grown / 1e6:.1f} MB in all, {grown / readers / 1e3:.0f} kB each\n"
    )
    return 1 if grown > readers * MOST_EACH else 0


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    sys.exit(main(*(given + [READERS, SECONDS][len(given) :])))
