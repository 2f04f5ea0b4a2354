"""A question to the other workers of a gateway: what a request used that one of them served."""

import asyncio
from pathlib import Path
from typing import Any, Final, final

import aiohttp
import msgspec

from lynkrc_runtime.server import control

PATIENCE: Final = 2.0
"""Seconds for all of them together; one that hangs is as one that does not know."""


@final
class Siblings:
    """The workers whose folders lie beside `folder`, as they are when they are asked."""

    __slots__ = ("_folder",)

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def usage(self, key: str | None, request_id: str) -> dict[str, Any] | None:
        """What a request of this caller used; None where none of them has served it lately."""
        question = msgspec.json.encode({"key": key, "request_id": request_id})
        asked = [
            asyncio.ensure_future(_asked(control.control_path(folder), question))
            for folder in control.siblings_of(self._folder)
        ]
        try:
            async with asyncio.timeout(PATIENCE):
                for answered in asyncio.as_completed(asked):
                    found = await answered
                    if found is not None:
                        return found
        except TimeoutError:
            pass
        finally:
            for one in asked:
                one.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        return None


async def _asked(path: Path, question: bytes) -> dict[str, Any] | None:
    """One worker's answer; None where it knows nothing, or is gone."""
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=str(path))) as session,
            session.post(f"http://worker{control.USAGE}", data=question) as answer,
        ):
            if answer.status != 200:
                return None
            found: dict[str, Any] = msgspec.json.decode(await answer.read())
            return found
    except (aiohttp.ClientError, OSError, msgspec.DecodeError):
        return None
