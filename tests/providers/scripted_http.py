"""A provider as a small HTTP server of its own thread: it keeps requests and says what it is told.

A fake of a provider derives nothing: it gives `ScriptedServer` a function from a request to a
`Reply`, which may use up the script.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Generic, TypeAlias, TypeVar

S = TypeVar("S")


@dataclass(frozen=True)
class Asked:
    """A request as it came; `path` with its query, header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer in pieces; `cut` ends the connection behind them instead of ending the answer."""

    status: int
    content_type: str
    pieces: tuple[bytes, ...]
    cut: bool = False


Answering: TypeAlias = Callable[[Asked], Reply]


@dataclass
class ScriptedServer(Generic[S]):
    """What was asked, what is still to be said (from the front), and what had to be refused."""

    answering: Callable[["ScriptedServer[S]", Asked], Reply]
    script: list[S] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    url: str = ""

    def reset(self) -> None:
        """As new, for the next test."""
        for kept in (self.script, self.asked, self.refused):
            kept.clear()

    @contextmanager
    def running(self) -> Iterator["ScriptedServer[S]"]:
        """Serve on a free port of the loopback until the block ends."""
        with ThreadingHTTPServer(("127.0.0.1", 0), self._handler()) as server:
            self.url = f"http://127.0.0.1:{server.server_address[1]}"
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self) -> None:
                size = int(self.headers.get("content-length", "0"))
                asked = Asked(
                    path=self.path,
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=self.rfile.read(size),
                )
                scripted.asked.append(asked)
                self._send(scripted.answering(scripted, asked))

            def _send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                self.send_header("content-type", reply.content_type)
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for piece in reply.pieces:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.flush()
                if reply.cut:
                    self.close_connection = True
                    return
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler
