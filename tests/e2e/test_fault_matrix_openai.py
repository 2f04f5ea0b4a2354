"""Every fault of an upstream, whole and streamed, alone or not: chat and Responses."""

import pytest

from tests.e2e.fault_checks import judge, judge_breaker, judge_records
from tests.e2e.fault_lab import Told, told
from tests.e2e.fault_table import Row, rows

ROWS = rows("chat", "responses")
each_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    return told(ROWS, tmp_path_factory.mktemp("faults"))


@each_row
def test_the_client_is_told(answers: dict[str, Told], row: Row) -> None:
    judge(row, answers[row.name])


@each_row
def test_the_records_tell_the_same(answers: dict[str, Told], row: Row) -> None:
    judge_records(row, answers[row.name])


@each_row
def test_the_breaker_counts(answers: dict[str, Told], row: Row) -> None:
    judge_breaker(row, answers[row.name])


def test_every_request_is_counted_once_and_by_its_end(answers: dict[str, Told]) -> None:
    for surface in {row.surface for row in ROWS}:
        for stream in (False, True):
            mine = [row for row in ROWS if (row.surface, row.stream) == (surface, stream)]
            if mine:
                first = answers[mine[0].name]
                endings = [answers[row.name].record["ending"] for row in mine]
                for ending in set(endings):
                    found = first.metric("lynkr_requests_total", **{"class": ending})
                    assert found == endings.count(ending)
                assert first.metric("lynkr_requests_total") == len(mine)
                assert first.metric("lynkr_requests_in_flight") == 0
