"""What of the language this version of the runtime serves: the compiler tells the rest.

A spec may declare what a later runtime will serve; it is checked and compiled whole, and
`lynkrc check` says of each part listed here that it is not served yet. A version that learns to
serve something removes its line.
"""

from collections.abc import Mapping
from types import MappingProxyType

RUNTIME = "0.1"
"""The version of the runtime this table is about."""

NOT_SERVED: Mapping[str, str] = MappingProxyType(
    {
        "sessions": "no target is kept from one request to the next",
        "state": "what is kept is in memory; a `responses_store` elsewhere is refused at start",
        "server.shedding": "no request is shed",
        "server.admin.token": "operators need no token",
        "server.tls": "connections are not encrypted",
        "server.allowed_origins": "requests of web pages are refused",
        "resilience.timeouts.max_stream": "a stream lasts an hour at most",
        "resilience.timeouts.commit_after": "a stream commits within 45 seconds",
        "resilience.retry_budget": "retries are bounded by their number alone",
        "resilience.breaker": "no breaker opens",
        "resilience.keep_alive": "the interval is 15 seconds",
        "limits": "no rate is limited",
        "budgets": "no spend is counted",
        "keys": "no key is asked for",
        "cache": "no answer is kept",
        "optimize": "no request is shortened",
        "memory": "nothing is remembered",
        "mcp": "no tool is added",
        "responses_store.store=sqlite": "the gateway does not start; `memory` is served",
        "responses_store.store=redis": "the gateway does not start; `memory` is served",
        "observability": "logs and metrics are those of every spec",
        "providers.breaker": "no breaker opens",
        "providers.concurrency": "calls are not limited",
        "providers.proxy": "the provider is called directly",
        "providers.ca_file": "the system's certificates are trusted",
        "providers.credentials": "the client's key is not passed on",
        "pick.fastest": "the group is tried as written",
        "feature.key.team": "it is absent",
        "feature.key.tenant": "it is absent",
        "feature.session.turn": "it is 0",
        "feature.session.tier": "it is `none`",
        "feature.session.warm_tokens": "it is 0",
        "feature.budget.used_pct": "it is 0",
    }
)
"""Parts by their path, and what happens instead; a path covers everything below it.

``path=value`` is one value of a setting.
"""
