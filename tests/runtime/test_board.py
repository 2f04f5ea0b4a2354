"""What the operators' page is told: the last requests and sums over time, within bounds."""

from typing import Any

from lynkrc_runtime.attempt import AttemptRecord, Fault, Result
from lynkrc_runtime.cost import Charge, Cost
from lynkrc_runtime.protocol.conversation import Failure, FailureClass, Usage
from lynkrc_runtime.server import joined
from lynkrc_runtime.telemetry.board import HOURS, MINUTES, NO_TIER, Board
from lynkrc_runtime.telemetry.outcome import Ending, Outcome
from tests.runtime.by_hand import dispatch, provider, target

TABLE = dispatch([provider("sim", "simulator")], [target("one", 0), target("two", 0)])
START = 1_800_000_000


class Clock:
    def __init__(self) -> None:
        self.now = float(START)

    def __call__(self) -> float:
        return self.now


def outcome(identity: str = "r", **members: Any) -> Outcome:
    usual: dict[str, Any] = {
        "request_id": identity,
        "surface": "chat",
        "dialect": "openai-chat",
        "model": "what the client wrote",
        "stream": False,
        "ending": Ending.SERVED,
        "status": 200,
        "seconds": 0.5,
        "tier": "LOW",
        "rule": "score",
        "target": 0,
    }
    return Outcome(**(usual | members))


def charged(place: int, micro: int | None, failure: Failure | None = None) -> AttemptRecord:
    cost = None if micro is None else Cost(input=micro)
    return AttemptRecord(
        target=place,
        started=0.0,
        seconds=0.1,
        result=Result.SERVED if failure is None else Result.FAILED,
        fault=None if failure is None else Fault.ANSWERED,
        failure=failure,
        charge=Charge(usage=Usage(input=3, output=4), cost=cost, estimated=False),
    )


def ids(told: dict[str, Any]) -> list[str]:
    return [row["request_id"] for row in told["requests"]]


def test_the_newest_comes_first_and_the_oldest_leave() -> None:
    board = Board(Clock(), most=2)
    for identity in "abc":
        board.settled(TABLE, outcome(identity))
    assert ids(board.last()) == ["c", "b"]


def test_a_cursor_tells_what_is_new_and_a_strange_one_all() -> None:
    board = Board(Clock())
    board.settled(TABLE, outcome("a"))
    cursor = board.last()["cursor"]
    board.settled(TABLE, outcome("b"))
    assert ids(board.last(cursor)) == ["b"]
    assert ids(board.last(f"other-5,{cursor}")) == ["b"]
    assert ids(board.last(board.last()["cursor"])) == []
    for strange in ("", "other-9", f"{board.run}-", f"{board.run}-x", f"{board.run}-²", "," * 50):
        assert ids(board.last(strange)) == ["b", "a"]


def test_a_row_holds_names_and_numbers_and_nobodys_words() -> None:
    failure = Failure(kind=FailureClass.THROTTLED, status=429, message="a secret of the upstream")
    board = Board(Clock())
    board.settled(
        TABLE,
        outcome(
            attempts=(charged(1, 5, failure), charged(0, 7)),
            usage=Usage(input=3, output=4),
            fallback=True,
            key="ci",
            team="web",
        ),
    )
    kept = repr(board._kept)
    assert "secret" not in kept
    (row,) = board.last()["requests"]
    assert "what the client wrote" not in str(row)
    assert (row["time"], row["target"], row["model"]) == (START * 1000, "one", "model-one")
    assert (row["key"], row["team"], row["fallback"]) == ("ci", "web", True)
    assert (row["cost_micro_usd"], row["tokens"]["output"]) == (12, 4)
    failed, served = row["attempts"]
    assert (failed["target"], failed["class"], failed["status"]) == ("two", "throttled", 429)
    assert (served["result"], served["class"], served["duration_ms"]) == ("served", None, 100.0)


def test_sums_are_by_minute_and_by_hour() -> None:
    clock = Clock()
    board = Board(clock)
    board.settled(TABLE, outcome(attempts=(charged(0, 7),)))
    board.settled(TABLE, outcome(tier=None, ending=Ending.DENIED, target=None))
    clock.now += 60
    board.settled(TABLE, outcome(attempts=(charged(0, 1), charged(1, None))))
    told = board.series()
    first, second = told["minutes"]
    assert first["tiers"] == {"LOW": 1, NO_TIER: 1}
    assert (first["spend"], first["failed"], first["tokens"]) == ({"one": 7}, 1, 7)
    assert second["start"] - first["start"] == 60
    assert (second["spend"], second["unpriced"]) == ({"one": 1}, 1)
    (hour,) = told["hours"]
    assert (hour["tiers"], hour["spend"]) == ({"LOW": 2, NO_TIER: 1}, {"one": 8})
    assert hour["start"] % 3600 == 0


def test_sums_are_bounded_and_old_ones_are_not_told() -> None:
    clock = Clock()
    board = Board(clock)
    for _ in range(MINUTES + 200):
        board.settled(TABLE, outcome())
        clock.now += 60
    told = board.series()
    assert len(told["minutes"]) == MINUTES - 1  # the one that runs is empty
    assert sum(one["tiers"]["LOW"] for one in told["hours"]) == MINUTES + 200
    clock.now += 3 * 3600
    assert board.series()["minutes"] == []
    for _ in range(HOURS + 20):
        board.settled(TABLE, outcome())
        clock.now += 3600
    assert len(board.series()["hours"]) <= HOURS
    clock.now += 8 * 86_400
    assert board.series() == {"minutes": [], "hours": []}


def test_a_clock_that_is_set_back_is_followed() -> None:
    clock = Clock()
    board = Board(clock)
    board.settled(TABLE, outcome())
    clock.now -= 7200
    board.settled(TABLE, outcome())
    clock.now += 7200
    board.settled(TABLE, outcome())
    assert [one["start"] for one in board.series()["minutes"]] == [START - 7200, START]
    assert [one["tiers"] for one in board.series()["hours"]] == [{"LOW": 1}, {"LOW": 2}]


def test_workers_are_told_as_one() -> None:
    clock = Clock()
    one, two = Board(clock), Board(clock)
    one.settled(TABLE, outcome("a", attempts=(charged(0, 7),)))
    clock.now += 1
    two.settled(TABLE, outcome("b", attempts=(charged(0, 5),)))
    told = joined.last([(1, one.last()), (2, two.last())])
    assert [(row["request_id"], row["worker"]) for row in told["requests"]] == [("b", 2), ("a", 1)]
    assert ids(one.last(told["cursor"])) == ids(two.last(told["cursor"])) == []
    members = {"running": 1, "started": 5, "budgets": []}
    sums = joined.board(
        [(1, {**members, "series": one.series()}), (2, {**members, "series": two.series()})]
    )
    (minute,) = sums["series"]["minutes"]
    assert (minute["tiers"], minute["spend"], sums["running"]) == ({"LOW": 2}, {"one": 12}, 2)
