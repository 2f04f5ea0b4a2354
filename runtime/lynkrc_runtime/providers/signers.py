"""A provider without a key, to who gives its requests credentials. Tables only: nothing is asked
for before the first request.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from lynkrc_runtime.dispatch import Provider
from lynkrc_runtime.providers.address import Address, UnresolvedProvider
from lynkrc_runtime.providers.extras import missing_extra
from lynkrc_runtime.providers.signing_aws import aws_signer
from lynkrc_runtime.providers.signing_gcp import gcp_signer
from lynkrc_runtime.providers.table import KINDS
from lynkrc_runtime.upstream import Signer

_SIGNERS: Mapping[str, Callable[[Address], Signer]] = MappingProxyType(
    {"aws": aws_signer, "gcp": gcp_signer}
)
"""By `ProviderKind.signer`, which is also the extra each needs."""


def signer_of(provider: Provider, address: Address) -> Signer | None:
    """The provider's signer; None where its headers hold credentials, or none are needed.

    Raises UnresolvedProvider where something it needs is not installed or not written.
    """
    if not address.signs:
        return None
    name = KINDS[provider.kind].signer
    reason = missing_extra(name)
    if reason is not None:
        raise UnresolvedProvider(f"provider {provider.name}: without an api_key {reason}")
    return _SIGNERS[name](address)
