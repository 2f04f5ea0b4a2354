"""A trace and the texts of its request to the same trace with the words that patterns matched.

Only `lynkrc trace` does this, on a request file of its user's; the gateway's traces hold no text.
"""

from collections.abc import Mapping
from typing import Any

AROUND = 24
"""Characters of the text before and after a match that an excerpt holds."""
LONGEST = 200
"""Characters of the match itself."""


def with_excerpts(trace: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """The trace, each place with an `excerpt`; `texts` has every text that its features read."""
    features = [
        {
            **feature,
            "patterns": [
                {
                    **pattern,
                    "places": [
                        {**place, "excerpt": _excerpt(texts[feature["text"]], *place["chars"])}
                        for place in pattern["places"]
                    ],
                }
                for pattern in feature["patterns"]
            ],
        }
        for feature in trace["features"]
    ]
    return {**trace, "features": features}


def texts_read(trace: Mapping[str, Any]) -> frozenset[str]:
    """The names of the texts in which a pattern of the trace occurs."""
    return frozenset(feature["text"] for feature in trace["features"] if feature["patterns"])


def _excerpt(text: str, start: int | None, end: int) -> dict[str, str]:
    """The match between what stands around it.

    >>> _excerpt("please prove it", 7, 12)
    {'before': 'please ', 'match': 'prove', 'after': ' it'}
    """
    known = max(0, end - AROUND) if start is None else max(start, end - LONGEST)
    return {
        "before": text[max(0, known - AROUND) : known],
        "match": text[known:end],
        "after": text[end : end + AROUND],
    }
