"""What was routed and spent to one line, by a template or as it usually is.

>>> known = Known(tier="MEDIUM", target="mid", requests="12", cost="$0.34", saved="71 %")
>>> usual_line(known)
'lynkrc MEDIUM mid 12 req $0.34 saved 71 % (today)'
>>> filled("{tier}: {cost} of {budget}", known)
'MEDIUM: $0.34 of {budget}'
"""

import re
from dataclasses import dataclass, fields
from typing import final

NOBODY = "lynkrc: not running"
_PLACE = re.compile(r"\{(\w+)\}")
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What a terminal might act on: names may come from a file that others have made."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The words of a line, each empty where nobody knows; the names are those of placeholders."""

    tier: str = ""
    target: str = ""
    model: str = ""
    requests: str = ""
    failed: str = ""
    cost: str = ""
    saved: str = ""
    since: str = "today"
    client: str = ""


PLACEHOLDERS = tuple(field.name for field in fields(Known))


def usual_line(known: Known) -> str:
    """Everything that is known, in the usual order."""
    parts = [
        known.tier,
        known.target,
        known.requests and f"{known.requests} req",
        known.failed and known.failed != "0" and f"{known.failed} failed",
        known.cost,
        known.saved and f"saved {known.saved}",
        f"({known.since})",
    ]
    return fit(" ".join(["lynkrc", *(part for part in parts if part)]))


def filled(template: str, known: Known) -> str:
    """The template with its placeholders filled; what is no placeholder stays as it is."""

    def word(found: re.Match[str]) -> str:
        return getattr(known, found[1]) or "-" if found[1] in PLACEHOLDERS else found[0]

    return fit(_PLACE.sub(word, template))


def fit(text: str) -> str:
    """A line that a terminal shows, and does nothing more with."""
    return _UNFIT.sub("?", text)


def dollars(micro: int) -> str:
    """
    >>> dollars(340_000), dollars(12_345_678), dollars(1_234), dollars(0)
    ('$0.34', '$12.35', '$0.0012', '$0.00')
    """
    return f"${micro / 1e6:.2f}" if micro >= 10_000 or not micro else f"${micro / 1e6:.4f}"
