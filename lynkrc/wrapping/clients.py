"""A client's name and a gateway's address to the command and the environment that use it.

A client is given what leads it to the gateway, and loses what would lead it elsewhere or send there
what is not the gateway's. All other variables stay as they are: the commands an agent runs may need
them. The gateway itself has the whole environment: the providers' credentials are looked up there.

>>> told = wrapped(CLIENTS["claude"], "http://127.0.0.1:8081", "local", {"ANTHROPIC_API_KEY": "k"})
>>> told.environ["ANTHROPIC_BASE_URL"], "ANTHROPIC_API_KEY" in told.environ, told.withheld
('http://127.0.0.1:8081', False, ('ANTHROPIC_API_KEY',))
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias, final

OPEN_KEY = "local"
"""What is shown to a gateway without keys, which takes any."""
KEY_NAME = "LYNKRC_KEY"
"""The variable of the caller's key of the gateway, and the one Codex is told to read."""
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_LOOPBACK = "127.0.0.1,localhost,::1"

Lead: TypeAlias = Callable[[str, str], tuple[tuple[str, ...], Mapping[str, str]]]
"""The gateway's address and key to the first arguments and the variables that lead to it."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program we know how to lead: what it is called, and how it is had.

    `withheld` are the variables it would go by instead, to other addresses or with other keys.
    """

    program: str
    install: str
    lead: Lead
    withheld: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """What to run: `arguments` come before the caller's; `withheld` was there and is not passed."""

    arguments: tuple[str, ...]
    environ: Mapping[str, str]
    withheld: tuple[str, ...]


def _claude(url: str, key: str) -> tuple[tuple[str, ...], Mapping[str, str]]:
    return (), {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_AUTH_TOKEN": key}


def _codex(url: str, key: str) -> tuple[tuple[str, ...], Mapping[str, str]]:
    # Each value is TOML.
    provider = (
        f'{{name = "lynkrc", base_url = "{url}/v1", env_key = "{KEY_NAME}", '
        'wire_api = "responses"}'
    )
    settings = (
        'model="auto"',
        'model_provider="lynkrc"',
        f"model_providers.lynkrc={provider}",
    )
    return tuple(word for one in settings for word in ("-c", one)), {KEY_NAME: key}


def _aider(url: str, key: str) -> tuple[tuple[str, ...], Mapping[str, str]]:
    # A variable is overruled by an `.env` of the folder, an argument is not.
    arguments = ("--openai-api-base", f"{url}/v1", "--model", "openai/auto")
    return arguments, {
        "OPENAI_API_BASE": f"{url}/v1",
        "OPENAI_API_KEY": key,
        # For who chooses a model of Anthropic's: it stays here too.
        "ANTHROPIC_API_BASE": url,
        "ANTHROPIC_API_KEY": key,
    }


CLIENTS: Mapping[str, Client] = MappingProxyType(
    {
        "claude": Client(
            program="claude",
            install="npm install -g @anthropic-ai/claude-code",
            lead=_claude,
            withheld=(
                "ANTHROPIC_API_KEY",
                "ANTHROPIC_UNIX_SOCKET",
                "CLAUDE_CODE_OAUTH_TOKEN",
                "CLAUDE_CODE_USE_BEDROCK",
                "CLAUDE_CODE_USE_FOUNDRY",
                "CLAUDE_CODE_USE_VERTEX",
            ),
        ),
        "codex": Client(program="codex", install="npm install -g @openai/codex", lead=_codex),
        "aider": Client(program="aider", install="python -m pip install aider-chat", lead=_aider),
    }
)
"""Every client by the name it is wrapped by."""


def wrapped(client: Client, url: str, key: str, environ: Mapping[str, str]) -> Wrapped:
    """How to run a client in front of the gateway at `url` (without a path)."""
    arguments, leads = client.lead(url, key)
    given = {name: value for name, value in environ.items() if name not in client.withheld}
    replaced = [name for name in leads if environ.get(name, leads[name]) != leads[name]]
    given |= leads
    if any(given.get(name) or given.get(name.upper()) for name in _PROXIES):
        # The gateway is on this machine, and a proxy is not to hear of it.
        for name in ("no_proxy", "NO_PROXY"):
            given[name] = ",".join(filter(None, (given.get(name), _LOOPBACK)))
    gone = [name for name in client.withheld if environ.get(name)]
    secrets = [name for name in replaced if name != KEY_NAME]
    return Wrapped(arguments=arguments, environ=given, withheld=tuple(sorted((*gone, *secrets))))
