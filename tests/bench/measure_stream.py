"""Where the nanoseconds of a streamed event go, without sockets: prints tables.

    PYTHONPATH=.:runtime python tests/bench/measure_stream.py [TREE] [--calls]

TREE is the checkout whose runtime is measured, this one where none is given. An upstream of chunks
made beforehand is relayed by the gateway's own relay to a client that keeps nothing: one event a
chunk, eight events a chunk, and every event cut in two. Figures are the least CPU time of several
rounds, in nanoseconds an event, and the number of Python functions called for one, which does not
depend on the machine. `--calls` tells the functions of each too.
"""

import argparse
import asyncio
import cProfile
import pstats
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, final

ROUNDS = 9
WORDS = 400
_HERE = Path(__file__).resolve().parents[2]
_SOURCES = {
    "anthropic-messages": ("anthropic", None),
    "openai-chat": ("openai", "openai-chat"),
    "openai-responses": ("openai", "openai-responses"),
}
"""Kind of the provider and dialect of the target."""


@final
class Chunks:
    """An upstream's answer that is all there."""

    status = 200

    def __init__(self, kind: str, chunks: Sequence[bytes]) -> None:
        self.headers = {"content-type": kind}
        self._left = iter(chunks)

    def named(self, names: Iterable[str]) -> Mapping[str, str]:
        """See `UpstreamResponse.named`."""
        return {name: self.headers[name] for name in names if name in self.headers}

    def at_once(self) -> bytes | None:
        """See `UpstreamResponse.at_once`."""
        return None

    async def read(self) -> bytes:
        """See `UpstreamResponse.read`."""
        return next(self._left, b"")

    def close(self) -> None:
        """See `UpstreamResponse.close`."""


@final
class Sink:
    """A client that takes everything at once."""

    def __init__(self) -> None:
        self.size = 0

    async def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """See `Client.answer`."""
        raise AssertionError(f"no stream: {status} {body[:300]!r}")

    async def start(self, headers: Mapping[str, str]) -> None:
        """See `Client.start`."""

    async def write(self, data: bytes) -> None:
        """See `Client.write`."""
        self.size += len(data)


def shapes(events: Sequence[bytes]) -> Mapping[str, Sequence[bytes]]:
    """The same stream, cut in several ways."""
    data = b"".join(events)
    middles, place = [0], 0
    for event in events:
        middles.append(place + len(event) // 2)
        place += len(event)
    cuts = zip(middles, [*middles[1:], len(data)], strict=True)
    return {
        "one a chunk": events,
        "eight a chunk": [b"".join(events[at : at + 8]) for at in range(0, len(events), 8)],
        "cut in two": [data[start:end] for start, end in cuts],
    }


@final
class Upstream:
    """Answers every request with the same chunks."""

    def __init__(self, kind: str, chunks: Sequence[bytes]) -> None:
        self._kind, self._chunks = kind, chunks

    async def send(self, _request: object) -> Chunks:
        """See `Upstream.send`."""
        return Chunks(self._kind, self._chunks)


def relaying(source: str, client: str, chunks: Sequence[bytes]) -> Callable[[], None]:
    """Serves one request with the stream."""
    from tests.runtime import by_hand

    kind, dialect = _SOURCES[source]
    served = by_hand.target("one", 0, dialect=dialect)
    table = by_hand.dispatch([by_hand.provider("p", kind)], [served])
    upstream = Upstream("text/event-stream", chunks)
    loop = asyncio.new_event_loop()

    async def ready() -> Any:
        return by_hand.gateway(by_hand.policy(table), by_hand.Said(), http=upstream)

    gateway = loop.run_until_complete(ready())
    asked = by_hand.body(client, stream=True)

    def run() -> None:
        sink = Sink()
        loop.run_until_complete(by_hand.ask(gateway, asked, client, client=sink))
        assert sink.size > len(chunks), "no stream"

    return run


def least(run: Callable[[], None]) -> float:
    """Seconds of CPU of a run, the least of the rounds."""
    run()
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        run()
        best = min(best, time.process_time() - begun)
    return best


def called(run: Callable[[], None]) -> Counter[str]:
    """How often each Python function is called in a run."""
    profile = cProfile.Profile(builtins=False)
    profile.runcall(run)
    found: Counter[str] = Counter()
    for (file, _, name), row in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]  # typeshed has no `stats`
        found[f"{Path(file).stem}.{name}"] += row[1]
    return found


def main(arguments: Sequence[str]) -> None:
    """Print a line for each pair of dialects and way the stream is cut."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tree", nargs="?", type=Path, default=_HERE, metavar="TREE")
    parser.add_argument("--calls", action="store_true", help="tell the functions called")
    parser.add_argument("--only", default="", help="part of the names of the pairs to measure")
    options = parser.parse_args(arguments)
    tree = options.tree.resolve()
    sys.path[:0] = [str(tree), str(tree / "runtime")]
    table(tree.name, options.only, calls=options.calls)


def table(name: str, only: str, *, calls: bool) -> None:
    """Of the runtime that is first on the path now."""
    from tests.bench import streams
    from tests.bench.work import SHORT

    print(f"{name}; an event: ns of CPU, least of {ROUNDS} rounds, and calls of Python functions")
    few, many = 2, WORDS
    for source in _SOURCES:
        for client, short in SHORT.items():
            pair = f"{source} to {short}"
            if only not in pair:
                continue
            short_stream = shapes(streams.stream(source, few))
            for shape, chunks in shapes(streams.stream(source, many)).items():
                # What a request costs without its stream is taken off.
                one, other = (
                    relaying(source, client, given) for given in (short_stream[shape], chunks)
                )
                spent = (least(other) - least(one)) / (many - few)
                functions = called(other)
                functions.subtract(called(one))
                print(
                    f"{pair:34}{shape:16}{spent * 1e9:8.0f} ns"
                    f"{sum(functions.values()) / (many - few):8.1f} calls"
                )
                for function, count in functions.most_common(40) if calls else ():
                    if count * 10 >= many:
                        print(f"{'':50}{count / (many - few):8.2f} {function}")


if __name__ == "__main__":
    main(sys.argv[1:])
