"""A real redis-server on a free port of the loopback, in a folder of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_PASSWORD = "planted-secret-of-redis"
_START_WITHIN = 60.0


def _held() -> socket.socket:
    """Who holds a free port: as long as it is bound nobody is given it who asks for any.

    Who asks for this one gets it, as nothing listens here.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


@dataclass(slots=True)
class RedisServer:
    """A server that can be stopped in every way; what it was told is on its disk if `durable`."""

    folder: Path
    durable: bool = False
    port: int = field(init=False)
    password: str = _PASSWORD
    _holder: socket.socket = field(default_factory=_held)
    _process: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self.port = self._holder.getsockname()[1]
        if sys.platform != "linux":  # there nobody else gets it at all
            self._holder.close()

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it answers."""
        assert self._process is None
        program = shutil.which("redis-server")
        assert program is not None
        log = self.folder / "redis.log"
        log.write_text("")
        self._process = subprocess.Popen(
            [program, *self._options(log)], cwd=self.folder, stdout=subprocess.DEVNULL
        )
        self.wait_until_it_answers()

    def _options(self, log: Path) -> Sequence[str]:
        durable = ["--appendonly", "yes", "--appendfsync", "always"]
        return [
            *("--port", str(self.port), "--bind", "127.0.0.1", "--save", ""),
            *("--requirepass", self.password, "--dir", str(self.folder), "--logfile", str(log)),
            *(durable if self.durable else ["--appendonly", "no"]),
        ]

    def wait_until_it_answers(self) -> None:
        """Ask until there is an answer: it listens before it has loaded its data."""
        import redis
        from redis.backoff import ConstantBackoff
        from redis.retry import Retry

        retries = Retry(ConstantBackoff(0.02), int(_START_WITHIN / 0.02))
        waits = (redis.exceptions.ConnectionError, redis.exceptions.BusyLoadingError)
        with redis.Redis.from_url(self.url, retry=retries, retry_on_error=list(waits)) as client:
            assert client.ping()

    def kill(self) -> None:
        """`kill -9`, and wait for its end."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def pause(self) -> None:
        """It keeps its connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def lose_data(self) -> None:
        """What is on its disk goes; it must be stopped."""
        assert self._process is None
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)

    def stop(self) -> None:
        if self._process is not None:
            self.kill()
        self._holder.close()


@contextmanager
def redis_server(folder: Path, *, durable: bool = False) -> Iterator[RedisServer]:
    """A server that runs until the context ends; the test is skipped where none is installed.

    In CI that fails it: what two replicas may spend would else be proved by nobody.
    """
    if shutil.which("redis-server") is None:
        if os.environ.get("LYNKRC_CI"):
            pytest.fail("no redis-server is installed, and CI installs one")
        pytest.skip("no redis-server is installed")
    server = RedisServer(folder, durable)
    try:
        server.start()
        yield server
    finally:
        server.stop()
