"""Requests that a client sends for a task that is refused: what `server/problems.py` rests on.

Where a client comes in another version these numbers may change, and with them what is best to
answer. The bodies are those the gateway writes.
"""

from pathlib import Path

import pytest

from tests.clients.drivers import DRIVERS
from tests.clients.programs import CLAUDE_RETRIES, Task, model_of, ran
from tests.clients.refusals import Refusal, refusing

RESETS_AT = 4_102_444_800
"""Unix seconds: 2100-01-01."""
WAIT = 2
"""Seconds of `retry-after`: more than most waits of the clients' own."""

UNKNOWN = Refusal(401, "authentication", should_retry=False)
FORBIDDEN = Refusal(403, "permission", should_retry=False)
INVALID = Refusal(400, "invalid", should_retry=False)
OURS = Refusal(424, "misconfigured", should_retry=False)
SPENT = Refusal(429, "spent", should_retry=False, resets_at=RESETS_AT)
LIMITED = Refusal(429, "rate_limited", should_retry=True, retry_after=WAIT)
BUSY = Refusal(503, "overloaded", should_retry=True, retry_after=WAIT)
BUSY_529 = Refusal(529, "overloaded", should_retry=True, retry_after=WAIT)

TOLD: dict[tuple[str, Refusal], tuple[int, str]] = {
    # Claude Code obeys x-should-retry; of a 400 it tries other parameters, at once.
    ("claude", UNKNOWN): (1, "Failed to authenticate. API Error: 401 the scripted refusal"),
    ("claude", FORBIDDEN): (1, "Failed to authenticate. API Error: 403 the scripted refusal"),
    ("claude", INVALID): (6, "API Error: 400 the scripted refusal"),
    ("claude", OURS): (1, "API Error: 424 the scripted refusal"),
    ("claude", SPENT): (1, "Request rejected (429) · the scripted refusal"),
    ("claude", LIMITED): (1 + CLAUDE_RETRIES, "Request rejected (429) · the scripted refusal"),
    ("claude", BUSY): (1 + CLAUDE_RETRIES, "API Error: 503 the scripted refusal"),
    ("claude", BUSY_529): (1 + CLAUDE_RETRIES, "API Error: 529 the scripted refusal"),
    # Codex does not read x-should-retry.
    ("codex", UNKNOWN): (6, "unexpected status 401 Unauthorized: the scripted refusal"),
    ("codex", FORBIDDEN): (6, "unexpected status 403 Forbidden: the scripted refusal"),
    ("codex", INVALID): (1, "the scripted refusal"),
    ("codex", OURS): (6, "unexpected status 424 Failed Dependency: the scripted refusal"),
    # Of a 429 it shows no message of ours, but of this kind the time.
    ("codex", SPENT): (1, "hit your usage limit. Try again at "),
    ("codex", LIMITED): (6, "exceeded retry limit, last status: 429"),
    # It waits as long as it is told, 29 times; of an overload for which it is not told, 4 times.
    ("codex", BUSY): (30, "Selected model is at capacity"),
    ("codex", Refusal(503, "overloaded")): (5, "Selected model is at capacity"),
    ("codex", Refusal(502, "bad_gateway", should_retry=False)): (30, "unexpected status 502"),
    ("codex", Refusal(429, "rate_limited")): (1, "exceeded retry limit, last status: 429"),
}
"""Requests, and a part of what the user is shown."""


def name_of(value: object) -> str:
    match value:
        case Refusal():
            after = "" if value.retry_after is None else f"-after-{value.retry_after}"
            return f"{value.status}-{value.kind}{after}"
        case _:
            return str(value)


@pytest.mark.parametrize(("program", "refusal"), TOLD, ids=name_of)
def test_a_program_that_is_refused(program: str, refusal: Refusal, tmp_path: Path) -> None:
    count, words = TOLD[program, refusal]
    with refusing(refusal) as server:
        done = ran(program, Task(server.url, model_of(program, "any"), "Hello.", tmp_path))
    assert done.code != 0
    assert len(server.came) == count
    assert words in done.text
    if refusal.retry_after is not None:
        assert min(server.gaps) >= refusal.retry_after


VERCEL = [driver for driver in DRIVERS if driver.name.startswith("vercel")]
SDKS = [driver for driver in DRIVERS if driver not in VERCEL]


@pytest.mark.parametrize("driver", SDKS, ids=lambda driver: driver.name)
def test_an_sdk_obeys_should_retry(driver) -> None:
    for refusal, count in ((OURS, 1), (SPENT, 1), (BUSY, 3), (LIMITED, 3)):
        with refusing(refusal) as server:
            error = driver.run(server.url, "any", "error", "Hello.")["error"]
        assert len(server.came) == count, refusal
        assert error["status"] == refusal.status
        assert "the scripted refusal" in error["message"]
        if refusal.retry_after is not None:
            assert min(server.gaps) >= refusal.retry_after


@pytest.mark.parametrize("driver", VERCEL, ids=lambda driver: driver.name)
def test_vercel_judges_by_the_status_alone(driver) -> None:
    for refusal, count in ((OURS, 1), (UNKNOWN, 1), (SPENT, 3), (BUSY, 3)):
        with refusing(refusal) as server:
            error = driver.run(server.url, "any", "error", "Hello.")["error"]
        assert len(server.came) == count, refusal
        assert "the scripted refusal" in error["message"]
        if refusal.retry_after is not None:
            assert min(server.gaps) >= refusal.retry_after
