"""A worker its supervisor does not want to hear any more leaves nothing open in the supervisor."""

import asyncio
import gc
import socket
import warnings
from pathlib import Path
from typing import cast

from lynkrc_runtime.server.crew import Worker


class Endless:
    """A process that does not end."""

    returncode = None

    async def wait(self) -> int:
        return await asyncio.get_running_loop().create_future()


async def test_a_worker_that_is_not_heard_to_its_end(tmp_path: Path) -> None:
    ours, its = socket.socketpair()
    with its, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        life = await asyncio.open_unix_connection(sock=ours)
        process = cast(asyncio.subprocess.Process, Endless())
        worker = Worker(1, tmp_path / "a.lynkr", tmp_path, process, life)
        listening = asyncio.create_task(worker.listen())
        its.send(b'{"type":')
        await asyncio.sleep(0)
        listening.cancel()
        await asyncio.wait((listening,))
        assert listening.cancelled()
        life[1].close()
        await life[1].wait_closed()
        del worker, listening, life
        gc.collect()
    assert [str(one.message) for one in told] == []
