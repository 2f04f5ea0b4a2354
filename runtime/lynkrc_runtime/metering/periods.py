"""A moment to the calendar period it lies in, in UTC: day, week (from Monday) or month.

>>> period_of("week", 1_767_225_600.0)  # Thursday, 2026-01-01
Period(label='2026-W01', ends='2026-01-05T00:00:00Z', until=1767571200.0)
"""

from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias, final

from msgspec import Struct

Length: TypeAlias = Literal["day", "week", "month"]


@final
class Period(Struct, frozen=True, kw_only=True):
    """`label` names it, `until` (Unix seconds) is when the next begins, `ends` that in words."""

    label: str
    ends: str
    until: float


def period_of(length: Length, now: float) -> Period:
    """The period that `now` (Unix seconds) lies in."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match length:
        case "day":
            label, following = today.strftime("%Y-%m-%d"), today + timedelta(days=1)
        case "week":
            year, week, weekday = today.isocalendar()
            label, following = f"{year}-W{week:02}", today + timedelta(days=8 - weekday)
        case "month":
            # The 28th and four days more is always in the next month.
            later = today.replace(day=28) + timedelta(days=4)
            label, following = today.strftime("%Y-%m"), later.replace(day=1)
    return Period(
        label=label, ends=following.strftime("%Y-%m-%dT%H:%M:%SZ"), until=following.timestamp()
    )


@final
class Calendar:
    """Periods of now, worked out once each."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[Length, tuple[float, Period]] = {}

    def period(self, length: Length, now: float) -> Period:
        """The period that `now` (Unix seconds) lies in; a clock set back is followed."""
        known = self._known.get(length)
        if known is None or not known[0] <= now < known[1].until:
            known = self._known[length] = (now, period_of(length, now))
        return known[1]
