"""A bundle and options to several workers that serve it, kept alive until a signal ends them.

The supervisor serves no client. It verifies bundles and hands out copies, so that every worker
runs the same bytes; it owns the listening sockets, which workers inherit, and the operators'
listener (see `operators`). A worker that dies is replaced. A reload is prepared by all workers
before any of them commits; a rolling restart has each new worker serve before an old one stops.
"""

import asyncio
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, final

from lynkrc_runtime.bundle import (
    BrokenBundle,
    OpenedBundle,
    bundle_file,
    dispatch_of,
    open_bundle,
)
from lynkrc_runtime.bundle_archive import read_bundle
from lynkrc_runtime.plain_file import read_plain
from lynkrc_runtime.server import control
from lynkrc_runtime.server.background import Joint, Tasks
from lynkrc_runtime.server.changes import Changes, facts_of_bundle, facts_of_policy
from lynkrc_runtime.server.crew import Unheard, Worker, start_worker
from lynkrc_runtime.server.gateway import Policy
from lynkrc_runtime.server.listening import Listening
from lynkrc_runtime.server.options import Options, refuse_memory
from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.signature import LARGEST_SIGNATURE, signature_path
from lynkrc_runtime.telemetry.fetches import Fetches
from lynkrc_runtime.telemetry.log import Level, Log
from lynkrc_runtime.telemetry.merging import lasting, merged
from lynkrc_runtime.telemetry.reloads import Reloaded, Reloads, Result
from lynkrc_runtime.telemetry.workers import WorkerCounts

START_TIME: Final = 120.0
"""Seconds a worker has from its start to its serving."""
SOON: Final = 30.0
"""A worker that dies within so many seconds of another makes the next wait longer."""
FIRST_WAIT, LONGEST_WAIT = 0.25, 10.0


@final
class Supervisor:
    """The workers of one gateway. `workers` are all that have not ended, by their numbers.

    `started` is Unix seconds.
    """

    def __init__(
        self,
        opened: OpenedBundle,
        policy: Policy,
        options: Options,
        environ: Mapping[str, str],
        log: Log,
        tasks: Tasks,
        folder: Path,
    ) -> None:
        self._options, self._environ = options, environ
        self._log, self._tasks, self._folder = log, tasks, folder
        self._path, self._file_name = options.bundle, options.bundle.name
        self._identity = opened.identity
        self._copies = 0
        self._copy = self._copied()
        self._clients: Listening | None = None
        self._numbers = 0
        self._deaths, self._last_death = 0, 0.0
        self._lock = asyncio.Lock()
        self._all_ended = asyncio.Event()
        self.wanted = options.workers
        self.started = int(time.time())
        self.name = policy.dispatch.name
        self.digest = policy.digest
        self.workers: dict[int, Worker] = {}
        self.counts = WorkerCounts()
        self.reloads = Reloads()
        self.reloading = Joint(tasks, self.reload)
        """What an operator's order to reload does; one who leaves does not end it half-way."""
        self.restarting = Joint(tasks, self.restart)
        """The same of an order to restart."""
        self.fetches: Fetches | None = None
        """How asking a server for the bundle goes, where it comes from one."""
        self.changes = Changes()
        self._facts = facts_of_policy(policy)
        self.trouble: str | None = None
        self.is_stopping = False
        self.watches = policy.dispatch.settings.server.reload.watch
        self._has_started = self._is_same = False
        self.retired = ""
        """What workers counted that have ended."""

    @property
    def serving(self) -> list[Worker]:
        """The workers that accept requests."""
        return [one for one in self.workers.values() if one.is_serving]

    @property
    def living(self) -> list[Worker]:
        """The workers that can be asked: those that serve or drain."""
        return [one for one in self.workers.values() if one.has_served]

    # -- the life of workers -------------------------------------------------------------------

    async def start(self, clients: Listening) -> str:
        """Start every worker; the engine that serves. CannotServe in the words of one that fails.

        Returns when all of them serve.
        """
        self._clients = clients
        async with self._lock:
            first = [await self._begin() for _ in range(self._options.workers)]
            for worker in first:
                if not await self._awaited(worker):
                    self.is_stopping = True
                    raise CannotServe(self._fault_of(worker))
            self._has_started = True
        # The file may have been replaced since it was looked at for the first time.
        self.digest = first[0].served.result().digest
        return first[0].served.result().engine

    def _fault_of(self, worker: Worker) -> str:
        fault = worker.fault or f"worker {worker.number} does not start"
        return self._told(fault, worker.bundle)

    async def _begin(self) -> Worker:
        """Start a worker. CannotServe where this machine has no room for one."""
        assert self._clients is not None, "workers are started with sockets"
        self._numbers += 1
        try:
            worker = await start_worker(
                self._numbers,
                self._copy,
                self._folder,
                self._clients.sockets,
                self._options,
                self._environ,
            )
        except OSError as error:
            raise CannotServe(f"cannot start a worker: {error.strerror or error}") from error
        self.workers[worker.number] = worker
        self._all_ended.clear()
        if self.is_stopping:
            # The stop came meanwhile, and told those that were there.
            worker.is_leaving = True
            worker.kill()
        self._tasks.start(self._attend(worker))
        return worker

    async def _awaited(self, worker: Worker) -> bool:
        """Whether the worker came to serve."""
        await asyncio.wait((worker.served,), timeout=START_TIME)
        if worker.served.done() and not worker.served.cancelled():
            return True
        worker.is_leaving = True
        worker.kill()
        return False

    async def _attend(self, worker: Worker) -> None:
        """Hear a worker to its end, and put another in the place of one that was not to end."""
        code = await worker.listen()
        del self.workers[worker.number]
        self.retired = merged((self.retired, lasting(worker.metrics)))
        shutil.rmtree(control.folder_of(self._folder, worker.number), ignore_errors=True)
        if worker.is_leaving or self.is_stopping:
            self._log.line(Level.INFO, "worker-ended", worker=worker.number, code=code)
        elif self._has_started:
            self._log.line(
                Level.ERROR, "worker-died", worker=worker.number, code=code, reason=worker.fault
            )
            self.counts.died()
            self._tasks.start(self._replace())
        if not self.workers:
            self._all_ended.set()

    async def _replace(self) -> None:
        """Another worker, after a wait that grows while they keep dying."""
        while not self.is_stopping:
            await asyncio.sleep(self._wait())
            async with self._lock:
                # A restart may have put one into the place meanwhile.
                staying = sum(not one.is_leaving for one in self.workers.values())
                if self.is_stopping or staying >= self.wanted:
                    return
                try:
                    await self._begin()
                except CannotServe as fault:
                    self._log.line(Level.ERROR, "worker-lacks", reason=str(fault))
                else:
                    return

    def _wait(self) -> float:
        """Seconds until a worker is started in the place of one that has died now."""
        now = asyncio.get_running_loop().time()
        self._deaths = self._deaths + 1 if now - self._last_death < SOON else 1
        self._last_death = now
        if self._deaths == 1:
            return 0.0
        return float(min(FIRST_WAIT * 2.0 ** min(self._deaths - 2, 10), LONGEST_WAIT))

    async def stop(self) -> None:
        """Have every worker drain; returns when all have ended."""
        self.is_stopping = True
        self._log.line(Level.INFO, "stopping", workers=len(self.workers))
        if self._clients is not None:
            # Each worker has its own, and accepts for as long as it should.
            self._clients.close()
        await asyncio.gather(
            *(one.stop(others_accept=False) for one in list(self.workers.values()))
        )
        if self.workers:
            await self._all_ended.wait()

    def kill(self) -> None:
        """End every worker at once."""
        for worker in self.workers.values():
            worker.kill()

    # -- orders --------------------------------------------------------------------------------

    async def restart(self) -> str | None:
        """Replace the workers one by one; why not, or None when each new one serves.

        The old ones accept nothing more and drain meanwhile.
        """
        async with self._lock:
            if self.is_stopping:
                return "the gateway is stopping"
            for old in self.serving:
                reason = await self._another()
                if reason is not None:
                    self._log.line(Level.ERROR, "restart", result="failed", reason=reason)
                    return reason
                await old.stop(others_accept=True)
        self._log.line(Level.INFO, "restart", result="restarted")
        return None

    async def _another(self) -> str | None:
        """A worker more; why there is none, or None when it serves."""
        if self.is_stopping:
            return "the gateway is stopping"
        try:
            new = await self._begin()
        except CannotServe as fault:
            return str(fault)
        return None if await self._awaited(new) else self._fault_of(new)

    async def reload(self) -> Reloaded:
        """Have all workers prepare, then all commit; one refusal leaves all as they are."""
        async with self._lock:
            old, before = self.digest, self._facts
            reason = "the gateway is stopping" if self.is_stopping else await self._prepare_all()
            if reason is None:
                result = Result.UNCHANGED if self._is_same else Result.RELOADED
                ended = Reloaded(result=result, old=old, new=self.digest)
            else:
                ended = Reloaded(result=Result.FAILED, old=old, new=old, reason=reason)
            for copy in self._folder.glob("bundle-*.lynkr"):
                # Workers that still began with another one have been ended.
                if copy != self._copy:
                    copy.unlink(missing_ok=True)
                    signature_path(copy).unlink(missing_ok=True)
            if not self.is_stopping:
                self.trouble = reason
                self.reloads.ended(ended.result)
                self.changes.ended(ended, before, self._facts)
        level = Level.ERROR if ended.result is Result.FAILED else Level.INFO
        self._log.line(level, "reload", **ended.members)
        return ended

    async def _prepare_all(self) -> str | None:
        """Both phases; why not, or None."""
        try:
            copy = await asyncio.to_thread(self._copied)
            opened = await asyncio.to_thread(self._opened, copy)
            dispatch = dispatch_of(opened)
            refuse_memory(self._options, dispatch.settings)
            facts = facts_of_bundle(opened, dispatch)
        except (BrokenBundle, CannotServe) as fault:
            return str(fault)
        workers = self.serving
        refusals = await asyncio.gather(*(self._prepared(one, copy) for one in workers))
        for refusal in refusals:
            if refusal is not None:
                await asyncio.gather(*(_tell(one, control.ABANDON) for one in workers))
                return refusal
        # From here on a worker that is started begins with the new bundle.
        self._copy = copy
        self._is_same = opened.identity == self._identity
        if not self._is_same:
            self._facts = facts
        self._identity, self.digest = opened.identity, opened.manifest.meaning_digest
        self.name, self.watches = dispatch.name, dispatch.settings.server.reload.watch
        await asyncio.gather(*(_tell(one, control.COMMIT) for one in workers))
        for worker in list(self.workers.values()):
            if worker not in workers and not worker.is_leaving:
                # It was starting with the old bundle: another takes its place.
                worker.is_leaving = True
                worker.kill()
                self._tasks.start(self._replace())
        return None

    async def _prepared(self, worker: Worker, copy: Path) -> str | None:
        """Why the worker refuses the bundle, or None."""
        try:
            status, members = await worker.order(control.PREPARE, bundle=str(copy))
        except Unheard as fault:
            return str(fault)
        return None if status == 200 else self._told(str(members["reason"]), copy)

    def _told(self, reason: str, copy: Path) -> str:
        """The reason with the names that an operator knows, not those of the copy."""
        return reason.replace(str(copy), str(self._path)).replace(copy.name, self._file_name)

    def _copied(self) -> Path:
        """A private copy of what lies at the served path, with its signatures where they count."""
        self._copies += 1
        copy = self._folder / f"bundle-{self._copies}.lynkr"
        try:
            file = bundle_file(self._path)
            self._file_name = file.name
            copy.write_bytes(read_bundle(file))
            if self._options.trust.keys:
                # Without one the copy has none either, and is judged by that.
                with suppress(FileNotFoundError):
                    signature = read_plain(signature_path(file), LARGEST_SIGNATURE)
                    signature_path(copy).write_bytes(signature)
        except OSError as error:
            raise CannotServe(f"{self._path}: cannot be read: {error.strerror}") from error
        return copy

    def _opened(self, copy: Path) -> OpenedBundle:
        try:
            return open_bundle(copy, self._options.trust)
        except BrokenBundle as fault:
            raise BrokenBundle(self._told(str(fault), copy)) from fault


async def _tell(worker: Worker, path: str) -> None:
    """Give an order to a worker; one that does not hear is ended, and replaced by another."""
    try:
        status, _ = await worker.order(path)
    except Unheard:
        status = 0
    # One that was told to stop meanwhile ends by itself.
    if status != 200 and not worker.is_leaving:
        worker.kill()
