"""A decision to the headers that tell of it; the gateway sends them, `lynkrc test` expects them.

>>> header_value("caf\\u00e9")
'caf?'
"""

from functools import lru_cache

from lynkrc_runtime.decide import Decision

DECISION_HEADERS = ("x-lynkr-rule", "x-lynkr-tier", "x-lynkr-score")
"""What an answer says of its decision; what else it says depends on the attempts."""


def decision_headers(decision: Decision) -> dict[str, str]:
    """Those of `DECISION_HEADERS` that the decision fixes."""
    headers = {"x-lynkr-rule": name_value(decision.rule)}
    if decision.tier is not None:
        headers["x-lynkr-tier"] = name_value(decision.tier)
    if decision.score is not None:
        headers["x-lynkr-score"] = str(decision.score)
    return headers


@lru_cache(maxsize=1024)
def name_value(name: str) -> str:
    """A name of the spec as `header_value` writes it: there are few, and every answer has some."""
    return header_value(name)


def header_value(text: str) -> str:
    """One name as a header value: printable ASCII, bounded."""
    if len(text) <= 200 and text.isascii() and text.isprintable():
        return text
    return "".join(char if " " <= char <= "~" else "?" for char in text[:200])
