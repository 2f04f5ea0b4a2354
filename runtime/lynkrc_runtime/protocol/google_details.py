"""The `details` of a Google error, to what they say beyond its words (wire reference B.8).

>>> told = read_details([{"@type": "x/google.rpc.RetryInfo", "retryDelay": "45.8s"}])
>>> told.retry_after, told.reason
(45.8, None)
"""

import re
from typing import Any, final

import msgspec

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")
_EXHAUSTED = re.compile(r"PerDay|PerMonth")
_NO_QUOTA = re.compile(r"\blimit: 0\b")

QUOTA_EXHAUSTED = "insufficient_quota"
"""What is said of a quota that no short wait refills."""


@final
class Details(msgspec.Struct, frozen=True, kw_only=True):
    """`reason` of an ErrorInfo, or `QUOTA_EXHAUSTED`; `retry_after` in seconds."""

    reason: str | None = None
    retry_after: float | None = None


def read_details(details: Any, message: str = "") -> Details:
    """What a list of typed details says; other values say nothing.

    A quota of a day also comes with a delay of seconds, after which it is as empty as before.
    """
    reason: str | None = None
    wait: float | None = None
    is_exhausted = _NO_QUOTA.search(message) is not None
    for detail in details if isinstance(details, list) else ():
        if not isinstance(detail, dict):
            continue
        match str(detail.get("@type")).rpartition(".")[2]:
            case "ErrorInfo" if isinstance(detail.get("reason"), str):
                reason = detail["reason"]
            case "RetryInfo":
                found = _SECONDS.fullmatch(str(detail.get("retryDelay")))
                wait = float(found[1]) if found else wait
            case "QuotaFailure":
                is_exhausted = is_exhausted or _is_exhausted(detail.get("violations"))
            case _:
                pass
    if is_exhausted:
        return Details(reason=QUOTA_EXHAUSTED)
    return Details(reason=reason, retry_after=wait)


def _is_exhausted(violations: Any) -> bool:
    for violation in violations if isinstance(violations, list) else ():
        if isinstance(violation, dict):
            is_daily = _EXHAUSTED.search(str(violation.get("quotaId"))) is not None
            if is_daily or violation.get("quotaValue") == "0":
                return True
    return False
