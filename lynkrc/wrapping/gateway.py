"""A bundle to a gateway of one's own: a process on free ports, ready, and stopped afterwards.

It is in a session of its own, so that no key of the terminal reaches it: it serves until the client
has ended, and then until its last record is written.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import final

import msgspec

DRAIN = 5
"""Seconds calls that run at the end have left."""
_GRACE = 10.0
"""Seconds until a gateway that does not stop is killed."""


@final
class NotServing(Exception):
    """Why there is no gateway: what it said itself, as it said it."""


@final
class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The line in which a gateway says that it serves."""

    url: str
    admin: str
    name: str
    dry_run: bool


@final
@dataclass(frozen=True, slots=True)
class OwnGateway:
    """A gateway that runs for us."""

    ready: Ready
    process: "subprocess.Popen[bytes]"

    @property
    def ended(self) -> int | None:
        """The exit code of one that has ended by itself; None while it serves."""
        return self.process.poll()


@contextmanager
def own_gateway(
    serve: Sequence[str], environ: Mapping[str, str], log: Path
) -> Iterator[OwnGateway]:
    """A gateway run by the command line `serve`, its log in a file. Raises NotServing."""
    words = [*serve, "--admin-port", "0", "--stop-delay", "0", "--drain", str(DRAIN)]
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            words,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=os.name == "posix",
        ) as process,
    ):
        try:
            yield OwnGateway(_ready(process, log), process)
        finally:
            _stop(process)


def _ready(process: "subprocess.Popen[bytes]", log: Path) -> Ready:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise NotServing(log.read_text(encoding="utf-8", errors="replace"))
    return msgspec.json.decode(line, type=Ready)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(DRAIN + _GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
