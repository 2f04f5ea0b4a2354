"""The shape of a spec's settings: how requests are served, never where they go.

`lynkrc.sema.settings` makes them of the sections of ``routing.yaml``, ``dispatch.json`` carries
them, the runtime reads them strictly. Times are seconds, sizes bytes, amounts USD as decimal text.
Names of targets, tiers and keys are those of the same spec. A member that is None was not
written and leaves the choice to the runtime, whose defaults are told beside each; a section that
is None means off, except where its members say otherwise.

What of all this the running version serves is told in `lynkrc_runtime.served`.
"""

from typing import Literal, TypeAlias, final

import msgspec

Owner: TypeAlias = Literal["everyone", "key", "team", "tenant"]
"""For whom something is counted or kept apart."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every part of the settings has in common; nothing is made of this itself."""


# -- resilience ------------------------------------------------------------------------------


@final
class Timeouts(_Section, frozen=True):
    """Limits on time (design: "Attempts", Time)."""

    connect: float | None = None  # 5
    first_event: float | None = None  # 120; 600 for trust level `local`
    idle: float | None = None  # 120
    total: float | None = None  # 600
    max_stream: float | None = None  # 3600
    commit_after: float | None = None  # 45


@final
class Retry(_Section, frozen=True):
    """Retries of one target: the wait before retry n is random in 0..min(max, first * 2**n)."""

    times: int | None = None  # 2
    backoff: float | None = None  # 0.5
    max_backoff: float | None = None  # 8


@final
class RetryBudget(_Section, frozen=True):
    """Retries of a target stay under `share` percent of its requests, or `at_least` a second."""

    share: int | None = None  # 20
    at_least: float | None = None  # 3


@final
class Breaker(_Section, frozen=True):
    """`failures` inside `within` open it; after `open_for` one probe; `successes` close it."""

    failures: int | None = None  # 5
    within: float | None = None  # 30
    open_for: float | None = None  # 30
    successes: int | None = None  # 2


@final
class Resilience(_Section, frozen=True):
    """What holds for every provider that does not say otherwise."""

    timeouts: Timeouts = Timeouts()
    retry: Retry = Retry()
    retry_budget: RetryBudget = RetryBudget()
    breaker: Breaker = Breaker()
    keep_alive: float | None = None  # 15


@final
class Concurrency(_Section, frozen=True):
    """Most calls at once, most that wait, and how long they wait."""

    limit: int
    queue: int | None = None  # 0
    wait: float | None = None  # 10


# -- state and sessions ----------------------------------------------------------------------


@final
class Sessions(_Section, frozen=True):
    """How long a target is kept (design: "State enters only as features and as order")."""

    within: Literal["turn", "session", "off"] = "turn"
    ttl: float | None = None  # 21600
    drift_margin: int | None = None  # 15 points above the tier's bound
    break_even: bool | None = None  # true


@final
class State(_Section, frozen=True):
    """Where counts and pins are kept. `url` is Redis's, `path` SQLite's; both may be references."""

    store: Literal["memory", "sqlite", "redis"] = "memory"
    url: str | None = None
    path: str | None = None
    on_failure: Literal["open", "closed"] | None = None  # open


# -- the server ------------------------------------------------------------------------------


@final
class Shedding(_Section, frozen=True):
    """Above these a request is refused at once; `memory` in percent of what there is."""

    active: int | None = None  # 1000
    memory: int | None = None  # 85


@final
class Tls(_Section, frozen=True):
    """Files in PEM form; may be references."""

    cert: str
    key: str


@final
class Admin(_Section, frozen=True):
    """The listener for operations."""

    host: str | None = None  # 127.0.0.1
    port: int | None = None  # 8082
    token: str | None = None


@final
class Reload(_Section, frozen=True):
    """`watch`: the bundle's path is watched and a new bundle is loaded."""

    watch: bool = False


@final
class Server(_Section, frozen=True):
    """The gateway's own front. Command-line options come before what is written here."""

    host: str | None = None  # 127.0.0.1
    port: int | None = None  # 8081
    body_limit: int | None = None  # 32 MiB
    echo_requested_model: bool = False
    allowed_origins: list[str] = []
    shedding: Shedding = Shedding()
    admin: Admin = Admin()
    reload: Reload = Reload()
    tls: Tls | None = None


# -- keys, limits, budgets -------------------------------------------------------------------


@final
class Key(_Section, frozen=True):
    """A virtual key. `secret` is a reference, `sha256` the digest of the key in hex; one is given.

    Empty `tiers` and `targets` allow all.
    """

    secret: str | None = None
    sha256: str | None = None
    team: str | None = None
    tenant: str | None = None
    tiers: list[str] = []
    targets: list[str] = []
    debug: bool = False


@final
class Limit(_Section, frozen=True):
    """A rate: at most so many requests or tokens `within` a time, counted `per` owner.

    `only` names the keys, teams or tenants it is about; empty is all of them.
    """

    name: str
    per: Owner = "key"
    only: list[str] = []
    requests: int | None = None
    tokens: int | None = None
    within: float = 60.0


@final
class Budget(_Section, frozen=True):
    """Spend in a period. `hard` reserves the worst case. `alert_at` are percent.

    `targets` are what the spend is counted on, and what a spent budget skips; empty is all.
    """

    name: str
    usd: str
    period: Literal["day", "week", "month"] = "month"
    per: Owner = "everyone"
    only: list[str] = []
    targets: list[str] = []
    hard: bool = False
    alert_at: list[int] = []


# -- what is kept and changed ----------------------------------------------------------------


@final
class ExactCache(_Section, frozen=True):
    """Answers to equal requests."""

    ttl: float
    entries: int | None = None
    scope: Owner = "key"


@final
class SemanticCache(_Section, frozen=True):
    """Answers to alike requests: `embedder` is a target, `threshold` a cosine in percent."""

    embedder: str
    ttl: float
    threshold: int = 97
    entries: int | None = None
    scope: Owner = "key"


@final
class Cache(_Section, frozen=True):
    """Answers that are kept."""

    exact: ExactCache | None = None
    semantic: SemanticCache | None = None


@final
class ToolResults(_Section, frozen=True):
    """Tool results longer than `over` characters are shortened, in these tiers (empty: all)."""

    over: int
    tiers: list[str] = []


@final
class History(_Section, frozen=True):
    """Beyond `over` tokens, turns older than the last `keep` are shortened."""

    over: int
    keep: int = 10


@final
class Optimize(_Section, frozen=True):
    """Declared changes to requests that save tokens."""

    prompt_cache: Literal["auto", "off"] = "off"
    tool_results: ToolResults | None = None
    history: History | None = None


@final
class Memory(_Section, frozen=True):
    """Facts kept between sessions of one owner."""

    scope: Literal["session", "key", "team", "tenant"]
    ttl: float | None = None
    entries: int | None = None


@final
class McpServer(_Section, frozen=True):
    """A server of tools: reached at `url`, or started by `command`. Values may be references."""

    url: str | None = None
    headers: dict[str, str] = {}
    command: str | None = None
    args: list[str] = []
    env: dict[str, str] = {}


@final
class Mcp(_Section, frozen=True):
    """Tools the gateway offers beside the client's."""

    servers: dict[str, McpServer]


@final
class ResponsesStore(_Section, frozen=True):
    """Kept answers of the Responses API; `size` in bytes, `store` as in `State`."""

    ttl: float
    size: int | None = None
    store: Literal["memory", "sqlite", "redis"] | None = None


# -- observability ---------------------------------------------------------------------------


@final
class Rotate(_Section, frozen=True):
    """A file of `size` bytes is put aside as FILE.1, and begun anew; so many old ones are kept."""

    size: int
    keep: int | None = None  # 5


@final
class Log(_Section, frozen=True):
    """Log lines: which level, which fields (None: all), and the file (None: standard error)."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    fields: list[str] | None = None
    file: str | None = None
    rotate: Rotate | None = None


@final
class Usage(_Section, frozen=True):
    """Where the usage records go; a database is told by `store`, else by the name's end.

    `signals`: what a request tells of those before it in its session is recorded too.
    """

    file: str
    store: Literal["jsonl", "sqlite"] | None = None
    signals: bool = True
    rotate: Rotate | None = None


def is_database(file: str, store: str | None) -> bool:
    """Whether records go to a database.

    >>> is_database("usage.jsonl", None), is_database("usage.db", None)
    (False, True)
    """
    return store == "sqlite" if store else file.endswith((".db", ".sqlite"))


@final
class Metrics(_Section, frozen=True):
    """Labels beside those every metric has; their values come from the spec alone."""

    labels: list[Literal["tier", "target", "provider", "client", "team", "tenant"]] = []


@final
class Traces(_Section, frozen=True):
    """`sample` is percent of requests; `endpoint` receives OTLP and may be a reference."""

    sample: int = 0
    endpoint: str | None = None


@final
class Prompts(_Section, frozen=True):
    """What of a prompt may be stored."""

    store: Literal["nothing", "ask", "request"] = "nothing"
    ttl: float | None = None


@final
class Observability(_Section, frozen=True):
    """What is told about requests."""

    log: Log = Log()
    usage: Usage | None = None
    metrics: Metrics = Metrics()
    traces: Traces = Traces()
    prompts: Prompts = Prompts()


@final
class Settings(_Section, frozen=True):
    """All sections. `embeddings` maps requested names to targets, `keys` names to keys."""

    embeddings: dict[str, str] = {}
    sessions: Sessions = Sessions()
    state: State = State()
    server: Server = Server()
    resilience: Resilience = Resilience()
    limits: list[Limit] = []
    budgets: list[Budget] = []
    keys: dict[str, Key] = {}
    cache: Cache | None = None
    optimize: Optimize | None = None
    memory: Memory | None = None
    mcp: Mcp | None = None
    responses_store: ResponsesStore | None = None
    observability: Observability = Observability()
