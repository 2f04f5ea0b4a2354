"""This machine to what `lynkrc init` goes by: names of variables, and an Ollama that answers."""

import json
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from lynkrc.migrate.address import trust_at
from lynkrc.migrate.detected import Environment, Ollama, OllamaModel

_DEFAULT = "http://localhost:11434"
_SECONDS = 1.0
"""How long an Ollama may take to answer; one on this machine takes milliseconds."""
_ASKED = 8
"""How many models are asked for what they can do."""
_MOST_BYTES = 4_000_000


_Answer = TypeVar("_Answer", bound=msgspec.Struct)


class _Tag(msgspec.Struct):
    name: str


class _Tags(msgspec.Struct):
    models: list[_Tag] = []


class _Show(msgspec.Struct):
    capabilities: list[str] | None = None
    model_info: dict[str, object] = {}


def detect(environ: Mapping[str, str]) -> Environment:
    """What there is. Asks Ollama over HTTP: at OLLAMA_ENDPOINT, OLLAMA_HOST or its usual place."""
    names = frozenset(name for name, value in environ.items() if value)
    return Environment(variables=names, ollama=_ollama(environ))


def _ollama(environ: Mapping[str, str]) -> Ollama | None:
    address, written = _address(environ)
    if address is None:
        return None
    tags = _ask(f"{address}/api/tags", None, _Tags)
    if tags is None:
        return None
    models = []
    for at, tag in enumerate(tags.models):
        show = _ask(f"{address}/api/show", {"model": tag.name}, _Show) if at < _ASKED else None
        models.append(_model(tag.name, show))
    host = urlsplit(address).hostname or ""
    return Ollama(base_url=written, trust=trust_at("local", host), models=tuple(models))


def _address(environ: Mapping[str, str]) -> tuple[str | None, str]:
    """Where to ask, None for what is no address; and how a spec writes it."""
    endpoint = environ.get("OLLAMA_ENDPOINT")
    if endpoint:
        plain = _plain(endpoint, complete=False)
        return plain, f"${{OLLAMA_ENDPOINT:-{_DEFAULT}}}"
    host = environ.get("OLLAMA_HOST")
    if not host:
        return _DEFAULT, f"${{OLLAMA_ENDPOINT:-{_DEFAULT}}}"
    plain = _plain(host if "://" in host else f"http://{host}", complete="://" not in host)
    return plain, plain or ""


def _plain(text: str, *, complete: bool) -> str | None:
    """An address without its path, `complete` with Ollama's port; None for what is none."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        return None
    # A server's "every address" is no place to call.
    host = "localhost" if parts.hostname in ("0.0.0.0", "::") else parts.hostname
    host = f"[{host}]" if ":" in host else host
    port = port or (11434 if complete else None)
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _ask(url: str, body: dict[str, str] | None, shape: type[_Answer]) -> _Answer | None:
    """What a server answers, None where nothing that fits comes in time."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    # Without the proxies of the environment: a proxy would answer in Ollama's place.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_SECONDS) as response:
            return msgspec.json.decode(response.read(_MOST_BYTES), type=shape)
    except (OSError, ValueError, HTTPException, msgspec.MsgspecError):
        return None


def _model(name: str, show: _Show | None) -> OllamaModel:
    if show is None:
        return OllamaModel(name=name, context=None, capabilities=None)
    windows = (value for key, value in show.model_info.items() if key.endswith(".context_length"))
    window = next((value for value in windows if isinstance(value, int) and value > 0), None)
    capabilities = None if show.capabilities is None else tuple(show.capabilities)
    return OllamaModel(name=name, context=window, capabilities=capabilities)
