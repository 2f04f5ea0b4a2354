"""What is known of a provider kind: the shape of the rows of `table.py`."""

from dataclasses import dataclass, field
from enum import Enum
from typing import final

from lynkrc_runtime.protocol.embeddings.takes import Takes
from lynkrc_runtime.protocol.shapes import ANYTHING, RequestShape

CREDENTIAL_HEADERS = frozenset(("authorization", "api-key", "x-api-key", "x-goog-api-key"))
"""Headers that stand in for `api_key` where a provider writes one of them itself."""


class Credentials(Enum):
    """Whether a provider of the kind needs `api_key`."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"
    FOUND = "found"
    """Without `api_key` it is called as the cloud's own tools are, with what they find here."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One dialect a kind is called in.

    `path` is below the base URL; ``{model}`` in it stands for the model, percent-encoded.
    `stream_path` is where streams are asked for, '' at the same place. `passes`: a client that
    speaks the dialect is served here, though it is not the kind's first endpoint. `models` are
    prefixes of the models this is the first endpoint of. `frame` names what is done to a written
    request before it is sent (`providers/frames.py`), '' nothing. `count_path` is where tokens are
    counted, where the dialect can (`TargetDialect.counting`). `replaces` are ends of a base URL
    that `path` stands in the place of, instead of below it; the first that fits.
    """

    dialect: str
    path: str
    stream_path: str = ""
    passes: bool = False
    models: tuple[str, ...] = ()
    frame: str = ""
    count_path: str = ""
    replaces: tuple[str, ...] = ()
    versioned_path: str = ""
    """Where it is instead for a provider with an `api_version`, which stands in it."""
    shape: RequestShape = ANYTHING
    """What all models called here refuse, where neither the model's shape nor the kind's says."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """Where a kind makes embeddings: paths as in `Endpoint`.

    `form` names how they are asked for (`protocol/embeddings`): openai, gemini or ollama.
    """

    path: str
    versioned_path: str = ""
    form: str = "openai"
    takes: Takes = field(default_factory=Takes)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderKind:
    """One kind.

    `base_url` None must be written in the spec; ``{region}`` in it stands for the provider's
    `region`, which only kinds with `needs_region` take. The first of `endpoints` is called where
    nothing else is said (`providers/ways.py`). The key goes into each of `auth_headers`, after
    `auth_prefix`. `shape` is what is legal for every model of the kind, where a model's own shape
    does not say.

    ``{project}`` in `base_url` stands for the provider's `project`; `hosts` are (region, host)
    where the host is another than the address says. Where nobody writes a project, the key alone
    is enough at `keyed_url`, in `keyed_header`. `signer` names who gives the credentials where no
    key is written (`providers/signers.py`), `extra` the extra of this package without which no
    provider of the kind can be called. `embedding` None: the kind makes none. `base_ends` is what
    people add to the base URL that no endpoint is below; it is taken off again.
    """

    name: str
    endpoints: tuple[Endpoint, ...]
    base_url: str | None
    credentials: Credentials
    auth_headers: tuple[str, ...]
    auth_prefix: str
    needs_region: bool
    shape: RequestShape
    needs_project: bool = False
    hosts: tuple[tuple[str, str], ...] = ()
    keyed_url: str = ""
    keyed_header: str = ""
    signer: str = ""
    extra: str = ""
    embedding: Embedding | None = None
    base_ends: str = ""

    @property
    def dialect(self) -> str:
        """The dialect of the first endpoint."""
        return self.endpoints[0].dialect

    @property
    def takes_api_version(self) -> bool:
        """Whether an address of it may hold the provider's `api_version`."""
        return any(endpoint.versioned_path for endpoint in self.endpoints)
