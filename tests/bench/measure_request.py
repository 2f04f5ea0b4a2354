"""Where the microseconds of a request go in the gateway, without sockets: prints a table.

    PYTHONPATH=.:runtime python tests/bench/measure_request.py [TREE] [--only NAME] [--rows N]
                                                               [--callers] [--requests N]

TREE is the checkout whose runtime is measured, this one where none is given. The whole path is
walked, from the bytes a client's connection brings to those it gets: aiohttp's server and client,
over transports that hand on bytes and do nothing else. So no system calls are measured, and what is
left repeats to about a percent. The first figure is the least CPU time of several rounds, and how
often Python functions and those of C are called for a request. The table, of other rounds, is
cProfile's: it makes calls dear, so its times say what to look at, not what would be gained.
"""

import argparse
import asyncio
import contextlib
import cProfile
import gc
import json
import pstats
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, final

ROUNDS = 15
REQUESTS = 100
"""Requests of a round."""
_HERE = Path(__file__).resolve().parents[2]
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"
MODEL = "claude-sonnet-5-5"
_HEADERS = (
    "Host: 127.0.0.1:8080\r\nAccept-Encoding: identity\r\ncontent-type: application/json\r\n"
    "anthropic-version: 2023-06-01\r\n"
)


@final
class Case(NamedTuple):
    """A request of about `size` bytes in a dialect."""

    name: str
    dialect: str
    path: str
    size: int


CASES = (
    Case("same dialect, 2 kB", "anthropic-messages", "/v1/messages", 2_000),
    Case("same dialect, 20 kB", "anthropic-messages", "/v1/messages", 20_000),
    Case("converting, 2 kB", "openai-chat", "/v1/chat/completions", 2_000),
    Case("converting, 20 kB", "openai-chat", "/v1/chat/completions", 20_000),
    Case("converting, 200 kB", "openai-chat", "/v1/chat/completions", 200_000),
)


@final
class Pipe(asyncio.Transport):
    """A transport that calls `whole` with each HTTP message that was written to it."""

    def __init__(self, whole: Callable[[bytes], None]) -> None:
        super().__init__()
        self._whole = whole
        self._parts: list[bytes] = []
        self._missing: int | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """More of a message."""
        self._parts.append(bytes(data))
        if self._missing is None:
            head, found, rest = b"".join(self._parts).partition(_END)
            if not found:
                return
            length = _LENGTH.search(head)
            self._missing = (0 if length is None else int(length[1])) - len(rest)
        else:
            self._missing -= len(data)
        if self._missing <= 0:
            message, self._parts, self._missing = b"".join(self._parts), [], None
            self._whole(message)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """The same in pieces."""
        self.write(b"".join(list_of_data))

    def is_closing(self) -> bool:
        """Never."""
        return False

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0

    def get_extra_info(self, name: str, default: object = None) -> object:
        """The address of the other side."""
        return ("127.0.0.1", 40_000) if name in ("peername", "sockname") else default

    def close(self) -> None:
        """Nothing is open."""

    def abort(self) -> None:
        """Nothing is open."""

    def pause_reading(self) -> None:
        """It brings no more than one message."""

    def resume_reading(self) -> None:
        """See `pause_reading`."""


@final
class Gateway:
    """A gateway that serves one connection."""

    def __init__(self, protocol: Any) -> None:
        self._protocol: Final = protocol
        self._answered: asyncio.Future[bytes]
        protocol.connection_made(Pipe(self._whole))

    def _whole(self, message: bytes) -> None:
        self._answered.set_result(message)

    def leave(self) -> None:
        """The client goes."""
        self._protocol.connection_lost(None)

    async def ask(self, request: bytes) -> bytes:
        """The whole answer."""
        self._answered = asyncio.get_running_loop().create_future()
        self._protocol.data_received(request)
        return await self._answered

    async def round(self, request: bytes, requests: int) -> float:
        """Seconds of CPU so many requests take, one after another."""
        begun = time.process_time()
        for _ in range(requests):
            await self.ask(request)
        return time.process_time() - begun


def _upstream(canned: Callable[[bytes], bytes]) -> Callable[..., Any]:
    """What makes connections to an upstream that answers at once."""
    from aiohttp.client_proto import ResponseHandler

    async def connect(*_: object) -> ResponseHandler:
        loop = asyncio.get_running_loop()
        protocol = ResponseHandler(loop)
        protocol.connection_made(
            Pipe(lambda request: void(loop.call_soon(protocol.data_received, canned(request))))
        )
        return protocol

    return connect


def void(_: object) -> None:
    """Of no use to the caller."""


def _canned(request: bytes) -> bytes:
    from tests.bench.canned_upstream import COMPLETION, MESSAGE

    body = MESSAGE if b"/messages" in request[:200] else COMPLETION
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        b"Date: Sun, 01 Nov 2026 10:00:00 GMT\r\nServer: Python/3.11 aiohttp/3.14\r\n\r\n%b"
    ) % (len(body), body)


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Gateway]:
    """A gateway that serves the benchmark's spec to one connection, built in `folder`."""
    import aiohttp

    from lynkrc.cli.main import main as lynkrc
    from lynkrc_runtime.bundle import open_bundle
    from lynkrc_runtime.server import serving as parts
    from lynkrc_runtime.server.gateway import policy_of
    from lynkrc_runtime.server.options import Options
    from lynkrc_runtime.telemetry.log import Log
    from tests.bench.processes import SPEC

    spec, bundle = folder / "routing.yaml", folder / "bench.lynkr"
    spec.write_text(SPEC.format(port=1), encoding="utf-8")
    lynkrc(["build", str(spec), "-o", str(folder), "--native", "--quiet"])
    opened = open_bundle(bundle)
    with (folder / "log").open("w", encoding="utf-8") as lines:
        log = Log(write=lambda line: void(lines.write(line)))
        options = Options(bundle=bundle, drain=0.0, stop_delay=0.0)
        kept = aiohttp.TCPConnector._create_connection
        setattr(aiohttp.TCPConnector, "_create_connection", _upstream(_canned))  # noqa: B010  it is aiohttp's
        try:
            async with parts.serving(opened, policy_of(opened), options, {}, log) as served:
                server = served.clients.server
                assert server is not None
                gateway = Gateway(server())
                yield gateway
                gateway.leave()
        finally:
            setattr(aiohttp.TCPConnector, "_create_connection", kept)  # noqa: B010  the same


def request_of(case: Case) -> bytes:
    """The bytes of the request."""
    from tests.bench import agent_bodies

    written = json.loads(agent_bodies.body(case.dialect, case.size, stream=False))
    body = json.dumps(written | {"model": MODEL}).encode()
    head = f"POST {case.path} HTTP/1.1\r\n{_HEADERS}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _measure(tree: Path, cases: Sequence[Case], options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        async with serving(Path(name)) as gateway:
            gc.collect()
            gc.freeze()
            gc.set_threshold(10_000, 20, 20)
            for case in cases:
                await _table(gateway, case, tree, options)


async def _table(gateway: Gateway, case: Case, tree: Path, options: argparse.Namespace) -> None:
    request, requests = request_of(case), options.requests
    answer = await gateway.ask(request)
    if b" 200 " not in answer.partition(b"\r\n")[0]:
        raise AssertionError(answer.decode())
    await gateway.round(request, requests)
    least = min([await gateway.round(request, requests) for _ in range(ROUNDS)])
    profile = cProfile.Profile(time.thread_time)
    profile.enable()
    await gateway.round(request, requests)
    profile.disable()
    stats = pstats.Stats(profile)
    rows: dict[Any, Any] = stats.stats  # type: ignore[attr-defined]  # not in the stubs
    python = sum(row[1] for place, row in rows.items() if place[0] != "~")
    native = sum(row[1] for place, row in rows.items() if place[0] == "~")
    print(
        f"{case.name}: {least / requests * 1e6:.1f} us a request, "
        f"{python / requests:.0f} calls of Python, {native / requests:.0f} of C"
    )
    if options.rows:
        print(f"{'calls':>8}{'own us':>9}{'all us':>9}")
        for place, row in sorted(rows.items(), key=lambda one: -one[1][2])[: options.rows]:
            _, calls, own, whole, _ = row
            cells = (calls / requests, own / requests * 1e6, whole / requests * 1e6)
            print("{:8.2f}{:9.2f}{:9.2f}  ".format(*cells) + _place(place, tree))
    if options.callers:
        stats.sort_stats("tottime").print_callers(options.rows)


def _place(place: tuple[str, int, str], tree: Path) -> str:
    """A function, by its module as the reader knows it."""
    file, line, name = place
    if file == "~":
        return name
    short = file.removeprefix(f"{tree}/runtime/").rpartition("site-packages/")[2]
    return f"{short}:{line} {name}"


def main(arguments: Sequence[str]) -> None:
    """Print a table for each case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tree", nargs="?", type=Path, default=_HERE, metavar="TREE")
    parser.add_argument("--only", default="", help="part of the names of the cases to measure")
    parser.add_argument("--rows", type=int, default=60, help="functions to show (default: 60)")
    parser.add_argument("--callers", action="store_true", help="show who calls them")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="requests of a round")
    options = parser.parse_args(arguments)
    tree = options.tree.resolve()
    sys.path[:0] = [str(tree), str(tree / "runtime")]
    import uvloop

    cases = [case for case in CASES if options.only in case.name]
    with asyncio.Runner(loop_factory=uvloop.Loop) as runner:
        runner.run(_measure(tree, cases, options))


if __name__ == "__main__":
    main(sys.argv[1:])
