"""Provider kinds as rows of facts: dialect, address, credentials. No kind has code of its own.

Sources: wire reference B.1, B.2, B.10 (addresses, auth headers, paths).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import final


class Credentials(Enum):
    """Whether a provider of the kind needs `api_key`."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderKind:
    """One kind.

    `base_url` None must be written in the spec. The upstream address is the base URL and the
    dialect's path below it: `path`. `auth_header`/`auth_prefix` carry the key. `region`: its
    address holds one.
    """

    name: str
    dialect: str
    base_url: str | None
    path: str
    credentials: Credentials
    auth_header: str
    auth_prefix: str
    region: bool = False


_MESSAGES = "anthropic-messages"
_CHAT = "openai-chat"

KINDS: Mapping[str, ProviderKind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            ProviderKind(
                name="anthropic",
                dialect=_MESSAGES,
                base_url="https://api.anthropic.com",
                path="/v1/messages",
                credentials=Credentials.REQUIRED,
                auth_header="x-api-key",
                auth_prefix="",
            ),
            ProviderKind(
                name="anthropic-compatible",
                dialect=_MESSAGES,
                base_url=None,
                path="/v1/messages",
                credentials=Credentials.OPTIONAL,
                auth_header="x-api-key",
                auth_prefix="",
            ),
            ProviderKind(
                name="openai",
                dialect=_CHAT,
                base_url="https://api.openai.com/v1",
                path="/chat/completions",
                credentials=Credentials.REQUIRED,
                auth_header="authorization",
                auth_prefix="Bearer ",
            ),
            ProviderKind(
                name="openai-compatible",
                dialect=_CHAT,
                base_url=None,
                path="/chat/completions",
                credentials=Credentials.OPTIONAL,
                auth_header="authorization",
                auth_prefix="Bearer ",
            ),
            ProviderKind(
                name="ollama",
                dialect=_CHAT,
                base_url="http://localhost:11434",
                path="/v1/chat/completions",
                credentials=Credentials.OPTIONAL,
                auth_header="authorization",
                auth_prefix="Bearer ",
            ),
            ProviderKind(
                name="simulator",
                dialect=_MESSAGES,
                base_url="http://simulator.invalid",
                path="/v1/messages",
                credentials=Credentials.NONE,
                auth_header="x-api-key",
                auth_prefix="",
            ),
        )
    }
)
"""Every kind by name."""
