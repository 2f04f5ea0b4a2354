"""A request and AWS credentials, to a Signature Version 4 (wire reference B.5).

botocore finds the credentials as every AWS tool does and computes the signature. Finding and
renewing them may ask a server or run a program, so both happen off the event loop.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, final
from urllib.parse import urlsplit

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.providers.address import Address, UnresolvedProvider
from lynkrc_runtime.upstream import UpstreamFault, UpstreamRequest

SERVICE = "bedrock"

_REGION_IN_HOST = re.compile(r"^bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")


def aws_signer(address: Address) -> "AwsSigner":
    """The signer of a provider. Raises UnresolvedProvider where no region is known."""
    found = _REGION_IN_HOST.match(urlsplit(address.base).hostname or "")
    region = address.region or (found[1] if found else "")
    if not region:
        raise UnresolvedProvider(
            f"provider {address.provider}: a signature names a region: write `region`"
        )
    return AwsSigner(region, find_credentials)


def find_credentials() -> Any:
    """What botocore's default chain finds: environment, files, SSO, the machine's role; or None.

    May block.
    """
    from botocore.session import Session

    return Session().get_credentials()


@final
class AwsSigner:
    """Signs requests for one region."""

    __slots__ = ("_credentials", "_find", "_lock", "_region")

    def __init__(self, region: str, find: Callable[[], Any]) -> None:
        """`find` gives botocore's credentials, or None; it is asked once."""
        self._region = region
        self._find = find
        self._credentials: Any = None
        self._lock = asyncio.Lock()

    async def headers(self, request: UpstreamRequest) -> Mapping[str, str]:
        """See `Signer.headers`."""
        async with self._lock:
            # One at a time: what one request renews serves the others.
            frozen = await asyncio.to_thread(self._frozen)
        if frozen is None:
            raise UpstreamFault(
                Fault.BROKEN, "there are no AWS credentials: neither an api_key nor a login"
            )
        return signature(request, frozen, self._region)

    def _frozen(self) -> Any:
        """The credentials as they are now, renewed where they were about to expire."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if self._credentials is None:
                self._credentials = self._find()
            return self._credentials and self._credentials.get_frozen_credentials()
        except (BotoCoreError, ClientError, OSError, ValueError, RuntimeError) as error:
            # ClientError is what STS refuses a role by; the others come of a program or a file that
            # holds no credentials, and of credentials that had expired before they came.
            # The text may name accounts and files: only its kind is told.
            name = type(error).__name__
            raise UpstreamFault(Fault.BROKEN, f"AWS credentials failed: {name}") from error


def signature(request: UpstreamRequest, credentials: Any, region: str) -> dict[str, str]:
    """Headers that sign address, body, content type and every ``x-amz-`` header of a request."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    signed = {
        name: value
        for name, value in request.headers.items()
        if name == "content-type" or name.startswith("x-amz-")
    }
    unsigned = AWSRequest(method="POST", url=request.url, data=request.body, headers=signed)
    SigV4Auth(credentials, SERVICE, region).add_auth(unsigned)
    return {
        name.lower(): str(value)
        for name, value in unsigned.headers.items()
        if name.lower() not in signed
    }
