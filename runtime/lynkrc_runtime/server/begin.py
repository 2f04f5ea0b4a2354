"""Where a bundle is, a path or an address, to a gateway that serves it until a signal ends it.

A bundle from a server must be signed. Where this gateway cannot start with the one that is offered
now, it starts with the last good one: a gateway that ran on would have refused it too.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from lynkrc_runtime.bundle import open_bundle
from lynkrc_runtime.server.lifecycle import STOPS, run
from lynkrc_runtime.server.options import Options, trust_of
from lynkrc_runtime.server.private_folder import private_folder
from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.server.reload import tried_policy
from lynkrc_runtime.server.remote import RemoteBundle, Start
from lynkrc_runtime.server.remote_server import (
    Asked,
    BundleServer,
    bundle_server,
    is_address,
    refuse_asked,
)
from lynkrc_runtime.server.supervise import supervise
from lynkrc_runtime.signature import Trust

Place: TypeAlias = Path | BundleServer


def place_of(
    place: str | None, option: str | None, asked: Asked, environ: Mapping[str, str]
) -> Place:
    """Where the bundle is, from `BUNDLE` and `--bundle BUNDLE`. Raises CannotServe."""
    if place is not None and option is not None:
        raise CannotServe("BUNDLE and --bundle are two names for one thing; one of them is wanted")
    said = place if option is None else option
    if not said:
        raise CannotServe("no bundle: `serve BUNDLE` names a path or an https address")
    if is_address(said):
        return bundle_server(said, asked, environ)
    refuse_asked(asked)
    return Path(said)


def trust_in(place: Place, keys: Sequence[Path], *, is_required: bool) -> Trust:
    """Whose signatures count for it. Raises CannotServe."""
    if isinstance(place, Path):
        return trust_of(keys, is_required=is_required)
    if not keys:
        raise CannotServe(
            f"{place.told}: a bundle from a server must be signed: --trusted-key FILE is the "
            "public key of who signs it (`lynkrc sign`)"
        )
    return trust_of(keys, is_required=True)


async def begin(place: Place, options: Options, environ: Mapping[str, str]) -> None:
    """Serve until a signal. Raises BrokenBundle and CannotServe before anything is served."""
    serve = run if options.workers == 1 else supervise
    if isinstance(place, Path):
        opened = open_bundle(place, options.trust)
        await serve(opened, tried_policy(opened), options, environ)
        return
    with private_folder("a bundle from a server needs") as folder:
        remote = RemoteBundle(place, options.trust, folder)
        options = replace(options, bundle=remote.path)
        start = await _first(remote)
        if start is None:
            return
        try:
            await serve(start.opened, start.policy, options, environ, remote)
        except CannotServe as fault:
            other = remote.instead(str(fault))
            if other is None:
                raise
            await serve(other.opened, other.policy, options, environ, remote)


async def _first(remote: RemoteBundle) -> Start | None:
    """What to start with; None where a signal came before it was there. Raises CannotServe."""
    loop, asked = asyncio.get_running_loop(), asyncio.ensure_future(remote.first())
    has_come = asyncio.Event()

    def stop() -> None:
        has_come.set()
        asked.cancel()

    for number in STOPS:
        loop.add_signal_handler(number, stop)
    try:
        start = await asked
        # A signal that came while the bundle was looked at is heard here at the latest.
        await asyncio.sleep(0.001)
        return None if has_come.is_set() else start
    except asyncio.CancelledError:
        return None
    finally:
        for number in STOPS:
            loop.remove_signal_handler(number)
