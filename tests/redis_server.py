"""A real redis-server on a free port of the loopback, in a folder of its own."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.held_port import HeldPort

_PASSWORD = "planted-secret-of-redis"
_START_WITHIN = 60.0


@dataclass(slots=True)
class RedisServer:
    """A server that can be stopped in every way; what it was told is on its disk if `durable`."""

    folder: Path
    durable: bool = False
    password: str = _PASSWORD
    _held: HeldPort = field(default_factory=HeldPort)
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def port(self) -> int:
        return self._held.number

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
        self._held.close()


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
