"""A client's own credential to the one provider that is called with it (`credentials: caller`).

In one request it goes to one provider: the first on its way that is called so. What is one of this
gateway's virtual keys goes to nobody; a client that shows its key in ``x-lynkr-key`` has the usual
header free for its own credential. Design: "Security".
"""

from collections.abc import Mapping, Sequence
from typing import final

from msgspec.structs import replace

from lynkrc_runtime.access.keyring import KeyRing
from lynkrc_runtime.attempt import Attempts
from lynkrc_runtime.protocol.conversation import Failure, FailureClass
from lynkrc_runtime.providers.table import KINDS
from lynkrc_runtime.server.routes import Route

ELSEWHERE = Failure(
    kind=FailureClass.TRANSIENT,
    status=0,
    message="your credential went to another provider, and goes to one only",
)
"""Why a provider is passed over that would be called with a credential another has seen."""

_BEARER = "bearer "
_AUTHORIZATION = "authorization"
_BARE = ("x-api-key", "api-key", "x-goog-api-key")


@final
class NoCredential(Exception):
    """The client shows no credential that could be passed on; the message names the header."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(kind=FailureClass.CALLERS, status=401, message=message)


def provider_headers(route: Route, client: Mapping[str, str], keys: KeyRing) -> Mapping[str, str]:
    """The provider's configured headers, with the client's credential where it is lent.

    `client` are the client's, by lower-case name. Raises NoCredential.
    """
    if not route.lent:
        return route.address.headers
    return {**route.address.headers, **_credential(route, client, keys)}


def is_elsewhere(route: Route, attempts: Attempts, routes: Sequence[Route]) -> bool:
    """Whether another provider was to be called with the credential before this one."""
    return route.lent and any(
        routes[record.target].lent and routes[record.target].provider != route.provider
        for record in attempts.records
    )


def blamed(route: Route, failure: Failure) -> Failure:
    """The failure as the client's own, where the provider refused the client's credential."""
    if route.lent and failure.kind is FailureClass.OURS and failure.status in (401, 403):
        return replace(failure, kind=FailureClass.CALLERS)
    return failure


def _credential(route: Route, client: Mapping[str, str], keys: KeyRing) -> dict[str, str]:
    """In the header and the form the provider's kind takes."""
    kind = KINDS[route.provider.kind]
    token = _own(client, _AUTHORIZATION, keys)
    bare = dict.fromkeys((*kind.auth_headers, *_BARE))
    bare.pop(_AUTHORIZATION, None)
    found = next((text for name in bare if (text := _own(client, name, keys))), None)
    if kind.auth_prefix:
        secret = token or found
    elif found is None and token is not None and kind.auth_headers == ("x-api-key",):
        # Anthropic takes the tokens of a login there.
        return {_AUTHORIZATION: f"Bearer {token}"}
    else:
        secret = found or token
    if secret is None:
        name = kind.auth_headers[0]
        also = ", and the key of this gateway in x-lynkr-key" if len(keys) else ""
        raise NoCredential(
            f"target {route.target.name} is called with your own credential: send it in the header "
            f"{name}{also}"
        )
    return dict.fromkeys(kind.auth_headers, kind.auth_prefix + secret)


def _own(client: Mapping[str, str], name: str, keys: KeyRing) -> str | None:
    """The secret in a header, without its scheme; None where it is none, or a key of ours."""
    text = client.get(name, "")
    if name == _AUTHORIZATION:
        text = text[len(_BEARER) :] if text[: len(_BEARER)].lower() == _BEARER else ""
    text = text.strip()
    if not text or not (text.isascii() and text.isprintable()):
        return None
    return None if keys.caller_of({"x-lynkr-key": text}) else text
