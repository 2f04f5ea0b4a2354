"""The calendar to tests of budgets: an account is forgotten with its month, and so what it held."""

import time

from lynkrc_runtime.metering.periods import period_of

ROOM = 300.0
"""Seconds of a month that a test of budgets may need."""


def begin_in_one_month() -> None:
    """Return at once; in the last minutes of a month of UTC when the next has begun."""
    while (left := period_of("month", time.time()).until - time.time()) < ROOM:
        time.sleep(left)
