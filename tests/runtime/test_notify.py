"""What a service manager hears on its socket."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lynkrc_runtime.server.notify import READY, tell, told


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        yield listening, {"NOTIFY_SOCKET": str(tmp_path / "notify")}


def test_a_reload_is_told_when_it_begins_and_when_it_fails(
    manager: tuple[socket.socket, dict[str, str]],
) -> None:
    listening, environ = manager
    heard: list[bytes] = []

    async def reload() -> None:
        heard.append(listening.recv(200))
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        asyncio.run(told(environ, reload)())
    first, second = heard[0].split(b"\n")
    assert first == b"RELOADING=1"
    assert second.startswith(b"MONOTONIC_USEC=") and int(second.split(b"=")[1]) > 0
    assert listening.recv(200) == READY.encode()


def test_an_abstract_name_is_told_too() -> None:
    name = f"lynkrc-test-of-notify-{os.getpid()}"  # it is the whole machine's
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name)
        listening.setblocking(False)
        tell({"NOTIFY_SOCKET": "@" + name}, "READY=1", "STATUS=x")
        assert listening.recv(200) == b"READY=1\nSTATUS=x"


def test_nobody_there_is_no_failure(tmp_path: Path) -> None:
    tell({}, READY)
    tell({"NOTIFY_SOCKET": str(tmp_path / "gone")}, READY)
    tell({"NOTIFY_SOCKET": "vsock:2:1234"}, READY)
