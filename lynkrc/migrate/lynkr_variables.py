"""Every variable of Lynkr that is no provider's: what becomes of it, in one table.

A row names variables; a trailing ``*`` matches any rest, an exact name comes before a longer
beginning, that before a shorter one. The variables of providers are in `lynkr_providers`, those
that become settings in `lynkr_settings`.
"""

from dataclasses import dataclass
from enum import Enum
from typing import final

from lynkrc.migrate.account import Fate


class Special(Enum):
    """Variables that are read and answered for one by one (`lynkr_env`)."""

    TIER = "tier"
    PROVIDER = "provider"
    FALLBACK = "fallback"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Variables of one fate. `text` is where they went, or why they are not carried over."""

    names: tuple[str, ...]
    fate: Fate
    text: str


def _left(text: str, *names: str) -> Row:
    return Row(names=names, fate=Fate.LEFT, text=text)


def _dead(text: str, *names: str) -> Row:
    return Row(names=names, fate=Fate.WITHOUT_EFFECT, text=text)


SPECIAL: dict[str, Special] = {
    "TIER_SIMPLE": Special.TIER,
    "TIER_MEDIUM": Special.TIER,
    "TIER_COMPLEX": Special.TIER,
    "TIER_REASONING": Special.TIER,
    "MODEL_PROVIDER": Special.PROVIDER,
    "FALLBACK_ENABLED": Special.FALLBACK,
    "FALLBACK_PROVIDER": Special.FALLBACK,
}

ROWS: tuple[Row, ...] = (
    # -- core ---------------------------------------------------------------------------------
    _left("nothing here depends on it", "NODE_ENV"),
    _left("the gateway touches no workspace", "WORKSPACE_ROOT"),
    _left("write `state: {store: sqlite, path: FILE}` to keep sessions", "SESSION_DB_PATH"),
    _left(
        "a model is named by a target; give suggestions a rule of their own",
        "SUGGESTION_MODE_MODEL",
    ),
    _left("answers name the model in their headers, not in their body", "OPENCLAW_MODE"),
    # -- routing ------------------------------------------------------------------------------
    _left(
        "client tools are passed on as they are; score them with `tools.*` features",
        "SMART_TOOL_SELECTION_MODE",
        "SMART_TOOL_SELECTION_TOKEN_BUDGET",
        "SMART_TOOL_SELECTION_*",
    ),
    _dead(
        "read by Lynkr and never used",
        "OLLAMA_MAX_TOOLS_FOR_ROUTING",
        "OPENROUTER_MAX_TOOLS_FOR_ROUTING",
        "OLLAMA_TIMEOUT_MS",
        "LLAMACPP_TIMEOUT_MS",
        "LMSTUDIO_TIMEOUT_MS",
        "LOAD_SHEDDING_HEAP_THRESHOLD",
        "SECURITY_*",
    ),
    _dead("Lynkr has no such variable, though its README says so", "LOAD_SHEDDING_ENABLED"),
    _left(
        "floors are rules of builtin/lynkr: define `autonomous`, `iterative` and `tool-chain` anew",
        "AGENTIC_DISABLE_FLOOR",
    ),
    _left(
        "the score is a sum of dimensions, without embeddings or a classifier",
        "LYNKR_INTENT_SCORE_MODE",
        "LYNKR_INTENT_WINDOW_N",
        "LYNKR_INTENT_DECAY",
        "LYNKR_INTENT_*",
    ),
    _left("`sessions.break_even` weighs a change of target", "LYNKR_SWITCH_MAX_PROMPT_TOKENS"),
    _left("the gateway tells sessions apart by rules of its own", "LYNKR_SESSION_FINGERPRINT"),
    _left("write a group of targets with `pick: cheapest` in a chain", "LYNKR_COST_OPTIMIZE"),
    _left(
        "an answer is not judged and asked for again",
        "LYNKR_CASCADE_ENABLED",
        "LYNKR_CASCADE_VERIFY",
    ),
    _left(
        "the policy does not change by itself while it is served",
        "LYNKR_KNN_*",
        "LYNKR_SHADOW_POLICY",
        "LYNKR_REGRET_ESTIMATOR",
    ),
    _left("the decision is in the answer's headers, never in its text", "LYNKR_VISIBLE_ROUTING"),
    _left("the gateway reads no code base", "CODE_GRAPH_*"),
    _left("write it as `price` of the targets it is about", "MODEL_PRICE_OVERRIDES"),
    _left("the gateway runs no commands", "LYNKR_PREFLIGHT_*"),
    # -- streams ------------------------------------------------------------------------------
    _left(
        "streams are always passed on event by event",
        "LYNKR_NATIVE_PASSTHROUGH",
        "LYNKR_STREAM_TRANSFORM",
        "LYNKR_STREAM_TRANSFORM_PROVIDERS",
        "LYNKR_OLLAMA_BUFFER_RESPONSES",
    ),
    _left("`max_tokens` is the client's to choose", "LYNKR_OLLAMA_MIN_MAX_TOKENS"),
    _left(
        "a client's own key goes to a provider that says `credentials: caller`",
        "LYNKR_OAUTH_PASSTHROUGH_URL",
    ),
    _left(
        "requests and answers are not rewritten",
        "LYNKR_OAUTH_MEMORY_INJECTION",
        "MARKDOWN_RENDER_ANSI",
        "SYSTEM_PROMPT_MODE",
        "TOOL_DESCRIPTIONS",
        "CAVEMAN_*",
        "LYNKR_CAVEMAN_SAFE_PROVIDERS",
        "INJECT_TOOLS_*",
        "TOON_*",
        "GCF_*",
        "TOKEN_BUDGET_*",
        "HEADROOM_*",
    ),
    _left(
        "write `optimize.history` with the number of tokens beyond which it begins",
        "HISTORY_COMPRESSION_*",
    ),
    _left("large requests take no other path", "LARGE_PAYLOAD_*"),
    # -- guards -------------------------------------------------------------------------------
    _left(
        "there is no limit on turns; floor or deny by `loop.*` features",
        "LYNKR_MAX_SESSION_TURNS",
        "LYNKR_MAX_TOOL_TURNS",
        "LYNKR_MAX_LOOP_MESSAGES",
        "POLICY_MAX_STEPS",
        "POLICY_MAX_TOOL_CALLS",
        "POLICY_TOOL_LOOP_THRESHOLD",
    ),
    _dead("Lynkr's budgets never record what is spent", "LYNKR_BUDGET_ENFORCER"),
    # -- caches, memory -----------------------------------------------------------------------
    _left(
        "Lynkr's gives answers to other questions; write `cache.semantic` with an embedding target",
        "SEMANTIC_CACHE_*",
    ),
    _left(
        "write a target that embeds, and name it in `embeddings`",
        "EMBEDDINGS_PROVIDER",
        "OPENROUTER_EMBEDDINGS_MODEL",
        "OLLAMA_EMBEDDINGS_*",
        "LLAMACPP_EMBEDDINGS_*",
        "OPENAI_EMBEDDINGS_*",
    ),
    _left(
        "Lynkr's memory mixes everybody's sessions; write `memory` with the scope that shares one",
        "MEMORY_*",
        "TENCENTDB_MEMORY_*",
    ),
    # -- what Lynkr once ran itself -----------------------------------------------------------
    _dead(
        "Lynkr runs no tools itself since 9.10",
        "MCP_*",
        "POLICY_GIT_*",
        "POLICY_FILE_*",
        "POLICY_SAFE_COMMANDS_*",
        "WORKSPACE_TEST_*",
        "WEB_SEARCH_*",
        "TINYFISH_*",
        "AGENTS_ENABLED",
    ),
    # -- the process --------------------------------------------------------------------------
    _left("start the gateway with `--workers N`", "CLUSTER_*"),
    _left("nothing is handed to worker threads", "WORKER_POOL_*"),
    _left("a bundle is loaded when it is whole", "HOT_RELOAD_DEBOUNCE_MS"),
    _left("write `observability.log` with a `file`, and `rotate`", "LOG_FILE_*"),
    _left("prompts and answers are not logged", "LLM_AUDIT_*", "OVERSIZED_ERROR_*"),
    _left("the gateway stores no files", "FILES_*"),
    _left("timings are in the metrics", "PERF_TIMER"),
    _left("write `observability.usage` with a `file` of usage records", "LYNKR_TELEMETRY_DB"),
)
"""Read from Lynkr 9.14.1."""

_UNKNOWN = Row(names=(), fate=Fate.LEFT, text="no variable of Lynkr 9.14 that lynkrc knows")


def row_of(name: str) -> Row:
    """The row that fits a variable best.

    >>> row_of("FILES_MAX_COUNT").text, row_of("LOAD_SHEDDING_HEAP_THRESHOLD").text
    ('the gateway stores no files', 'read by Lynkr and never used')
    """
    fitting = [
        (not pattern.endswith("*"), len(pattern), row)
        for row in ROWS
        for pattern in row.names
        if (name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern)
    ]
    return max(fitting, key=lambda one: one[:2])[2] if fitting else _UNKNOWN
