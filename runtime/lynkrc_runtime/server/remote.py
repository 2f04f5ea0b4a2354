"""A bundle at a server to the one that serves: asked for again and again, the last good one kept.

A pair of bundle and signatures is fetched, verified, and only then handed to the reload that any
new bundle goes through; what came to serve is kept on disk with its signatures. Whatever fails
leaves what serves as it is, and is told by log, metrics and readiness.
"""

import asyncio
import random
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeAlias, final

from lynkrc_runtime.bundle import BrokenBundle, OpenedBundle, open_bundle
from lynkrc_runtime.bundle_archive import LARGEST_BUNDLE
from lynkrc_runtime.server.gateway import Policy
from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.server.reload import tried_policy
from lynkrc_runtime.server.remote_cache import NoneKept, keep, kept
from lynkrc_runtime.server.remote_fetch import Fetched, FetchFault, asking, fetch, no_room
from lynkrc_runtime.server.remote_server import BundleServer
from lynkrc_runtime.signature import (
    LARGEST_SIGNATURE,
    BrokenSignature,
    Trust,
    signature_path,
)
from lynkrc_runtime.telemetry.fetches import Fetch, Fetches
from lynkrc_runtime.telemetry.log import Level, Log
from lynkrc_runtime.telemetry.reloads import Reloaded, Result

START: Final = 30.0
"""Seconds the server has at the start, until the last good bundle is taken."""
TRIES: Final = 3
"""Times a pair is fetched whose halves do not belong together: it may have changed meanwhile."""
AGAIN: Final = 1.0
"""Seconds between them."""
SOON: Final = 2.0
"""Seconds until the server is asked again that has failed; doubled with every failure."""

Said: TypeAlias = Callable[[Log], None]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A bundle and its signatures: the sha256 of each, and what the server calls them (ETag)."""

    bundle: Fetched
    signatures: Fetched

    @property
    def identity(self) -> tuple[str, str]:
        """Equal for the same bytes."""
        return self.bundle.sha256, self.signatures.sha256


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a gateway starts with."""

    opened: OpenedBundle
    policy: Policy


@final
class RemoteBundle:
    """Fetches the bundle of one process; `path` is where a reload finds what was fetched.

    `wait` waits so many seconds, `draw` gives 0 <= x < 1, `clock` Unix seconds.
    """

    def __init__(
        self,
        server: BundleServer,
        trust: Trust,
        folder: Path,
        *,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        draw: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._server, self._trust = server, trust
        self._wait, self._draw, self._clock = wait, draw, clock
        self._incoming, self._good, offered = (
            folder / name / server.name for name in ("incoming", "good", "offered")
        )
        self.path = offered
        for file in (self._incoming, self._good, self.path):
            file.parent.mkdir(mode=0o700)
        self._held: Pair | None = None
        self._refused: tuple[tuple[str, str], str] | None = None
        self._failures = 0
        self._lock = asyncio.Lock()
        self._early: list[Said] = []
        self._log: Log | None = None
        self._reload: Callable[[], Awaitable[Reloaded]] | None = None
        self._digest: Callable[[], str] = str
        self.fetches = Fetches()

    # -- the start -----------------------------------------------------------------------------

    async def first(self) -> Start:
        """The server's bundle, else the last good one. CannotServe, saying both, without either."""
        try:
            async with asyncio.timeout(START):
                pair = await self._fetched()
            start = self._opened(self._incoming)
            assert pair is not None, "nothing is held yet"
            _copy(self._incoming, self.path)
        except TimeoutError:
            fault = FetchFault(Fetch.TIMEOUT, f"no whole bundle within {START:g} s")
        except FetchFault as found:
            fault = found
        except OSError as error:
            fault = no_room(error)
        else:
            self._accept(pair)
            return start
        self._fail(fault)
        return self._kept(str(fault))

    def instead(self, reason: str) -> Start | None:
        """The last good bundle in the place of one that this gateway could not start with.

        None where the very same is kept, or none at all.
        """
        refused = self._held
        if refused is None:
            return None
        self._log = None
        try:
            start = self._kept(reason)
        except CannotServe:
            return None
        if self._held is None or self._held.identity == refused.identity:
            return None
        self._refused = refused.identity, reason
        self._fail(FetchFault(Fetch.REFUSED, reason))
        return start

    def _kept(self, reason: str) -> Start:
        """The last good bundle, verified like one that was fetched. Raises CannotServe."""
        server = self._server
        good = self._good
        try:
            files = kept({good.name, signature_path(good).name}, server.kept)
            for name, data in files.items():
                (good.parent / name).write_bytes(data)
            start = self._opened(good)
            _copy(good, self.path)
        except (NoneKept, FetchFault) as fault:
            raise CannotServe(
                f"{server.told}: {reason}\nand there is no last good bundle: {fault}"
            ) from fault
        except OSError as error:
            raise CannotServe(f"{server.told}: {reason}\n{no_room(error)}") from error
        # Its ETags are not kept: the server is asked for all of it the next time.
        self._held = Pair(
            bundle=Fetched(sha256=start.opened.sha256, tag=None),
            signatures=Fetched(sha256=_sha256(signature_path(good)), tag=None),
        )
        self._say(
            lambda log: log.line(
                Level.WARNING,
                "served-from-cache",
                url=server.told,
                sha256=start.opened.sha256,
                reason=reason,
            )
        )
        return start

    # -- while it serves -----------------------------------------------------------------------

    def follow(
        self, log: Log, reload: Callable[[], Awaitable[Reloaded]], digest: Callable[[], str]
    ) -> None:
        """From now on new bundles go through `reload`; `digest` is of the one that serves."""
        self._log, self._reload, self._digest = log, reload, digest
        server = self._server
        log.line(
            Level.INFO,
            "bundle-server",
            url=server.told,
            proxy=server.proxy_told,
            poll=list(server.poll),
            kept=str(server.kept),
        )
        for say in self._early:
            say(log)
        self._early.clear()

    async def reload(self) -> Reloaded:
        """Ask the server now, for an operator: what is as it was is loaded anew, too."""
        return await self._refresh(is_ordered=True)

    async def poll(self) -> None:
        """Keep what the gateway has started with, then ask again and again, for ever."""
        async with self._lock:
            if self._failures == 0:
                await self._keep()
        while True:
            await self._wait(self.pause())
            await self._refresh(is_ordered=False)

    def pause(self) -> float:
        """Seconds until the next question: drawn, so that many gateways do not ask at once."""
        least, most = self._server.poll
        if self._failures == 0:
            return least + (most - least) * self._draw()
        longest = min(most, min(SOON, least) * 2.0 ** min(self._failures - 1, 30))
        return longest * (0.5 + 0.5 * self._draw())

    async def _refresh(self, *, is_ordered: bool) -> Reloaded:
        async with self._lock:
            old = self._digest()
            try:
                return await self._compared(old, is_ordered)
            except FetchFault as fault:
                found = fault
            except OSError as error:
                found = no_room(error)
            self._fail(found)
            reason = f"{self._server.told}: {found}"
            return Reloaded(result=Result.FAILED, old=old, new=old, reason=reason)

    async def _compared(self, old: str, is_ordered: bool) -> Reloaded:
        """Load what the server has, where that is not what serves. FetchFault, OSError."""
        assert self._reload is not None, "`follow` comes first"
        pair = await self._fetched()
        if pair is None:
            # After a refused bundle the last reload is one that failed, and this one ends that.
            again = is_ordered or self._refused is not None
            self._refused = None
            self._succeed(Fetch.UNCHANGED)
            if self.fetches.unkept is not None:
                await self._keep()
            if not again:
                return Reloaded(result=Result.UNCHANGED, old=old, new=old)
            await asyncio.to_thread(_copy, self._good, self.path)
            return await self._reload()
        refused = self._refused
        is_refused = refused is not None and refused[0] == pair.identity
        # A worker may have died meanwhile: it is tried again after 1, 2, 4, 8 ... failures.
        if refused and is_refused and not is_ordered and self._failures.bit_count() != 1:
            raise FetchFault(Fetch.REFUSED, refused[1])
        await asyncio.to_thread(_copy, self._incoming, self.path)
        ended = await self._reload()
        if ended.result is Result.FAILED:
            # Where the file lay in between is of no use to anybody.
            reason = (ended.reason or "").replace(f"{self.path}: ", "")
            self._refused = pair.identity, reason
            self._fail(FetchFault(Fetch.REFUSED, reason))
            return replace(ended, reason=f"{self._server.told}: {reason}")
        self._accept(pair)
        await self._keep()
        return ended

    # -- asking --------------------------------------------------------------------------------

    async def _fetched(self) -> Pair | None:
        """A verified pair, at `_incoming`; None where it is the one that is held.

        FetchFault, OSError.
        """
        for tried in range(1, TRIES + 1):
            # A half that is told to be unchanged, and fits nothing, is asked for whole.
            pair = await self._asked(has_tags=tried == 1)
            if self._held is not None and pair.identity == self._held.identity:
                self._held = pair
                return None
            try:
                await asyncio.to_thread(self._verified, self._incoming)
            except FetchFault as fault:
                if fault.result is not Fetch.UNTRUSTED or tried == TRIES:
                    raise
            else:
                return pair
            await self._wait(AGAIN)
        raise AssertionError("the last try returns or raises")

    async def _asked(self, *, has_tags: bool) -> Pair:
        """Both files as they are at the server now; what has not changed is the one held."""
        server = self._server
        held = self._held if has_tags else None
        async with asking(server) as session:
            bundle = await fetch(
                session,
                server,
                server.url,
                self._incoming,
                largest=LARGEST_BUNDLE,
                tag=None if held is None else held.bundle.tag,
            )
            try:
                signatures = await fetch(
                    session,
                    server,
                    server.signatures,
                    signature_path(self._incoming),
                    largest=LARGEST_SIGNATURE,
                    tag=None if held is None else held.signatures.tag,
                )
            except FetchFault as fault:
                raise FetchFault(fault.result, f"its signatures: {fault}") from fault
        if held is not None and bundle is None:
            await asyncio.to_thread(shutil.copyfile, self._good, self._incoming)
            bundle = held.bundle
        if held is not None and signatures is None:
            ours, its = signature_path(self._good), signature_path(self._incoming)
            await asyncio.to_thread(shutil.copyfile, ours, its)
            signatures = held.signatures
        assert bundle is not None and signatures is not None, "only what is held has a tag"
        return Pair(bundle=bundle, signatures=signatures)

    def _verified(self, path: Path) -> OpenedBundle:
        """FetchFault where it is not what a trusted key has signed, or no bundle for us."""
        try:
            return open_bundle(path, self._trust)
        except BrokenBundle as fault:
            is_signature = isinstance(fault.__cause__, BrokenSignature)
            reason = str(fault).removeprefix(f"{path}: ")
            raise FetchFault(Fetch.UNTRUSTED if is_signature else Fetch.INVALID, reason) from fault

    def _opened(self, path: Path) -> Start:
        opened = self._verified(path)
        try:
            return Start(opened=opened, policy=tried_policy(opened))
        except BrokenBundle as fault:
            reason = str(fault).removeprefix(f"{path}: ")
            raise FetchFault(Fetch.INVALID, reason) from fault

    # -- what became of it ---------------------------------------------------------------------

    def _accept(self, pair: Pair) -> None:
        """The pair that was fetched is the good one."""
        old = None if self._held is None else self._held.bundle.sha256
        # Moved, not copied: a full disk cannot leave half of what is good.
        self._incoming.replace(self._good)
        signature_path(self._incoming).replace(signature_path(self._good))
        self._held, self._refused = pair, None
        url, new = self._server.told, pair.bundle.sha256
        self._say(
            lambda log: log.line(Level.INFO, "bundle-fetched", url=url, old_sha256=old, sha256=new)
        )
        self._succeed(Fetch.FETCHED)

    def _succeed(self, result: Fetch) -> None:
        failures, self._failures = self._failures, 0
        self.fetches.succeeded(result, self._clock())
        if failures:
            url = self._server.told
            self._say(
                lambda log: log.line(Level.INFO, "bundle-server-back", url=url, failures=failures)
            )

    def _fail(self, fault: FetchFault) -> None:
        self._failures += 1
        told = f"{self._server.told}: {fault}"
        self.fetches.failed(fault.result, told)
        failures, result, url = self._failures, fault.result.value, self._server.told
        self._say(
            lambda log: log.line(
                Level.WARNING,
                "bundle-fetch-failed",
                url=url,
                result=result,
                reason=str(fault),
                failures=failures,
            )
        )

    async def _keep(self) -> None:
        """Keep the good pair on disk; where that fails it is told once, and tried again later."""
        try:
            await asyncio.to_thread(self._write)
        except OSError as error:
            reason = f"{self._server.kept}: {error.strerror or error}"
            if reason != self.fetches.unkept:
                self._say(lambda log: log.line(Level.ERROR, "bundle-not-kept", reason=reason))
            self.fetches.unkept = reason
        else:
            self.fetches.unkept = None

    def _write(self) -> None:
        files = (self._good, signature_path(self._good))
        keep({file.name: file.read_bytes() for file in files}, self._server.kept)

    def _say(self, say: Said) -> None:
        """To the log, or to the one there will be: which one, the bundle says."""
        if self._log is None:
            self._early.append(say)
        else:
            say(self._log)


def _copy(bundle: Path, to: Path) -> None:
    """Both files of a pair. Raises OSError."""
    shutil.copyfile(bundle, to)
    shutil.copyfile(signature_path(bundle), signature_path(to))


def _sha256(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()
