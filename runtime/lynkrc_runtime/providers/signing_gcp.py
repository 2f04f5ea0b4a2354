"""Google Cloud credentials, to the access token of a request (wire reference B.7).

google-auth finds the credentials as every Google Cloud tool does. A token lasts about an hour and
is renewed early, off the event loop; requests meanwhile go out with the one there is.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, final

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.providers.address import Address
from lynkrc_runtime.upstream import UpstreamFault, UpstreamRequest

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
EARLY = timedelta(minutes=5)
"""A token this close to its end is renewed."""


def gcp_signer(_: Address) -> "GcpSigner":
    """The signer of a provider."""
    return GcpSigner(find_credentials, refresh)


def find_credentials() -> Any:
    """Application default credentials: a file, a login, the machine's account. May block.

    Raises GoogleAuthError where there are none.
    """
    import google.auth

    credentials, _ = google.auth.default(scopes=[SCOPE])
    return credentials


def refresh(credentials: Any) -> None:
    """Get a new token. Blocks; raises GoogleAuthError."""
    from google.auth.transport.requests import Request

    credentials.refresh(Request())


@final
class GcpSigner:
    """Keeps one token for all requests."""

    __slots__ = ("_credentials", "_find", "_lock", "_now", "_refresh")

    def __init__(
        self,
        find: Callable[[], Any],
        refresh: Callable[[Any], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`find` gives google-auth's credentials and is asked once; `refresh` renews them."""
        self._find = find
        self._refresh = refresh
        self._now = now
        self._credentials: Any = None
        self._lock = asyncio.Lock()

    async def headers(self, _: UpstreamRequest) -> Mapping[str, str]:
        """See `Signer.headers`."""
        # Whoever comes while one renews goes out with the token there is, where it still lasts.
        is_renewed = self._lock.locked() and self._lasts(timedelta())
        if not is_renewed and not self._lasts(EARLY):
            async with self._lock:
                if not self._lasts(EARLY):
                    await asyncio.to_thread(self._renew)
        credentials = self._credentials
        headers = {"authorization": f"Bearer {credentials.token}"}
        payer = getattr(credentials, "quota_project_id", None)
        if payer:
            headers["x-goog-user-project"] = payer
        return headers

    def _lasts(self, margin: timedelta) -> bool:
        credentials = self._credentials
        if credentials is None or not credentials.token:
            return False
        # google-auth states UTC without saying so; None never ends.
        end = credentials.expiry
        return end is None or self._now() + margin < end.replace(tzinfo=UTC)

    def _renew(self) -> None:
        from google.auth.exceptions import GoogleAuthError

        try:
            if self._credentials is None:
                self._credentials = self._find()
            self._refresh(self._credentials)
        except (GoogleAuthError, OSError, ValueError) as error:
            if self._lasts(timedelta()):
                # The old one still serves; the next request tries again.
                return
            # The text may name accounts and files: only its kind is told.
            name = type(error).__name__
            raise UpstreamFault(
                Fault.BROKEN, f"there is no access token of Google Cloud: {name}"
            ) from error
