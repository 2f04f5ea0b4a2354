"""LiteLLM's settings that are not read one by one: where each went, or why it is not carried over.

A row names paths, of which `*` is any one key or the rest; the closest row holds. Read from the
proxy's documentation (docs.litellm.ai/docs/proxy/configs, /config_settings, /reliability and
/docs/router/api_reference/configuration).
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LiteRow:
    """Paths with the reason they are not carried over."""

    paths: tuple[str, ...]
    why: str


ROWS: tuple[LiteRow, ...] = (
    LiteRow(
        paths=("litellm_params.rpm", "litellm_params.tpm", "rpm", "tpm"),
        why="`limits` count what clients send, not what a deployment gets",
    ),
    LiteRow(
        paths=(
            "litellm_params.max_parallel_requests",
            "router_settings.default_max_parallel_requests",
            "litellm_settings.max_parallel_requests",
            "general_settings.max_parallel_requests",
            "general_settings.global_max_parallel_requests",
        ),
        why="write `concurrency` of the provider: it counts all calls of the provider",
    ),
    LiteRow(
        paths=("litellm_params.order",),
        why="write the targets of the chain in that order",
    ),
    LiteRow(
        paths=(
            "litellm_params.timeout",
            "litellm_params.stream_timeout",
            "litellm_params.num_retries",
            "litellm_params.max_retries",
            "router_settings.stream_timeout",
            "router_settings.timeout",
            "router_settings.num_retries",
            "litellm_settings.num_retries",
            "litellm_settings.request_timeout",
        ),
        why="not taken over: write `timeouts` and `retry` of the provider, or of `resilience`",
    ),
    LiteRow(
        paths=(
            "litellm_params.temperature",
            "litellm_params.max_tokens",
            "litellm_params.top_p",
            "litellm_params.seed",
            "litellm_params.stop",
            "litellm_params.reasoning_effort",
            "litellm_params.thinking",
            "litellm_params.drop_params",
            "litellm_params.additional_drop_params",
            "litellm_params.extra_body",
            "litellm_settings.drop_params",
            "litellm_settings.modify_params",
            "litellm_settings.default_in_memory_ttl",
            "router_settings.default_litellm_params",
        ),
        why="what a request asks for is its client's; the gateway adds nothing and drops only what "
        "the model refuses",
    ),
    LiteRow(
        paths=("litellm_params.api_version", "litellm_settings.api_version"),
        why="Azure's v1 API, which the spec names, has no versions",
    ),
    LiteRow(
        paths=("litellm_params.organization", "litellm_params.extra_headers"),
        why="write it as `headers` of the provider",
    ),
    LiteRow(
        paths=("litellm_params.aws_*",),
        why="Bedrock is called with an API key of its own: set it in the environment",
    ),
    LiteRow(
        paths=("litellm_params.vertex_*",),
        why="Vertex is called with an access token: set it in the environment",
    ),
    LiteRow(
        paths=("litellm_params.*",),
        why="no setting of a target or a provider",
    ),
    LiteRow(
        paths=("model_info.*",),
        why="the gateway has no use for it",
    ),
    LiteRow(
        paths=(
            "router_settings.routing_strategy",
            "router_settings.routing_strategy_args",
            "router_settings.enable_pre_call_checks",
            "router_settings.optional_pre_call_checks",
            "router_settings.routing_groups",
        ),
        why="targets are tried in the order they are written, or by `pick`",
    ),
    LiteRow(
        paths=(
            "router_settings.allowed_fails",
            "router_settings.allowed_fails_policy",
            "router_settings.cooldown_time",
            "router_settings.disable_cooldowns",
            "litellm_settings.allowed_fails",
            "litellm_settings.cooldown_time",
        ),
        why="write `resilience.breaker`: when a target that fails is left alone, and how long",
    ),
    LiteRow(
        paths=(
            "router_settings.retry_policy",
            "router_settings.model_group_retry_policy",
            "router_settings.retry_after",
            "router_settings.max_fallbacks",
            "litellm_settings.content_policy_fallbacks",
            "router_settings.content_policy_fallbacks",
        ),
        why="what is tried again, and when, is the gateway's own rule",
    ),
    LiteRow(
        paths=("router_settings.redis_*", "router_settings.cache_*", "router_settings.client_ttl"),
        why="write `state: {store: redis, url: ...}` to share with others of its kind",
    ),
    LiteRow(
        paths=("litellm_settings.cache", "litellm_settings.cache_*", "router_settings.cache"),
        why="write `cache.exact` with a `ttl`; where it is kept, `state` says",
    ),
    LiteRow(
        paths=(
            "litellm_settings.callbacks",
            "litellm_settings.*_callback",
            "litellm_settings.*callback*",
            "litellm_settings.json_logs",
            "litellm_settings.set_verbose",
            "litellm_settings.turn_off_message_logging",
            "litellm_settings.redact_*",
            "litellm_settings.langfuse_*",
            "router_settings.set_verbose",
            "router_settings.debug_level",
            "general_settings.alerting*",
            "general_settings.alert*",
        ),
        why="the gateway has metrics, log lines and usage records without texts: `observability`",
    ),
    LiteRow(
        paths=("litellm_settings.max_budget", "litellm_settings.budget_*", "*_budget*"),
        why="write `budgets` with `usd` and a `period` of a day, a week or a month",
    ),
    LiteRow(
        paths=(
            "general_settings.master_key",
            "general_settings.*key*",
            "general_settings.*auth*",
            "general_settings.*role*",
            "general_settings.*jwt*",
            "general_settings.allowed_routes",
            "general_settings.public_routes",
        ),
        why="keys are made anew: `lynkrc keys create` makes one for each, to stand under `keys`",
    ),
    LiteRow(
        paths=("general_settings.*database*", "general_settings.store_*", "general_settings.*db*"),
        why="the gateway has no database of keys and spend: `keys` and `state` hold them",
    ),
    LiteRow(
        paths=("environment_variables.*",),
        why="set it in the environment the gateway is started in",
    ),
    LiteRow(
        paths=("include", "include.*"),
        why="one file is taken over; put the models of the others in it first",
    ),
    LiteRow(paths=("guardrails", "guardrails.*"), why="the gateway does not look into answers"),
    LiteRow(paths=("mcp_servers", "mcp_servers.*"), why="write them under `mcp.servers`"),
)


def reason_of(path: str) -> str:
    """Why a setting is not carried over.

    >>> reason_of("router_settings.redis_host")
    'write `state: {store: redis, url: ...}` to share with others of its kind'
    """
    fitting = [
        (len(pattern.replace("*", "")), row.why)
        for row in ROWS
        for pattern in row.paths
        if fnmatchcase(path, pattern)
    ]
    return max(fitting)[1] if fitting else "no setting that lynkrc knows, or knows a place for"
