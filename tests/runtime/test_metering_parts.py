"""Owners, rates, purses, periods and expectations: what limits and budgets are made of."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.cost import Prices
from lynkrc_runtime.metering.expected import NEEDED, UNKNOWN, Expected
from lynkrc_runtime.metering.owners import owner_of
from lynkrc_runtime.metering.periods import Calendar, Length, period_of
from lynkrc_runtime.metering.purses import Purse, likely, purses_of, worst
from lynkrc_runtime.metering.rates import over_rate, rates_of
from lynkrc_runtime.settings import Budget, Limit, Owner
from lynkrc_runtime.state.interface import Balance, Taken

CI = Caller(name="ci", team="web", tenant="acme")
LONE = Caller(name="lone")


def unix(year: int, month: int, day: int, *time: int) -> float:
    hour, minute, second = (*time, 0, 0, 0)[:3]
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("per", "caller", "only", "owner"),
    [
        ("everyone", CI, (), "everyone"),
        ("everyone", None, (), "everyone"),
        ("key", CI, (), "key:ci"),
        ("key", CI, ("other",), None),
        ("key", None, (), "everyone"),
        ("team", CI, ("web",), "team:web"),
        ("team", LONE, (), None),
        ("tenant", CI, (), "tenant:acme"),
        ("tenant", None, (), None),
    ],
)
def test_owners(
    per: Owner, caller: Caller | None, only: tuple[str, ...], owner: str | None
) -> None:
    assert owner_of(caller, per, only) == owner


@pytest.mark.parametrize(
    ("length", "now", "label", "ends"),
    [
        ("day", (2028, 2, 28, 23, 59, 59), "2028-02-28", "2028-02-29T00:00:00Z"),
        ("day", (2026, 12, 31), "2026-12-31", "2027-01-01T00:00:00Z"),
        ("week", (2026, 11, 22, 23), "2026-W47", "2026-11-23T00:00:00Z"),
        ("week", (2026, 11, 23), "2026-W48", "2026-11-30T00:00:00Z"),
        ("week", (2027, 1, 1), "2026-W53", "2027-01-04T00:00:00Z"),
        ("month", (2026, 1, 31, 12), "2026-01", "2026-02-01T00:00:00Z"),
        ("month", (2026, 12, 1), "2026-12", "2027-01-01T00:00:00Z"),
    ],
)
def test_periods(length: Length, now: tuple[int, ...], label: str, ends: str) -> None:
    period = period_of(length, unix(*now))
    assert (period.label, period.ends) == (label, ends)
    assert datetime.fromtimestamp(period.until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") == ends
    assert period_of(length, period.until).label != label


def test_a_calendar_turns_its_page_and_follows_a_clock_that_is_set_back() -> None:
    calendar = Calendar()
    first, last = unix(2026, 11, 30, 23, 59, 59), unix(2026, 12, 1)
    assert [calendar.period("month", at).label for at in (first, last, first)] == [
        "2026-11",
        "2026-12",
        "2026-11",
    ]


def test_a_limit_of_both_kinds_is_two_windows_and_those_of_others_none() -> None:
    limits = [
        Limit(name="both", requests=2, tokens=100, within=30.0),
        Limit(name="theirs", per="key", only=["other"], requests=1),
        Limit(name="all", per="everyone", requests=9),
    ]
    windows = [rate.window(1) for rate in rates_of(limits, CI)]
    assert [(one.key, one.limit, one.within) for one in windows] == [
        ("rate:both:requests:key:ci", 2, 30.0),
        ("rate:both:tokens:key:ci", 100, 30.0),
        ("rate:all:requests:everyone", 9, 60.0),
    ]


def test_a_refusal_names_the_limit_its_numbers_and_the_wait() -> None:
    (rate,) = rates_of([Limit(name="fair", tokens=2_000, within=7200.0)], CI)
    failure = over_rate(rate, Taken(over=0, wait=12.5), 10)
    assert failure.message == "limit fair: at most 2,000 tokens in 2 hours for key ci"
    assert failure.retry_after == 12.5
    never = over_rate(rate, Taken(over=0, wait=None), 3_000)
    assert never.message.endswith("; this request alone has about 3,000")
    assert never.retry_after is None


PRICES = Prices(input=3 * 10**9, output=15 * 10**9, cache_read=10**8, cache_write=4 * 10**9)


def test_what_a_call_may_cost() -> None:
    assert likely(PRICES, 100, 10) == 450
    assert likely(None, 100, 10) == worst(None, 100, 10) == 0
    assert likely(Prices(input=1, output=0, cache_read=0, cache_write=0), 1, 0) == 1
    free = Prices(input=0, output=0, cache_read=0, cache_write=0)
    assert worst(free, 100, 10) == 0
    assert worst(PRICES, 101, 10) == 112 * 4 + 150 + 4


def purse(usd: str, alert_at: tuple[int, ...] = ()) -> Purse:
    (found,) = purses_of([Budget(name="b", usd=usd, alert_at=list(alert_at))], None)
    return found


def test_shares_of_a_budget() -> None:
    tight = purse("0.0001", (50, 80, 100))
    assert tight.used_pct(Balance(spent=49, reserved=2)) == 51
    assert tight.used_pct(Balance(spent=10_000)) == 1_000
    assert tight.alerts(0, 49) == []
    assert tight.alerts(49, 50) == [50]
    assert tight.alerts(50, 79) == []
    assert tight.alerts(10, 200) == [50, 80, 100]
    assert tight.alerts(100, 200) == []


def test_each_share_is_crossed_once_however_the_way_is_cut() -> None:
    made = purse("1", (1, 33, 100, 101))
    steps = [0, 9_999, 10_000, 10_001, 329_999, 330_001, 1_000_000, 1_009_999, 1_010_000]
    crossed = [
        percent for before, after in pairwise(steps) for percent in made.alerts(before, after)
    ]
    assert crossed == [1, 33, 100, 101]


def test_little_known_is_not_guessed_from() -> None:
    expected = Expected()
    for _ in range(NEEDED - 1):
        expected.learn("ci", "one", 10)
    assert expected.output("ci", "one") == UNKNOWN
    expected.learn("ci", "one", 10)
    assert expected.output("ci", "one") == 10
    assert expected.output("ci", "two") == expected.output("other", "one") == UNKNOWN


def test_what_is_expected_is_the_95th_percentile_of_the_last_answers() -> None:
    expected = Expected()
    for tokens in range(1, 101):
        expected.learn("ci", "one", tokens)
    assert expected.output("ci", "one") == 95
    for _ in range(200):
        expected.learn("ci", "one", 7)
    assert expected.output("ci", "one") == 7


def test_what_is_known_is_bounded() -> None:
    expected = Expected()
    for _ in range(NEEDED):
        expected.learn("first", "one", 10)
    for number in range(4096):
        expected.learn(f"k{number}", "one", 1)
    assert expected.output("first", "one") == UNKNOWN
