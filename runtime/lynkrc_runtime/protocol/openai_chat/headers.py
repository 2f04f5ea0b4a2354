"""Client headers, to those that travel to a Chat upstream: an allow-list, never credentials.

>>> forwarded_headers({"authorization": "Bearer k", "traceparent": "00-1", "x-session-id": "s"})
{'traceparent': '00-1', 'x-session-id': 's'}
"""

from collections.abc import Mapping

_NAMES = frozenset(
    ("openai-beta", "session-id", "idempotency-key", "traceparent", "tracestate", "baggage")
)
_PREFIXES = ("x-session-",)


def forwarded_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of `headers` (lower-case names) an upstream may see."""
    return {
        name: value
        for name, value in headers.items()
        if name in _NAMES or name.startswith(_PREFIXES)
    }
