"""A new bundle at the served path to the gateway that serves; the last good one where it fails.

A reload has two halves. `prepare` reads, verifies, loads, assembles and tries the bundle beside
the one that serves, and may fail; `commit` swaps, and cannot. Requests that run keep the gateway
they began with, and the old bundle goes with the last of them.
"""

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import final

from lynkrc_runtime.bundle import BrokenBundle, Manifest, OpenedBundle, open_bundle, portable_scorer
from lynkrc_runtime.self_test import disagreement
from lynkrc_runtime.server.changes import facts_of_policy
from lynkrc_runtime.server.gateway import Gateway, Policy, policy_of
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.options import Options, addresses, refuse_memory
from lynkrc_runtime.server.process import CannotServe, Process, assemble, install
from lynkrc_runtime.server.tracing import needs_restart
from lynkrc_runtime.settings import Settings
from lynkrc_runtime.telemetry.log import Level, place_of
from lynkrc_runtime.telemetry.reloads import Reloaded, Result


@final
class CannotReload(Exception):
    """Why a bundle does not come to serve; fit to print."""


def tried_policy(opened: OpenedBundle) -> Policy:
    """The policy of a checked bundle, tried on its own boundary cases. Raises BrokenBundle."""
    policy = policy_of(opened)
    fault = disagreement(
        policy.dispatch.slots,
        scorer=policy.scorer,
        portable=portable_scorer(opened),
        explain=policy.explain,
    )
    if fault is not None:
        raise BrokenBundle(f"{opened.path}: {fault}")
    return policy


@final
class Reloader:
    """Reloads the bundle of one process; `opened` is the bundle that serves."""

    __slots__ = ("_identity", "_lock", "_options", "_prepared", "_process", "_site")

    def __init__(
        self, options: Options, opened: OpenedBundle, process: Process, site: Site
    ) -> None:
        self._options = options
        self._identity = opened.identity
        self._process = process
        self._site = site
        self._prepared: tuple[tuple[Manifest, bool], Gateway] | None = None
        self._lock = asyncio.Lock()

    async def reload(self) -> Reloaded:
        """Prepare and commit; one reload at a time. What became of it is logged and counted."""
        site, log = self._site, self._process.log
        async with self._lock:
            old = site.gateway.policy.digest
            before = after = facts_of_policy(site.gateway.policy)
            if site.stopping.is_draining:
                ended = Reloaded(
                    result=Result.FAILED, old=old, new=old, reason="the gateway is stopping"
                )
                log.line(Level.WARNING, "reload", **ended.members)
                return ended
            try:
                result = await self.prepare(self._options.bundle)
            except CannotReload as error:
                site.trouble = str(error)
                ended = Reloaded(result=Result.FAILED, old=old, new=old, reason=str(error))
            else:
                ended = Reloaded(result=result, old=old, new=self.commit())
                if result is Result.RELOADED:
                    after = facts_of_policy(site.gateway.policy)
            site.reloads.ended(ended.result)
            site.changes.ended(ended, before, after)
        level = Level.ERROR if ended.result is Result.FAILED else Level.INFO
        log.line(level, "reload", **ended.members)
        return ended

    async def prepare(self, path: Path) -> Result:
        """Make ready the gateway of the bundle there. Raises CannotReload; what serves, serves."""
        self.abandon()
        serving = self._site.gateway.policy
        try:
            # In a thread: a large bundle must not hold up the requests that run.
            opened = await asyncio.to_thread(open_bundle, path, self._options.trust)
            is_same = opened.identity == self._identity
            policy = serving if is_same else await asyncio.to_thread(tried_policy, opened)
            fixed = list(_fixed(serving.dispatch.settings, policy.dispatch.settings))
            if fixed:
                raise CannotReload(f"{path}: a change of {', '.join(fixed)} needs a restart")
            # What the start would refuse, a reload does not bring in: an open door above all.
            addresses(self._options, policy.dispatch.settings, self._process.environ)
            refuse_memory(self._options, policy.dispatch.settings)
            gateway = assemble(policy, self._process)
        except (BrokenBundle, CannotServe) as fault:
            raise CannotReload(str(fault)) from fault
        except CannotReload:
            raise
        except Exception as mistake:
            # Of ours; what it says may hold anything. Who watches or asks a server is to go on.
            kind = type(mistake).__name__
            self._process.log.line(Level.ERROR, "mistake", type=kind, place=place_of(mistake))
            raise CannotReload(f"{path}: an error inside the gateway ({kind})") from mistake
        self._prepared = (opened.identity, gateway)
        return Result.UNCHANGED if is_same else Result.RELOADED

    def commit(self) -> str:
        """Serve what was prepared from now on; its digest."""
        assert self._prepared is not None, "prepare comes first"
        self._identity, gateway = self._prepared
        self._prepared = None
        install(gateway, self._process)
        was, notice = self._site.gateway.policy.notice, gateway.policy.notice
        if notice is not None and notice != was:
            # Slower from now on, which the start could not tell.
            self._process.log.line(Level.WARNING, "engine", notice=notice)
        self._site.gateway = gateway
        self._site.trouble = None
        # Generated modules are cycles, which nothing else would look for in a quiet process.
        gc.collect()
        return gateway.policy.digest

    def abandon(self) -> None:
        """Forget what was prepared."""
        self._prepared = None


def _fixed(old: Settings, new: Settings) -> Iterator[str]:
    """What differs and is settled when the process starts."""
    for name in ("host", "port", "admin", "tls"):
        if getattr(old.server, name) != getattr(new.server, name):
            yield f"server.{name}"
    if old.state != new.state:
        yield "state"
    if needs_restart(old.observability.traces, new.observability.traces):
        yield "observability.traces"
