"""Members of a body that only the API they were made for acts on."""

from lynkrc_runtime.protocol.losses.model import (
    CHAT,
    EVERY,
    MESSAGES,
    OPENAI,
    RESPONSES,
    Clients,
    Feature,
    drops,
    feature,
    refuses,
)


def _rows(clients: Clients, *rows: tuple[str, str]) -> tuple[Feature, ...]:
    return tuple(feature(name, text, clients, others=drops(name)) for name, text in rows)


MEMBERS: tuple[Feature, ...] = (
    *_rows(
        MESSAGES,
        ("container", "The sandbox in which server tools run."),
        ("mcp_servers", "MCP servers that the API connects to."),
        ("speed", "Faster answers at a higher price."),
        ("inference_geo", "The region the model must run in."),
        ("diagnostics", "Why a cache was missed."),
        ("fallbacks", "Models that the API tries next."),
        ("fallback_credit_token", "Who pays for those."),
        ("billing_policy", "How the request is billed."),
        ("compaction", "How a long history is summed up."),
        ("output_config.task_budget", "Tokens for a whole task."),
    ),
    feature(
        "thread",
        "A conversation that the API keeps.",
        MESSAGES,
        others=refuses("thread", "dropped=thread", how="one to go on with; a new one is dropped"),
    ),
    feature(
        "context_management",
        "What the API removes from a long history.",
        (*MESSAGES, *RESPONSES),
        others=drops("context_management"),
        matters=True,
    ),
    *_rows(
        OPENAI,
        ("store", "Whether the API keeps the answer."),
        ("safety_identifier", "Who the user is, for abuse reports."),
        ("prompt_cache_key", "Which requests share a cache."),
        ("prompt_cache_retention", "How long a cache is kept."),
        ("prompt_cache_options", "How a prompt is cached."),
        ("moderation", "How input and output are moderated."),
    ),
    feature(
        "web_search_options",
        "A search of the web before the answer.",
        CHAT,
        others=drops("web_search_options"),
        matters=True,
    ),
    *_rows(
        RESPONSES,
        ("truncation", "Whether a too long history is cut."),
        ("max_tool_calls", "How often hosted tools may run."),
        ("image", "How pictures are made."),
        ("access_programs", "What programs of the API may be used."),
    ),
    feature(
        "include",
        "What else the answer should hold.",
        RESPONSES,
        others=drops("include", "include.*"),
    ),
    *(
        feature(name, text, RESPONSES, others=refuses(name, f"dropped={name}"))
        for name, text in (
            ("prompt", "A prompt that the API keeps."),
            ("conversation", "A conversation that the API keeps."),
            ("background", "An answer to be fetched later."),
        )
    ),
)

UNKNOWN: Feature = feature(
    "other members",
    "A member that none of the rows above is about, of the body, a message, a block or a tool.",
    EVERY,
    others=drops("*"),
)
"""What a client may add that nobody here knows: left out, and listed by its name."""
